package route53

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// enoughCheckers is how many Regions must look at an endpoint, or one of them
// that is cut off decides (Route 53 asks for three itself).
const enoughCheckers = 3

// reader tells records and health checks in the plan's words.
type reader struct {
	plan    plan.Plan
	records map[string][]types.ResourceRecordSet
	checks  map[string]types.HealthCheck
}

// read walks from the names that the plan gives to all that they lead to.
func (r reader) read() LiveTree {
	t := &LiveTree{Tree: plan.Tree{Zone: r.plan.Traffic.Zone, Name: r.plan.Traffic.Name}}
	open := []string{canonical(aws.String(r.plan.Traffic.Name))}
	for _, region := range r.plan.Regions {
		if region.Endpoint != "" {
			open = append(open, canonical(aws.String(region.Endpoint)))
		}
	}
	seen, wanted := map[string]bool{}, map[string]bool{}
	for len(open) > 0 {
		name := open[0]
		open = open[1:]
		if seen[name] {
			continue
		}
		seen[name] = true
		for _, set := range r.records[name] {
			for _, record := range r.tell(set, t) {
				t.Tree.Records = append(t.Tree.Records, record)
				open, wanted[record.Check] = append(open, record.Alias), true
			}
		}
	}
	r.look(slices.Sorted(maps.Keys(wanted)), t)
	return *t
}

// tell is one record set. A location that leads straight to a load balancer gets
// a group of its own, since the tree knows locations and groups.
func (r reader) tell(set types.ResourceRecordSet, t *LiveTree) []plan.Record {
	out := plan.Record{
		Name: canonical(set.Name), Routing: plan.RouteSimple, SetID: aws.ToString(set.SetIdentifier),
		Failover: plan.Failover(set.Failover), Check: aws.ToString(set.HealthCheckId), TTL: plan.Duration(time.Duration(aws.ToInt64(set.TTL)) * time.Second),
	}
	r.target(set, &out, t)
	switch {
	case set.Failover != "":
		out.Routing = plan.RouteFailover
	case set.GeoLocation != nil:
		l := r.location(set)
		if out.Target != nil {
			leaf := out
			leaf.Name, leaf.SetID = "direct/"+out.SetID, ""
			out.Alias, out.EvaluateTargetHealth, out.Target, out.Check, out.TTL = leaf.Name, true, nil, "", 0
			out.Routing, out.Location = plan.RouteGeolocation, &l
			return []plan.Record{out, leaf}
		}
		out.Routing, out.Location = plan.RouteGeolocation, &l
	}
	return []plan.Record{out}
}

// balancerTTL is the TTL of an alias to a load balancer, which is AWS's own.
const balancerTTL = plan.Duration(time.Minute)

// target is where a record set leads: to others of the zone, or out of it.
func (r reader) target(set types.ResourceRecordSet, out *plan.Record, t *LiveTree) {
	if a := set.AliasTarget; a != nil {
		name := strings.TrimPrefix(canonical(a.DNSName), "dualstack.")
		if _, ours := r.records[name]; ours {
			out.Alias, out.EvaluateTargetHealth, out.TTL = name, a.EvaluateTargetHealth, 0
			return
		}
		region := r.regionOf(name)
		out.Target, out.TTL = &plan.Target{Region: region, LoadBalancer: name}, balancerTTL
		if a.EvaluateTargetHealth && out.Check == "" {
			// The load balancer's own health stands for a check of its Region.
			out.Check = "balancer/" + string(region)
			if !slices.ContainsFunc(t.Tree.Checks, func(c plan.Check) bool { return c.Name == out.Check }) {
				t.Tree.Checks = append(t.Tree.Checks, plan.Check{Name: out.Check, Kind: plan.CheckEndpoint, Region: region})
			}
		}
		return
	}
	value := ""
	if len(set.ResourceRecords) > 0 {
		value = canonical(set.ResourceRecords[0].Value)
	}
	out.Target = &plan.Target{Region: r.regionOf(value), LoadBalancer: value}
}

// regionOf recognises whose load balancer a name is: the Region is a part of it.
// What says nothing is compared with the Regions' own names.
func (r reader) regionOf(name string) plan.Region {
	labels := strings.Split(name, ".")
	for _, spec := range r.plan.Regions {
		if slices.Contains(labels, string(spec.Name)) {
			return spec.Name
		}
	}
	for _, spec := range r.plan.Regions {
		for _, set := range r.records[canonical(aws.String(spec.Endpoint))] {
			for _, value := range set.ResourceRecords {
				if canonical(value.Value) == name {
					return spec.Name
				}
			}
		}
	}
	return ""
}

// location is the plan's location of a record, or one that the plan lacks.
func (r reader) location(set types.ResourceRecordSet) plan.Location {
	g := set.GeoLocation
	country := aws.ToString(g.CountryCode)
	if country == "*" {
		country = ""
	}
	if l, ok := r.plan.Place(aws.ToString(g.ContinentCode), country, aws.ToString(g.SubdivisionCode)); ok {
		return l
	}
	return plan.Location{
		Name: aws.ToString(set.SetIdentifier), Continent: aws.ToString(g.ContinentCode), Country: country, Subdivision: aws.ToString(g.SubdivisionCode),
		// It may go anywhere: the plan forbids it nothing.
		Fallback: "anywhere",
	}
}

