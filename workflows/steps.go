package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"lifeline/internal/runbook"
	"lifeline/workflows/kinds"
)

const (
	// heartbeat is when a silent worker is given up. Activities beat every
	// 500 ms, so four beats are missed; a killed worker costs 2 s plus the retry.
	heartbeat = 2 * time.Second
	// firstRetry is short because a retry after a killed worker is part of the RTO.
	firstRetry = 200 * time.Millisecond
	// slowestRetry keeps an outage of a few seconds from costing more than that.
	slowestRetry = 2 * time.Second
	// oneAttempt bounds a single attempt of a short step: a healthy API call is
	// answered in well under a second, a sick one is better retried.
	oneAttempt = 10 * time.Second
)

// options are how a step runs. A step in the suspect Region is tried once and
// shortly; all others are retried by time, not by count.
func (r *run) options(s runbook.Step, attempt time.Duration) workflow.ActivityOptions {
	o := workflow.ActivityOptions{
		Summary:                label(s),
		StartToCloseTimeout:    min(attempt, s.Budget),
		ScheduleToCloseTimeout: s.Budget,
		HeartbeatTimeout:       heartbeat,
		WaitForCancellation:    s.Reversibility != runbook.Reversible,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: firstRetry, BackoffCoefficient: 1.5, MaximumInterval: slowestRetry},
	}
	if s.BestEffort && s.Region == string(r.move.From) && r.move.Class == runbook.Emergency {
		o.RetryPolicy.MaximumAttempts = 1
	}
	return o
}

func label(s runbook.Step) string {
	out := s.Name
	if s.Resource != "" {
		out += " " + s.Resource
	}
	if s.Region != "" {
		out += " in " + s.Region
	}
	return out
}

// Move says what the run is about.
func (r *run) Move() kinds.Move { return r.move }

// Query runs a step that only reads.
func (r *run) Query(ctx workflow.Context, s runbook.Step, activity, in, out any) error {
	return r.step(ctx, s, r.query(s, activity, in, out))
}

func (r *run) query(s runbook.Step, activity, in, out any) func(workflow.Context, *runbook.StepRecord) error {
	return func(ctx workflow.Context, rec *runbook.StepRecord) error {
		ctx = workflow.WithActivityOptions(ctx, r.options(s, oneAttempt))
		if err := workflow.ExecuteActivity(ctx, activity, in).Get(ctx, out); err != nil {
			return err
		}
		rec.Effect = runbook.Already
		return nil
	}
}

// Change runs a step that changes the world, its undo registered first. What the
// first attempt found done already is others' work and is not taken back.
func (r *run) Change(ctx workflow.Context, c kinds.Change) error {
	return r.step(ctx, c.Step, func(ctx workflow.Context, rec *runbook.StepRecord) error {
		if c.Step.Reversibility == runbook.OneWay {
			r.pass()
		}
		entry := r.register(c)
		ctx = workflow.WithActivityOptions(ctx, r.options(c.Step, oneAttempt))
		future := workflow.ExecuteActivity(ctx, c.Activity, c.Input(r.command(c.Step)))
		var out runbook.Outcome
		if err := future.Get(ctx, &out); err != nil {
			return err
		}
		rec.Effect, rec.Evidence, rec.Request = out.Effect, out.Evidence, out.RequestID
		r.settle(c.Step, entry, out)
		if c.Out != nil {
			return future.Get(ctx, c.Out)
		}
		return nil
	})
}

// Await watches the world until it is as wanted: one long attempt that
// heartbeats, taken up again by another worker when its own dies.
func (r *run) Await(ctx workflow.Context, s runbook.Step, activity, in, out any) error {
	return r.step(ctx, s, func(ctx workflow.Context, rec *runbook.StepRecord) error {
		if r.move.DryRun {
			rec.Effect, rec.Evidence = runbook.Would, "would wait, at most "+s.Budget.String()
			return nil
		}
		o := r.options(s, s.Budget)
		o.WaitForCancellation = false
		ctx = workflow.WithActivityOptions(ctx, o)
		if err := workflow.ExecuteActivity(ctx, activity, in).Get(ctx, out); err != nil {
			return err
		}
		rec.Effect = runbook.Already
		return nil
	})
}

func (r *run) command(s runbook.Step) runbook.Command {
	return runbook.Command{DryRun: r.move.DryRun, Token: runbook.Token(r.report.WorkflowID, r.id, s.Name, s.Resource, s.Region)}
}

// step keeps the record of one step around its execution. The failure of a
// best-effort step is recorded and goes no further.
func (r *run) step(ctx workflow.Context, s runbook.Step, execute func(workflow.Context, *runbook.StepRecord) error) error {
	if err := runbook.CheckRules(r.move.Class, s, r.move.From); err != nil {
		return err
	}
	if err := r.unpaused(ctx); err != nil {
		return err
	}
	return r.recorded(ctx, s, execute)
}

// recorded is a step that no pause holds up.
func (r *run) recorded(ctx workflow.Context, s runbook.Step, execute func(workflow.Context, *runbook.StepRecord) error) error {
	rec := &runbook.StepRecord{Step: s, State: runbook.Active, Started: workflow.Now(ctx)}
	stage := &r.report.Stages[r.stageOf(ctx)]
	i := len(stage.Steps)
	stage.Steps = append(stage.Steps, *rec)
	var err error
	if s.Optional && (r.faster || r.skip[s.Name]) {
		rec.State, rec.Evidence = runbook.Skipped, "skipped: the budget is short, or a person said so"
	} else {
		r.publish(ctx)
		err = execute(ctx, rec)
		rec.State = runbook.Succeeded
	}
	rec.Ended = workflow.Now(ctx)
	if err != nil {
		rec.State, rec.Error = runbook.Broken, r.words(err)
		err = r.failedStep(s, err)
	}
	stage.Steps[i] = *rec
	r.publish(ctx)
	return err
}

func (r *run) failedStep(s runbook.Step, err error) error {
	if temporal.IsCanceledError(err) {
		return err
	}
	if s.BestEffort {
		return nil
	}
	var gate *gateError
	if errors.As(err, &gate) {
		return err
	}
	return fmt.Errorf("%s: %w", label(s), err)
}
