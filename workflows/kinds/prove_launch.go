package kinds

import (
	"strings"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/drs"
	"lifeline/activities/ec2"
	"lifeline/activities/iam"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// basicSizing is how Elastic Disaster Recovery sizes a server unless told
// otherwise: to a C5, whatever its launch template says.
const basicSizing = "BASIC"

// readTemplates reads what servers are launched from, once they are known.
func readTemplates(ctx workflow.Context, p Player, all []strength) {
	var reads []func(workflow.Context)
	for _, s := range all {
		for _, id := range s.ids(p.Move().Plan) {
			template := s.servers.ByID[id].Template
			if template == "" {
				continue
			}
			reads = append(reads, func(ctx workflow.Context) {
				var a *ec2.Ready
				var got ec2.Template
				s.templateErrs[id] = look(ctx, p, reading{
					name: "DescribeTemplate", resource: id, region: s.region, activity: a.DescribeTemplate, in: ec2.TemplateRef{Region: s.region, Template: template}, out: &got,
				})
				s.templates[id] = got
			})
		}
	}
	sideBySide(ctx, reads...)
}

// proveLaunches demands of every server that what its launch takes is there.
func proveLaunches(ctx workflow.Context, p Player, all []strength) []runbook.CheckResult {
	var checks []func(workflow.Context) []runbook.CheckResult
	for _, r := range p.Move().Plan.Resources {
		for _, s := range all {
			id := r.Regions[s.region]["sourceServer"]
			if r.Kind != plan.DRSServer || id == "" {
				continue
			}
			checks = append(checks, func(ctx workflow.Context) []runbook.CheckResult {
				return []runbook.CheckResult{s.proveSizing(ctx, r, id), s.proveTemplate(ctx, p, r, id)}
			})
		}
	}
	return beside(ctx, checks...)
}

func (s strength) proveSizing(ctx workflow.Context, r plan.Resource, id string) runbook.CheckResult {
	got, there := s.servers.ByID[id]
	c := onCompute(r.Name, "right-sizing/"+r.Name, "the server is launched as its launch template says", "switch right-sizing off: BASIC knows C5 only",
		"aws drs update-launch-configuration --region "+string(s.region)+" --source-server-id "+id+" --target-instance-type-right-sizing-method NONE")
	return decide(ctx, c, s.serverErr, judgeSizing(got, there), saw(ctx, s.region, "right-sizing of %s is %q", id, got.RightSizing))
}

func judgeSizing(got drs.Server, there bool) finding {
	switch {
	case !there:
		return red("Elastic Disaster Recovery does not know the server")
	case got.RightSizing == "":
		return unknown("AWS names none for the server")
	case got.RightSizing == basicSizing:
		return amber("right-sizing is BASIC: the server gets a C5 type, whatever its launch template says")
	}
	return green("right-sizing is %s", got.RightSizing)
}

// proveTemplate looks up the instance profile too, if the launch template names one.
// Profiles are IAM's, and told where its control plane lives.
func (s strength) proveTemplate(ctx workflow.Context, p Player, r plan.Resource, id string) runbook.CheckResult {
	server := s.servers.ByID[id]
	c := onCompute(r.Name, "template/"+r.Name, "what the server's launch template names is there", "name a subnet, security groups and an instance profile that exist in a new default version of the template",
		"aws ec2 describe-launch-template-versions --region "+string(s.region)+" --versions '$Default' --launch-template-id "+server.Template)
	if s.serverErr != nil || server.Template == "" {
		return decide(ctx, c, s.serverErr, red("the server has no launch template to be launched from"), saw(ctx, s.region, "launch template of %s: none", id))
	}
	var of iam.Profile
	got, err := s.templates[id], s.templateErrs[id]
	if err == nil && got.Profile != "" {
		var profiles *iam.Ready
		err = look(ctx, p, reading{
			name: "DescribeProfile", resource: r.Name, region: globalHome, activity: profiles.DescribeProfile, in: iam.ProfileRef{Region: globalHome, Profile: got.Profile}, out: &of,
		})
	}
	return decide(ctx, c, err, judgeTemplate(got, of), saw(ctx, s.region, "template %s: subnet %s, security groups %s, instance profile %s",
		server.Template, nothing(strings.Fields(got.Subnet)), nothing(got.Groups), nothing(strings.Fields(got.Profile))))
}

func judgeTemplate(got ec2.Template, of iam.Profile) finding {
	all := []finding{green("what it names is there")}
	switch len(got.Missing) {
	case 0:
	case 1:
		all = append(all, red("%s does not exist: the launch would fail", got.Missing[0]))
	default:
		all = append(all, red("%s do not exist: the launch would fail", nothing(got.Missing)))
	}
	if len(got.Elsewhere) > 0 {
		all = append(all, red("%s is in another VPC than %s: the launch would fail", nothing(got.Elsewhere), got.Subnet))
	}
	if got.Subnet == "" {
		all = append(all, amber("it names no subnet: the server would be launched in the default VPC, if there is one"))
	}
	if len(got.Groups) == 0 {
		all = append(all, amber("it names no security group: the server would get the default one of its VPC"))
	}
	if got.Profile != "" && len(of.Roles) == 0 {
		all = append(all, amber("instance profile %s has no role: what runs on the server may do nothing", got.Profile))
	}
	return worst(all...)
}
