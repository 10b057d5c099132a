package kinds

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/autoscaling"
	"lifeline/activities/ec2"
	"lifeline/activities/elb"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// service is an Auto Scaling group behind a load balancer in each Region.
// Active/active: each Region carries everything alone, so failing over needs no
// launch; what is asked for beyond that is optional and not waited for.
type service struct{}

// Freeze stops scale-in, scheduled actions and replacements in both Regions.
func (service) Freeze(ctx workflow.Context, p Player, r plan.Resource) error {
	m := p.Move()
	for _, region := range []plan.Region{m.From, m.To} {
		c := groupChange(m, r, region, "FreezeScaling")
		var a *autoscaling.Steps
		c.Activity = a.FreezeScaling
		c.Undo = groupUndo(m, r, region, "UnfreezeScaling", a.UnfreezeScaling)
		c.Step.Optional = true
		p.Aside(ctx, func(ctx workflow.Context) { _ = p.Change(ctx, c) })
	}
	return nil
}

// Prescale doubles the survivor's group, up to its maximum.
func (service) Prescale(ctx workflow.Context, p Player, r plan.Resource) error {
	var a *autoscaling.Steps
	m := p.Move()
	group := r.Regions[m.To]["autoScalingGroup"]
	p.Aside(ctx, func(ctx workflow.Context) {
		var now autoscaling.Group
		look := runbook.Step{Name: "DescribeGroup", Resource: r.Name, Region: string(m.To), Plane: runbook.RegionalControl, Reversibility: runbook.Reversible, Budget: callBudget, Optional: true}
		if err := p.Query(ctx, look, a.DescribeGroup, autoscaling.GroupRef{Region: m.To, Group: group}, &now); err != nil {
			return // recorded; standing capacity has to do
		}
		step := look
		step.Name, step.Reversibility = "ScaleGroup", runbook.Reversible
		_ = p.Change(ctx, Change{Step: step, Activity: a.ScaleGroup, Input: func(c runbook.Command) any {
			return autoscaling.GroupScale{Command: c, Region: m.To, Group: group, Desired: min(now.Max, 2*now.Desired)}
		}})
	})
	return nil
}

// Assess demands healthy targets in the Region that takes over.
func (service) Assess(ctx workflow.Context, p Player, r plan.Resource) error {
	var a *elb.Steps
	m := p.Move()
	step := runbook.Step{Name: "DescribeTargets", Resource: r.Name, Region: string(m.To), Plane: runbook.RegionalControl, Reversibility: runbook.Reversible, Budget: callBudget}
	var t elb.Targets
	if err := p.Query(ctx, step, a.DescribeTargets, elb.TargetsRef{Region: m.To, TargetGroup: r.Regions[m.To]["targetGroup"]}, &t); err != nil {
		return err
	}
	if t.Healthy == 0 {
		return fmt.Errorf("%s has no healthy target in %s: %d of %d", r.Name, m.To, t.Healthy, t.Total)
	}
	return nil
}

// Reprotect gives the origin its compute back: the write lease still keeps its
// writers out, and traffic needs somewhere to land.
func (s service) Reprotect(ctx workflow.Context, p Player, r plan.Resource) ([]string, error) {
	m := p.Move()
	if err := unfence(ctx, p, r, m.To); err != nil {
		return nil, err
	}
	return nil, s.awaitTargets(ctx, p, r)
}

func (service) awaitTargets(ctx workflow.Context, p Player, r plan.Resource) error {
	var a *elb.Steps
	m := p.Move()
	step := runbook.Step{Name: "AwaitTargets", Resource: r.Name, Region: string(m.To), Plane: runbook.RegionalControl, Reversibility: runbook.Reversible, Budget: rebuildBudget}
	return p.Await(ctx, step, a.AwaitTargets, elb.TargetsRef{Region: m.To, TargetGroup: r.Regions[m.To]["targetGroup"]}, nil)
}

// Release takes the freeze of one Region away.
func (service) Release(ctx workflow.Context, p Player, r plan.Resource, region plan.Region) error {
	var a *autoscaling.Steps
	c := groupChange(p.Move(), r, region, "UnfreezeScaling")
	c.Activity = a.UnfreezeScaling
	c.Undo = &Undo{Step: c.Step, Guard: func(workflow.Context) (bool, string) {
		return false, "scaling goes on by itself again"
	}}
	return p.Change(ctx, c)
}

func groupChange(m Move, r plan.Resource, region plan.Region, name string) Change {
	step := runbook.Step{Name: name, Resource: r.Name, Region: string(region), Plane: runbook.RegionalControl, Reversibility: runbook.Compensable, Budget: callBudget}
	return Change{Step: bestEffort(m, step), Input: func(c runbook.Command) any {
		return autoscaling.GroupStep{Command: c, Region: region, Group: r.Regions[region]["autoScalingGroup"]}
	}}
}

