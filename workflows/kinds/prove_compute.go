package kinds

import (
	"fmt"
	"strconv"
	"strings"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/autoscaling"
	"lifeline/activities/drs"
	"lifeline/activities/ec2"
	"lifeline/activities/elb"
	"lifeline/activities/servicequotas"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// strength is what one Region could put up: its groups by service, and its
// source servers.
type strength struct {
	region    plan.Region
	fleets    map[string]autoscaling.Fleet
	fleetErrs map[string]error
	servers   drs.Servers
	serverErr error
	templates map[string]ec2.Template // that servers are launched from, by the server's id

	templateErrs map[string]error
}

// proveCompute reads the groups and servers of every Region once, and judges from
// that what each Region could carry alone, and what all launches together need.
func proveCompute(ctx workflow.Context, p Player) []runbook.CheckResult {
	m := p.Move().Plan
	regions := m.TrafficRegions()
	all := make([]strength, len(regions))
	var reads []func(workflow.Context)
	for i, region := range regions {
		all[i] = strength{region: region, fleets: map[string]autoscaling.Fleet{}, fleetErrs: map[string]error{}, templates: map[string]ec2.Template{}, templateErrs: map[string]error{}}
		reads = append(reads, all[i].reads(p)...)
	}
	for i := range all {
		reads = append(reads, func(ctx workflow.Context) { all[i].readServers(ctx, p) })
	}
	sideBySide(ctx, reads...)
	readTemplates(ctx, p, all)
	var out []runbook.CheckResult
	for _, r := range m.Resources {
		switch {
		case r.Kind == plan.Service && len(all) > 1:
			out = append(out, proveStanding(ctx, r, all))
		case r.Kind == plan.DRSServer:
			out = append(out, proveServer(ctx, m, r, all)...)
		}
	}
	return append(out, beside(ctx,
		func(ctx workflow.Context) []runbook.CheckResult { return proveParity(ctx, p, all) },
		func(ctx workflow.Context) []runbook.CheckResult { return proveRoom(ctx, p, all) },
		func(ctx workflow.Context) []runbook.CheckResult { return proveLaunches(ctx, p, all) })...)
}

// onCompute is a check of this part.
func onCompute(resource, id, title, fix, command string) runbook.CheckResult {
	return runbook.CheckResult{ID: "compute/" + id, Subject: runbook.OnCompute, Title: title, Resource: resource, Fix: fix, Command: command}
}

// reads are the readings of a Region's groups.
func (s strength) reads(p Player) []func(workflow.Context) {
	var out []func(workflow.Context)
	for _, r := range p.Move().Plan.Resources {
		if r.Kind != plan.Service {
			continue
		}
		out = append(out, func(ctx workflow.Context) {
			var a *autoscaling.Ready
			var got autoscaling.Fleet
			s.fleetErrs[r.Name] = look(ctx, p, reading{
				name: "DescribeFleet", resource: r.Name, region: s.region, activity: a.DescribeFleet,
				in: autoscaling.GroupRef{Region: s.region, Group: r.Regions[s.region]["autoScalingGroup"]}, out: &got,
			})
			s.fleets[r.Name] = got
		})
	}
	return out
}

// readServers reads the plan's source servers of a Region in one step.
func (s *strength) readServers(ctx workflow.Context, p Player) {
	ids := s.ids(p.Move().Plan)
	if len(ids) == 0 {
		return
	}
	var a *drs.Ready
	s.serverErr = look(ctx, p, reading{
		name: "DescribeServers", region: s.region, activity: a.DescribeServers, in: drs.ServersRef{Region: s.region, Servers: ids}, out: &s.servers,
	})
}

// proveStanding compares what stands in both Regions.
func proveStanding(ctx workflow.Context, r plan.Resource, all []strength) runbook.CheckResult {
	here, there := all[0], all[1]
	c := onCompute(r.Name, "standing/"+r.Name, "each Region can carry everything alone",
		"give both Auto Scaling groups the same minimum, desired and maximum sizes", "aws autoscaling update-auto-scaling-group --auto-scaling-group-name GROUP --min-size N --desired-capacity N")
	f := judgeStanding(here.region, there.region, here.fleets[r.Name].Group, there.fleets[r.Name].Group)
	if fenced(here.fleets[r.Name].Group) || fenced(there.fleets[r.Name].Group) {
		c.Fix, c.Command = "bring the Region that was left back into service", bringHome
	}
	return decide(ctx, c, firstError([]error{here.fleetErrs[r.Name], there.fleetErrs[r.Name]}), f,
		saw(ctx, here.region, "%s", here.fleets[r.Name].Group), saw(ctx, there.region, "%s", there.fleets[r.Name].Group))
}

// fenced says that a failover has emptied the group and keeps it so.
func fenced(g autoscaling.Group) bool {
	for _, process := range g.Suspended {
		if process == "Launch" {
			return g.Desired == 0
		}
	}
	return false
}

// judgeStanding demands the same strength on both sides, since either may be the
// one that is left.
func judgeStanding(here, there plan.Region, a, b autoscaling.Group) finding {
	for _, side := range []struct {
		region plan.Region
		group  autoscaling.Group
	}{{here, a}, {there, b}} {
		if fenced(side.group) {
			return red("%s is evacuated: its group is fenced", side.region)
		}
	}
	small, less, more := here, a, b
	if a.Min > b.Min || a.Min == b.Min && (a.Max > b.Max || a.Max == b.Max && a.Desired > b.Desired) {
		small, less, more = there, b, a
	}
	switch {
	case less.Min < more.Min || less.Max < more.Max:
		return red("%s stands with %d to %d instances, the other Region with %d to %d", small, less.Min, less.Max, more.Min, more.Max)
	case less.InService < less.Desired || more.InService < more.Desired:
		return amber("not all instances are in service: %d of %d, and %d of %d", a.InService, a.Desired, b.InService, b.Desired)
	case less.Desired < more.Desired:
		return amber("%s wants %d instances now, the other Region %d: pre-scaling makes the difference good, if EC2 launches", small, less.Desired, more.Desired)
	}
	return green("%d instances stand in each Region, %d at most", less.Desired, less.Max)
}

// Prove demands healthy targets in both Regions, and load balancers that let go of
// their clients.
func (service) Prove(ctx workflow.Context, p Player, r plan.Resource) []runbook.CheckResult {
	return inEach(ctx, p, func(ctx workflow.Context, region plan.Region) []runbook.CheckResult {
		return beside(ctx,
			func(ctx workflow.Context) []runbook.CheckResult { return one(proveTargets(ctx, p, r, region)) },
			func(ctx workflow.Context) []runbook.CheckResult { return one(proveKeepAlive(ctx, p, r, region)) })
	})
}

func proveTargets(ctx workflow.Context, p Player, r plan.Resource, region plan.Region) runbook.CheckResult {
	var a *elb.Steps
	var got elb.Targets
	group := r.Regions[region]["targetGroup"]
	err := look(ctx, p, reading{
		name: "DescribeTargets", resource: r.Name, region: region, activity: a.DescribeTargets,
		in: elb.TargetsRef{Region: region, TargetGroup: group}, out: &got,
	})
	c := onCompute(r.Name, "targets/"+r.Name+"/"+string(region), "healthy targets stand in "+string(region), "see why the targets fail their health check",
		"aws elbv2 describe-target-health --region "+string(region)+" --target-group-arn ARN")
	return decide(ctx, c, err, judgeTargets(got), saw(ctx, region, "%s: %d of %d targets healthy, %d unhealthy", group, got.Healthy, got.Total, got.Unhealthy))
}

func judgeTargets(got elb.Targets) finding {
	switch {
	case got.Healthy == 0:
		return red("no target is healthy, of %d", got.Total)
	case got.Healthy < got.Total:
		return amber("%d of %d targets are healthy", got.Healthy, got.Total)
	}
	return green("all %d targets are healthy", got.Total)
}

// proveRoom demands quota and addresses for everything that would be launched at
// once in a Region.
func proveRoom(ctx workflow.Context, p Player, all []strength) []runbook.CheckResult {
	var checks []func(workflow.Context) []runbook.CheckResult
	for _, s := range all {
		if len(s.fleets) == 0 && len(s.ids(p.Move().Plan)) == 0 {
			continue
		}
		checks = append(checks, func(ctx workflow.Context) []runbook.CheckResult { return one(s.proveQuota(ctx, p)) },
			func(ctx workflow.Context) []runbook.CheckResult { return s.proveQuotas(ctx, p) })
		if len(s.fleets) > 0 {
			checks = append(checks, func(ctx workflow.Context) []runbook.CheckResult { return one(s.proveAddresses(ctx, p)) })
		}
	}
	return beside(ctx, checks...)
}

func (s strength) proveQuota(ctx workflow.Context, p Player) runbook.CheckResult {
	var a *servicequotas.Steps
	var got servicequotas.Headroom
	err := look(ctx, p, reading{
		name: "MeasureHeadroom", region: s.region, activity: a.MeasureHeadroom, in: servicequotas.HeadroomRef{Region: s.region}, out: &got,
	})
	headroom := 0
	if r := p.Move().Plan.Readiness; r != nil {
		headroom = r.Headroom
	}
	need, unclear := s.vcpus(p.Move().Plan)
	c := onCompute("", "vcpus/"+string(s.region), "the vCPU quota of "+string(s.region)+" lets everything be launched at once", "ask for a higher quota now: AWS takes days",
		"aws service-quotas request-service-quota-increase --service-code ec2 --quota-code L-1216C47A --region "+string(s.region)+" --desired-value N")
	return decide(ctx, c, firstError([]error{err, s.readErr(p.Move().Plan)}), judgeQuota(got, need, headroom, unclear),
		saw(ctx, s.region, "quota L-1216C47A is %.0f vCPUs, %.0f are used", got.VCPULimit, got.VCPUUsed), saw(ctx, s.region, "launching everything at once takes %d more", need))
}

// readErr is what keeps the needs of a Region from being known.
func (s strength) readErr(p plan.Plan) error {
	for _, r := range p.Resources {
		if err := s.fleetErrs[r.Name]; err != nil {
			return err
		}
	}
	return s.serverErr
}

// vcpus is what all groups at their maximum and all servers would take beyond
// what runs, and the types whose size nobody can tell from their name.
func (s strength) vcpus(p plan.Plan) (need int, unclear []string) {
	add := func(kind string, count int) {
		n, ok := vcpusOf(kind)
		if !ok && count > 0 {
			unclear = append(unclear, kind)
		}
		need += n * count
	}
	for _, r := range p.Resources {
		if f, ok := s.fleets[r.Name]; ok {
			largest := ""
			for _, kind := range f.Types {
				a, _ := vcpusOf(kind)
				b, _ := vcpusOf(largest)
				if largest == "" || a > b {
					largest = kind
				}
			}
			add(largest, s.growth(r))
		}
		if server, ok := s.servers.ByID[r.Regions[s.region]["sourceServer"]]; ok {
			add(server.Type, 1)
		}
	}
	return need, unclear
}

// vcpusOf is how many vCPUs an instance type has, by the size in its name; what
// differs between families (medium and smaller) is taken at its largest.
func vcpusOf(kind string) (int, bool) {
	_, size, ok := strings.Cut(kind, ".")
	if !ok {
		return 0, false
	}
	switch size {
	case "nano", "micro", "small", "medium", "large":
		return 2, true
	case "xlarge":
		return 4, true
	}
	n, err := strconv.Atoi(strings.TrimSuffix(size, "xlarge"))
	if err != nil || !strings.HasSuffix(size, "xlarge") {
		return 0, false
	}
	return 4 * n, true
}

func judgeQuota(got servicequotas.Headroom, need, headroom int, unclear []string) finding {
	total := got.VCPUUsed + float64(need)
	keep := got.VCPULimit * float64(100-headroom) / 100
	words := fmt.Sprintf("%.0f used and %d to launch, of %.0f", got.VCPUUsed, need, got.VCPULimit)
	switch {
	case total > got.VCPULimit:
		return red("%s: EC2 would refuse to launch", words)
	case len(unclear) > 0:
		return amber("%s, without %s, whose size is not in the name", words, some(unclear))
	case total > keep:
		return amber("%s: less than %d %% stay free", words, headroom)
	}
	return green("%s", words)
}

func (s strength) proveAddresses(ctx workflow.Context, p Player) runbook.CheckResult {
	m := p.Move().Plan
	var subnets []string
	need := 0
	for _, r := range m.Resources {
		if f, ok := s.fleets[r.Name]; ok {
			subnets = append(subnets, f.Subnets...)
			need += s.growth(r)
		}
	}
	var a *ec2.Ready
	var got ec2.Addresses
	err := look(ctx, p, reading{name: "MeasureAddresses", region: s.region, activity: a.MeasureAddresses, in: ec2.SubnetsRef{Region: s.region, Subnets: subnets}, out: &got})
	c := onCompute("", "addresses/"+string(s.region), "the subnets in "+string(s.region)+" have addresses for everything that would be launched", "add subnets to the groups, or free addresses",
		"aws ec2 describe-subnets --region "+string(s.region))
	words := ""
	for _, id := range workflow.DeterministicKeys(got.Free) {
		words += fmt.Sprintf(" %s %d", id, got.Free[id])
	}
	return decide(ctx, c, firstError([]error{err, s.readErr(m)}), judgeAddresses(got, need), saw(ctx, s.region, "free addresses:%s", words))
}

// judgeAddresses demands room for all in sum, and for an even share in each
// subnet: groups spread over their zones.
func judgeAddresses(got ec2.Addresses, need int) finding {
	sum, least := 0, ""
	for _, id := range workflow.DeterministicKeys(got.Free) {
		sum += got.Free[id]
		if least == "" || got.Free[id] < got.Free[least] {
			least = id
		}
	}
	switch {
	case sum < need:
		return red("%d addresses are free, and %d instances would be launched", sum, need)
	case len(got.Free) > 0 && got.Free[least]*len(got.Free) < need:
		return amber("subnet %s has %d free addresses: launches there would fail", least, got.Free[least])
	}
	return green("%d addresses are free, %d would be taken", sum, need)
}
