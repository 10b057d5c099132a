package steps_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53recoverycluster"
	"github.com/aws/aws-sdk-go-v2/service/route53recoverycluster/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// refusesBothOff lets the worker's own client try what no step does. The rule
// refuses, and to Lifeline that is a conflict for people, not a reason to retry
// elsewhere or to override.
func (f *fixture) refusesBothOff(t *testing.T, w *worker) {
	t.Helper()
	endpoint := f.plan.Traffic.Switch.ClusterEndpoints[4]
	in := &route53recoverycluster.UpdateRoutingControlStatesInput{}
	for _, region := range f.plan.TrafficRegions() {
		in.UpdateRoutingControlStateEntries = append(in.UpdateRoutingControlStateEntries, types.UpdateRoutingControlStateEntry{
			RoutingControlArn:   aws.String(f.plan.Traffic.Switch.RoutingControls[region]),
			RoutingControlState: types.RoutingControlStateOff,
		})
	}
	before, err := f.controlStates(t.Context(), endpoint)
	require.NoError(t, err)
	_, err = cloud.Call(t.Context(), cloud.At{Region: endpoint.Region}, w.arc.Clients(endpoint).UpdateRoutingControlStates, in)
	require.Equal(t, cloud.Conflict, cloud.KindOf(err), "%v", err)
	require.ErrorContains(t, err, "one-region-serves")
	after, err := f.controlStates(t.Context(), endpoint)
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.Equal(t, map[plan.Region]string{east: "Off", west: "On"}, after)
}
