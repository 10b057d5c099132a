package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows"
)

func TestEvidence_NotGoodEnough_HoldsAndThenRefusesWithNothingChanged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make func(*world)
		want runbook.Finding
	}{
		"survivor unhealthy": {func(w *world) {
			w.opinions["observer-us-west-2"] = map[plan.Region]bool{west: false}
			w.opinions["observer-us-east-2"] = map[plan.Region]bool{west: false}
			w.opinions["observer-on-premises"] = map[plan.Region]bool{west: true}
			w.silent["observer-us-west-2"] = true
		}, runbook.SurvivorSick},
		"both Regions dark": {func(w *world) { w.down[west] = true }, runbook.BothDown},
		"observers disagree": {func(w *world) {
			w.opinions["observer-us-west-2"] = map[plan.Region]bool{east: true}
			w.silent["observer-us-east-2"] = true
		}, runbook.Disagree},
		"too few observers": {func(w *world) { w.silent["observer-us-west-2"] = true; w.silent["observer-us-east-2"] = true }, runbook.Disagree},
		"too few looks":     {func(w *world) { w.rounds-- }, runbook.Disagree},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.make(w)
			w.at(10*time.Second, func() {
				rep := w.status()
				require.Equal(t, runbook.Held, rep.Status)
				require.Equal(t, c.want, rep.Evidence.Finding)
			})
			rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
			require.Equal(t, runbook.Refused, rep.Status)
			require.Empty(t, w.effects())
			require.GreaterOrEqual(t, rep.Ended.Sub(rep.Started), w.plan.Approvals.Expiry.D())
		})
	}
}

func TestEvidence_ComesWhileHeld_GoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.silent["observer-us-west-2"], w.silent["observer-us-east-2"] = true, true
	w.at(20*time.Second, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		clear(w.silent)
	})
	w.approveAt(60*time.Second, "amara", "bela")
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Equal(t, w.failure(), rep.Clocks.Failure.UTC(), "RTO counts from the failure, not from the evidence")
}

func TestEvidence_ObserverInTheSuspectRegion_HasNoVoice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Observers.Members[1].Region = east
	w.silent["observer-us-west-2"] = true
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Refused, rep.Status)
	require.Equal(t, 1, rep.Evidence.Down)
}

func TestEvidence_RegionHealthy_RefusesAtOnceAndNamesSwitchover(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.down[east] = false
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Refused, rep.Status)
	require.Contains(t, rep.Summary, "switchover")
	require.Contains(t, rep.Next, "starter switchover")
	require.Equal(t, rep.Started, rep.Ended, "there is nothing to wait for")
	require.Empty(t, w.effects())
}

func TestRegionBack_BeforePromotion_IsAskedAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.at(30*time.Second, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.down[east] = false
	})
	w.approveAt(40*time.Second, "amara", "bela")
	w.at(60*time.Second, func() {
		require.Equal(t, east, w.writer)
		rep := w.status()
		require.Equal(t, "origin-back", rep.Ballot().Risks[len(rep.Ballot().Risks)-1].Code)
		w.decide(w.decision("chidi", false))
	})
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Refused, rep.Status)
	require.Equal(t, east, w.writer)
	require.Empty(t, w.objects, "the origin is healthy: traffic goes back")
	require.Equal(t, east, w.holder)
	require.Empty(t, rep.Left)
}

func TestAdmission_StartThatNobodyMayMake_IsRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*world, *runbook.Input){
		"unsigned":       func(_ *world, in *runbook.Input) { in.Start.Signature = "" },
		"stranger":       func(_ *world, in *runbook.Input) { in.Start.By = "mallory" },
		"played back":    func(w *world, in *runbook.Input) { in.Start.At = w.zero.Add(-time.Hour); resign(w, in) },
		"other Region":   func(_ *world, in *runbook.Input) { in.Start.From, in.Start.To = in.Start.To, in.Start.From },
		"to itself":      func(w *world, in *runbook.Input) { in.Start.To = in.Start.From; resign(w, in) },
		"to the witness": func(w *world, in *runbook.Input) { in.Start.To = "us-east-2"; resign(w, in) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			in := w.start(runbook.Failover, east, west)
			spoil(w, &in)
			rep := w.play(workflows.FailoverName, in)
			require.Equal(t, runbook.Refused, rep.Status, rep.Summary)
			require.Empty(t, rep.Phase, "before the first stage")
			require.Empty(t, w.effects())
		})
	}
}

