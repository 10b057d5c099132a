package keepers_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/stretchr/testify/require"

	"lifeline/activities/arc"
	"lifeline/activities/dynamodb"
	"lifeline/activities/elb"
	"lifeline/activities/kms"
	"lifeline/activities/rds"
	"lifeline/activities/route53"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/local/aws/world"
	"lifeline/local/estate"
	"lifeline/workflows/kinds"
)

// objects and controls are the example plans of the two switches.
const (
	objects  = "patient-records.yaml"
	controls = "patient-records-arc.yaml"
)

// example is a plan that ships with Lifeline, with a setup section.
func example(t *testing.T, name string) plan.Plan {
	t.Helper()
	p, problems := plan.Load(filepath.Join("..", "..", "examples", name))
	require.NoError(t, problems.Err())
	p.Setup = &plan.Setup{Drift: plan.Repair, Key: "alias/patient-records"}
	return p
}

// wanted are the items of some areas of a plan, without buckets: those of the
// switch are made like all others.
func wanted(t *testing.T, p plan.Plan, areas ...runbook.Area) []runbook.Item {
	t.Helper()
	all, err := kinds.Items(kinds.Site{Plan: p, Account: account})
	require.NoError(t, err)
	return slices.DeleteFunc(of(all, areas...), func(i runbook.Item) bool { return strings.HasPrefix(i.Type, "s3-") })
}

// switched is a world with load balancers, the way that traffic finds one.
func switched(t *testing.T, p plan.Plan) *site {
	t.Helper()
	s := bare(t, 200, route53.Keepers, arc.Keepers, elb.Keepers)
	front, ok := p.Front()
	require.True(t, ok)
	for _, region := range p.TrafficRegions() {
		subnets, err := ec2.NewFromConfig(s.in(region)).DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{})
		require.NoError(t, err)
		_, err = elbv2.NewFromConfig(s.in(region)).CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{
			Name:    aws.String(front.Regions[region]["loadBalancer"]),
			Subnets: []string{aws.ToString(subnets.Subnets[0].SubnetId), aws.ToString(subnets.Subnets[1].SubnetId)},
		})
		require.NoError(t, err)
	}
	return s
}

// shape is the record tree as Route 53 has it, checks by their names: two trees
// of one shape answer alike, whoever made them.
func (s *site) shape(t *testing.T) []string {
	t.Helper()
	api := r53.NewFromConfig(s.admin)
	checks, err := api.ListHealthChecks(t.Context(), &r53.ListHealthChecksInput{})
	require.NoError(t, err)
	names := map[string]string{}
	for _, c := range checks.HealthChecks {
		tags, err := api.ListTagsForResource(t.Context(), &r53.ListTagsForResourceInput{ResourceType: types.TagResourceTypeHealthcheck, ResourceId: c.Id})
		require.NoError(t, err)
		for _, tag := range tags.ResourceTagSet.Tags {
			if aws.ToString(tag.Key) == "Name" {
				names[aws.ToString(c.Id)] = aws.ToString(tag.Value)
			}
		}
	}
	var out []string
	for _, c := range checks.HealthChecks {
		out = append(out, checkShape(c, names))
	}
	zones, err := api.ListHostedZones(t.Context(), &r53.ListHostedZonesInput{})
	require.NoError(t, err)
	require.Len(t, zones.HostedZones, 1)
	records, err := api.ListResourceRecordSets(t.Context(), &r53.ListResourceRecordSetsInput{HostedZoneId: zones.HostedZones[0].Id})
	require.NoError(t, err)
	require.False(t, records.IsTruncated)
	for _, r := range records.ResourceRecordSets {
		if r.Type == types.RRTypeCname {
			out = append(out, recordShape(r, names))
		}
	}
	slices.Sort(out)
	return out
}

