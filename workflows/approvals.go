package workflows

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/workflow"

	"lifeline/internal/runbook"
)

// ask opens a ballot and pages the approvers. It does not wait, so that people
// can decide while other work goes on; answer waits.
func (r *run) ask(ctx workflow.Context, stage runbook.Stage, question string, risks []runbook.Risk) error {
	if r.move.DryRun {
		r.event(ctx, "gate", fmt.Sprintf("would ask %d of %s: %s", r.in.Plan.Approvals.Quorum, r.approvers(), question))
		return nil
	}
	if err := r.openBallot(ctx, stage, question, risks); err != nil {
		return err
	}
	workflow.Go(ctx, r.keepBallot)
	return nil
}

func (r *run) approvers() string {
	names := make([]string, 0, len(r.in.Plan.Approvals.Approvers))
	for _, a := range r.in.Plan.Approvals.Approvers {
		if a.Name != r.in.Start.By {
			names = append(names, a.Name)
		}
	}
	return strings.Join(names, ", ")
}

func (r *run) openBallot(ctx workflow.Context, stage runbook.Stage, question string, risks []runbook.Risk) error {
	var nonce string
	if err := workflow.SideEffect(ctx, func(workflow.Context) any { return uuid.NewString() }).Get(&nonce); err != nil {
		return fmt.Errorf("make a nonce for %s: %w", stage, err)
	}
	now := workflow.Now(ctx)
	r.report.Ballots = append(r.report.Ballots, runbook.Ballot{
		RunID: r.report.RunID, Stage: stage, Nonce: nonce, Question: question, Risks: risks,
		Quorum: r.in.Plan.Approvals.Quorum, Asked: now, Expires: now.Add(r.in.Plan.Approvals.Expiry.D()), Result: runbook.Open,
	})
	r.setStatus(runbook.Waiting)
	text := question + "\nwaits for " + r.approvers()
	for _, risk := range risks {
		text += "\nrisk " + risk.Code + ": " + risk.Text
	}
	r.tell(ctx, "approval needed", text)
	r.publish(ctx)
	return nil
}

// keepBallot escalates silence and lets the ballot lapse. A lapsed request is
// asked anew with a new nonce: a late failover is never given up by a timer.
func (r *run) keepBallot(ctx workflow.Context) {
	for {
		b := r.report.Ballots[len(r.report.Ballots)-1]
		if b.Result != runbook.Open {
			r.setStatus(runbook.Running)
			return
		}
		wait, summary := b.Expires.Sub(workflow.Now(ctx)), "approval expires"
		if e := r.in.Plan.Approvals.EscalateAfter.D(); e > 0 && e < wait {
			wait, summary = e, "escalate silence"
		}
		closed, err := waitFor(ctx, wait, summary, func() bool {
			return r.report.Ballots[len(r.report.Ballots)-1].Result != runbook.Open
		})
		if err != nil {
			return
		}
		if !closed {
			r.silence(ctx)
		}
	}
}

// silence is what happens when nobody has decided yet.
func (r *run) silence(ctx workflow.Context) {
	b := r.report.Ballot()
	now := workflow.Now(ctx)
	if now.Before(b.Expires) {
		b.Escalated++
		r.tell(ctx, "nobody has decided", fmt.Sprintf("%s\nasked %s ago, escalated for the %d. time", b.Question, now.Sub(b.Asked).Round(time.Second), b.Escalated))
		r.publish(ctx)
		return
	}
	b.Lapse(r.in.Plan.Approvals.OnSilence, now)
	if b.Result == runbook.Preauthorised {
		r.tell(ctx, "goes on by the plan's pre-authorisation", b.Question)
		r.setStatus(runbook.Running)
		return
	}
	stage, question, risks := b.Stage, b.Question, b.Risks
	r.event(ctx, "gate", "the request expired without a quorum; asked anew")
	if err := r.openBallot(ctx, stage, question, risks); err != nil {
		r.event(ctx, "gate", err.Error())
	}
}

// answer waits for the decision on the request that ask opened.
func (r *run) answer(ctx workflow.Context) error {
	if r.move.DryRun {
		return nil
	}
	last := func() runbook.Ballot { return r.report.Ballots[len(r.report.Ballots)-1] }
	err := workflow.Await(ctx, func() bool {
		result := last().Result
		return result != runbook.Open && result != runbook.Lapsed
	})
	if err != nil {
		return err
	}
	b := last()
	r.setStatus(runbook.Running)
	if !b.Allowed() {
		d := b.Decisions[len(b.Decisions)-1]
		return refused("%s rejected %s: %s", d.By, b.Stage, d.Comment)
	}
	return nil
}

// acknowledged reports whether every risk was named by the approvers of the
// newest ballot.
func (r *run) acknowledged(risks []runbook.Risk) bool {
	known := map[string]bool{}
	for _, risk := range r.report.Ballots[len(r.report.Ballots)-1].Risks {
		known[risk.Code] = true
	}
	for _, risk := range risks {
		if !known[risk.Code] {
			return false
		}
	}
	return true
}

// waitFor waits until done or until d has passed, and leaves no open timer
// behind (an Await with a timeout would).
func waitFor(ctx workflow.Context, d time.Duration, summary string, done func() bool) (bool, error) {
	tctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	timer := workflow.NewTimerWithOptions(tctx, max(d, 0), workflow.TimerOptions{Summary: summary})
	err := workflow.Await(ctx, func() bool { return done() || timer.IsReady() })
	return done(), err
}

// sleep waits for d with a summary that the timeline shows.
func sleep(ctx workflow.Context, d time.Duration, summary string) error {
	if d <= 0 {
		return nil
	}
	return workflow.NewTimerWithOptions(ctx, d, workflow.TimerOptions{Summary: summary}).Get(ctx, nil)
}
