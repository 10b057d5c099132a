package autoscaling

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/autoscaling"
	"github.com/aws/aws-sdk-go/service/elbv2"

	"lifeline/local/aws/wire"
)

// SetDesiredCapacity says how many instances there shall be.
func (a *AutoScaling) SetDesiredCapacity(c *wire.Call, in *sdk.SetDesiredCapacityInput) (*sdk.SetDesiredCapacityOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g, err := a.find(c.Region, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	want := *in.DesiredCapacity
	switch {
	case want > *g.api.MaxSize:
		return nil, invalid("New SetDesiredCapacity value %d is above max value %d for the AutoScalingGroup.", want, *g.api.MaxSize)
	case want < *g.api.MinSize:
		return nil, invalid("New SetDesiredCapacity value %d is below min value %d for the AutoScalingGroup.", want, *g.api.MinSize)
	}
	cooldown := a.world.Wall(time.Duration(*g.api.DefaultCooldown) * time.Second)
	if aws.BoolValue(in.HonorCooldown) && a.world.Now().Before(g.scaledAt.Add(cooldown)) {
		return nil, refuse("ScalingActivityInProgress", "Scaling activity is in progress and blocking this request")
	}
	g.api.DesiredCapacity = aws.Int64(want)
	a.wake(g)
	return nil, nil
}

// SetInstanceHealth overrules the health checks.
func (a *AutoScaling) SetInstanceHealth(c *wire.Call, in *sdk.SetInstanceHealthInput) (*sdk.SetInstanceHealthOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g, m := a.owner(*in.InstanceId)
	if m == nil || g.region != c.Region {
		return nil, invalid("Instance Id not found - No managed instance found for instance ID %s", *in.InstanceId)
	}
	switch *in.HealthStatus {
	case "Healthy":
		m.sick = false
	case "Unhealthy":
		m.sick = true
	default:
		return nil, invalid("Health status '%s' must be one of: Healthy, Unhealthy", *in.HealthStatus)
	}
	a.wake(g)
	return nil, nil
}

// TerminateInstanceInAutoScalingGroup ends one instance; it is replaced unless
// the desired capacity goes down with it.
func (a *AutoScaling) TerminateInstanceInAutoScalingGroup(c *wire.Call, in *sdk.TerminateInstanceInAutoScalingGroupInput) (*sdk.TerminateInstanceInAutoScalingGroupOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g, m := a.owner(*in.InstanceId)
	if m == nil || g.region != c.Region {
		return nil, invalid("Instance Id not found - No managed instance found for instance ID %s", *in.InstanceId)
	}
	if *in.ShouldDecrementDesiredCapacity {
		if *g.api.DesiredCapacity <= *g.api.MinSize {
			return nil, invalid("Currently, desiredSize equals minSize (%d). Terminating instance without replacement will violate group's min size constraint.", *g.api.MinSize)
		}
		*g.api.DesiredCapacity--
	}
	if !m.leaving() {
		a.retire(g, m, "instance was taken out of service in response to a user request.")
	}
	a.wake(g)
	return &sdk.TerminateInstanceInAutoScalingGroupOutput{Activity: clone(m.activity)}, nil
}

// processes are what can be suspended.
func processes() []string {
	return []string{
		"AddToLoadBalancer", "AlarmNotification", "AZRebalance", "HealthCheck", "InstanceRefresh",
		"Launch", "ReplaceUnhealthy", "ScheduledActions", "Terminate",
	}
}

// SuspendProcesses makes a group stop doing things; without names all of them.
func (a *AutoScaling) SuspendProcesses(c *wire.Call, in *sdk.ScalingProcessQuery) (*sdk.SuspendProcessesOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g, names, err := a.process(c.Region, in)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !g.suspended(name) {
			g.api.SuspendedProcesses = append(g.api.SuspendedProcesses, &sdk.SuspendedProcess{
				ProcessName:      aws.String(name),
				SuspensionReason: aws.String("User suspended at " + a.world.Now().UTC().Format(time.RFC3339)),
			})
		}
	}
	return nil, nil
}

