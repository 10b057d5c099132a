package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/runbook"
	"lifeline/workflows"
)

func TestFailover_RegionDark_RecoversInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.approveAt(40*time.Second, "amara", "bela")
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))

	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Equal(t, runbook.FenceConfirmed, rep.Fence)
	require.Equal(t, int64(2), rep.Epoch)
	require.Equal(t, west, w.writer)
	acted := w.effects()
	require.Subset(t, acted, []string{"lease to us-west-2", "put evacuate/us-east-1", "FailoverAurora to us-west-2"})
	require.Equal(t, []string{"lease to us-west-2", "put evacuate/us-east-1", "FailoverAurora to us-west-2"}, only(acted, "lease", "put", "FailoverAurora"))
	require.Equal(t, w.failure(), rep.Clocks.Failure)
	require.Equal(t, 30*time.Second, rep.Spans.RTO())
	require.Equal(t, runbook.RTOMet, rep.RTOState)
}
