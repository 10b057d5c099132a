package kinds_test

import (
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// shipped is an example plan, with a setup section.
func shipped(t *testing.T, name string) plan.Plan {
	t.Helper()
	p, problems := plan.Load(filepath.Join("..", "..", "examples", name))
	require.NoError(t, problems.Err())
	p.Setup = &plan.Setup{Drift: plan.Repair, Key: "alias/patient-records"}
	return p
}

func TestTrafficItems_AreTheTreeThatThePlanIsJudgedBy(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"patient-records.yaml", "patient-records-arc.yaml"} {
		p := shipped(t, name)
		items, tree := itemsOf(t, p), p.Tree()
		require.Len(t, items.of("route53-health-check"), len(tree.Checks))
		require.Len(t, items.of("route53-record"), len(tree.Records))
		for _, c := range tree.Checks {
			item, ok := items["route53-health-check/us-east-1/"+c.Name]
			require.True(t, ok, c.Name)
			require.Equal(t, "false", item.Want["disabled"], "a disabled check is healthy for ever")
			require.Equal(t, c.Name, item.Want["tag/Name"])
			for _, child := range c.Children {
				require.Equal(t, runbook.Ref("route53-health-check", "us-east-1", child, "id"), item.Want["child/"+child])
			}
			if c.Kind == plan.CheckCalculated {
				require.Equal(t, strconv.Itoa(len(c.Children)), item.Want["health-threshold"], "all of them")
			}
		}
	}
}

func TestTrafficItems_LeafLeadsToItsRegionsLoadBalancerAndHasItsHealth(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, shipped(t, "patient-records.yaml"))
	first := items["route53-record/us-east-1/geo-europe.patients.example/primary-us-east-1"]
	require.Equal(t, map[string]string{
		"zone": "${route53-zone/us-east-1/patients.example#id}", "name": "geo-europe.patients.example", "type": "CNAME", "set": "primary-us-east-1", "failover": "PRIMARY",
		"ttl": "20", "values": "${load-balancer/us-east-1/patient-web#dns}", "check": "${route53-health-check/us-east-1/patient-records/us-east-1/leaf-europe#id}",
	}, first.Want)
	require.Equal(t, "web", first.Resource)
	entry := items["route53-record/us-east-1/app.patients.example/default"]
	require.Equal(t, "country *", entry.Want["location"])
	require.Equal(t, "true", entry.Want["evaluate"])
	require.Contains(t, entry.Needs, "route53-record/us-east-1/geo-default.patients.example/primary-us-west-2", "an alias must name a record that exists")
	endpoint := items["route53-record/us-east-1/use1.patients.example"]
	require.NotContains(t, endpoint.Want, "check", "observers judge the Region by it, whatever its health")
}

func TestTrafficItems_LoadBalancersAreGiven(t *testing.T) {
	t.Parallel()
	for _, b := range itemsOf(t, shipped(t, "patient-records.yaml")).of("load-balancer") {
		require.True(t, b.Given)
		require.NotEmpty(t, b.Why)
	}
}

func TestTrafficItems_RoutingControls_StatesAreNobodysWish(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, shipped(t, "patient-records-arc.yaml"))
	rule := items["arc-safety-rule/us-west-2/one-region-serves"]
	require.Equal(t, "ATLEAST", rule.Want["type"])
	require.Equal(t, "1", rule.Want["threshold"])
	require.Equal(t, "2", rule.Want["controls"])
	require.Equal(t, "0", rule.Want["wait-ms"])
	for id, item := range items {
		if !strings.HasPrefix(id, "arc-") {
			continue
		}
		require.Equal(t, "us-west-2", item.Region, "the one home of its API")
		for property := range maps.Keys(item.Want) {
			require.NotContains(t, property, "state")
		}
	}
	check := items["route53-health-check/us-east-1/patient-records/us-east-1/switch"]
	require.Equal(t, "RECOVERY_CONTROL", check.Want["type"])
	require.Equal(t, "${arc-routing-control/us-west-2/us-east-1#arn}", check.Want["routing-control"], "AWS's, not the plan's placeholder")
	require.Contains(t, check.Needs, rule.ID(), "before it, all controls are off")
}

func TestTrafficItems_ObjectSwitch_NeedsNoCluster(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, shipped(t, "patient-records.yaml"))
	require.False(t, slices.ContainsFunc(slices.Collect(maps.Keys(items)), func(id string) bool { return strings.HasPrefix(id, "arc-") }))
	hold := items["route53-health-check/us-east-1/patient-records/us-east-1/switch-us-west-2"]
	require.Equal(t, "true", hold.Want["inverted"])
	require.Equal(t, "patient-switch-usw2.s3.us-west-2.amazonaws.com", hold.Want["host"], "the object is in the Region that survives")
}

func TestTrafficItems_NoTraffic_NoZone(t *testing.T) {
	t.Parallel()
	require.Empty(t, itemsOf(t, protected()).of("route53-zone"))
}
