package plan_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

func records(tree plan.Tree, name string) []plan.Record {
	return slices.DeleteFunc(slices.Clone(tree.Records), func(r plan.Record) bool { return r.Name != name })
}

func checkNamed(t *testing.T, tree plan.Tree, name string) plan.Check {
	t.Helper()
	i := slices.IndexFunc(tree.Checks, func(c plan.Check) bool { return c.Name == name })
	require.GreaterOrEqual(t, i, 0, name)
	return tree.Checks[i]
}

func TestTree_EachLocationHasItsOwnPair(t *testing.T) {
	t.Parallel()
	p := valid(t)
	tree := p.Tree()
	entries := records(tree, "app.patients.example")
	require.Len(t, entries, 4)
	for i, l := range p.Traffic.Locations {
		e := entries[i]
		require.Equal(t, plan.RouteGeolocation, e.Routing)
		require.Equal(t, l, *e.Location)
		require.True(t, e.EvaluateTargetHealth)
		require.Nil(t, e.Target)
		pair := records(tree, e.Alias)
		require.Len(t, pair, 2, e.Alias)
		require.Equal(t, plan.FailoverPrimary, pair[0].Failover)
		require.Equal(t, l.Region, pair[0].Target.Region)
		require.Equal(t, plan.FailoverSecondary, pair[1].Failover)
		require.Equal(t, l.Fallback, pair[1].Target.Region)
		for _, r := range pair {
			require.Equal(t, "patient-web", r.Target.LoadBalancer)
			require.Equal(t, "web", r.Target.Resource)
			require.Equal(t, 20*time.Second, r.TTL.D())
			require.NotEmpty(t, r.Check, "a record without a check is always healthy")
		}
	}
}

func TestTree_Endpoints_LeadToTheirRegionWhateverItsHealth(t *testing.T) {
	t.Parallel()
	r := records(valid(t).Tree(), "usw2.patients.example")
	require.Len(t, r, 1)
	require.Equal(t, plan.Record{
		Name: "usw2.patients.example", Routing: plan.RouteSimple, TTL: seconds(20),
		Target: &plan.Target{Region: "us-west-2", Resource: "web", LoadBalancer: "patient-web"},
	}, r[0])
}

func TestTree_Checks_DeepSwitchAndHold(t *testing.T) {
	t.Parallel()
	tree := valid(t).Tree()
	require.Equal(t, plan.Check{
		Name: "patient-records/us-east-1/deep", Kind: plan.CheckEndpoint, Region: "us-east-1",
		Scheme: "http", Host: "use1.patients.example", Port: 8080, Path: "/health/deep", Interval: seconds(10), Threshold: 2,
	}, checkNamed(t, tree, "patient-records/us-east-1/deep"))
	require.Equal(t, plan.Check{
		Name: "patient-records/us-east-1/switch-us-west-2", Kind: plan.CheckObject, Region: "us-east-1",
		Scheme: "http", Host: "patient-switch-usw2.s3.us-west-2.amazonaws.com", Port: 80, Path: "/evacuate/us-east-1",
		Interval: seconds(10), Threshold: 1, Inverted: true, Holder: "us-west-2", Bucket: "patient-switch-usw2",
	}, checkNamed(t, tree, "patient-records/us-east-1/switch-us-west-2"))
	hold := checkNamed(t, tree, "patient-records/us-east-1/hold-europe-us-west-2")
	require.Equal(t, "/"+plan.SwitchKey("us-east-1", "europe"), hold.Path)
	require.Equal(t, "europe", hold.Location)

	first := records(tree, "geo-europe.patients.example")[0]
	require.Equal(t, []string{
		"patient-records/us-east-1/deep", "patient-records/us-east-1/switch-us-west-2", "patient-records/us-east-1/hold-europe-us-west-2",
	}, checkNamed(t, tree, first.Check).Children)
	second := records(tree, "geo-europe.patients.example")[1]
	require.Equal(t, "patient-records/us-west-2/leaf", second.Check, "a fallback has nothing to come home to")
}

func TestTree_RoutingControl_OneCheckPerRegion(t *testing.T) {
	t.Parallel()
	tree := withARC(t).Tree()
	c := checkNamed(t, tree, "patient-records/us-west-2/switch")
	require.Equal(t, plan.CheckControl, c.Kind)
	require.Contains(t, c.RoutingControl, "routingcontrol/fedcba9876543210")
	require.Len(t, tree.Checks, 6, "no holds: a control has no locations")
}

