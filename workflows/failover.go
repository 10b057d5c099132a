package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows/kinds"
)

// failover is one run of Failover.
type failover struct {
	*run
	promoted []plan.Resource // single writers that sit in the Region that is left
}

// Failover recovers the application in start.To without help from start.From.
//
// Everything up to Approve can be taken back. Promote cannot: from there the
// run only moves forward, and the way home is Failback.
func Failover(ctx workflow.Context, in runbook.Input) (runbook.Report, error) {
	f := failover{run: newRun(ctx, runbook.Failover, in)}
	return f.play(ctx,
		reversible(runbook.Assess, "what the observers see, and where the writers are", f.assess),
		reversible(runbook.Freeze, "stop automation that would work against us", f.freeze),
		reversible(runbook.Prescale, "room in the surviving Region, not waited for", f.prescale),
		reversible(runbook.Decide, "may traffic leave?", f.decideEvacuation),
		reversible(runbook.Fence, "nobody writes in the Region that is left", f.fenceWriters),
		reversible(runbook.Shift, "traffic leaves the Region", f.shift),
		reversible(runbook.Verify, "clients are served by the other Region", f.verify),
		reversible(runbook.Approve, "people allow the promotion", f.approve),
		oneWay(runbook.Promote, "the other Region becomes the writer", f.promote),
		reversible(runbook.Commit, "real transactions are watched", f.commit),
	)
}

func (f *failover) assess(ctx workflow.Context) error {
	err := f.stillLost(ctx)
	if err != nil {
		return err
	}
	f.report.Clocks.Failure = f.report.Evidence.Failure
	f.report.Clocks.Evidence = workflow.Now(ctx)
	if !f.move.DryRun {
		f.holdBudget(ctx)
		f.tell(ctx, "begun", f.report.Evidence.Why)
	}
	f.promoted, err = f.moving(ctx)
	return err
}

// stillLost holds until a quorum sees From down and To healthy.
func (f *failover) stillLost(ctx workflow.Context) error {
	return f.awaitFinding(ctx, runbook.Lost, runbook.Healthy,
		fmt.Sprintf("%s answers: to leave a healthy Region use switchover", f.move.From))
}

func (f *failover) freeze(ctx workflow.Context) error {
	return each(f.in.Plan, func(k kinds.Freezer, res plan.Resource) error { return k.Freeze(ctx, f, res) })
}

func (f *failover) prescale(ctx workflow.Context) error {
	return each(f.in.Plan, func(k kinds.Prescaler, res plan.Resource) error { return k.Prescale(ctx, f, res) })
}

// decideEvacuation lets traffic leave by the plan's policy: moving traffic can
// be taken back, so the plan's owner may have allowed it in advance.
func (f *failover) decideEvacuation(ctx workflow.Context) error {
	if f.in.Plan.Approvals.Evacuate != "automatic" {
		if err := f.ask(ctx, runbook.Decide, fmt.Sprintf("move traffic from %s to %s?", f.move.From, f.move.To), nil); err != nil {
			return err
		}
		if err := f.answer(ctx); err != nil {
			return err
		}
		// The world may have changed while people thought.
		if err := f.stillLost(ctx); err != nil {
			return err
		}
	}
	f.report.Clocks.Decided = workflow.Now(ctx)
	f.event(ctx, "gate", "traffic may leave: "+f.report.Evidence.Why)
	return nil
}

func (f *failover) fenceWriters(ctx workflow.Context) error { return f.fence(ctx, f.promoted) }

func (f *failover) shift(ctx workflow.Context) error { return f.evacuate(ctx) }

// verify asks for the promotion first, so that people decide while the new DNS
// answers spread.
func (f *failover) verify(ctx workflow.Context) error {
	if err := f.askPromotion(ctx, nil); err != nil {
		return err
	}
	if f.move.DryRun {
		return nil
	}
	if err := f.verifyAnswers(ctx, f.move.From); err != nil {
		return err
	}
	if err := f.verifyTransactions(ctx, verifyBudget, without(f.move.From)); err != nil {
		return err
	}
	at, err := f.awaitClients(ctx, f.move.To, leaving(f.in.Plan, f.move.From), f.report.Clocks.Failure)
	if err != nil {
		return err
	}
	f.served(ctx, at)
	return nil
}

