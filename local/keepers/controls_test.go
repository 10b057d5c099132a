package keepers_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53recoverycluster"
	clustertypes "github.com/aws/aws-sdk-go-v2/service/route53recoverycluster/types"
	"github.com/aws/aws-sdk-go-v2/service/route53recoverycontrolconfig"
	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// states are the routing controls' states by the Region that they stand for.
func states(t *testing.T, s *site, result results) map[plan.Region]clustertypes.RoutingControlState {
	t.Helper()
	out := map[plan.Region]clustertypes.RoutingControlState{}
	for _, region := range []plan.Region{east, west} {
		got, err := s.cluster(t).GetRoutingControlState(t.Context(), &route53recoverycluster.GetRoutingControlStateInput{
			RoutingControlArn: aws.String(result["arc-routing-control/us-west-2/"+string(region)].Out["arn"]),
		})
		require.NoError(t, err)
		out[region] = got.RoutingControlState
	}
	return out
}

// cluster is one of the endpoints of the cluster.
func (s *site) cluster(t *testing.T) *route53recoverycluster.Client {
	t.Helper()
	list, err := route53recoverycontrolconfig.NewFromConfig(s.in(west)).ListClusters(t.Context(), &route53recoverycontrolconfig.ListClustersInput{})
	require.NoError(t, err)
	require.Len(t, list.Clusters, 1)
	e := list.Clusters[0].ClusterEndpoints[0]
	return route53recoverycluster.NewFromConfig(s.in(plan.Region(aws.ToString(e.Region))), func(o *route53recoverycluster.Options) { o.BaseEndpoint = e.Endpoint })
}

func TestTraffic_NewControlsAreOn_AndAnEvacuationIsNotTakenBack(t *testing.T) {
	t.Parallel()
	p := example(t, controls)
	s := switched(t, p)
	items := wanted(t, p, runbook.AreaTraffic)
	result := s.setup().converge(items, true)
	require.Equal(t, clustertypes.RoutingControlStateOn, states(t, s, result)[east])
	require.Equal(t, clustertypes.RoutingControlStateOn, states(t, s, result)[west])

	_, err := s.cluster(t).UpdateRoutingControlState(t.Context(), &route53recoverycluster.UpdateRoutingControlStateInput{
		RoutingControlArn: aws.String(result["arc-routing-control/us-west-2/us-east-1"].Out["arn"]), RoutingControlState: clustertypes.RoutingControlStateOff,
	})
	require.NoError(t, err)
	// Even the loss of the rule, which is what new controls are told by, changes nothing.
	config := route53recoverycontrolconfig.NewFromConfig(s.in(west))
	_, err = config.DeleteSafetyRule(t.Context(), &route53recoverycontrolconfig.DeleteSafetyRuleInput{
		SafetyRuleArn: aws.String(result["arc-safety-rule/us-west-2/one-region-serves"].Out["arn"]),
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		list, err := config.ListSafetyRules(t.Context(), &route53recoverycontrolconfig.ListSafetyRulesInput{ControlPanelArn: aws.String(result["arc-control-panel/us-west-2/patient-records"].Out["arn"])})
		return err == nil && len(list.SafetyRules) == 0
	}, patience, 20*time.Millisecond)
	again := s.setup().converge(items, true)
	require.Equal(t, runbook.Created, again["arc-safety-rule/us-west-2/one-region-serves"].Verdict)
	require.Equal(t, clustertypes.RoutingControlStateOff, states(t, s, result)[east], "the Region stays evacuated")
	require.Equal(t, clustertypes.RoutingControlStateOn, states(t, s, result)[west])
}

func TestTraffic_PlanNamesOtherControls_IsTold(t *testing.T) {
	t.Parallel()
	p := example(t, controls)
	s := switched(t, p)
	result := s.setup().converge(wanted(t, p, runbook.AreaTraffic), true)
	told := result["arc-switch-addresses/us-west-2/patient-records"]
	require.Equal(t, runbook.Drifted, told.Verdict)
	require.Contains(t, told.Why, "traffic.switch in the plan names other")
	for _, c := range told.Changes {
		if region, ok := strings.CutPrefix(c.Name, "control/"); ok {
			require.Equal(t, result["arc-routing-control/us-west-2/"+region].Out["arn"], c.Have)
			p.Traffic.Switch.RoutingControls[plan.Region(region)] = c.Have
		}
		if region, ok := strings.CutPrefix(c.Name, "endpoint/"); ok {
			i := slices.IndexFunc(p.Traffic.Switch.ClusterEndpoints, func(e plan.ClusterEndpoint) bool { return string(e.Region) == region })
			p.Traffic.Switch.ClusterEndpoints[i].URL = c.Have
		}
	}
	s.setup().converge(wanted(t, p, runbook.AreaTraffic), true).all(t, runbook.InPlace)
}
