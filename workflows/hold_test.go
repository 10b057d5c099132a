package workflows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows"
)

func TestPause_StepFailsMeanwhile_EndsAllTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mischief = when("AwaitServed", 1, pausesAt)
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Failed, rep.Status, rep.Summary)
	require.Contains(t, texts(rep, "order"), "dana ordered pause")
	require.Equal(t, east, w.holder, "it was taken back although the run was paused")
	require.Less(t, rep.Ended.Sub(rep.Started), time.Hour)
}

func TestPause_CancelledByTemporal_EndsAllTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.at(20*time.Second, func() { w.order("dana", runbook.Pause, "") })
	w.approveAt(30*time.Second, "amara", "bela")
	w.at(time.Minute, func() { w.env.CancelWorkflow() })
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Aborted, rep.Status, rep.Summary)
	require.Equal(t, east, w.holder)
	require.Less(t, rep.Ended.Sub(rep.Started), 5*time.Minute)
}

func TestPause_ThenAbort_BeginsNothingNewAndUndoesNothingOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.frozen[west] = true // somebody froze the group
	w.mischief = when("DescribeAurora", 1, pausesIn)
	w.at(30*time.Second, func() {
		require.Equal(t, runbook.Paused, w.status().Status)
		w.order("dana", runbook.Abort, "")
	})
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Aborted, rep.Status, rep.Summary)
	require.Equal(t, runbook.Assess, rep.Phase, "the next stage never began")
	require.Empty(t, w.effects())
	require.True(t, w.frozen[west])
	require.Empty(t, rep.Left)
}

func TestPause_PeopleAreStillTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.at(20*time.Second, func() { w.order("dana", runbook.Pause, "") })
	told := 0
	w.at(25*time.Second, func() { told = w.pages("nobody has decided") })
	w.at(3*time.Minute, func() {
		require.Greater(t, w.pages("nobody has decided"), told, "silence is escalated while the run stands still")
		w.order("dana", runbook.Abort, "")
	})
	w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
}

// pages counts what people were told.
func (w *world) pages(subject string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, s := range w.told {
		if strings.Contains(s, subject) {
			n++
		}
	}
	return n
}

func TestSilence_TwoRequestsAfterEachOther_EachIsEscalatedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Approvals.Evacuate = "approval"
	w.approveAt(10*time.Second, "amara", "bela") // the first request's timer would fire at 2 minutes
	w.at(125*time.Second, func() {
		require.Zero(t, w.pages("nobody has decided"), "the first request is answered, the second is young")
	})
	w.at(140*time.Second, func() { require.Equal(t, 1, w.pages("nobody has decided")) })
	w.approveAt(270*time.Second, "amara", "bela")
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Len(t, rep.Ballots, 3, "asked for traffic, for the promotion, and once more after silence")
	require.Equal(t, []int{0, 1, 0}, []int{rep.Ballots[0].Escalated, rep.Ballots[1].Escalated, rep.Ballots[2].Escalated})
}

func TestSilence_ForAWeek_FillsNoHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.at(7*24*time.Hour, func() { w.order("dana", runbook.Abort, "") })
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Aborted, rep.Status, rep.Summary)
	require.Less(t, len(rep.Ballots), 100)
	require.Less(t, w.pages(""), 500)
	require.Less(t, w.started, 2000, "each activity is some four events, and a history may have 51,200")
}

func TestHold_ForADay_FillsNoHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Approvals.Expiry = plan.Duration(24 * time.Hour)
	w.down[west] = true
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Refused, rep.Status)
	require.Less(t, w.started, 8000, "each activity is some four events, and a history may have 51,200")
}

func TestUndo_WhileItRuns_NobodyIsAskedAnyMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var late *verdict
	w.mischief = func(c call) mischief {
		if c.name != "UnfenceLease" {
			return nothing
		}
		done := make(chan struct{})
		w.at(0, func() {
			rep := w.status()
			b := rep.Ballots[0]
			d := w.sign(runbook.Decision{By: "amara", Approve: true, RunID: b.RunID, Stage: b.Stage, Nonce: b.Nonce})
			late = w.decide(d)
			w.at(0, func() { close(done) })
		})
		w.mu.Unlock()
		<-done
		w.mu.Lock()
		return nothing
	}
	w.at(40*time.Second, func() { w.order("dana", runbook.Abort, "") })
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Aborted, rep.Status, rep.Summary)
	require.ErrorContains(t, late.refused, runbook.ErrNothingAsked.Error())
	require.Equal(t, runbook.Withdrawn, rep.Ballots[0].Result)
}

func TestUndo_ThrottledInTheRegionThatWasLeft_IsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mischief = func(c call) mischief {
		if c.name == "UnfreezeScaling" && c.attempt < 3 {
			return throttles
		}
		return nothing
	}
	w.change(5*time.Second, func() { w.down[east] = false })
	w.mischiefFirst("FreezeScaling", loses)
	w.at(40*time.Second, func() { w.order("dana", runbook.Abort, "") })
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Aborted, rep.Status, rep.Summary)
	require.Empty(t, rep.Left)
	require.False(t, w.frozen[west])
}

// mischiefFirst lets the first attempt of one activity go wrong, besides.
func (w *world) mischiefFirst(name string, what mischief) {
	others := w.mischief
	w.mischief = func(c call) mischief {
		if c.name == name && c.attempt == 1 {
			return what
		}
		return others(c)
	}
}

func TestUndo_OfWhatOthersHadDone_IsLeftToThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.frozen[west] = true
	w.objects["evacuate/us-east-1"] = true
	w.change(30*time.Second, func() { w.down[east] = false })
	w.at(40*time.Second, func() { w.order("dana", runbook.Abort, "") })
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Aborted, rep.Status, rep.Summary)
	require.True(t, w.frozen[west])
	require.True(t, w.objects["evacuate/us-east-1"], "somebody moved traffic before this run, for reasons of their own")
	require.Equal(t, east, w.holder, "what the run did itself is taken back")
	require.Contains(t, strings.Join(rep.Left, "\n"), "EvacuateByObject app.patients.example in us-west-2 stays: it was so before this run")
}

func TestFence_GroupThatCannotBeRead_IsNotConfirmed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Resources[1].Fence = []plan.FenceLayer{plan.FenceCompute}
	w.mischief = func(c call) mischief {
		if c.name == "FenceCompute" {
			w.down[east] = false // the group answers this one call
		}
		return nothing
	}
	w.fail["DescribeGroup"] = temporal.NewNonRetryableApplicationError("no answer", "Unreachable", nil)
	w.approveWhenAsked()
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Contains(t, w.effects(), "fence compute us-east-1")
	require.Len(t, rep.Layers, 1)
	require.Equal(t, runbook.FenceUnconfirmed, rep.Layers[0].Result, rep.Layers[0].Evidence)
}