// askPromotion measures the loss and opens the ballot that names it.
func (f *failover) askPromotion(ctx workflow.Context, more []runbook.Risk) error {
	if err := f.measure(ctx, f.report.Clocks.Failure); err != nil {
		return err
	}
	if len(f.promoted) == 0 {
		return nil
	}
	question := fmt.Sprintf("promote %s in %s? This can't be taken back.", names(f.promoted), f.move.To)
	return f.ask(ctx, runbook.Approve, question, append(f.risks(f.promoted), more...))
}

func names(resources []plan.Resource) string {
	out := make([]string, len(resources))
	for i, r := range resources {
		out[i] = r.Name
	}
	return strings.Join(out, ", ")
}

// approve waits for people, then looks once more: the world may have changed
// while they thought. New risks need a new approval that names them.
func (f *failover) approve(ctx workflow.Context) error {
	if len(f.promoted) == 0 || f.move.DryRun {
		return nil
	}
	for {
		if err := f.answer(ctx); err != nil {
			return err
		}
		if err := f.gather(ctx, runbook.Fence); err != nil {
			return err
		}
		if err := f.settleFence(ctx, f.promoted); err != nil {
			return err
		}
		changed, err := f.changed(ctx)
		if err != nil {
			return err
		}
		if err := f.measure(ctx, f.report.Clocks.Failure); err != nil {
			return err
		}
		if f.acknowledged(append(f.risks(f.promoted), changed...)) {
			return nil
		}
		f.event(ctx, "gate", "the world has changed since the approval: asked anew")
		if err := f.askPromotion(ctx, changed); err != nil {
			return err
		}
	}
}

// changed are the risks of promoting in a world that is no longer the one that
// the run began in: the Region has come back, the survivor is sick, or the
// witness that knows the epoch is silent.
func (f *failover) changed(ctx workflow.Context) ([]runbook.Risk, error) {
	out, err := f.unclear(ctx)
	if err != nil || f.report.Epoch == 0 {
		return out, err
	}
	if _, err := kinds.ReadLease(ctx, f); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		out = append(out, epochUnread(err))
	}
	return out, nil
}

// unclear judges the evidence anew. Observers that just started again have no
// opinion for a few looks, so a lost quorum is looked at more than once.
func (f *failover) unclear(ctx workflow.Context) ([]runbook.Risk, error) {
	for looks := 1; ; looks++ {
		evidence, err := f.look(ctx)
		if err != nil {
			return nil, err
		}
		switch {
		case evidence.Finding == runbook.Lost:
			return nil, nil
		case evidence.Finding == runbook.Healthy:
			return []runbook.Risk{{Code: "origin-back", Text: fmt.Sprintf("%s answers again: promoting loses data that need not be lost (%s)", f.move.From, evidence.Why)}}, nil
		case looks > f.in.Plan.Observers.Rounds:
			return []runbook.Risk{{Code: "evidence-" + string(evidence.Finding), Text: "the evidence that the run began with is gone: " + evidence.Why}}, nil
		}
		if err := sleep(ctx, f.in.Plan.Observers.Interval.D(), "look again"); err != nil {
			return nil, err
		}
	}
}

func epochUnread(err error) runbook.Risk {
	return runbook.Risk{Code: "epoch-unread", Text: fmt.Sprintf("the write lease can't be read, so another promotion would not be noticed: %v", err)}
}

func (f *failover) promote(ctx workflow.Context) error {
	for _, res := range f.promoted {
		kind, _ := kinds.For(res.Kind)
		promoter, ok := kind.(kinds.Promoter)
		if !ok {
			continue
		}
		if err := promoter.Promote(ctx, f, res); err != nil {
			return err
		}
	}
	return nil
}

// commit watches real transactions; while nothing one-way has happened, bad
// results take traffic back by themselves. The Region that was left stays
// latched out until failback.
func (f *failover) commit(ctx workflow.Context) error {
	if err := f.watch(ctx, without(f.move.From)); err != nil {
		return err
	}
	// A freeze that is still being tried must not land after its release.
	if err := f.gather(ctx, runbook.Freeze); err != nil {
		return err
	}
	return each(f.in.Plan, func(k kinds.Releaser, res plan.Resource) error { return k.Release(ctx, f, res, f.move.To) })
}
