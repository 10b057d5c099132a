package kinds

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/ec2"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// provePaths compares how a service's instances reach the rest of the world, from
// the subnets of its groups.
func provePaths(ctx workflow.Context, p Player, r plan.Resource, all []strength) []runbook.CheckResult {
	got, errs := make([]ec2.Paths, len(all)), make([]error, len(all))
	var reads []func(workflow.Context)
	for i, s := range all {
		reads = append(reads, func(ctx workflow.Context) {
			if errs[i] = s.fleetErrs[r.Name]; errs[i] == nil {
				got[i], errs[i] = describePaths(ctx, p, r, s)
			}
		})
	}
	sideBySide(ctx, reads...)
	var routes, endpoints []runbook.Proof
	for i, s := range all {
		routes = append(routes, saw(ctx, s.region, "subnets %s: %s", nothing(s.fleets[r.Name].Subnets), listed(got[i].Routes, "no route out of the VPC")))
		endpoints = append(endpoints, saw(ctx, s.region, "VPC %s: %s", nothing(got[i].VPCs), listed(got[i].Endpoints, "no endpoint")))
	}
	last := len(all) - 1
	way := onParity(r.Name, "routes/"+r.Name, "instances reach the same in both Regions", "bring the route tables of the groups' subnets into line", describeNetwork("route-tables", all[last].region, got[last]))
	ends := onParity(r.Name, "endpoints/"+r.Name, "both Regions have endpoints of the same services", "make the endpoint that is missing", describeNetwork("vpc-endpoints", all[last].region, got[last]))
	err := firstError(errs)
	return []runbook.CheckResult{
		decide(ctx, way, err, judgeRoutes(all, r.Name, got), routes...),
		decide(ctx, ends, err, judgeAlike(all[0].region, all[1].region, got[0].Endpoints, got[1].Endpoints, "endpoints"), endpoints...),
	}
}

func describePaths(ctx workflow.Context, p Player, r plan.Resource, s strength) (out ec2.Paths, err error) {
	var a *ec2.Ready
	err = look(ctx, p, reading{
		name: "DescribePaths", resource: r.Name, region: s.region, activity: a.DescribePaths, out: &out,
		in: ec2.SubnetsRef{Region: s.region, Subnets: s.fleets[r.Name].Subnets},
	})
	return out, err
}

// describeNetwork shows what is compared, in the Region that is to be like the other.
func describeNetwork(what string, region plan.Region, of ec2.Paths) string {
	vpcs := "VPC"
	if len(of.VPCs) > 0 {
		vpcs = strings.Join(of.VPCs, ",")
	}
	return fmt.Sprintf("aws ec2 describe-%s --region %s --filters Name=vpc-id,Values=%s", what, region, vpcs)
}

// judgeRoutes is unknown for a group that leaves its subnets to EC2: nobody can
// tell which routes apply.
func judgeRoutes(all []strength, service string, got []ec2.Paths) finding {
	findings := []finding{judgeAlike(all[0].region, all[1].region, got[0].Routes, got[1].Routes, "kinds of routes")}
	for i, s := range all {
		if len(s.fleets[service].Subnets) == 0 {
			findings = append(findings, unknown("the group in %s names no subnets", s.region))
		}
		if len(got[i].Dead) > 0 {
			findings = append(findings, amber("%s leads nowhere in %s: its target is gone", some(got[i].Dead), s.region))
		}
	}
	return worst(findings...)
}

// listed lists words, and says what it means when there are none.
func listed(words []string, none string) string {
	if len(words) == 0 {
		return none
	}
	return some(words)
}