func checkShape(c types.HealthCheck, names map[string]string) string {
	f := c.HealthCheckConfig
	var children []string
	for _, id := range f.ChildHealthChecks {
		children = append(children, names[id])
	}
	slices.Sort(children)
	return fmt.Sprintf("check %q %s %s:%d%s every %d, %d failures, inverted %t, disabled %t, %d of %v, control %t", names[aws.ToString(c.Id)], f.Type,
		aws.ToString(f.FullyQualifiedDomainName), aws.ToInt32(f.Port), aws.ToString(f.ResourcePath), aws.ToInt32(f.RequestInterval), aws.ToInt32(f.FailureThreshold),
		aws.ToBool(f.Inverted), aws.ToBool(f.Disabled), aws.ToInt32(f.HealthThreshold), children, f.RoutingControlArn != nil)
}

func recordShape(r types.ResourceRecordSet, names map[string]string) string {
	geo, alias, value := "", "", ""
	if g := r.GeoLocation; g != nil {
		geo = aws.ToString(g.ContinentCode) + aws.ToString(g.CountryCode) + aws.ToString(g.SubdivisionCode)
	}
	if a := r.AliasTarget; a != nil {
		alias = fmt.Sprintf("%s %t", aws.ToString(a.DNSName), a.EvaluateTargetHealth)
	}
	for _, v := range r.ResourceRecords {
		// A load balancer's DNS name ends in something that AWS makes up.
		value, _, _ = strings.Cut(aws.ToString(v.Value), "-")
	}
	return fmt.Sprintf("record %s %q %s %s %s ttl %d %s check %q", aws.ToString(r.Name), aws.ToString(r.SetIdentifier), r.Failover, geo, alias,
		aws.ToInt64(r.TTL), value, names[aws.ToString(r.HealthCheckId)])
}

// builtByHand is the estate of a plan as the local world makes it, and the plan
// with what AWS named.
func builtByHand(t *testing.T, p plan.Plan, books ...book) (*site, plan.Plan) {
	t.Helper()
	s := bare(t, 400, books...)
	p.Traffic.NameServers = []string{s.DNS()}
	b := estate.Builder{Plan: p, Config: s.admin, Logger: slog.New(slog.DiscardHandler), Patience: patience}
	require.NoError(t, b.Build(t.Context()))
	return s, b.Plan
}

func TestTraffic_BareWorld_GetsTheTreeThatTheLocalWorldMakes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{objects, controls} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := example(t, name)
			s := switched(t, p)
			items := wanted(t, p, runbook.AreaTraffic)
			made := s.setup()
			result := made.converge(items, true)
			for id, r := range result {
				want := runbook.Created
				switch {
				case strings.HasPrefix(id, "load-balancer/"):
					want = runbook.InPlace
				case strings.HasPrefix(id, "arc-switch-addresses/"):
					want = runbook.Drifted // the example's addresses are placeholders
				}
				require.Equal(t, want, r.Verdict, "%s: %s %v", id, r.Why, r.Changes)
			}
			require.Len(t, s.shape(t), plain(p.Tree()), "a tree of another size")

			byHand, _ := builtByHand(t, p)
			require.Equal(t, byHand.shape(t), s.shape(t))

			again := s.setup()
			again.survey(items, true)
			again.converge(items, true)
			require.Empty(t, again.changed(), "a second run changes nothing")
			require.LessOrEqual(t, len(again.calls()), 2*len(items), "about a call for each item and look")
		})
	}
}

// plain counts what a tree holds.
func plain(t plan.Tree) int { return len(t.Records) + len(t.Checks) }

