package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows"
)

func TestAurora_HeadlessSecondary_IsNotPromoted(t *testing.T) {
	t.Parallel()
	for _, s := range []setting{settings()[0], settings()[3]} {
		t.Run(s.title, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s.arrange(w)
			w.headless = true
			w.approveWhenAsked()
			before := w.photo()
			rep := w.play(s.workflow, w.start(s.runbook, s.from, s.to))
			require.Equal(t, runbook.Failed, rep.Status, rep.Summary)
			require.Contains(t, rep.Summary, "headless")
			w.requireSafe(t, before, rep)
			if s.runbook == runbook.Failover {
				require.True(t, w.objects["evacuate/us-east-1"], "traffic left all the same")
			}
		})
	}
}

func TestSwitchover_NoHealthyTarget_Refuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.down[east], w.serving = false, 0
	rep := w.play(workflows.SwitchoverName, w.start(runbook.Switchover, east, west))
	require.Equal(t, runbook.Refused, rep.Status, rep.Summary)
	require.Contains(t, rep.Summary, "no healthy target")
	require.Empty(t, w.effects())
}

func TestFailback_ReplicaNotActive_DoesNotGoOn(t *testing.T) {
	t.Parallel()
	home := settings()[4]
	w := newWorld(t)
	home.arrange(w)
	w.replica = "CREATING"
	rep := w.play(home.workflow, w.start(home.runbook, home.from, home.to))
	require.Equal(t, runbook.Failed, rep.Status, rep.Summary)
	require.Contains(t, rep.Summary, "us-west-2 is CREATING")
	require.Equal(t, runbook.Reprotect, rep.Phase)
}

// A fence is as good as its weakest writer.
func TestFence_OneWriterStillAtWork_IsNotConfirmed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		arrange func(*world)
		want    runbook.FenceResult
	}{
		"all stopped":            {func(*world) {}, runbook.FenceConfirmed},
		"instances are stopping": {func(w *world) { w.stopping = true }, runbook.FenceUnconfirmed},
		"a second service, silent": {func(w *world) {
			w.plan.Resources = append([]plan.Resource{silent(w.plan.Resources[3])}, w.plan.Resources...)
		}, runbook.FenceUnconfirmed},
		"nobody is known to write": {func(w *world) { w.plan.Resources[3].DependsOn = nil }, runbook.FenceUnconfirmed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.plan.Resources[1].Fence = []plan.FenceLayer{plan.FenceCompute}
			w.down[east] = false
			for _, o := range w.plan.Observers.Members {
				w.opinions[o.Name] = map[plan.Region]bool{east: false} // dark to clients, its control plane answers
			}
			c.arrange(w)
			w.approveWhenAsked()
			rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
			require.Equal(t, runbook.Done, rep.Status, rep.Summary)
			require.Len(t, rep.Layers, 1)
			require.Equal(t, c.want, rep.Layers[0].Result, rep.Layers[0].Evidence)
			require.Equal(t, c.want, rep.Fence)
			named := len(rep.Ballots[len(rep.Ballots)-1].Risks) > 0
			require.Equal(t, c.want == runbook.FenceUnconfirmed, named)
		})
	}
}

// silent is a second service like s, whose group answers nothing.
func silent(s plan.Resource) plan.Resource {
	s.Name = "silent"
	s.Regions = map[plan.Region]plan.Identifiers{}
	for _, region := range []plan.Region{east, west} {
		s.Regions[region] = plan.Identifiers{"autoScalingGroup": "silent", "targetGroup": "silent"}
	}
	return s
}

func TestCommitWindow_TwoBadRounds_AreNoVerdict(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.writer, w.holder = west, west // nothing to promote: traffic could go back
	w.plan.Failover.CommitWindow = plan.Duration(time.Minute)
	w.change(8*time.Second, func() { w.badTx = true })
	w.change(17*time.Second, func() { w.badTx = false }) // two rounds, five seconds apart
	w.change(28*time.Second, func() { w.badTx = true })
	w.change(37*time.Second, func() { w.badTx = false })
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.NotEmpty(t, inState(rep, runbook.Broken), "there were bad rounds")
}
