package workflows

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/sns"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	lifeline "lifeline/internal/temporal"
)

func queueOf(region plan.Region) string { return lifeline.Queue(region) }

// publish makes progress visible wherever people look: current details in the
// Temporal UI, search attributes for lists (which need no worker).
func (r *run) publish(ctx workflow.Context) {
	r.report.Now = workflow.Now(ctx)
	r.report.Spans = r.report.Clocks.Spans(r.report.Now)
	workflow.SetCurrentDetails(ctx, runbook.Markdown(r.report))
	r.mark(ctx)
}

// mark writes the search attributes when one of them has changed: each write is
// an event of the history.
func (r *run) mark(ctx workflow.Context) {
	now := [...]string{string(r.report.Phase), string(r.report.RTOState), string(r.report.Status)}
	if now == r.marked {
		return
	}
	r.marked = now
	phase := now[0]
	if s := r.report.Status; s != runbook.Running {
		phase += ":" + string(s)
	}
	err := workflow.UpsertTypedSearchAttributes(ctx,
		lifeline.LifelineApplication().ValueSet(r.report.Application),
		lifeline.LifelineRunbook().ValueSet(string(r.report.Runbook)),
		lifeline.LifelinePhase().ValueSet(phase),
		lifeline.LifelineRegion().ValueSet(string(r.report.To)),
		lifeline.LifelineRtoState().ValueSet(string(r.report.RTOState)),
	)
	if err != nil {
		workflow.GetLogger(ctx).Error("search attributes refused", "app", r.report.Application, "run", r.report.RunID, "error", err)
	}
}

// snapshot is the report as of now.
func (r *run) snapshot(ctx workflow.Context) runbook.Report {
	rep := r.report
	rep.Now = workflow.Now(ctx)
	rep.Spans = rep.Clocks.Spans(rep.Now)
	rep.Stages = slices.Clone(rep.Stages)
	return rep
}

// event records something worth telling that is no step.
func (r *run) event(ctx workflow.Context, kind, text string) {
	r.report.Events = append(r.report.Events, runbook.Event{At: workflow.Now(ctx), Kind: kind, Text: text})
	workflow.GetLogger(ctx).Info("event", "app", r.report.Application, "run", r.report.RunID, "stage", r.report.Phase, "kind", kind, "text", text)
}

// tell notifies people through every topic of the plan. A failed notification
// is recorded and stops nothing.
func (r *run) tell(ctx workflow.Context, subject, text string) {
	r.event(ctx, "notified", subject+": "+text)
	topics := r.in.Plan.Notifications.Topics
	if len(topics) == 0 || r.move.DryRun {
		return
	}
	var a *sns.Steps
	step := runbook.Step{Name: "Notify", Plane: runbook.Data, Reversibility: runbook.Reversible, Budget: oneAttempt, BestEffort: true}
	in := sns.Notification{
		Topics:  topics,
		Subject: fmt.Sprintf("Lifeline %s of %s: %s", r.report.Runbook, r.report.Application, subject),
		Message: fmt.Sprintf("%s\n\nrun %s\n%s", text, r.report.RunID, r.report.Next),
		Token:   runbook.Token(r.report.WorkflowID, r.id, subject, fmt.Sprint(len(r.report.Events))),
	}
	r.Aside(ctx, func(ctx workflow.Context) {
		// Not held up by a pause: people are told, above all, while a run stands still.
		if err := r.recorded(ctx, step, r.query(step, a.Notify, in, nil)); err != nil {
			r.event(ctx, "notified", "nobody could be told: "+err.Error())
		}
	})
}