func TestEverything_MadeByTheLocalWorld_IsAdopted(t *testing.T) {
	t.Parallel()
	for _, name := range []string{objects, controls} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wish := example(t, name)
			for i := range wish.Resources {
				wish.Resources[i].Protect = nil // the local world protects nothing
			}
			s, p := builtByHand(t, wish, kms.Keepers, dynamodb.Keepers, rds.Keepers, route53.Keepers, arc.Keepers, elb.Keepers)
			keys := slices.DeleteFunc(wanted(t, p, runbook.AreaAccess), func(i runbook.Item) bool { return i.Type != "kms-key" })
			s.setup().converge(keys, true).good(t) // the local world makes no keys
			items := append(keys, wanted(t, p, runbook.AreaDatabases, runbook.AreaTraffic)...)
			run := s.setup()
			run.converge(items, true).all(t, runbook.InPlace)
			require.Empty(t, run.changed())
		})
	}
}

func TestTraffic_ChangedByHand_IsRepaired(t *testing.T) {
	t.Parallel()
	p := example(t, objects)
	s := switched(t, p)
	items := wanted(t, p, runbook.AreaTraffic)
	s.setup().converge(items, true).good(t)
	before := s.shape(t)
	harm(t, s)

	told := s.setup()
	seen := told.converge(items, false)
	require.Empty(t, told.changed(), "what exists is only told")
	require.Equal(t, runbook.Drifted, seen["route53-health-check/us-east-1/patient-records/us-east-1/deep"].Verdict)
	require.Equal(t, runbook.Drifted, seen["route53-record/us-east-1/app.patients.example/europe"].Verdict)

	s.setup().converge(items, true).good(t)
	require.Equal(t, before, s.shape(t))
	quiet := s.setup()
	quiet.converge(items, true).all(t, runbook.InPlace)
	require.Empty(t, quiet.changed())
}

// harm disables a check, takes children out of another, and sends a continent to
// the wrong place.
func harm(t *testing.T, s *site) {
	t.Helper()
	api := r53.NewFromConfig(s.admin)
	list, err := api.ListHealthChecks(t.Context(), &r53.ListHealthChecksInput{})
	require.NoError(t, err)
	deep, all := types.HealthCheck{}, types.HealthCheck{}
	for _, c := range list.HealthChecks {
		switch f := c.HealthCheckConfig; {
		case aws.ToString(f.FullyQualifiedDomainName) == "use1.patients.example":
			deep = c
		case f.Type == types.HealthCheckTypeCalculated:
			all = c
		}
	}
	_, err = api.UpdateHealthCheck(t.Context(), &r53.UpdateHealthCheckInput{HealthCheckId: deep.Id, Disabled: aws.Bool(true)})
	require.NoError(t, err)
	_, err = api.UpdateHealthCheck(t.Context(), &r53.UpdateHealthCheckInput{HealthCheckId: all.Id, ChildHealthChecks: []string{aws.ToString(deep.Id)}})
	require.NoError(t, err)
	zones, err := api.ListHostedZones(t.Context(), &r53.ListHostedZonesInput{})
	require.NoError(t, err)
	_, err = api.ChangeResourceRecordSets(t.Context(), &r53.ChangeResourceRecordSetsInput{
		HostedZoneId: zones.HostedZones[0].Id,
		ChangeBatch: &types.ChangeBatch{Changes: []types.Change{{Action: types.ChangeActionUpsert, ResourceRecordSet: &types.ResourceRecordSet{
			Name: aws.String("app.patients.example"), Type: types.RRTypeCname, SetIdentifier: aws.String("europe"), GeoLocation: &types.GeoLocation{ContinentCode: aws.String("EU")},
			AliasTarget: &types.AliasTarget{HostedZoneId: zones.HostedZones[0].Id, DNSName: aws.String("geo-asia.patients.example"), EvaluateTargetHealth: false},
		}}}},
	})
	require.NoError(t, err)
}

