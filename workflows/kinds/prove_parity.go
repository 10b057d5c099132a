package kinds

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/ec2"
	"lifeline/activities/kms"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// onParity is a check that both Regions are alike.
func onParity(resource, id, title, fix, command string) runbook.CheckResult {
	return runbook.CheckResult{ID: "parity/" + id, Subject: runbook.OnParity, Title: title, Resource: resource, Fix: fix, Command: command}
}

// proveParity compares what the groups of each service would launch, and what that
// would reach.
func proveParity(ctx workflow.Context, p Player, all []strength) []runbook.CheckResult {
	var checks []func(workflow.Context) []runbook.CheckResult
	for _, r := range p.Move().Plan.Resources {
		if r.Kind != plan.Service || !launchesFromTemplates(r, all) {
			continue
		}
		checks = append(checks, func(ctx workflow.Context) []runbook.CheckResult { return proveBlueprints(ctx, p, r, all) },
			func(ctx workflow.Context) []runbook.CheckResult { return provePaths(ctx, p, r, all) })
	}
	checks = append(checks, func(ctx workflow.Context) []runbook.CheckResult { return proveKeys(ctx, p) })
	return beside(ctx, checks...)
}

// launchesFromTemplates says whether there is anything to compare: groups of
// instances that somebody else launches have no template.
func launchesFromTemplates(r plan.Resource, all []strength) bool {
	if len(all) < 2 {
		return false
	}
	for _, s := range all {
		if s.fleetErrs[r.Name] == nil && s.fleets[r.Name].Template == "" {
			return false
		}
	}
	return true
}

func proveBlueprints(ctx workflow.Context, p Player, r plan.Resource, all []strength) []runbook.CheckResult {
	got, errs := make([]ec2.Blueprint, len(all)), make([]error, len(all))
	var reads []func(workflow.Context)
	for i, s := range all {
		reads = append(reads, func(ctx workflow.Context) {
			if errs[i] = s.fleetErrs[r.Name]; errs[i] == nil {
				got[i], errs[i] = describeBlueprint(ctx, p, r, s)
			}
		})
	}
	sideBySide(ctx, reads...)
	var proofs []runbook.Proof
	for i, s := range all {
		proofs = append(proofs, saw(ctx, s.region, "template %s: %s from %s (%s), user data %s, %d rules of security groups", s.fleets[r.Name].Template,
			got[i].InstanceType, got[i].Image, nothing(strings.Fields(got[i].ImageState)), got[i].UserData, len(got[i].Rules)))
	}
	launch := onParity(r.Name, "launch/"+r.Name, "both Regions launch the same", "bring the launch templates into line, and put the image into both Regions",
		"aws ec2 describe-launch-template-versions --launch-template-id TEMPLATE")
	rules := onParity(r.Name, "security-groups/"+r.Name, "security groups allow the same in both Regions", "bring the rules of the security groups into line", "aws ec2 describe-security-group-rules")
	err := firstError(errs)
	return []runbook.CheckResult{
		decide(ctx, launch, err, judgeBlueprints(all[0].region, all[1].region, got[0], got[1]), proofs...),
		decide(ctx, rules, err, judgeAlike(all[0].region, all[1].region, got[0].Rules, got[1].Rules, "rules"), proofs...),
	}
}

func describeBlueprint(ctx workflow.Context, p Player, r plan.Resource, s strength) (out ec2.Blueprint, err error) {
	var a *ec2.Ready
	f := s.fleets[r.Name]
	err = look(ctx, p, reading{
		name: "DescribeBlueprint", resource: r.Name, region: s.region, activity: a.DescribeBlueprint, out: &out,
		in: ec2.BlueprintRef{Region: s.region, Template: f.Template, Version: f.Version, Names: ownNames(p.Move().Plan, s.region)},
	})
	return out, err
}

// ownNames are what a Region's user data calls otherwise than the other's by
// right: the Region itself and the plan's identifiers that differ.
func ownNames(p plan.Plan, region plan.Region) map[string]string {
	out := map[string]string{string(region): "{region}"}
	if spec, ok := p.Region(region); ok && spec.Endpoint != "" {
		out[spec.Endpoint] = "{endpoint}"
	}
	for _, r := range p.Resources {
		for _, key := range workflow.DeterministicKeys(r.Regions[region]) {
			for _, other := range p.TrafficRegions() {
				if id := r.Regions[region][key]; id != r.Regions[other][key] {
					out[id] = "{" + r.Name + "." + key + "}"
				}
			}
		}
	}
	return out
}

func judgeBlueprints(here, there plan.Region, a, b ec2.Blueprint) finding {
	all := []finding{green("type, image and user data are alike")}
	for _, side := range []struct {
		region plan.Region
		is     ec2.Blueprint
	}{{here, a}, {there, b}} {
		switch side.is.ImageState {
		case "", "available":
			if side.is.Image == "" {
				all = append(all, red("the template in %s names no image", side.region))
			}
		default:
			all = append(all, red("image %s in %s is %s: nothing can be launched", side.is.Image, side.region, side.is.ImageState))
		}
	}
	if a.InstanceType != b.InstanceType {
		all = append(all, amber("%s in %s, %s in %s", a.InstanceType, here, b.InstanceType, there))
	}
	if a.UserData != b.UserData {
		all = append(all, amber("user data differs in more than the Region's own names"))
	}
	return worst(all...)
}

// judgeAlike compares words that are the same in two Regions when the things are.
func judgeAlike(here, there plan.Region, a, b []string, what string) finding {
	var differ []string
	for _, side := range []struct {
		region     plan.Region
		has, lacks []string
	}{{here, a, b}, {there, b, a}} {
		for _, word := range side.has {
			if !slices.Contains(side.lacks, word) {
				differ = append(differ, fmt.Sprintf("only %s has %q", side.region, word))
			}
		}
	}
	if len(differ) > 0 {
		return amber("%s", some(differ))
	}
	return green("%d %s in each Region", len(a), what)
}

// proveKeys demands a key that can be used in every Region.
func proveKeys(ctx workflow.Context, p Player) []runbook.CheckResult {
	setup := p.Move().Plan.Setup
	if setup == nil || setup.Key == "" {
		return nil
	}
	return inEach(ctx, p, func(ctx workflow.Context, region plan.Region) []runbook.CheckResult {
		var a *kms.Ready
		var got kms.Key
		err := look(ctx, p, reading{name: "DescribeKeyState", region: region, activity: a.DescribeKeyState, in: kms.KeyRef{Region: region, Alias: setup.Key}, out: &got})
		c := onParity(setup.Key, "key/"+string(region), "the key in "+string(region)+" can be used", "enable the key, or take back its deletion: what it encrypts can't be read without it", mendBySetup)
		return one(decide(ctx, c, err, judgeKey(got), saw(ctx, region, "%s is %s", got.ARN, got.State)))
	})
}

func judgeKey(got kms.Key) finding {
	if got.State != "Enabled" {
		return red("the key is %s", got.State)
	}
	return green("the key is enabled")
}
