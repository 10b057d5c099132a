package autoscaling_test

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/autoscaling"
	ec2sdk "github.com/aws/aws-sdk-go/service/ec2"
	elbsdk "github.com/aws/aws-sdk-go/service/elbv2"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/autoscaling"
	"lifeline/local/aws/ec2"
	"lifeline/local/aws/elbv2"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

const (
	east = "us-east-1"
	name = "patient-web"
)

// fleet is a group behind a load balancer.
type fleet struct {
	*autoscaling.AutoScaling
	t       *testing.T
	world   *world.World
	ec2     *ec2.EC2
	elb     *elbv2.ELB
	sick    sync.Map
	targets *string
	zones   string
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{t: t, world: world.New(world.Options{Compression: 1000})}
	t.Cleanup(f.world.Close)
	f.ec2 = ec2.New(f.world, ec2.Options{Boot: f.boot})
	f.elb = elbv2.New(f.world, f.ec2, elbv2.Options{})
	f.AutoScaling = autoscaling.New(f.world, f.ec2, f.elb)
	subnets, err := f.ec2.DescribeSubnets(f.call(), &ec2sdk.DescribeSubnetsInput{})
	require.NoError(t, err)
	ids := []string{*subnets.Subnets[0].SubnetId, *subnets.Subnets[1].SubnetId}
	f.zones = strings.Join(ids, ",")
	_, err = f.ec2.CreateLaunchTemplate(f.call(), &ec2sdk.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"), LaunchTemplateData: &ec2sdk.RequestLaunchTemplateData{
			ImageId: aws.String("ami-0123456789abcdef0"), InstanceType: aws.String("m5.large"),
			UserData: aws.String(base64.StdEncoding.EncodeToString([]byte(`{"lifeline":"records-application"}`))),
		},
	})
	require.NoError(t, err)
	f.balance(ids, subnets.Subnets[0].VpcId)
	return f
}

// balance makes the load balancer; both it and the instances are in the default
// security group, which lets its own members in.
func (f *fleet) balance(ids []string, vpc *string) {
	f.t.Helper()
	b, err := f.elb.CreateLoadBalancer(f.call(), &elbsdk.CreateLoadBalancerInput{Name: aws.String("web"), Subnets: aws.StringSlice(ids)})
	require.NoError(f.t, err)
	g, err := f.elb.CreateTargetGroup(f.call(), &elbsdk.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: aws.String("HTTP"), Port: aws.Int64(8080), VpcId: vpc, HealthCheckIntervalSeconds: aws.Int64(10),
	})
	require.NoError(f.t, err)
	f.targets = g.TargetGroups[0].TargetGroupArn
	_, err = f.elb.CreateListener(f.call(), &elbsdk.CreateListenerInput{
		LoadBalancerArn: b.LoadBalancers[0].LoadBalancerArn, Port: aws.Int64(8080), Protocol: aws.String("HTTP"),
		DefaultActions: []*elbsdk.Action{{Type: aws.String("forward"), TargetGroupArn: f.targets}},
	})
	require.NoError(f.t, err)
}

func (f *fleet) boot(_ context.Context, m ec2.Machine) (http.Handler, error) {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, sick := f.sick.Load(m.ID); sick {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, m.ID)
	}), nil
}

func (f *fleet) call() *wire.Call {
	return &wire.Call{Context: f.t.Context(), World: f.world, Region: east}
}

func (f *fleet) create(desired int64) *fleet {
	f.t.Helper()
	_, err := f.CreateAutoScalingGroup(f.call(), &sdk.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(name), MinSize: aws.Int64(0), MaxSize: aws.Int64(4), DesiredCapacity: &desired,
		LaunchTemplate:    &sdk.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web")},
		VPCZoneIdentifier: &f.zones, TargetGroupARNs: []*string{f.targets}, HealthCheckType: aws.String("ELB"), HealthCheckGracePeriod: aws.Int64(120),
		Tags: []*sdk.Tag{{Key: aws.String("app"), Value: aws.String("records"), PropagateAtLaunch: aws.Bool(true)}},
	})
	require.NoError(f.t, err)
	return f
}

func (f *fleet) group() *sdk.Group {
	out, err := f.DescribeAutoScalingGroups(f.call(), &sdk.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []*string{aws.String(name)}})
	require.NoError(f.t, err)
	if len(out.AutoScalingGroups) == 0 {
		return nil
	}
	return out.AutoScalingGroups[0]
}

func (f *fleet) inService() []string {
	var out []string
	for _, i := range f.group().Instances {
		if *i.LifecycleState == "InService" {
			out = append(out, *i.InstanceId)
		}
	}
	return out
}

func (f *fleet) await(n int) []string {
	f.t.Helper()
	require.Eventually(f.t, func() bool { return len(f.inService()) == n && len(f.group().Instances) == n },
		10*time.Second, time.Millisecond, "group never settled at %d: %v", n, f.group())
	return f.inService()
}

