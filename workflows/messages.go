package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"lifeline/internal/runbook"
)

// listen registers every message handler before the first wait, so that none is
// lost or refused for coming early.
func (r *run) listen(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, runbook.QueryStatus, func() (runbook.Report, error) {
		return r.snapshot(ctx), nil
	}); err != nil {
		return fmt.Errorf("register status query: %w", err)
	}
	err := workflow.SetUpdateHandlerWithOptions(ctx, runbook.UpdateDecide,
		func(ctx workflow.Context, d runbook.Decision) (runbook.Ballot, error) { return r.decide(ctx, d) },
		workflow.UpdateHandlerOptions{
			Description: "An approver's signed decision on the request that is open (made by: starter approve --print)",
			Validator:   func(ctx workflow.Context, d runbook.Decision) error { return r.judge(ctx, d) },
		})
	if err != nil {
		return fmt.Errorf("register decide: %w", err)
	}
	err = workflow.SetUpdateHandlerWithOptions(ctx, runbook.UpdateControl,
		func(ctx workflow.Context, c runbook.Control) (runbook.Report, error) { return r.obey(ctx, c) },
		workflow.UpdateHandlerOptions{
			Description: "A signed order: pause, resume, skip or abort (made by: starter pause, resume, skip and abort)",
			Validator:   func(_ workflow.Context, c runbook.Control) error { return r.allowed(c) },
		})
	if err != nil {
		return fmt.Errorf("register control: %w", err)
	}
	workflow.Go(ctx, r.signals)
	return nil
}

// signals takes decisions that come by signal: the same payload, the same
// judge. A refused one leaves a line in the story, since a signal gets no answer.
func (r *run) signals(ctx workflow.Context) {
	channel := workflow.GetSignalChannel(ctx, runbook.SignalDecide)
	for refusals := 0; ; {
		var d runbook.Decision
		if more := channel.Receive(ctx, &d); !more || ctx.Err() != nil {
			return
		}
		_, err := r.decide(ctx, d)
		if err == nil {
			continue
		}
		// Anybody with access to Temporal can send signals; a flood of them must
		// not swell the report until status and approval no longer fit.
		if refusals++; refusals > keptRefusals {
			continue
		}
		r.event(ctx, "decision", "refused: "+err.Error())
		if refusals == keptRefusals {
			r.event(ctx, "decision", "further refused signals are not listed")
		}
		r.publish(ctx)
	}
}

// keptRefusals is how many refused signals the story tells.
const keptRefusals = 20

func (r *run) judge(ctx workflow.Context, d runbook.Decision) error {
	return r.report.Ballot().Judge(d, r.in.Plan, r.in.Start.By, workflow.Now(ctx))
}

// decide counts a decision that the judge lets pass. It judges again: between
// an update's validator and its handler another decision may have been counted.
func (r *run) decide(ctx workflow.Context, d runbook.Decision) (runbook.Ballot, error) {
	if err := r.judge(ctx, d); err != nil {
		return runbook.Ballot{}, err
	}
	b := r.report.Ballot()
	b.Count(d, workflow.Now(ctx))
	word := "approves"
	if !d.Approve {
		word = "rejects"
	}
	r.event(ctx, "decision", fmt.Sprintf("%s %s %s (%s)", d.By, word, d.Stage, b.Result))
	r.publish(ctx)
	return *b, nil
}

func (r *run) allowed(c runbook.Control) error {
	if err := c.Admit(r.in.Plan, r.report.RunID); err != nil {
		return err
	}
	if r.report.Status.Final() {
		return fmt.Errorf("%s: the run has ended (%s)", c.Order, r.report.Status)
	}
	switch c.Order {
	case runbook.Pause:
		if r.paused {
			return fmt.Errorf("the run is paused already")
		}
	case runbook.Resume:
		if !r.paused {
			return fmt.Errorf("the run is not paused")
		}
	case runbook.Skip:
		return r.skippable(c.Step)
	case runbook.Abort:
	}
	return nil
}

// skippable refuses to skip a step that the run knows to be required. One that
// has not begun yet is not known; it is skipped only if it turns out optional.
func (r *run) skippable(name string) error {
	if name == "" {
		return fmt.Errorf("skip: name the step, as status shows it")
	}
	for _, stage := range r.report.Stages {
		for _, s := range stage.Steps {
			if s.Name == name && !s.Optional {
				return fmt.Errorf("step %s is not optional", name)
			}
		}
	}
	return nil
}

func (r *run) obey(ctx workflow.Context, c runbook.Control) (runbook.Report, error) {
	text := fmt.Sprintf("%s ordered %s", c.By, c.Order)
	if c.Step != "" {
		text += " of " + c.Step
	}
	if c.Reason != "" {
		text += ": " + c.Reason
	}
	r.event(ctx, "order", text)
	switch c.Order {
	case runbook.Pause:
		r.paused = true
		r.setStatus(runbook.Paused)
	case runbook.Resume:
		r.paused = false
		r.setStatus(runbook.Running)
	case runbook.Skip:
		r.skip[c.Step] = true
	case runbook.Abort:
		r.abortBy = c.By
		r.paused = false
		r.cancel()
	}
	r.publish(ctx)
	return r.snapshot(ctx), nil
}

// setStatus keeps "waiting" while a request is open, "paused" until somebody
// resumes, and never touches the status of a run that has ended.
func (r *run) setStatus(s runbook.Status) {
	switch {
	case r.report.Status.Final():
		return
	case r.paused:
		s = runbook.Paused
	case s == runbook.Running && r.report.Ballot() != nil:
		s = runbook.Waiting
	}
	r.report.Status = s
}
