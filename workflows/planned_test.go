package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows"
)

func TestSwitchover_BothHealthy_MovesWritersBeforeTraffic(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.down[east] = false
	w.approveAt(10*time.Second, "amara", "bela")
	rep := w.play(workflows.SwitchoverName, w.start(runbook.Switchover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Equal(t, []string{"lease to us-west-2", "SwitchoverAurora to us-west-2", "put evacuate/us-east-1"}, only(w.effects(), "lease", "Switch", "put", "Failover", "fence"))
	require.Equal(t, runbook.FenceConfirmed, rep.Fence)
	require.False(t, w.frozen[east])
	require.False(t, w.frozen[west])
}

func TestSwitchover_ARegionIsSick_RefusesAndNamesTheRunbook(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sick plan.Region
		says string
	}{"origin": {east, "use failover"}, "destination": {west, "us-west-2 is not healthy"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.down = map[plan.Region]bool{c.sick: true}
			rep := w.play(workflows.SwitchoverName, w.start(runbook.Switchover, east, west))
			require.Equal(t, runbook.Refused, rep.Status)
			require.Contains(t, rep.Summary, c.says)
			require.Empty(t, w.effects())
		})
	}
}

func TestSwitchover_WitnessSilent_DoesNotGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.down[east], w.leaseIn = false, false
	w.approveAt(10*time.Second, "amara", "bela")
	rep := w.play(workflows.SwitchoverName, w.start(runbook.Switchover, east, west))
	require.Equal(t, runbook.Refused, rep.Status, rep.Summary)
	require.Equal(t, east, w.writer)
	require.Empty(t, w.objects)
}

func TestFailback_OriginHealthy_BringsLocationsHomeOneByOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.down[east], w.writer, w.holder, w.epoch = false, west, west, 2
	w.objects["evacuate/us-east-1"] = true
	w.fenced["compute us-east-1"], w.fenced["network us-east-1"] = true, true
	w.frozen[east] = true
	w.approveAt(10*time.Second, "amara", "bela")
	rep := w.play(workflows.FailbackName, w.start(runbook.Failback, west, east))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Equal(t, []string{
		"unfence network us-east-1", "unfence compute us-east-1", "copy snapshot",
		"lease to us-east-1", "SwitchoverAurora to us-east-1",
		"put evacuate/us-east-1/north-america", "put evacuate/us-east-1/europe", "delete evacuate/us-east-1",
		"delete evacuate/us-east-1/north-america", "delete evacuate/us-east-1/europe",
		"unfreeze us-east-1",
	}, w.effects())
	require.Empty(t, w.objects)
	require.Equal(t, east, w.writer)
	require.Equal(t, int64(3), w.epoch)
	require.Len(t, rep.Left, 1, "people reconcile what was lost")
	require.Contains(t, rep.Left[0], "rds:unplanned-global-failover")
}

func TestFailback_OriginNotStableForLongEnough_Waits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.down[east], w.writer, w.holder = false, west, west
	w.plan.Failback.StableFor = plan.Duration(2 * time.Hour) // healthy for one hour
	w.at(30*time.Minute, func() { require.Empty(t, w.effects()) })
	w.at(90*time.Minute, func() { w.order("dana", runbook.Abort, "") })
	rep := w.play(workflows.FailbackName, w.start(runbook.Failback, west, east))
	require.Equal(t, runbook.Aborted, rep.Status)
	require.NotEmpty(t, w.effects(), "after the time had passed it went on")
}

func TestFailback_OriginStaysDark_RefusesInTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.writer, w.holder = west, west
	w.at(time.Minute, func() { require.Equal(t, runbook.Held, w.status().Status) })
	rep := w.play(workflows.FailbackName, w.start(runbook.Failback, west, east))
	require.Equal(t, runbook.Refused, rep.Status)
	require.Empty(t, w.effects())
}

func TestFailback_OriginHasJustComeBack_IsHeldForAndThenGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.writer, w.holder = west, west
	w.at(time.Minute, func() {
		require.Empty(t, w.effects())
		w.mu.Lock()
		defer w.mu.Unlock()
		w.down[east] = false
	})
	w.approveAt(2*time.Minute, "amara", "bela")
	rep := w.play(workflows.FailbackName, w.start(runbook.Failback, west, east))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Equal(t, east, w.writer)
}

func TestFailback_ServingRegionDark_RefusesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.down = map[plan.Region]bool{west: true}
	w.writer, w.holder = west, west
	rep := w.play(workflows.FailbackName, w.start(runbook.Failback, west, east))
	require.Equal(t, runbook.Refused, rep.Status)
	require.Contains(t, rep.Summary, "use failover")
	require.Less(t, rep.Ended.Sub(rep.Started), time.Minute)
}
