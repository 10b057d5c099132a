package route53

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

// handmade is a tree as people make it: locations that lead straight to load
// balancers, in aliases.
func handmade() reader {
	p := plan.Plan{
		Regions: []plan.RegionSpec{
			{Name: "us-east-1", Role: plan.Primary, Endpoint: "use1.x.example"}, {Name: "us-west-2", Role: plan.Recovery, Endpoint: "usw2.x.example"},
		},
		Traffic: plan.Traffic{
			Zone: "x.example", Name: "app.x.example",
			Locations: []plan.Location{{Name: "europe", Continent: "EU", Region: "us-east-1", Fallback: "us-west-2"}, {Name: "default", Region: "us-west-2", Fallback: "us-east-1"}},
			Switch:    plan.Switch{Buckets: map[plan.Region]string{"us-east-1": "sw-east", "us-west-2": "sw-west"}, RoutingControls: map[plan.Region]string{"us-east-1": "arn:east"}},
		},
	}
	alias := func(geo *types.GeoLocation, set, to string, evaluate bool) types.ResourceRecordSet {
		return types.ResourceRecordSet{
			Name: aws.String("app.x.example."), Type: types.RRTypeA, SetIdentifier: aws.String(set), GeoLocation: geo,
			AliasTarget: &types.AliasTarget{DNSName: aws.String(to), EvaluateTargetHealth: evaluate},
		}
	}
	endpoint := func(name, to string) types.ResourceRecordSet {
		return types.ResourceRecordSet{Name: aws.String(name), Type: types.RRTypeCname, TTL: aws.Int64(20), ResourceRecords: []types.ResourceRecord{{Value: aws.String(to)}}}
	}
	return reader{plan: p, checks: map[string]types.HealthCheck{}, records: map[string][]types.ResourceRecordSet{
		"app.x.example": {
			alias(&types.GeoLocation{ContinentCode: aws.String("EU")}, "eu", "dualstack.web-1.us-east-1.elb.amazonaws.com.", true),
			alias(&types.GeoLocation{CountryCode: aws.String("*")}, "rest", "web-2.us-west-2.elb.amazonaws.com.", false),
			alias(&types.GeoLocation{CountryCode: aws.String("JP")}, "japan", "anycast.vendor.example.", false),
		},
		"use1.x.example":  {endpoint("use1.x.example.", "web-1.us-east-1.elb.amazonaws.com")},
		"usw2.x.example":  {endpoint("usw2.x.example.", "anycast.vendor.example")},
		"other.x.example": {endpoint("other.x.example.", "nobody.example")},
	}}
}

func TestRead_TreeThatPeopleMade_IsToldInThePlansWords(t *testing.T) {
	t.Parallel()
	r := handmade()
	live := r.read()
	require.Len(t, live.Tree.Records, 8, "three locations with a group each, two endpoints, and nothing else of the zone")
	require.True(t, live.Tree.HasDefault())
	require.Equal(t, plan.Region("us-east-1"), live.Tree.Answer("europe", nil, nil).Region)
	require.Equal(t, plan.Region("us-west-2"), live.Tree.Answer("europe", []plan.Region{"us-east-1"}, nil).Region, "an unhealthy alias rolls up to the default")
	require.Equal(t, plan.Region("us-west-2"), live.Tree.Answer("japan", nil, nil).Region, "known by the Region's own name")
	require.Contains(t, r.plan.Stranding(live.Tree), "default is still sent to us-west-2 when us-west-2 is lost")
	require.Equal(t, []string{"direct/rest to us-west-2 has no health check", "direct/japan to us-west-2 has no health check"}, live.Tree.Unwatched())
}

func TestRead_HealthChecks(t *testing.T) {
	t.Parallel()
	http := func(host, path string, change func(*types.HealthCheckConfig)) *types.HealthCheckConfig {
		c := &types.HealthCheckConfig{Type: types.HealthCheckTypeHttp, FullyQualifiedDomainName: aws.String(host), ResourcePath: aws.String(path), RequestInterval: aws.Int32(10), FailureThreshold: aws.Int32(2)}
		if change != nil {
			change(c)
		}
		return c
	}
	inverted := func(c *types.HealthCheckConfig) { c.Inverted = aws.Bool(true) }
	cases := map[string]struct {
		config           *types.HealthCheckConfig
		kind             plan.CheckKind
		region           plan.Region
		location         string
		disabled, opaque bool
		few              bool
	}{
		"a Region's endpoint":    {config: http("USE1.x.example", "/health", nil), kind: plan.CheckEndpoint, region: "us-east-1"},
		"a switch":               {config: http("sw-west.s3.us-west-2.amazonaws.com", "/evacuate/us-east-1", inverted), kind: plan.CheckObject, region: "us-east-1"},
		"a hold":                 {config: http("sw-west.s3.us-west-2.amazonaws.com", "/evacuate/us-east-1/europe", inverted), kind: plan.CheckObject, region: "us-east-1", location: "europe"},
		"somebody's endpoint":    {config: http("elsewhere.example", "/", nil), kind: plan.CheckCalculated, opaque: true},
		"an inverted endpoint":   {config: http("use1.x.example", "/health", inverted), kind: plan.CheckCalculated, opaque: true},
		"a disabled endpoint":    {config: http("use1.x.example", "/", func(c *types.HealthCheckConfig) { c.Disabled = aws.Bool(true) }), kind: plan.CheckCalculated, disabled: true},
		"few checkers":           {config: http("use1.x.example", "/", func(c *types.HealthCheckConfig) { c.Regions = []types.HealthCheckRegion{"us-east-1"} }), kind: plan.CheckEndpoint, region: "us-east-1", few: true},
		"an alarm":               {config: &types.HealthCheckConfig{Type: types.HealthCheckTypeCloudwatchMetric}, kind: plan.CheckCalculated, opaque: true},
		"a routing control":      {config: &types.HealthCheckConfig{Type: types.HealthCheckTypeRecoveryControl, RoutingControlArn: aws.String("arn:east")}, kind: plan.CheckControl, region: "us-east-1"},
		"somebody's control":     {config: &types.HealthCheckConfig{Type: types.HealthCheckTypeRecoveryControl, RoutingControlArn: aws.String("arn:other")}, kind: plan.CheckCalculated, opaque: true},
		"a calculated check":     {config: &types.HealthCheckConfig{Type: types.HealthCheckTypeCalculated, HealthThreshold: aws.Int32(1), ChildHealthChecks: []string{"gone"}}, kind: plan.CheckCalculated},
		"an inverted calculated": {config: &types.HealthCheckConfig{Type: types.HealthCheckTypeCalculated, Inverted: aws.Bool(true)}, kind: plan.CheckCalculated, opaque: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := handmade()
			r.checks["id"] = types.HealthCheck{Id: aws.String("id"), HealthCheckConfig: c.config}
			var live LiveTree
			r.look([]string{"id", "unheard of"}, &live)
			require.Len(t, live.Tree.Checks, 1)
			got := live.Tree.Checks[0]
			require.Equal(t, "id", got.Name)
			require.Equal(t, []any{c.kind, c.region, c.location}, []any{got.Kind, got.Region, got.Location})
			require.Equal(t, []bool{c.disabled, c.opaque, c.few}, []bool{len(live.Disabled) > 0, len(live.Opaque) > 0, len(live.Few) > 0})
			if c.kind == plan.CheckEndpoint {
				require.Equal(t, 10*time.Second, got.Interval.D())
				require.Equal(t, 2, got.Threshold)
			}
		})
	}
}