func groupUndo(m Move, r plan.Resource, region plan.Region, name string, activity any) *Undo {
	c := groupChange(m, r, region, name)
	c.Step.Optional = false
	return &Undo{Step: c.Step, Activity: activity, Input: c.Input}
}

// fenceCompute empties the group in From; confirmed when no instance serves.
func fenceCompute(ctx workflow.Context, p Player, r plan.Resource) (runbook.FenceResult, string) {
	var a *autoscaling.Steps
	m := p.Move()
	c := groupChange(m, r, m.From, "FenceCompute")
	c.Activity = a.FenceCompute
	c.Undo = groupUndo(m, r, m.From, "UnfenceCompute", a.UnfenceCompute)
	var out runbook.Outcome
	c.Out = &out
	if err := p.Change(ctx, c); err != nil || out.Effect == "" {
		return runbook.FenceUnconfirmed, "the Auto Scaling group did not answer"
	}
	group, err := describeFrom(ctx, p, r)
	switch {
	case err != nil || len(group.Subnets) == 0:
		// A best-effort reading that failed leaves a group that looks empty.
		return runbook.FenceUnconfirmed, out.Evidence + "; whether instances still run could not be read"
	case group.Instances > 0:
		return runbook.FenceUnconfirmed, out.Evidence + "; instances are still stopping"
	}
	return runbook.FenceConfirmed, out.Evidence
}

// fenceNetwork denies all traffic of the group's subnets: unlike a security
// group, a network ACL also cuts connections that are already open.
func fenceNetwork(ctx workflow.Context, p Player, r plan.Resource) (runbook.FenceResult, string) {
	group, err := describeFrom(ctx, p, r)
	if err != nil || len(group.Subnets) == 0 {
		return runbook.FenceUnconfirmed, "the subnets of the Auto Scaling group could not be read"
	}
	var out runbook.Outcome
	c := networkChange(p.Move(), r, p.Move().From, group.Subnets)
	c.Out = &out
	if err := p.Change(ctx, c); err != nil || out.Effect == "" {
		return runbook.FenceUnconfirmed, "the network ACL could not be changed"
	}
	return runbook.FenceConfirmed, out.Evidence
}

func networkChange(m Move, r plan.Resource, region plan.Region, subnets []string) Change {
	var a *ec2.Steps
	step := bestEffort(m, runbook.Step{Name: "FenceNetwork", Resource: r.Name, Region: string(region), Plane: runbook.RegionalControl, Reversibility: runbook.Compensable, Budget: callBudget})
	input := func(c runbook.Command) any { return ec2.NetworkFence{Command: c, Region: region, Subnets: subnets} }
	back := step
	back.Name = "UnfenceNetwork"
	return Change{Step: step, Activity: a.FenceNetwork, Input: input, Undo: &Undo{Step: back, Activity: a.UnfenceNetwork, Input: input}}
}

func describeFrom(ctx workflow.Context, p Player, r plan.Resource) (autoscaling.Group, error) {
	m := p.Move()
	return describe(ctx, p, r, m.From)
}

func describe(ctx workflow.Context, p Player, r plan.Resource, region plan.Region) (autoscaling.Group, error) {
	var a *autoscaling.Steps
	step := bestEffort(p.Move(), runbook.Step{Name: "DescribeGroup", Resource: r.Name, Region: string(region), Plane: runbook.RegionalControl, Reversibility: runbook.Reversible, Budget: callBudget})
	var g autoscaling.Group
	err := p.Query(ctx, step, a.DescribeGroup, autoscaling.GroupRef{Region: region, Group: r.Regions[region]["autoScalingGroup"]}, &g)
	return g, err
}

// unfence lifts network and compute fences of a Region, if there are any. It is
// not taken back: an origin whose compute runs is no danger while the lease and
// the switch still keep writers and clients out, and cutting it off again would
// undo the protection that was won.
func unfence(ctx workflow.Context, p Player, r plan.Resource, region plan.Region) error {
	m := p.Move()
	group, err := describe(ctx, p, r, region)
	if err != nil {
		return err
	}
	if len(group.Subnets) > 0 {
		fenced := networkChange(m, r, region, group.Subnets)
		if err := p.Change(ctx, Change{Step: fenced.Undo.Step, Activity: fenced.Undo.Activity, Input: fenced.Undo.Input, Undo: keepOpen(fenced.Undo.Step)}); err != nil {
			return err
		}
	}
	var a *autoscaling.Steps
	c := groupChange(m, r, region, "UnfenceCompute")
	c.Activity = a.UnfenceCompute
	c.Undo = keepOpen(c.Step)
	return p.Change(ctx, c)
}

func keepOpen(s runbook.Step) *Undo {
	return &Undo{Step: s, Guard: func(workflow.Context) (bool, string) {
		return false, "the write lease and the switch still hold writers and clients out of " + s.Region
	}}
}