// ResumeProcesses lets a group do things again; without names all of them.
func (a *AutoScaling) ResumeProcesses(c *wire.Call, in *sdk.ScalingProcessQuery) (*sdk.ResumeProcessesOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g, names, err := a.process(c.Region, in)
	if err != nil {
		return nil, err
	}
	g.api.SuspendedProcesses = slices.DeleteFunc(g.api.SuspendedProcesses, func(p *sdk.SuspendedProcess) bool {
		return slices.Contains(names, *p.ProcessName)
	})
	a.wake(g)
	return nil, nil
}

func (a *AutoScaling) process(region string, in *sdk.ScalingProcessQuery) (*group, []string, error) {
	g, err := a.find(region, in.AutoScalingGroupName)
	if err != nil {
		return nil, nil, err
	}
	names := aws.StringValueSlice(in.ScalingProcesses)
	for _, name := range names {
		if !slices.Contains(processes(), name) {
			return nil, nil, invalid("'%s' is not a valid process type", name)
		}
	}
	if len(names) == 0 {
		names = processes()
	}
	return g, names, nil
}

// DescribeScalingProcessTypes lists what can be suspended.
func (a *AutoScaling) DescribeScalingProcessTypes(*wire.Call, *sdk.DescribeScalingProcessTypesInput) (*sdk.DescribeScalingProcessTypesOutput, error) {
	out := &sdk.DescribeScalingProcessTypesOutput{}
	for _, name := range processes() {
		out.Processes = append(out.Processes, &sdk.ProcessType{ProcessName: aws.String(name)})
	}
	return out, nil
}

// AttachLoadBalancerTargetGroups registers a group's instances, present and
// future, with target groups.
func (a *AutoScaling) AttachLoadBalancerTargetGroups(c *wire.Call, in *sdk.AttachLoadBalancerTargetGroupsInput) (*sdk.AttachLoadBalancerTargetGroupsOutput, error) {
	if err := a.checkTargets(c, in.TargetGroupARNs); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	g, err := a.find(c.Region, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	for _, arn := range in.TargetGroupARNs {
		if !slices.Contains(aws.StringValueSlice(g.api.TargetGroupARNs), *arn) {
			g.api.TargetGroupARNs = append(g.api.TargetGroupARNs, aws.String(*arn))
		}
	}
	for _, m := range g.members {
		if m.lifecycle == sdk.LifecycleStateInService {
			a.register(g, m)
		}
	}
	return nil, nil
}

// DetachLoadBalancerTargetGroups takes the instances out of target groups.
func (a *AutoScaling) DetachLoadBalancerTargetGroups(c *wire.Call, in *sdk.DetachLoadBalancerTargetGroupsInput) (*sdk.DetachLoadBalancerTargetGroupsOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g, err := a.find(c.Region, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	for _, arn := range in.TargetGroupARNs {
		g.api.TargetGroupARNs = slices.DeleteFunc(g.api.TargetGroupARNs, func(o *string) bool { return *o == *arn })
		for _, m := range g.members {
			ask := &elbv2.DeregisterTargetsInput{TargetGroupArn: arn, Targets: []*elbv2.TargetDescription{{Id: aws.String(m.id)}}}
			if _, err := a.targets.DeregisterTargets(c, ask); err != nil {
				return nil, invalid("%v", err)
			}
		}
	}
	return nil, nil
}

// DescribeLoadBalancerTargetGroups lists the target groups of a group.
func (a *AutoScaling) DescribeLoadBalancerTargetGroups(c *wire.Call, in *sdk.DescribeLoadBalancerTargetGroupsInput) (*sdk.DescribeLoadBalancerTargetGroupsOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g, err := a.find(c.Region, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeLoadBalancerTargetGroupsOutput{}
	for _, arn := range g.api.TargetGroupARNs {
		state := "Added"
		if g.api.HealthCheckType != nil && *g.api.HealthCheckType == "ELB" && slices.ContainsFunc(g.members, func(m *member) bool {
			return a.targets.State(g.region, *arn, m.id) == elbv2.TargetHealthStateEnumHealthy
		}) {
			state = "InService"
		}
		out.LoadBalancerTargetGroups = append(out.LoadBalancerTargetGroups, &sdk.LoadBalancerTargetGroupState{
			LoadBalancerTargetGroupARN: aws.String(*arn), State: aws.String(state),
		})
	}
	return out, nil
}
