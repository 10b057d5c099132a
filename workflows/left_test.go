package workflows_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows"
)

// What a run has itself taken away again is not said to stay.
func TestLeft_NamesNothingThatIsGone(t *testing.T) {
	t.Parallel()
	home := settings()[4]
	w := newWorld(t)
	home.arrange(w)
	w.mischief = when("VerifyAnswers", 1, abortsIn)
	w.approveWhenAsked()
	rep := w.play(home.workflow, w.start(home.runbook, home.from, home.to))
	require.Equal(t, runbook.Stopped, rep.Status, rep.Summary)
	left := strings.Join(rep.Left, "\n")
	require.Contains(t, left, "FenceLease")
	require.Contains(t, left, "ReturnByObject")
	require.NotContains(t, left, "EvacuateByObject", "the holds of the locations are gone")
}

// The rule check stands between every step and its activity.
func TestRules_StepThatWaitsForTheSuspectRegion_IsNotMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Lease.Region = east // a plan that validation would refuse
	w.down[east] = false
	for _, o := range w.plan.Observers.Members {
		w.opinions[o.Name] = map[plan.Region]bool{east: false}
	}
	w.approveWhenAsked()
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Zero(t, w.seen["DescribeLease"])
	last := rep.Ballots[len(rep.Ballots)-1]
	require.Equal(t, "epoch-unread", last.Risks[len(last.Risks)-1].Code)
	require.Contains(t, last.Risks[len(last.Risks)-1].Text, "suspect Region")
}

// Half way home the origin falls sick again, and the Region's switch can't be
// thrown back: the holds of the locations are all that keeps clients out.
func TestAbort_OriginSickHalfWayHome_KeepsTheHolds(t *testing.T) {
	t.Parallel()
	home := settings()[5]
	w := newWorld(t)
	home.arrange(w)
	returns, evacuations := when("ReturnByObject", 1, abortsIn), 0
	w.mischief = func(c call) mischief {
		if c.name == "EvacuateByObject" {
			if evacuations++; evacuations > 2 { // the first two are the holds
				return refuses
			}
		}
		if c.name == "ReturnByObject" {
			w.down[east] = true
		}
		return returns(c)
	}
	w.approveWhenAsked()
	rep := w.play(home.workflow, w.start(home.runbook, home.from, home.to))
	require.Equal(t, runbook.Aborted, rep.Status, rep.Summary)
	require.False(t, w.objects["evacuate/us-east-1"])
	require.True(t, w.objects["evacuate/us-east-1/europe"])
	require.True(t, w.objects["evacuate/us-east-1/north-america"])
	require.Contains(t, strings.Join(rep.Left, "\n"), "us-east-1 is not healthy")
}
