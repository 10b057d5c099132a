package kinds

import (
	"strconv"
	"strings"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Types of items in this area.
const (
	loadBalancer     = "load-balancer"
	hostedZone       = "route53-zone"
	healthCheck      = "route53-health-check"
	recordSet        = "route53-record"
	arcCluster       = "arc-cluster"
	arcControlPanel  = "arc-control-panel"
	arcControl       = "arc-routing-control"
	arcSafetyRule    = "arc-safety-rule"
	arcSwitchAddress = "arc-switch-addresses"
)

// tagAtCreation is the application's tag, put on what setup makes. What it adopts
// keeps its tags: reading them would cost a call for each thing.
const tagAtCreation = runbook.AtCreation + "tag/lifeline:application"

// controlHome is the one Region that serves ARC's control-configuration API.
const controlHome = "us-west-2"

// safetyRuleName is the rule that keeps at least one Region on.
const safetyRuleName = "one-region-serves"

// traffic is the record tree of the plan with its health checks and switches.
// The tree itself is the plan's: setup, the offline walk of the loss of a Region
// and the runbooks all read the same one.
func traffic(s Site) []runbook.Item {
	if s.Plan.Traffic.Zone == "" {
		return nil
	}
	tree := s.Plan.Tree()
	out := []runbook.Item{{
		Area: runbook.AreaTraffic, Type: hostedZone, Region: globalHome, Name: dnsName(tree.Zone),
		Want: map[string]string{tagAtCreation: s.Plan.Application},
	}}
	out = append(out, s.balancers()...)
	out = append(out, s.routingControls()...)
	for _, c := range tree.Checks {
		out = append(out, s.check(c))
	}
	for _, r := range tree.Records {
		out = append(out, s.record(tree, r))
	}
	return out
}

// balancers are what the leaves of the tree lead to.
func (s Site) balancers() []runbook.Item {
	front, ok := s.Plan.Front()
	if !ok {
		return nil
	}
	var out []runbook.Item
	for _, region := range s.Plan.TrafficRegions() {
		out = append(out, runbook.Item{
			Area: runbook.AreaTraffic, Type: loadBalancer, Region: string(region), Name: front.Regions[region]["loadBalancer"], Resource: front.Name,
			Given: true, Why: "the load balancer is made with the application's compute (in the recovery Region by the plan's recovery stack, if it has one): records can only lead to one that exists",
		})
	}
	return out
}

// check is one health check. Its children and its routing control are known by
// name until AWS has given them ids.
func (s Site) check(c plan.Check) runbook.Item {
	item := runbook.Item{Area: runbook.AreaTraffic, Type: healthCheck, Region: globalHome, Name: c.Name}
	// A disabled check counts as healthy, whatever happens.
	want := map[string]string{"disabled": "false", "inverted": strconv.FormatBool(c.Inverted), "tag/Name": c.Name, tagAtCreation: s.Plan.Application}
	switch c.Kind {
	case plan.CheckEndpoint, plan.CheckObject:
		want["type"], want["host"], want["port"], want["path"] = "HTTP", dnsName(c.Host), strconv.Itoa(c.Port), c.Path
		want["interval"], want["threshold"] = seconds(c.Interval), strconv.Itoa(c.Threshold)
		if c.Scheme == "https" {
			want["type"], want["sni"] = "HTTPS", "true"
		}
	case plan.CheckControl:
		want["type"] = "RECOVERY_CONTROL"
		want["routing-control"] = runbook.Ref(arcControl, controlHome, string(c.Region), "arn")
		if len(s.Plan.TrafficRegions()) > 1 {
			// With the rule come the controls' first states: until then all are off.
			item.Needs = []string{runbook.ItemID(arcSafetyRule, controlHome, safetyRuleName)}
		}
	case plan.CheckCalculated:
		want["type"], want["health-threshold"] = "CALCULATED", strconv.Itoa(c.HealthThreshold)
		want["children"] = strconv.Itoa(len(c.Children))
		for _, child := range c.Children {
			want["child/"+child] = runbook.Ref(healthCheck, globalHome, child, "id")
		}
	}
	item.Want = want
	return item
}

// record is one record set, with all that Route 53 chooses by.
func (s Site) record(tree plan.Tree, r plan.Record) runbook.Item {
	zone := runbook.Ref(hostedZone, globalHome, dnsName(tree.Zone), "id")
	want := map[string]string{"zone": zone, "name": dnsName(r.Name), "type": "CNAME", "set": r.SetID, "failover": string(r.Failover)}
	item := runbook.Item{Area: runbook.AreaTraffic, Type: recordSet, Region: globalHome, Name: recordName(r), Want: want}
	if r.Location != nil {
		want["location"] = place(*r.Location)
	}
	if r.Check != "" {
		want["check"] = runbook.Ref(healthCheck, globalHome, r.Check, "id")
	}
	if r.Alias != "" {
		want["alias"], want["alias-zone"], want["evaluate"] = dnsName(r.Alias), zone, strconv.FormatBool(r.EvaluateTargetHealth)
		for _, target := range tree.Records {
			if target.Name == r.Alias { // an alias must name a record that exists
				item.Needs = append(item.Needs, runbook.ItemID(recordSet, globalHome, recordName(target)))
			}
		}
		return item
	}
	want["ttl"] = seconds(r.TTL)
	want["values"] = runbook.Ref(loadBalancer, string(r.Target.Region), r.Target.LoadBalancer, "dns")
	item.Resource = r.Target.Resource
	return item
}

// recordName tells record sets of one name apart.
func recordName(r plan.Record) string {
	if r.SetID == "" {
		return dnsName(r.Name)
	}
	return dnsName(r.Name) + "/" + r.SetID
}

// place is a location as Route 53 tells it: most specific last.
func place(l plan.Location) string {
	switch {
	case l.Subdivision != "":
		return "country " + l.Country + " subdivision " + l.Subdivision
	case l.Country != "":
		return "country " + l.Country
	case l.Continent != "":
		return "continent " + l.Continent
	}
	return "country *" // everybody whose place no other record names
}

// dnsName is a name's canonical form: names have no case, and no dot at the end.
func dnsName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

func seconds(d plan.Duration) string { return strconv.Itoa(int(d.D().Seconds())) }

// routingControls are the cluster, its control panel, a control for each Region
// and the rule over them. Whether a control is on is no part of it: a runbook
// may have evacuated a Region.
func (s Site) routingControls() []runbook.Item {
	if s.Plan.Traffic.Switch.Provider != plan.SwitchARCControl {
		return nil
	}
	app := s.Plan.Application
	cluster := runbook.Ref(arcCluster, controlHome, app, "arn")
	panel := runbook.Ref(arcControlPanel, controlHome, app, "arn")
	control := func(kind, name string, want map[string]string) runbook.Item {
		want[tagAtCreation] = app
		return runbook.Item{Area: runbook.AreaTraffic, Type: kind, Region: controlHome, Name: name, Want: want}
	}
	regions := s.Plan.TrafficRegions()
	rule := map[string]string{"cluster": cluster, "panel": panel, "type": "ATLEAST", "threshold": "1", "inverted": "false", "controls": strconv.Itoa(len(regions))}
	// An emergency does not wait, and its undo neither.
	rule["wait-ms"] = "0"
	out := []runbook.Item{control(arcCluster, app, map[string]string{}), control(arcControlPanel, app, map[string]string{"cluster": cluster})}
	for _, region := range regions {
		out = append(out, control(arcControl, string(region), map[string]string{"cluster": cluster, "panel": panel}))
		rule["control/"+string(region)] = runbook.Ref(arcControl, controlHome, string(region), "arn")
	}
	if len(regions) > 1 {
		out = append(out, control(arcSafetyRule, safetyRuleName, rule))
	}
	return append(out, s.switchAddresses())
}

// switchAddresses compares what the plan says of the switch with what AWS has
// named: the runbooks throw it by the plan alone, since asking is control plane.
func (s Site) switchAddresses() runbook.Item {
	sw := s.Plan.Traffic.Switch
	item := runbook.Item{
		Area: runbook.AreaTraffic, Type: arcSwitchAddress, Region: controlHome, Name: s.Plan.Application, Given: true,
		Want:  map[string]string{"cluster": runbook.Ref(arcCluster, controlHome, s.Plan.Application, "arn")},
		Needs: []string{runbook.ItemID(arcControlPanel, controlHome, s.Plan.Application)},
		Why:   "traffic.switch in the plan names other routing controls or endpoints than AWS: put in what AWS says, or no Region can be evacuated",
	}
	for region, arn := range sw.RoutingControls {
		item.Want["control/"+string(region)] = arn
		item.Needs = append(item.Needs, runbook.ItemID(arcControl, controlHome, string(region)))
	}
	for _, e := range sw.ClusterEndpoints {
		item.Want["endpoint/"+string(e.Region)] = strings.TrimSuffix(e.URL, "/")
	}
	return item
}
