package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows/kinds"
)

// failback is one run of Failback.
type failback struct {
	*run
	moved []plan.Resource
}

// Failback brings the application home: start.From serves since a failover,
// start.To is the origin. Planned, approved, never automatic; no acknowledged
// write is lost.
//
// Everything up to Catchup can be taken back. Switchdata changes the writer;
// the fence of the origin is released last.
func Failback(ctx workflow.Context, in runbook.Input) (runbook.Report, error) {
	f := failback{run: newRun(ctx, runbook.Failback, in)}
	return f.play(ctx,
		reversible(runbook.Precheck, "the origin has been healthy for long enough", f.precheck),
		reversible(runbook.Reprotect, "replication runs again towards the origin", f.reprotect),
		reversible(runbook.Catchup, "everything written has arrived in the origin", f.catchup),
		reversible(runbook.Approve, "people allow the return", f.approve),
		reversible(runbook.Fence, "writers stop in the Region that serves now", f.fenceWriters),
		oneWay(runbook.Switchdata, "the origin becomes the writer, losing nothing", f.switchData),
		reversible(runbook.Return, "traffic comes home, location by location", f.returnTraffic),
		reversible(runbook.Verify, "every location is served by its own Region", f.verify),
		reversible(runbook.Release, "the last fences and freezes are taken away", f.release),
	)
}

// precheck waits until the origin has been healthy for the plan's time. One that
// has just come back is held for, since its databases are being rebuilt; one
// that stays sick refuses the run in the end, with nothing changed.
func (f *failback) precheck(ctx workflow.Context) error {
	limit := workflow.Now(ctx).Add(f.in.Plan.Approvals.Expiry.D() + f.in.Plan.Failback.StableFor.D())
	held := false
	for looks := 0; ; looks++ {
		if err := f.awaitFinding(ctx, runbook.Healthy, runbook.Lost, fmt.Sprintf("when %s is dark use failover", f.move.From)); err != nil {
			return err
		}
		origin, wait := f.destination(ctx), f.in.Plan.Failback.StableFor.D()-f.healthyFor(ctx)
		if f.move.DryRun || (origin.Finding == runbook.Healthy && wait <= 0) {
			break
		}
		if !workflow.Now(ctx).Before(limit) {
			return refused("%s is not healthy for long enough (%s): %s", f.move.To, origin.Finding, origin.Why)
		}
		if !held {
			held = true
			f.tell(ctx, "holds", fmt.Sprintf("%s must be healthy for %s before anything comes home: %s", f.move.To, f.in.Plan.Failback.StableFor, origin.Why))
		}
		f.setStatus(runbook.Held)
		f.publish(ctx)
		if origin.Finding != runbook.Healthy {
			wait = pause(looks)
		}
		if err := sleep(ctx, wait, "origin stays healthy"); err != nil {
			return err
		}
	}
	f.setStatus(runbook.Running)
	var err error
	f.moved, err = f.moving(ctx)
	return err
}

// healthyFor is how long a quorum of observers has seen the origin healthy.
func (f *failback) healthyFor(ctx workflow.Context) time.Duration {
	var since []time.Duration
	for _, s := range f.report.Evidence.Sightings {
		if v := s.Regions[f.move.To]; s.Stands != f.move.To && v.Healthy {
			since = append(since, workflow.Now(ctx).Sub(v.Since))
		}
	}
	slices.Sort(since)
	slices.Reverse(since)
	if q := max(f.in.Plan.Observers.Quorum, 1); len(since) >= q {
		return since[q-1]
	}
	return 0
}

func (f *failback) reprotect(ctx workflow.Context) error {
	err := each(f.in.Plan, func(k kinds.Reprotector, res plan.Resource) error {
		left, err := k.Reprotect(ctx, f, res)
		f.report.Left = append(f.report.Left, left...)
		return err
	})
	if err == nil {
		f.report.Clocks.Protected = workflow.Now(ctx)
	}
	return err
}

func (f *failback) catchup(ctx workflow.Context) error {
	return each(f.in.Plan, func(k kinds.Catcher, res plan.Resource) error { return k.Catchup(ctx, f, res) })
}

func (f *failback) approve(ctx workflow.Context) error {
	if err := f.measure(ctx, workflow.Now(ctx)); err != nil {
		return err
	}
	if err := f.ask(ctx, runbook.Approve, fmt.Sprintf("bring traffic and writers home from %s to %s?", f.move.From, f.move.To), nil); err != nil {
		return err
	}
	return f.settled(ctx, fmt.Sprintf("when %s is dark use failover", f.move.From))
}

func (f *failback) fenceWriters(ctx workflow.Context) error { return f.fenceByLease(ctx, f.moved) }

func (f *failback) switchData(ctx workflow.Context) error { return f.switchWriters(ctx, f.moved) }

// returnTraffic brings one location home after the other. Each is first held
// out by its own switch, then the Region's switch is taken away, then the holds
// fall one by one.
func (f *failback) returnTraffic(ctx workflow.Context) error {
	locations := leaving(f.in.Plan, f.move.To)
	stepwise := f.in.Plan.Traffic.Switch.Provider == plan.SwitchS3Object && len(locations) > 1
	if stepwise {
		for _, l := range locations {
			hold, back := f.switchSteps(f.move.To, f.move.From, l.Name)
			hold.Undo = &kinds.Undo{Step: back.Step, Activity: back.Activity, Input: back.Input, Guard: f.seenHealthy(f.move.To)}
			if err := f.Change(ctx, hold); err != nil {
				return err
			}
		}
		if err := f.pause(ctx, f.in.Plan.SwitchDelay(), "health checkers see the holds"); err != nil {
			return err
		}
	}
	// Taking this back sends clients to the Region that has served them until now.
	out, back := f.switchSteps(f.move.To, f.move.From, "")
	back.Undo = &kinds.Undo{Step: out.Step, Activity: out.Activity, Input: out.Input, Guard: f.seenHealthy(f.move.From)}
	if err := f.Change(ctx, back); err != nil {
		return err
	}
	if !stepwise {
		return nil
	}
	if err := f.pause(ctx, f.in.Plan.SwitchDelay(), "health checkers see the Region again"); err != nil {
		return err
	}
	for _, l := range locations {
		_, home := f.switchSteps(f.move.To, f.move.From, l.Name)
		if err := f.Change(ctx, home); err != nil {
			return err
		}
		if err := f.pause(ctx, f.in.Plan.Failback.StepPause.D(), l.Name+" settles"); err != nil {
			return err
		}
	}
	return nil
}

func (f *failback) pause(ctx workflow.Context, d time.Duration, summary string) error {
	if f.move.DryRun {
		return nil
	}
	return sleep(ctx, d, summary)
}

func (f *failback) verify(ctx workflow.Context) error {
	if f.move.DryRun {
		return nil
	}
	begun := workflow.Now(ctx)
	if err := f.verifyAnswers(ctx, ""); err != nil {
		return err
	}
	if err := f.verifyTransactions(ctx, verifyBudget, home); err != nil {
		return err
	}
	_, err := f.awaitClients(ctx, f.move.To, leaving(f.in.Plan, f.move.To), begun)
	return err
}

func (f *failback) release(ctx workflow.Context) error {
	if err := f.gather(ctx); err != nil {
		return err
	}
	return f.releaseBoth(ctx)
}
