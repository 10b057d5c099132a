package autoscaling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/autoscaling"
	ec2sdk "github.com/aws/aws-sdk-go/service/ec2"
	"github.com/aws/aws-sdk-go/service/elbv2"

	"lifeline/local/aws/wire"
)

// wake makes the loop look at a group shortly; a.mu is held.
func (a *AutoScaling) wake(g *group) {
	if g.awake {
		return
	}
	g.awake = true
	a.world.After(reaction, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		g.awake = false
		if slices.Contains(a.groups, g) {
			a.reconcile(g)
		}
	})
}

func (a *AutoScaling) wakeAll() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, g := range a.groups {
		a.wake(g)
	}
}

func (a *AutoScaling) wakeOwner(instance string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if g, _ := a.owner(instance); g != nil {
		a.wake(g)
	}
}

// call is a call that Auto Scaling itself makes of another service.
func (a *AutoScaling) call(g *group) *wire.Call {
	return &wire.Call{
		Context: context.Background(), World: a.world, Region: g.region, Service: "autoscaling", Caller: "autoscaling.amazonaws.com",
	}
}

// reconcile brings a group one step nearer to what it shall be; a.mu is held.
func (a *AutoScaling) reconcile(g *group) {
	if a.world.Dark(g.region) {
		return // its control plane is dark too; the heal wakes it
	}
	for _, m := range slices.Clone(g.members) {
		a.observe(g, m)
	}
	for _, m := range g.active() {
		if m.sick && !g.suspended("ReplaceUnhealthy") && !g.suspended("Terminate") {
			a.retire(g, m, "an instance was taken out of service in response to a health check failure.")
		}
	}
	have, want := len(g.active()), int(*g.api.DesiredCapacity)
	switch {
	case have < want && !g.suspended("Launch") && a.world.Now().After(g.failedAt.Add(a.world.Wall(backOff))):
		a.grow(g, have, want)
	case have > want && !g.suspended("Terminate"):
		a.shrink(g, have, want)
	}
	for _, m := range slices.Clone(g.members) {
		if m.leaving() {
			a.finish(g, m)
		}
	}
	if g.deleting && len(g.members) == 0 {
		a.remove(g)
	}
}

// observe takes over what became of an instance.
func (a *AutoScaling) observe(g *group, m *member) {
	p, exists := a.ec2.Placement(g.region, m.id)
	switch {
	case m.leaving():
	case exists && p.State == ec2sdk.InstanceStateNamePending:
	case !exists || p.State != ec2sdk.InstanceStateNameRunning:
		m.sick = m.sick || !g.suspended("HealthCheck")
	case m.lifecycle == sdk.LifecycleStatePending:
		m.lifecycle, m.since = sdk.LifecycleStateInService, a.world.Now()
		a.end(m.activity, sdk.ScalingActivityStatusCodeSuccessful, "")
		if !g.suspended("AddToLoadBalancer") {
			a.register(g, m)
		}
	case *g.api.HealthCheckType == "ELB" && !g.suspended("HealthCheck") && a.pastGrace(g, m):
		m.sick = m.sick || slices.ContainsFunc(g.api.TargetGroupARNs, func(arn *string) bool {
			return a.targets.State(g.region, *arn, m.id) == elbv2.TargetHealthStateEnumUnhealthy
		})
	}
}

func (a *AutoScaling) pastGrace(g *group, m *member) bool {
	grace := a.world.Wall(time.Duration(*g.api.HealthCheckGracePeriod) * time.Second)
	return a.world.Now().After(m.since.Add(grace))
}

func (a *AutoScaling) register(g *group, m *member) {
	for _, arn := range g.api.TargetGroupARNs {
		ask := &elbv2.RegisterTargetsInput{TargetGroupArn: arn, Targets: []*elbv2.TargetDescription{{Id: aws.String(m.id)}}}
		if _, err := a.targets.RegisterTargets(a.call(g), ask); err != nil {
			a.world.Logger().Warn("instance isn't registered", "group", *g.api.AutoScalingGroupName, "instance", m.id, "error", err)
		}
	}
}

// grow launches what is missing, spread over the subnets.
func (a *AutoScaling) grow(g *group, have, want int) {
	cause := fmt.Sprintf("At %s an instance was started in response to a difference between desired and actual capacity, increasing the capacity from %d to %d.",
		a.stamp(), have, want)
	for range want - have {
		activity := a.begin(g, "Launching a new EC2 instance", cause)
		m, err := a.launch(g)
		if err != nil {
			g.failedAt = a.world.Now()
			activity.Description = aws.String("Launching a new EC2 instance.  Status Reason: " + reason(err) + " Launching EC2 instance failed.")
			a.end(activity, sdk.ScalingActivityStatusCodeFailed, reason(err)+" Launching EC2 instance failed.")
			return
		}
		m.activity = activity
		activity.Description = aws.String("Launching a new EC2 instance: " + m.id)
		g.members = append(g.members, m)
	}
}

func reason(err error) string {
	var refused *wire.Error
	if errors.As(err, &refused) {
		return refused.Message
	}
	return err.Error()
}

