package workflows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows"
)

func TestAbort_WhileWaitingForApproval_TakesEverythingBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.at(40*time.Second, func() {
		w.mu.Lock()
		w.down[east] = false
		w.mu.Unlock()
		w.order("dana", runbook.Abort, "")
	})
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Aborted, rep.Status)
	require.Contains(t, rep.Summary, "dana")
	require.Equal(t, []string{"delete evacuate/us-east-1", "lease to us-east-1"}, only(w.effects(), "delete", "lease to us-east-1"), "last done, first undone")
	require.Equal(t, east, w.holder)
	require.Equal(t, east, w.writer)
	require.Empty(t, w.objects)
	require.False(t, w.frozen[west])
	require.Empty(t, rep.Left)
}

func TestAbort_OriginStillDark_LeavesTrafficAndSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.at(40*time.Second, func() { w.order("dana", runbook.Abort, "") })
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Aborted, rep.Status)
	require.True(t, w.objects["evacuate/us-east-1"])
	require.Contains(t, strings.Join(rep.Left, "\n"), "us-east-1 is not healthy")
}

func TestAbort_WhileHeldForEvidence_ChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.down[west] = true
	w.at(10*time.Second, func() { w.order("dana", runbook.Abort, "") })
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Aborted, rep.Status)
	require.Empty(t, w.effects())
}

func TestAbort_AfterThePromotion_StopsAndTakesNothingBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Failover.CommitWindow = plan.Duration(10 * time.Minute)
	w.approveAt(20*time.Second, "amara", "bela")
	w.at(2*time.Minute, func() { w.order("dana", runbook.Abort, "") })
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Stopped, rep.Status)
	require.Equal(t, west, w.writer)
	require.Equal(t, west, w.holder)
	require.True(t, w.objects["evacuate/us-east-1"])
	require.NotEmpty(t, rep.Left)
}

func TestCancel_ByTemporal_IsAnAbortThatKeepsItsReport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.at(40*time.Second, func() {
		w.mu.Lock()
		w.down[east] = false
		w.mu.Unlock()
		w.env.CancelWorkflow()
	})
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Aborted, rep.Status)
	require.Equal(t, east, w.holder)
	require.Empty(t, w.objects)
}

func TestOrder_FromStrangerOrForAnotherRun_IsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var stranger, other *verdict
	w.at(20*time.Second, func() {
		stranger = w.order("mallory", runbook.Abort, "")
		c := runbook.Control{By: "dana", Order: runbook.Abort, RunID: "another"}
		c.Signature = runbook.Sign(w.keys["dana"], c.Message(w.plan.Application))
		other = w.update(runbook.UpdateControl, "other", c)
	})
	w.approveAt(40*time.Second, "amara", "bela")
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.ErrorContains(t, stranger.refused, runbook.ErrUnknownPerson.Error())
	require.ErrorContains(t, other.refused, "meant for run another")
}

func TestPause_HoldsTheNextStep_ResumeGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.at(20*time.Second, func() { w.order("dana", runbook.Pause, "") })
	w.approveAt(30*time.Second, "amara", "bela")
	w.at(5*time.Minute, func() {
		require.Equal(t, runbook.Paused, w.status().Status)
		require.Equal(t, east, w.writer, "approved, but paused")
		w.order("dana", runbook.Resume, "")
	})
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Equal(t, west, w.writer)
}

func TestSkip_OfARequiredStep_IsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var required *verdict
	w.at(20*time.Second, func() { required = w.order("dana", runbook.Skip, "FenceLease") })
	w.approveAt(30*time.Second, "amara", "bela")
	w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.ErrorContains(t, required.refused, "not optional")
}

func TestSkip_OfAnOptionalStep_LeavesItOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.down[west] = true // held: nothing has begun yet
	w.at(10*time.Second, func() {
		w.order("dana", runbook.Skip, "ScaleGroup")
		w.mu.Lock()
		defer w.mu.Unlock()
		w.down[west] = false
	})
	w.approveAt(60*time.Second, "amara", "bela")
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Empty(t, only(w.effects(), "scale"))
}

func TestDryRun_OfEveryRunbook_ChangesNothingAndSaysWhatItWould(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		name     runbook.Name
		from, to plan.Region
		would    string
	}{
		workflows.FailoverName:   {runbook.Failover, east, west, "put evacuate/us-east-1"},
		workflows.SwitchoverName: {runbook.Switchover, east, west, "SwitchoverAurora to us-west-2"},
		workflows.FailbackName:   {runbook.Failback, west, east, "put evacuate/us-east-1/europe"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.down[east] = false
			if c.name == runbook.Failback {
				w.writer, w.holder = west, west
			}
			in := w.start(c.name, c.from, c.to)
			in.Start.DryRun = true
			resign(w, &in)
			rep := w.play(name, in)
			require.Equal(t, runbook.Done, rep.Status, rep.Summary)
			require.Empty(t, w.effects())
			require.Empty(t, w.told)
			require.Equal(t, "nothing was changed", rep.Safe)
			require.Contains(t, rep.Next, "starter "+string(c.name)+" ")
			for step := range w.seen {
				require.False(t, strings.HasPrefix(step, "Await"), "nothing is waited for: %s", step)
			}
			var would []string
			for _, stage := range rep.Stages {
				require.Equal(t, runbook.Succeeded, stage.State)
				for _, s := range stage.Steps {
					if s.Effect == runbook.Would {
						would = append(would, s.Evidence)
					}
				}
			}
			require.Contains(t, would, c.would)
		})
	}
}