func TestTraffic_ChecksDeletedByHand_AreMadeAgainAndWhatNamesThemFollows(t *testing.T) {
	t.Parallel()
	p := example(t, objects)
	s := switched(t, p)
	items := wanted(t, p, runbook.AreaTraffic)
	first := s.setup().converge(items, true)
	before := s.shape(t)
	gone := []string{"route53-health-check/us-east-1/patient-records/us-west-2/leaf", "route53-health-check/us-east-1/patient-records/us-east-1/deep"}
	for _, id := range gone {
		_, err := r53.NewFromConfig(s.admin).DeleteHealthCheck(t.Context(), &r53.DeleteHealthCheckInput{HealthCheckId: aws.String(first[id].Out["id"])})
		require.NoError(t, err)
	}
	again := s.setup().converge(items, true)
	again.good(t)
	for _, id := range gone {
		require.Equal(t, runbook.Created, again[id].Verdict)
		require.NotEqual(t, first[id].Out["id"], again[id].Out["id"])
	}
	require.Equal(t, before, s.shape(t), "members and records name the new ones")
}

func TestTraffic_LostAnswersAndThrottling_MakeNothingTwice(t *testing.T) {
	t.Parallel()
	for _, name := range []string{objects, controls} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := example(t, name)
			s := switched(t, p)
			items := slices.DeleteFunc(wanted(t, p, runbook.AreaTraffic), func(i runbook.Item) bool { return i.Type == "arc-switch-addresses" })
			run := s.setup()
			run.suffer(
				world.Fault{Kind: world.LoseAnswer, Operation: "CreateHostedZone", Times: 1},
				world.Fault{Kind: world.LoseAnswer, Operation: "CreateHealthCheck", Times: 3},
				world.Fault{Kind: world.LoseAnswer, Operation: "ChangeResourceRecordSets", Times: 2},
				world.Fault{Kind: world.LoseAnswer, Operation: "CreateCluster", Times: 1},
				world.Fault{Kind: world.LoseAnswer, Operation: "CreateRoutingControl", Times: 2},
				world.Fault{Kind: world.LoseAnswer, Operation: "UpdateRoutingControlStates", Times: 1},
				world.Fault{Kind: world.LoseAnswer, Operation: "CreateSafetyRule", Times: 1},
				world.Fault{Kind: world.Throttle, Probability: 0.3},
			)
			run.converge(items, true).good(t)
			require.Len(t, s.shape(t), plain(p.Tree()), "nothing twice")
			quiet := s.setup()
			quiet.converge(items, true).all(t, runbook.InPlace)
			require.Empty(t, quiet.changed())
		})
	}
}

func TestTraffic_TwoZonesOfOneName_AreRefused(t *testing.T) {
	t.Parallel()
	p := example(t, objects)
	s := switched(t, p)
	for _, reference := range []string{"one", "two"} {
		_, err := r53.NewFromConfig(s.admin).CreateHostedZone(t.Context(), &r53.CreateHostedZoneInput{Name: aws.String("patients.example"), CallerReference: aws.String(reference)})
		require.NoError(t, err)
	}
	run := s.setup()
	zone := run.converge(wanted(t, p, runbook.AreaTraffic), true)["route53-zone/us-east-1/patients.example"]
	require.Equal(t, runbook.Unkept, zone.Verdict)
	require.Contains(t, zone.Why, "2 public hosted zones are named patients.example")
	require.NotContains(t, run.changed(), "route53:ChangeResourceRecordSets", "without a zone there is nowhere to put records")
}

func TestTraffic_NoLoadBalancer_LeavesRecordsThatNeedItBlocked(t *testing.T) {
	t.Parallel()
	p := example(t, objects)
	s := bare(t, 200, route53.Keepers, arc.Keepers, elb.Keepers)
	got := s.setup().converge(wanted(t, p, runbook.AreaTraffic), true)
	require.Equal(t, runbook.Missing, got["load-balancer/us-west-2/patient-web"].Verdict)
	require.Contains(t, got["load-balancer/us-west-2/patient-web"].Why, "recovery stack")
	require.Equal(t, runbook.Blocked, got["route53-record/us-east-1/usw2.patients.example"].Verdict)
	require.Equal(t, runbook.Created, got["route53-health-check/us-east-1/patient-records/us-west-2/deep"].Verdict)
}