// What must be true of every tree, whatever the plan.
func requireSound(t *testing.T, tree plan.Tree) {
	t.Helper()
	names := map[string]bool{}
	for _, c := range tree.Checks {
		require.False(t, names[c.Name], "check %s twice", c.Name)
		names[c.Name] = true
	}
	for _, c := range tree.Checks {
		for _, child := range c.Children {
			require.True(t, names[child], "%s counts %s, which doesn't exist", c.Name, child)
			require.NotEqual(t, plan.CheckCalculated, checkNamed(t, tree, child).Kind, "calculated checks count plain ones")
		}
		if c.Kind == plan.CheckCalculated {
			require.Len(t, c.Children, c.HealthThreshold, "all of them")
		}
		if c.Kind == plan.CheckObject {
			require.NotEqual(t, c.Region, c.Holder, "a dark Region can't hold the object that evacuates it")
		}
	}
	keys := map[[2]string]bool{}
	for _, r := range tree.Records {
		key := [2]string{r.Name, r.SetID}
		require.False(t, keys[key], "record %v twice", key)
		keys[key] = true
		require.True(t, r.Check == "" || names[r.Check], "%s has check %s, which doesn't exist", r.Name, r.Check)
		require.NotEqual(t, r.Alias == "", r.Target == nil, "%s is an alias or has a target", r.Name)
		if r.Alias != "" {
			require.NotEmpty(t, records(tree, r.Alias), "%s leads to %s, which doesn't exist", r.Name, r.Alias)
		}
	}
}

func TestTree_IsSound(t *testing.T) {
	t.Parallel()
	closed := valid(t)
	closed.Traffic.Locations[1].Fallback = ""
	for name, p := range map[string]plan.Plan{"object": valid(t), "control": withARC(t), "closed": closed, "three": threeRegions(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireSound(t, p.Tree())
		})
	}
}

// threeRegions serves clients from three Regions; two locations of one Region
// have different fallbacks.
func threeRegions(tb testing.TB) plan.Plan {
	tb.Helper()
	p, problems := plan.Parse("three.yaml", []byte(edited(tb, example(tb, "patient-records.yaml"),
		"  - {name: us-east-2, role: witness}", "  - {name: us-east-2, role: witness}\n  - {name: eu-west-1, role: recovery, endpoint: euw1.patients.example}",
		"us-west-2: {table: patient-records}", "us-west-2: {table: patient-records}\n      eu-west-1: {table: patient-records}",
		"us-west-2: {cluster: patient-billing-usw2}", "us-west-2: {cluster: patient-billing-usw2}\n      eu-west-1: {cluster: patient-billing-euw1}",
		"us-west-2: {bucket: patient-documents-usw2}", "us-west-2: {bucket: patient-documents-usw2}\n      eu-west-1: {bucket: patient-documents-euw1}",
		"      us-west-2: {autoScalingGroup: patient-web, loadBalancer: patient-web, targetGroup: patient-web}",
		"      us-west-2: {autoScalingGroup: patient-web, loadBalancer: patient-web, targetGroup: patient-web}\n"+
			"      eu-west-1: {autoScalingGroup: patient-web-eu, loadBalancer: patient-web-eu, targetGroup: patient-web-eu}",
		"subnet: 193.0.0.0/21, region: us-east-1, fallback: us-west-2", "subnet: 193.0.0.0/21, region: eu-west-1, fallback: us-east-1",
		"subnet: 202.12.29.0/24, region: us-west-2, fallback: us-east-1", "subnet: 202.12.29.0/24, region: us-west-2, fallback: eu-west-1",
		"us-west-2: patient-switch-usw2}", "us-west-2: patient-switch-usw2, eu-west-1: patient-switch-euw1}",
	)))
	require.Empty(tb, problems)
	return p
}

func TestTree_ThreeRegions_AnySurvivorMayHoldTheSwitch(t *testing.T) {
	t.Parallel()
	tree := threeRegions(t).Tree()
	require.Equal(t, []string{
		"patient-records/us-east-1/deep", "patient-records/us-east-1/switch-us-west-2", "patient-records/us-east-1/switch-eu-west-1",
	}, checkNamed(t, tree, "patient-records/us-east-1/leaf").Children)
}

func TestTree_China_HasItsOwnHostNames(t *testing.T) {
	t.Parallel()
	p := valid(t)
	p.Regions[0].Name, p.Regions[1].Name = "cn-north-1", "cn-northwest-1"
	p.Traffic.Switch.Buckets = map[plan.Region]string{"cn-north-1": "north", "cn-northwest-1": "northwest"}
	c := checkNamed(t, p.Tree(), "patient-records/cn-north-1/switch-cn-northwest-1")
	require.Equal(t, "northwest.s3.cn-northwest-1.amazonaws.com.cn", c.Host)
}