func resign(w *world, in *runbook.Input) {
	in.Start.Signature = runbook.Sign(w.keys[in.Start.By], in.Start.Message(w.plan.Application))
}

func TestEpoch_RaisedBySomebodyElse_StopsBeforePromotion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.at(30*time.Second, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.epoch++
	})
	w.approveAt(40*time.Second, "amara", "bela")
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Refused, rep.Status)
	require.Contains(t, rep.Summary, "another promotion")
	require.Equal(t, east, w.writer)
}

func TestPromotion_WaitsUntilTheLeaseHasLapsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Lease.TTL = plan.Duration(4 * time.Minute)
	w.plan.Approvals.Expiry = plan.Duration(time.Hour)
	w.approveAt(20*time.Second, "amara", "bela")
	w.at(230*time.Second, func() { require.Equal(t, east, w.writer, "the old writer may still be at work") })
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Equal(t, west, w.writer)
}

func TestCommitWindow_BadResults_GoBackOnlyWhereNothingOneWayHappened(t *testing.T) {
	t.Parallel()
	for name, promoted := range map[string]bool{"nothing promoted": false, "promoted": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.plan.Failover.CommitWindow = plan.Duration(10 * time.Minute)
			if promoted {
				w.approveAt(40*time.Second, "amara", "bela")
			} else {
				w.writer = west
			}
			w.at(3*time.Minute, func() {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.badTx, w.down[east] = true, false
			})
			rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
			if promoted {
				require.Equal(t, runbook.Stopped, rep.Status, rep.Summary)
				require.True(t, w.objects["evacuate/us-east-1"])
				require.Equal(t, west, w.writer)
				return
			}
			require.Equal(t, runbook.Reverted, rep.Status, rep.Summary)
			require.Empty(t, w.objects, "traffic is back")
		})
	}
}

func TestBudget_Spent_ActsAtEachThresholdAndNeverAborts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Approvals.Evacuate = "approval"
	w.approveAt(2*time.Minute, "amara", "bela")
	w.approveAt(4*time.Minute, "amara", "bela")
	states := map[runbook.RTOState]bool{}
	for _, at := range []time.Duration{10 * time.Second, 30 * time.Second, 50 * time.Second, 80 * time.Second} {
		w.at(at, func() { states[w.status().RTOState] = true })
	}
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Equal(t, map[runbook.RTOState]bool{runbook.RTOInside: true, runbook.RTOHalf: true, runbook.RTOLate: true, runbook.RTOBreached: true}, states)
}

func TestBudget_Short_TakesTheFasterBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Objectives.RTO = plan.Duration(6 * time.Second) // the failure was 5 s ago
	w.approveAt(10*time.Second, "amara", "bela")
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Empty(t, only(w.effects(), "scale", "freeze"), "optional steps are left out")
	require.ElementsMatch(t, []string{"DescribeGroup", "FreezeScaling", "FreezeScaling", "ScaleGroup"}, inState(rep, runbook.Skipped))
}

func TestStepFails_BeforeThePointOfNoReturn_UndoesEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.at(30*time.Second, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.down[east] = false
	})
	w.fail["AwaitServed"] = temporal.NewNonRetryableApplicationError("the status document is gone", "NotFound", nil)
	w.plan.Approvals.Expiry = plan.Duration(time.Minute)
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Failed, rep.Status)
	require.Equal(t, runbook.Verify, rep.Phase)
	require.Contains(t, rep.Summary, "the status document is gone")
	require.Equal(t, east, w.holder)
	require.False(t, w.frozen[west])
	require.False(t, w.frozen[east])
	require.Equal(t, runbook.Withdrawn, rep.Ballots[0].Result, "nobody is asked any more")
}

func TestStepFails_TheReportNamesTheKind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail["EvacuateByObject"] = temporal.NewNonRetryableApplicationError("no answer from us-west-2", "Unreachable", nil)
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Failed, rep.Status, rep.Summary)
	require.Equal(t, "Unreachable", rep.Cause)
	require.Empty(t, only(w.effects(), "put", "Failover"))
	require.Equal(t, east, w.holder, "what had been done was taken back")
}