// launch starts one instance in the subnet that has the fewest of the group.
func (a *AutoScaling) launch(g *group) (*member, error) {
	var best string
	fewest := -1
	for _, id := range subnets(*g.api.VPCZoneIdentifier) {
		n := len(slices.DeleteFunc(g.active(), func(m *member) bool { return m.subnet != id }))
		if fewest < 0 || n < fewest {
			best, fewest = id, n
		}
	}
	tags := []*ec2sdk.Tag{{Key: aws.String("aws:autoscaling:groupName"), Value: g.api.AutoScalingGroupName}}
	for _, t := range g.api.Tags {
		if *t.PropagateAtLaunch {
			tags = append(tags, &ec2sdk.Tag{Key: t.Key, Value: t.Value})
		}
	}
	out, err := a.ec2.RunInstances(a.call(g), &ec2sdk.RunInstancesInput{
		MinCount: aws.Int64(1), MaxCount: aws.Int64(1), SubnetId: aws.String(best),
		LaunchTemplate: &ec2sdk.LaunchTemplateSpecification{
			LaunchTemplateId: g.api.LaunchTemplate.LaunchTemplateId, Version: g.api.LaunchTemplate.Version,
		},
		TagSpecifications: []*ec2sdk.TagSpecification{{ResourceType: aws.String("instance"), Tags: tags}},
	})
	if err != nil {
		return nil, err
	}
	i := out.Instances[0]
	return &member{
		id: *i.InstanceId, zone: *i.Placement.AvailabilityZone, subnet: best, kind: *i.InstanceType,
		lifecycle: sdk.LifecycleStatePending, protected: *g.api.NewInstancesProtectedFromScaleIn, template: clone(g.api.LaunchTemplate),
	}, nil
}

// shrink retires the oldest instances of the fullest subnets.
func (a *AutoScaling) shrink(g *group, have, want int) {
	cause := fmt.Sprintf("an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity from %d to %d.", have, want)
	for range have - want {
		active := g.active()
		inSubnet := func(id string) int {
			return len(slices.DeleteFunc(slices.Clone(active), func(m *member) bool { return m.subnet != id }))
		}
		var chosen *member
		for _, m := range active {
			if (g.deleting || !m.protected) && (chosen == nil || inSubnet(m.subnet) > inSubnet(chosen.subnet)) {
				chosen = m
			}
		}
		if chosen == nil {
			return // all that is left is protected
		}
		a.retire(g, chosen, cause)
	}
}

// retire begins the end of an instance: out of the target groups first.
func (a *AutoScaling) retire(g *group, m *member, cause string) {
	m.lifecycle = sdk.LifecycleStateTerminating
	if m.activity != nil && m.activity.EndTime == nil {
		a.end(m.activity, sdk.ScalingActivityStatusCodeCancelled, "")
	}
	m.activity = a.begin(g, "Terminating EC2 instance: "+m.id, "At "+a.stamp()+" "+cause)
	for _, arn := range g.api.TargetGroupARNs {
		ask := &elbv2.DeregisterTargetsInput{TargetGroupArn: arn, Targets: []*elbv2.TargetDescription{{Id: aws.String(m.id)}}}
		if _, err := a.targets.DeregisterTargets(a.call(g), ask); err != nil {
			a.world.Logger().Warn("instance isn't deregistered", "group", *g.api.AutoScalingGroupName, "instance", m.id, "error", err)
		}
	}
}

// finish terminates an instance once its connections have drained, and drops it
// once it is gone.
func (a *AutoScaling) finish(g *group, m *member) {
	for _, arn := range g.api.TargetGroupARNs {
		if a.targets.State(g.region, *arn, m.id) == elbv2.TargetHealthStateEnumDraining {
			m.activity.StatusCode = aws.String(sdk.ScalingActivityStatusCodeWaitingForElbconnectionDraining)
			return
		}
	}
	p, exists := a.ec2.Placement(g.region, m.id)
	if !exists {
		a.end(m.activity, sdk.ScalingActivityStatusCodeSuccessful, "")
		g.members = slices.DeleteFunc(g.members, func(o *member) bool { return o == m })
		return
	}
	m.activity.StatusCode = aws.String(sdk.ScalingActivityStatusCodeInProgress)
	if p.State == ec2sdk.InstanceStateNameShuttingDown {
		return
	}
	if _, err := a.ec2.TerminateInstances(a.call(g), &ec2sdk.TerminateInstancesInput{InstanceIds: []*string{aws.String(m.id)}}); err != nil {
		a.world.Logger().Warn("instance isn't terminated", "group", *g.api.AutoScalingGroupName, "instance", m.id, "error", err)
	}
}

func (a *AutoScaling) stamp() string { return a.world.Now().UTC().Format(time.RFC3339) }

// begin notes a new activity.
func (a *AutoScaling) begin(g *group, description, cause string) *sdk.Activity {
	const kept = 200 // AWS keeps six weeks
	activity := &sdk.Activity{
		ActivityId: aws.String(a.world.NewID("")), AutoScalingGroupName: g.api.AutoScalingGroupName,
		AutoScalingGroupARN: g.api.AutoScalingGroupARN, Description: aws.String(description), Cause: aws.String(cause),
		StartTime: aws.Time(a.world.Now()), StatusCode: aws.String(sdk.ScalingActivityStatusCodeInProgress), Progress: aws.Int64(0),
	}
	g.activities = append([]*sdk.Activity{activity}, g.activities[:min(len(g.activities), kept-1)]...)
	g.scaledAt = a.world.Now()
	return activity
}

func (a *AutoScaling) end(activity *sdk.Activity, status, message string) {
	activity.StatusCode, activity.Progress, activity.EndTime = aws.String(status), aws.Int64(100), aws.Time(a.world.Now())
	if message != "" {
		activity.StatusMessage = aws.String(message)
	}
}