// look takes the health checks that records name, and their children, into the tree.
func (r reader) look(ids []string, t *LiveTree) {
	seen := map[string]bool{}
	for len(ids) > 0 {
		id := ids[0]
		ids = ids[1:]
		c, ok := r.checks[id]
		if !ok || seen[id] || c.HealthCheckConfig == nil {
			continue
		}
		seen[id] = true
		check := r.check(id, c.HealthCheckConfig)
		ids = append(ids, check.Children...)
		switch {
		case aws.ToBool(c.HealthCheckConfig.Disabled):
			t.Disabled = append(t.Disabled, id)
			check = always(id)
		case check.Kind == "":
			t.Opaque = append(t.Opaque, id)
			check = always(id)
		}
		if n := len(c.HealthCheckConfig.Regions); n > 0 && n < enoughCheckers {
			t.Few = append(t.Few, id)
		}
		t.Tree.Checks = append(t.Tree.Checks, check)
	}
}

// always is a check that passes whatever happens, which is what must be feared
// of one that can't be foretold.
func always(id string) plan.Check {
	return plan.Check{Name: id, Kind: plan.CheckCalculated}
}

// check is one health check; its kind is empty when nobody can foretell it.
func (r reader) check(id string, c *types.HealthCheckConfig) plan.Check {
	out := plan.Check{
		Name: id, Host: canonical(c.FullyQualifiedDomainName), Port: int(aws.ToInt32(c.Port)), Path: aws.ToString(c.ResourcePath),
		Interval: plan.Duration(time.Duration(aws.ToInt32(c.RequestInterval)) * time.Second), Threshold: int(aws.ToInt32(c.FailureThreshold)),
		Inverted: aws.ToBool(c.Inverted), Children: c.ChildHealthChecks, HealthThreshold: int(aws.ToInt32(c.HealthThreshold)),
	}
	switch c.Type {
	case types.HealthCheckTypeCalculated:
		if !out.Inverted {
			out.Kind = plan.CheckCalculated
		}
	case types.HealthCheckTypeRecoveryControl:
		for _, region := range r.plan.TrafficRegions() {
			if arn := r.plan.Traffic.Switch.RoutingControls[region]; arn != "" && arn == aws.ToString(c.RoutingControlArn) {
				out.Kind, out.Region, out.RoutingControl = plan.CheckControl, region, arn
			}
		}
	case types.HealthCheckTypeHttp, types.HealthCheckTypeHttps, types.HealthCheckTypeHttpStrMatch, types.HealthCheckTypeHttpsStrMatch, types.HealthCheckTypeTcp:
		r.endpoint(&out)
	case types.HealthCheckTypeCloudwatchMetric:
	}
	return out
}

// endpoint recognises a Region's deep check by its host, and a switch by its object.
func (r reader) endpoint(out *plan.Check) {
	if !out.Inverted {
		for _, spec := range r.plan.Regions {
			if spec.Endpoint != "" && canonical(aws.String(spec.Endpoint)) == out.Host {
				out.Kind, out.Region = plan.CheckEndpoint, spec.Name
			}
		}
		return
	}
	key, ok := strings.CutPrefix(out.Path, "/evacuate/")
	if !ok {
		return
	}
	region, location, _ := strings.Cut(key, "/")
	for holder, bucket := range r.plan.Traffic.Switch.Buckets {
		if strings.HasPrefix(out.Host, strings.ToLower(bucket)+".") {
			out.Kind, out.Region, out.Location, out.Holder, out.Bucket = plan.CheckObject, plan.Region(region), location, holder, bucket
		}
	}
}

// known resolves the Regions' own names, as far as they can be: a load balancer's
// name may be as dead as its Region, and then answers that lead there are unknown.
func (v *verification) known(ctx context.Context) []target {
	var list []target
	for region, endpoint := range v.in.Endpoints {
		answers, err := v.all(ctx, endpoint, netip.Prefix{})
		if err != nil {
			continue
		}
		t := target{region: region}
		for _, a := range answers {
			t.name = a.Target()
			t.addresses = append(t.addresses, a.Addresses...)
		}
		list = append(list, t)
	}
	return list
}

// told asks every server for one location.
func (v *verification) told(ctx context.Context, location plan.Location, targets []target) (ToldLocation, error) {
	subnet, err := netip.ParsePrefix(location.Subnet)
	if err != nil {
		return ToldLocation{}, cloud.Errorf(cloud.Invalid, "subnet: %w", err)
	}
	answers, err := v.all(ctx, v.in.Traffic.Name, subnet)
	if err != nil {
		return ToldLocation{}, err
	}
	var out ToldLocation
	for _, a := range answers {
		if len(a.Addresses) == 0 {
			out.Nobody = true
			continue
		}
		out.TTL = max(out.TTL, int(a.TTL.Seconds()))
		out.Regions = append(out.Regions, string(regionOf(a, targets)))
	}
	slices.Sort(out.Regions)
	out.Regions = slices.Compact(out.Regions)
	return out, nil
}
