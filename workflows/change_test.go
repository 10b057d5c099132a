package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	lifeline "lifeline/internal/temporal"
	"lifeline/workflows"
)

// change alters the world while a run plays.
func (w *world) change(at time.Duration, fn func()) {
	w.at(at, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		fn()
	})
}

// riskCodes are what the open request asks people to name.
func riskCodes(rep runbook.Report) []string {
	var out []string
	if b := rep.Ballot(); b != nil {
		for _, risk := range b.Risks {
			out = append(out, risk.Code)
		}
	}
	return out
}

func TestChanged_AfterTheApproval_IsAskedAnewBeforePromotion(t *testing.T) {
	t.Parallel()
	for code, alter := range map[string]func(*world){
		"evidence-survivor-sick": func(w *world) {
			w.silent["observer-us-east-2"] = true
			w.opinions["observer-us-west-2"] = map[plan.Region]bool{west: false}
		},
		"evidence-both-down": func(w *world) {
			for _, o := range w.plan.Observers.Members {
				w.opinions[o.Name] = map[plan.Region]bool{west: false}
			}
		},
		"evidence-disagree": func(w *world) { w.silent["observer-us-east-2"], w.silent["observer-us-west-2"] = true, true },
		"epoch-unread":      func(w *world) { w.down["us-east-2"] = true },
		"data-loss:billing": func(w *world) { w.auroraAt = time.Minute },
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.change(30*time.Second, func() { alter(w) })
			w.approveAt(40*time.Second, "amara", "bela")
			asked := false
			w.at(200*time.Second, func() {
				rep := w.status()
				asked = true
				require.Equal(t, east, w.writer)
				require.Contains(t, riskCodes(rep), code)
				require.Len(t, rep.Ballots, 2)
			})
			w.approveAt(210*time.Second, "bela", "chidi")
			rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
			require.True(t, asked)
			require.Equal(t, runbook.Done, rep.Status, rep.Summary)
			require.Equal(t, west, w.writer, "people named it: it goes on")
		})
	}
}

func TestChanged_LossGrewBeyondWhatWasNamed_IsAskedAnew(t *testing.T) {
	t.Parallel()
	for title, c := range map[string]struct {
		later   time.Duration
		ballots int
	}{"a little": {70 * time.Second, 1}, "a lot": {5 * time.Minute, 2}, "not measured any more": {-1, 2}} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.auroraAt = time.Minute
			w.change(30*time.Second, func() { w.auroraAt = c.later })
			w.approveAt(40*time.Second, "amara", "bela")
			if c.ballots > 1 {
				w.approveAt(100*time.Second, "amara", "bela")
			}
			rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
			require.Equal(t, runbook.Done, rep.Status, rep.Summary)
			require.Len(t, rep.Ballots, c.ballots)
		})
	}
}

func TestChanged_ObserversRestart_IsNoNewRisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.change(30*time.Second, func() { w.silent["observer-us-east-2"], w.silent["observer-us-west-2"] = true, true })
	w.change(42*time.Second, func() { clear(w.silent) })
	w.approveAt(40*time.Second, "amara", "bela")
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Len(t, rep.Ballots, 1)
}

func TestWitness_DarkRightBeforeTheOneWayStage_IsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mischief = when("DescribeLease", 2, refuses) // the first is the look after the approval
	w.approveAt(40*time.Second, "amara", "bela")
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Refused, rep.Status, rep.Summary)
	require.Equal(t, runbook.Promote, rep.Phase)
	require.Equal(t, east, w.writer)
}

func TestAbort_WhileTheEpochIsRead_PromotesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mischief = when("DescribeLease", 2, abortsIn) // the first is the look after the approval
	w.approveAt(40*time.Second, "amara", "bela")
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Aborted, rep.Status, rep.Summary)
	require.Equal(t, runbook.Promote, rep.Phase)
	require.Contains(t, rep.Summary, "by order of dana")
	require.NotContains(t, rep.Summary, "could not be read", "it was not asked, and that is no gate")
	require.Equal(t, east, w.writer)
	require.Equal(t, east, w.holder)
}

func TestRegionBack_WhilePeopleDecideOnTraffic_LeavesItThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Approvals.Evacuate = "approval"
	w.change(20*time.Second, func() { w.down[east] = false })
	w.approveAt(30*time.Second, "amara", "bela")
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Refused, rep.Status, rep.Summary)
	require.Contains(t, rep.Summary, "switchover")
	require.Empty(t, only(w.effects(), "put", "lease"))
	require.False(t, w.frozen[west])
}

func TestPlannedMove_RegionSickSinceTheRequest_DoesNotBegin(t *testing.T) {
	t.Parallel()
	for _, s := range settings()[3:5] {
		for _, sick := range []plan.Region{east, west} {
			t.Run(s.title+" "+string(sick), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				s.arrange(w)
				w.change(5*time.Second, func() { w.down[sick] = true })
				w.approveAt(10*time.Second, "amara", "bela")
				before := w.photo()
				rep := w.play(s.workflow, w.start(s.runbook, s.from, s.to))
				require.Equal(t, runbook.Refused, rep.Status, rep.Summary)
				require.Equal(t, runbook.Approve, rep.Phase)
				w.requireSafe(t, before, rep)
			})
		}
	}
}

func TestDatabase_ThatCannotBeDescribed_HoldsUpNoTraffic(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mischief = func(c call) mischief {
		if c.name == "DescribeAurora" {
			return refuses
		}
		return nothing
	}
	w.approveWhenAsked()
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Failed, rep.Status, rep.Summary)
	require.Equal(t, runbook.Promote, rep.Phase)
	require.Equal(t, runbook.RTOMet, rep.RTOState)
	require.True(t, w.objects["evacuate/us-east-1"])
	require.Equal(t, east, w.holder, "no promotion, no fence")
}

func TestAdmission_SignedForAnotherRunbook_IsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rep := w.play(workflows.FailoverName, w.start(runbook.Switchover, east, west))
	require.Equal(t, runbook.Refused, rep.Status)
	require.Contains(t, rep.Summary, "switchover")
	require.Empty(t, w.effects())
}

func TestAdmission_EmergencyOnTheQueueOfTheSuspectRegion_IsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env.SetStartWorkflowOptions(client.StartWorkflowOptions{TaskQueue: lifeline.Queue(east)})
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Refused, rep.Status)
	require.Contains(t, rep.Summary, "queue")
	require.Empty(t, w.effects())
}