func (f *fleet) awaitHealthy(ids ...string) {
	f.t.Helper()
	for _, id := range ids {
		require.Eventually(f.t, func() bool { return f.elb.State(east, *f.targets, id) == "healthy" }, 10*time.Second, time.Millisecond)
	}
}

func (f *fleet) scale(n int64) {
	f.t.Helper()
	_, err := f.SetDesiredCapacity(f.call(), &sdk.SetDesiredCapacityInput{AutoScalingGroupName: aws.String(name), DesiredCapacity: &n})
	require.NoError(f.t, err)
}

func (f *fleet) processes(names ...string) *sdk.ScalingProcessQuery {
	return &sdk.ScalingProcessQuery{AutoScalingGroupName: aws.String(name), ScalingProcesses: aws.StringSlice(names)}
}

func code(t *testing.T, err error) string {
	t.Helper()
	var refused *wire.Error
	require.ErrorAs(t, err, &refused)
	return refused.Code
}

func TestGroup_Created_LaunchesTaggedTargetsInAllZones(t *testing.T) {
	t.Parallel()
	f := newFleet(t).create(2)
	ids := f.await(2)
	f.awaitHealthy(ids...)
	zones := map[string]bool{}
	for _, i := range f.group().Instances {
		zones[*i.AvailabilityZone] = true
	}
	require.Len(t, zones, 2)
	tagged, err := f.ec2.DescribeInstances(f.call(), &ec2sdk.DescribeInstancesInput{Filters: []*ec2sdk.Filter{
		{Name: aws.String("tag:aws:autoscaling:groupName"), Values: []*string{aws.String(name)}},
		{Name: aws.String("tag:app"), Values: []*string{aws.String("records")}},
	}})
	require.NoError(t, err)
	require.Len(t, tagged.Reservations, 2)
	activities, err := f.DescribeScalingActivities(f.call(), &sdk.DescribeScalingActivitiesInput{AutoScalingGroupName: aws.String(name)})
	require.NoError(t, err)
	require.Len(t, activities.Activities, 2)
	require.Equal(t, "Successful", *activities.Activities[0].StatusCode)
}

func TestGroup_ScaledToNothing_DrainsAndTerminates(t *testing.T) {
	t.Parallel()
	f := newFleet(t).create(2)
	ids := f.await(2)
	f.awaitHealthy(ids...)
	_, err := f.UpdateAutoScalingGroup(f.call(), &sdk.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(name), MinSize: aws.Int64(0), MaxSize: aws.Int64(0), DesiredCapacity: aws.Int64(0),
	})
	require.NoError(t, err)
	f.await(0)
	for _, id := range ids {
		require.Empty(t, f.elb.State(east, *f.targets, id))
		_, alive := f.ec2.Placement(east, id)
		require.False(t, alive)
	}
}

func TestGroup_LaunchSuspended_LaunchesNothingUntilResumed(t *testing.T) {
	t.Parallel()
	f := newFleet(t).create(1)
	f.await(1)
	_, err := f.SuspendProcesses(f.call(), f.processes("Launch"))
	require.NoError(t, err)
	f.scale(3)
	_, err = f.ec2.TerminateInstances(f.call(), &ec2sdk.TerminateInstancesInput{InstanceIds: aws.StringSlice(f.inService())})
	require.NoError(t, err)
	f.await(0) // the loop has run: it saw the loss, and the wish for three
	launched := 0
	activities, err := f.DescribeScalingActivities(f.call(), &sdk.DescribeScalingActivitiesInput{})
	require.NoError(t, err)
	for _, a := range activities.Activities {
		if strings.HasPrefix(*a.Description, "Launching") {
			launched++
		}
	}
	require.Equal(t, 1, launched)
	_, err = f.ResumeProcesses(f.call(), f.processes("Launch"))
	require.NoError(t, err)
	f.await(3)
}

func TestGroup_TerminateSuspended_KeepsInstances(t *testing.T) {
	t.Parallel()
	f := newFleet(t).create(2)
	ids := f.await(2)
	_, err := f.SuspendProcesses(f.call(), f.processes("Terminate"))
	require.NoError(t, err)
	f.scale(0)
	f.scale(1)
	f.scale(0)
	_, err = f.AttachLoadBalancerTargetGroups(f.call(), &sdk.AttachLoadBalancerTargetGroupsInput{AutoScalingGroupName: aws.String(name), TargetGroupARNs: []*string{f.targets}})
	require.NoError(t, err)
	f.awaitHealthy(ids...) // many rounds of the loop later
	require.ElementsMatch(t, ids, f.inService())
	_, err = f.ResumeProcesses(f.call(), f.processes())
	require.NoError(t, err)
	f.await(0)
}

