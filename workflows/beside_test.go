package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows"
)

func TestPrescale_Throttled_HoldsUpNoPromotion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Lease.TTL = plan.Duration(time.Second)
	w.mischief = func(c call) mischief {
		if c.name == "DescribeGroup" && c.attempt < 9 {
			return throttles
		}
		return nothing
	}
	w.approveAt(time.Second, "amara", "bela")
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	var promoted, scaled time.Time
	for _, stage := range rep.Stages {
		for _, s := range stage.Steps {
			switch s.Name {
			case "FailoverAurora":
				promoted = s.Started
			case "ScaleGroup":
				scaled = s.Started
				require.Equal(t, runbook.Prescale, stage.Name, "a step is recorded where it began")
			}
		}
	}
	require.False(t, promoted.IsZero())
	require.False(t, scaled.IsZero())
	require.Less(t, promoted.Sub(rep.Started), 5*time.Second)
	require.True(t, scaled.After(rep.Started.Add(5*time.Second)))
}

func TestFreeze_StillBeingTried_DoesNotLandAfterItsRelease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.writer, w.holder = west, west // nothing to promote: the run is quick
	w.plan.Failover.CommitWindow = plan.Duration(time.Second)
	w.mischief = func(c call) mischief {
		if c.name == "FreezeScaling" && c.attempt < 9 {
			return throttles
		}
		return nothing
	}
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Contains(t, w.effects(), "freeze us-west-2")
	require.False(t, w.frozen[west])
}

func TestFence_BesideTheStage_IsWaitedForBeforeThePromotion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Resources[1].Fence = []plan.FenceLayer{plan.FenceCompute}
	w.plan.Lease = nil
	promotes, late := make(chan struct{}), false
	w.mischief = func(c call) mischief {
		switch c.name {
		case "VerifyAnswers": // people decide while the fence is still under way
			for _, name := range []string{"amara", "bela"} {
				w.at(0, func() { w.decide(w.decision(name, true)) })
			}
		case "FenceCompute":
			w.mu.Unlock()
			select {
			case <-promotes:
				late = true
			case <-time.After(300 * time.Millisecond):
			}
			w.mu.Lock()
		case "FailoverAurora":
			close(promotes)
		}
		return nothing
	}
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.False(t, late, "promoted while the fence was still under way")
}
