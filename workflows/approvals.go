package workflows

import (
	"fmt"
	"slices"
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
	mine := len(r.report.Ballots) - 1
	workflow.Go(ctx, func(ctx workflow.Context) { r.keepBallot(ctx, mine) })
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
		RunID: r.id, Stage: stage, Nonce: nonce, Question: question, Risks: risks,
		Quorum: r.in.Plan.Approvals.Quorum, Asked: now, Expires: now.Add(r.unanswered() * r.in.Plan.Approvals.Expiry.D()), Result: runbook.Open,
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

// unanswered counts the requests in a row that nobody answered, the new one
// included. Each waits one expiry longer than the one before, and pages that much
// less often: a silence of days would otherwise fill the history.
func (r *run) unanswered() time.Duration {
	n := time.Duration(1)
	for _, b := range slices.Backward(r.report.Ballots) {
		if b.Result != runbook.Lapsed {
			break
		}
		n++
	}
	return n
}

// keepBallot escalates silence and lets ballot number mine lapse. A lapsed
// request is asked anew with a new nonce, and kept on: a late failover is never
// given up by a timer. A ballot that others open has its own keeper.
func (r *run) keepBallot(ctx workflow.Context, mine int) {
	for {
		// By number and never by pointer: the list may move when it grows.
		b := r.report.Ballots[mine]
		wait, summary := b.Expires.Sub(workflow.Now(ctx)), "approval expires"
		// A plain number of expiries: the product of two durations would overflow.
		expiries := b.Expires.Sub(b.Asked) / max(r.in.Plan.Approvals.Expiry.D(), 1)
		every := r.in.Plan.Approvals.EscalateAfter.D() * expiries
		if every > 0 && every < wait {
			wait, summary = every, "escalate silence"
		}
		closed, err := waitFor(ctx, wait, summary, func() bool { return r.report.Ballots[mine].Result != runbook.Open })
		if err != nil || closed {
			return
		}
		again, err := r.silence(ctx, mine)
		if err != nil {
			r.event(ctx, "gate", err.Error())
			return
		}
		if again {
			mine = len(r.report.Ballots) - 1
		}
	}
}

// silence is what happens when nobody has decided yet; again says that the
// request had expired and that a new one is open.
func (r *run) silence(ctx workflow.Context, mine int) (again bool, err error) {
	b := &r.report.Ballots[mine]
	now := workflow.Now(ctx)
	if now.Before(b.Expires) {
		b.Escalated++
		r.tell(ctx, decidedSoFar(*b), fmt.Sprintf("%s\nasked %s ago, escalated for the %d. time", b.Question, now.Sub(b.Asked).Round(time.Second), b.Escalated))
		r.publish(ctx)
		return false, nil
	}
	b.Lapse(r.in.Plan.Approvals.OnSilence, now)
	if b.Result == runbook.Preauthorised {
		r.tell(ctx, "goes on by the plan's pre-authorisation", b.Question)
		return false, nil
	}
	r.event(ctx, "gate", "the request expired without a quorum; asked anew")
	return true, r.openBallot(ctx, b.Stage, b.Question, b.Risks)
}

// decidedSoFar is what a page on silence begins with.
func decidedSoFar(b runbook.Ballot) string {
	if len(b.Decisions) == 0 {
		return "nobody has decided"
	}
	return fmt.Sprintf("only %d of %d have decided", len(b.Decisions), b.Quorum)
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

// acknowledged reports whether every risk was named, at about its present size,
// by the approvers of the newest ballot.
func (r *run) acknowledged(risks []runbook.Risk) bool {
	if len(r.report.Ballots) == 0 {
		return len(risks) == 0
	}
	named := r.report.Ballots[len(r.report.Ballots)-1].Risks
	for _, now := range risks {
		if !slices.ContainsFunc(named, func(was runbook.Risk) bool { return was.Covers(now) }) {
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