func TestGroup_UnhealthyInstance_IsReplaced(t *testing.T) {
	t.Parallel()
	f := newFleet(t).create(2)
	ids := f.await(2)
	f.awaitHealthy(ids...)
	f.sick.Store(ids[0], true)
	require.Eventually(t, func() bool {
		now := f.inService()
		return len(now) == 2 && now[0] != ids[0] && now[1] != ids[0]
	}, 10*time.Second, time.Millisecond)
	require.Contains(t, f.inService(), ids[1])
}

func TestGroup_QuotaReached_FailsTheActivityAndTriesAgain(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.ec2.SetCapacity(east, 0)
	f.create(1)
	failed := func() string {
		out, err := f.DescribeScalingActivities(f.call(), &sdk.DescribeScalingActivitiesInput{AutoScalingGroupName: aws.String(name)})
		require.NoError(t, err)
		for _, a := range out.Activities {
			if *a.StatusCode == "Failed" {
				return *a.StatusMessage
			}
		}
		return ""
	}
	require.Eventually(t, func() bool { return strings.Contains(failed(), "sufficient m5.large capacity") }, 10*time.Second, time.Millisecond)
	f.ec2.SetCapacity(east, -1)
	f.await(1)
}

func TestGroup_DarkRegion_StandsStillUntilHealed(t *testing.T) {
	t.Parallel()
	f := newFleet(t).create(1)
	id := f.await(1)[0]
	f.awaitHealthy(id)
	f.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	require.Eventually(t, func() bool { return f.elb.State(east, *f.targets, id) == "unhealthy" }, 10*time.Second, time.Millisecond)
	require.Equal(t, []string{id}, f.inService(), "nobody replaces instances in the dark")
	f.world.Heal(east)
}

func TestDelete_ForcedOnly_WhileInstancesRun(t *testing.T) {
	t.Parallel()
	f := newFleet(t).create(1)
	f.await(1)
	_, err := f.DeleteAutoScalingGroup(f.call(), &sdk.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String(name)})
	require.Equal(t, "ResourceInUse", code(t, err))
	_, err = f.DeleteAutoScalingGroup(f.call(), &sdk.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String(name), ForceDelete: aws.Bool(true)})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return f.group() == nil }, 10*time.Second, time.Millisecond)
}

func TestRefusals_SpeakAWSsCodes(t *testing.T) {
	t.Parallel()
	f := newFleet(t).create(0)
	_, err := f.SetDesiredCapacity(f.call(), &sdk.SetDesiredCapacityInput{AutoScalingGroupName: aws.String(name), DesiredCapacity: aws.Int64(9)})
	require.Equal(t, "ValidationError", code(t, err))
	_, err = f.SuspendProcesses(f.call(), f.processes("Dance"))
	require.Equal(t, "ValidationError", code(t, err))
	_, err = f.UpdateAutoScalingGroup(f.call(), &sdk.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("x")})
	require.Equal(t, "ValidationError", code(t, err))
	_, err = f.CreateAutoScalingGroup(f.call(), &sdk.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(name), MinSize: aws.Int64(0), MaxSize: aws.Int64(1), VPCZoneIdentifier: &f.zones,
		LaunchTemplate: &sdk.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web")},
	})
	require.Equal(t, "AlreadyExists", code(t, err))
	_, err = f.UpdateAutoScalingGroup(f.call(), &sdk.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(name), DesiredCapacity: aws.Int64(1), DefaultCooldown: aws.Int64(1_000_000),
	})
	require.NoError(t, err)
	f.await(1)
	_, err = f.SetDesiredCapacity(f.call(), &sdk.SetDesiredCapacityInput{AutoScalingGroupName: aws.String(name), DesiredCapacity: aws.Int64(0), HonorCooldown: aws.Bool(true)})
	require.Equal(t, "ScalingActivityInProgress", code(t, err))
}

func TestTags_SetAndFiltered(t *testing.T) {
	t.Parallel()
	f := newFleet(t).create(0)
	tag := &sdk.Tag{ResourceId: aws.String(name), ResourceType: aws.String("auto-scaling-group"), Key: aws.String("lifeline:fenced"), Value: aws.String("yes"), PropagateAtLaunch: aws.Bool(false)}
	_, err := f.CreateOrUpdateTags(f.call(), &sdk.CreateOrUpdateTagsInput{Tags: []*sdk.Tag{tag}})
	require.NoError(t, err)
	find := func(v string) int {
		out, err := f.DescribeAutoScalingGroups(f.call(), &sdk.DescribeAutoScalingGroupsInput{Filters: []*sdk.Filter{
			{Name: aws.String("tag:lifeline:fenced"), Values: []*string{&v}},
		}})
		require.NoError(t, err)
		return len(out.AutoScalingGroups)
	}
	require.Equal(t, 1, find("yes"))
	require.Equal(t, 0, find("no"))
	_, err = f.DeleteTags(f.call(), &sdk.DeleteTagsInput{Tags: []*sdk.Tag{tag}})
	require.NoError(t, err)
	require.Equal(t, 0, find("yes"))
}
