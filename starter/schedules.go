package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/temporal"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/internal/temporal"
)

const (
	// proofTimeout ends a proof that hangs: the next one is due by then.
	proofTimeout = 10 * time.Minute
	// proveEvery is how often readiness is proved when the plan says nothing.
	proveEvery = 15 * time.Minute
	// catchUp bounds what is made up for after an outage of Temporal: by default
	// a year of missed proofs would start at once.
	catchUp = time.Minute
)

func (a *app) schedules() *cobra.Command {
	apply := false
	c := &cobra.Command{
		Use:   "schedules",
		Short: "Show what runs by itself, or let it run by the plan",
		Long: `Show the Temporal Schedules of the plan: when readiness was proved last and when it
will be next. With --apply they are made, or changed to what the plan says now.`,
		Example: "  starter schedules -f plan.yaml --apply",
	}
	a.addPlan(c)
	c.Flags().BoolVar(&apply, "apply", false, "make the schedules, or change them to what the plan says")
	return a.verb(c, func(cmd *cobra.Command, _ []string) error { return a.schedule(cmd.Context(), apply) })
}

func (a *app) schedule(ctx context.Context, apply bool) error {
	p, err := a.loadPlan()
	if err != nil {
		return err
	}
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	schedules, id := c.ScheduleClient(), scheduleID(p)
	at := target{workflow: id}
	if apply {
		if err := applySchedule(ctx, schedules, p); err != nil {
			return a.explain("schedule", at, err)
		}
	}
	d, err := schedules.GetHandle(ctx, id).Describe(ctx)
	var none *serviceerror.NotFound
	if errors.As(err, &none) {
		return &trouble{code: exitFailed, err: fmt.Errorf("readiness of %s is not scheduled", p.Application), safe: "nothing was changed", next: a.command("schedules", "--apply")}
	}
	if err != nil {
		return a.explain("look at schedule", at, err)
	}
	return a.showSchedule(p, d)
}

func scheduleID(p plan.Plan) string { return temporal.IDOf(p.Application, runbook.Readiness) }

// every is how often the plan wants readiness proved.
func every(p plan.Plan) time.Duration {
	if p.Readiness == nil {
		return proveEvery
	}
	return p.Readiness.Every.D()
}

// applySchedule makes the schedule or changes it. The plan travels in it, so a
// changed plan needs it again.
func applySchedule(ctx context.Context, schedules client.ScheduleClient, p plan.Plan) error {
	o := client.ScheduleOptions{
		ID: scheduleID(p), Spec: specOf(p), Action: actionOf(p), CatchupWindow: catchUp,
		// A proof that takes longer than its interval must not pile up.
		Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP,
		Note:    "plan " + p.Digest(),
	}
	_, err := schedules.Create(ctx, o)
	if !errors.Is(err, sdk.ErrScheduleAlreadyRunning) {
		return err
	}
	return schedules.GetHandle(ctx, o.ID).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			s := in.Description.Schedule
			s.Spec, s.Action = &o.Spec, o.Action
			s.State.Note = o.Note
			s.Policy.Overlap, s.Policy.CatchupWindow = o.Overlap, o.CatchupWindow
			return &client.ScheduleUpdate{Schedule: &s}, nil
		},
	})
}

func specOf(p plan.Plan) client.ScheduleSpec {
	return client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every(p)}}}
}

func actionOf(p plan.Plan) *client.ScheduleWorkflowAction {
	return &client.ScheduleWorkflowAction{
		ID: scheduleID(p), Workflow: readinessName, Args: []any{map[string]any{"plan": p}}, TaskQueue: temporal.SetupQueue,
		WorkflowExecutionTimeout: proofTimeout, TypedSearchAttributes: proofAttributes(p), StaticSummary: "readiness of " + p.Application,
	}
}

func (a *app) showSchedule(p plan.Plan, d *client.ScheduleDescription) error {
	stale := d.Schedule.State != nil && d.Schedule.State.Note != "plan "+p.Digest()
	if a.output == "json" {
		return a.json(map[string]any{
			"id": scheduleID(p), "every": every(p).String(), "paused": d.Schedule.State != nil && d.Schedule.State.Paused,
			"next": d.Info.NextActionTimes, "runs": d.Info.NumActions, "plan_is_stale": stale,
		})
	}
	a.say("readiness of %s is proved every %s, %d times so far", p.Application, every(p), d.Info.NumActions)
	if len(d.Info.NextActionTimes) > 0 {
		a.say("  next at %s", d.Info.NextActionTimes[0].UTC().Format(time.RFC3339))
	}
	if d.Schedule.State != nil && d.Schedule.State.Paused {
		a.say("  PAUSED: nothing is proved until somebody unpauses it in the Temporal UI")
	}
	if stale {
		a.say("  it proves an older plan than this file: starter schedules -f %s --apply", shellWord(a.planFile))
	}
	return nil
}
