package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows/kinds"
)

// switchover is one run of Switchover.
type switchover struct {
	*run
	moved []plan.Resource // single writers that sit in the Region that is left
}

// Switchover leaves start.From for start.To while both are healthy; nothing
// acknowledged is lost. It refuses when the origin is not healthy: that is
// Failover's work.
//
// Everything up to Catchup can be taken back. Switchdata changes the writer:
// the way home is another Switchover.
func Switchover(ctx workflow.Context, in runbook.Input) (runbook.Report, error) {
	s := switchover{run: newRun(ctx, runbook.Switchover, in)}
	return s.play(ctx,
		reversible(runbook.Assess, "both Regions are healthy, and where the writers are", s.assess),
		reversible(runbook.Approve, "people allow the move", s.approve),
		reversible(runbook.Freeze, "stop automation that would work against us", s.freeze),
		reversible(runbook.Catchup, "everything written has arrived on the other side", s.catchup),
		reversible(runbook.Fence, "writers stop in the Region that is left", s.fenceWriters),
		oneWay(runbook.Switchdata, "the other Region becomes the writer, losing nothing", s.switchData),
		reversible(runbook.Shift, "traffic leaves the Region", s.shift),
		reversible(runbook.Verify, "clients are served by the other Region", s.verify),
		reversible(runbook.Release, "automation goes on", s.release),
	)
}

func (s *switchover) assess(ctx workflow.Context) error {
	if err := s.bothHealthy(ctx, "when a Region is dark use failover"); err != nil {
		return err
	}
	if err := each(s.in.Plan, func(k kinds.Assessor, res plan.Resource) error { return k.Assess(ctx, s, res) }); err != nil {
		return refused("%s", s.words(err))
	}
	if err := s.measure(ctx, workflow.Now(ctx)); err != nil {
		return err
	}
	var err error
	s.moved, err = s.moving(ctx)
	return err
}

// bothHealthy holds until a quorum sees both Regions healthy. A Region that is
// down is not waited for: that is another runbook's work.
func (r *run) bothHealthy(ctx workflow.Context, advice string) error {
	if err := r.awaitFinding(ctx, runbook.Healthy, runbook.Lost, advice); err != nil {
		return err
	}
	if r.move.DryRun {
		return nil
	}
	if other := r.destination(ctx); other.Finding != runbook.Healthy {
		return refused("%s is not healthy (%s): %s", r.move.To, other.Finding, other.Why)
	}
	return nil
}

// destination is what the same sightings say of the Region that takes over.
func (r *run) destination(ctx workflow.Context) runbook.Evidence {
	return runbook.Weigh(r.report.Evidence.Sightings, r.in.Plan.Observers, r.move.To, r.move.From, workflow.Now(ctx))
}

func (s *switchover) approve(ctx workflow.Context) error {
	if err := s.ask(ctx, runbook.Approve, fmt.Sprintf("move traffic and writers from %s to %s, both healthy?", s.move.From, s.move.To), nil); err != nil {
		return err
	}
	return s.settled(ctx, "when a Region is dark use failover")
}

// settled waits for people and then looks once more: a planned move that was
// approved while both Regions were healthy does not begin when one no longer is.
func (r *run) settled(ctx workflow.Context, advice string) error {
	if err := r.answer(ctx); err != nil || r.move.DryRun {
		return err
	}
	return r.bothHealthy(ctx, advice)
}

func (s *switchover) freeze(ctx workflow.Context) error {
	return each(s.in.Plan, func(k kinds.Freezer, res plan.Resource) error { return k.Freeze(ctx, s, res) })
}

func (s *switchover) catchup(ctx workflow.Context) error {
	return each(s.in.Plan, func(k kinds.Catcher, res plan.Resource) error { return k.Catchup(ctx, s, res) })
}

func (s *switchover) fenceWriters(ctx workflow.Context) error { return s.fenceByLease(ctx, s.moved) }

func (s *switchover) switchData(ctx workflow.Context) error { return s.switchWriters(ctx, s.moved) }

func (s *switchover) shift(ctx workflow.Context) error { return s.evacuate(ctx) }

func (s *switchover) verify(ctx workflow.Context) error {
	if s.move.DryRun {
		return nil
	}
	begun := workflow.Now(ctx)
	if err := s.verifyAnswers(ctx, s.move.From); err != nil {
		return err
	}
	if err := s.verifyTransactions(ctx, verifyBudget, without(s.move.From)); err != nil {
		return err
	}
	_, err := s.awaitClients(ctx, s.move.To, leaving(s.in.Plan, s.move.From), begun)
	return err
}

func (s *switchover) release(ctx workflow.Context) error {
	if err := s.gather(ctx); err != nil {
		return err
	}
	return s.releaseBoth(ctx)
}

// releaseBoth takes the freezes of both Regions away.
func (r *run) releaseBoth(ctx workflow.Context) error {
	return each(r.in.Plan, func(k kinds.Releaser, res plan.Resource) error {
		for _, region := range []plan.Region{r.move.From, r.move.To} {
			if err := k.Release(ctx, r, res, region); err != nil {
				return err
			}
		}
		return nil
	})
}

// fenceByLease stops the writers of a healthy Region by the lease alone:
// compute and network stay, since clients are still being served.
func (r *run) fenceByLease(ctx workflow.Context, moved []plan.Resource) error {
	leased := make([]plan.Resource, len(moved))
	for i, res := range moved {
		res.Fence = []plan.FenceLayer{plan.FenceLease}
		leased[i] = res
	}
	if err := r.fence(ctx, leased); err != nil {
		return err
	}
	if err := r.settleFence(ctx, moved); err != nil {
		return err
	}
	if r.report.Fence == runbook.FenceUnconfirmed && !r.move.DryRun {
		return refused("the writers in %s could not be stopped by the write lease; a planned move does not go on without", r.move.From)
	}
	return nil
}

// switchWriters changes the writer with both Regions' help.
func (r *run) switchWriters(ctx workflow.Context, moved []plan.Resource) error {
	for _, res := range moved {
		kind, _ := kinds.For(res.Kind)
		if k, ok := kind.(kinds.Switcher); ok {
			if err := k.Switch(ctx, r, res); err != nil {
				return err
			}
		}
	}
	return nil
}
