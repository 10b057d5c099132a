package plan_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	closed := valid(t)
	closed.Traffic.Locations[1].Fallback = ""
	closed.Approvals.Evacuate = plan.EvacuateApproval
	for name, p := range map[string]plan.Plan{"object": valid(t), "control": withARC(t), "closed": closed, "three-regions": threeRegions(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			require.NoError(t, plan.Describe(&b, p))
			golden(t, filepath.Join("testdata", "describe", name+".golden"), b.String())
		})
	}
}

func TestDescribe_FailClosed_IsSaid(t *testing.T) {
	t.Parallel()
	p := valid(t)
	p.Traffic.Locations[1].Fallback = ""
	var b bytes.Buffer
	require.NoError(t, plan.Describe(&b, p))
	require.Contains(t, b.String(), "nobody (fails closed)")
	require.NotContains(t, b.String(), "STILL")
}
