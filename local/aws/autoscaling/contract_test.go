package autoscaling_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	asg "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/wire"
)

func TestContract_GroupFromCreationToZero(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	server := httptest.NewServer(wire.NewServer(f.world, f.Wire()))
	t.Cleanup(server.Close)
	c := asg.NewFromConfig(aws.Config{
		Region: east, BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	})
	ctx, group := t.Context(), aws.String(name)
	_, err := c.CreateAutoScalingGroup(ctx, &asg.CreateAutoScalingGroupInput{
		AutoScalingGroupName: group, MinSize: aws.Int32(1), MaxSize: aws.Int32(3), VPCZoneIdentifier: &f.zones,
		LaunchTemplate:  &types.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web"), Version: aws.String("$Latest")},
		TargetGroupARNs: []string{*f.targets}, HealthCheckType: aws.String("ELB"), HealthCheckGracePeriod: aws.Int32(60),
	})
	require.NoError(t, err)
	err = asg.NewGroupInServiceWaiter(c, func(o *asg.GroupInServiceWaiterOptions) { o.MinDelay = time.Millisecond }).
		Wait(ctx, &asg.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}}, 10*time.Second)
	require.NoError(t, err)
	_, err = c.SuspendProcesses(ctx, &asg.SuspendProcessesInput{AutoScalingGroupName: group, ScalingProcesses: []string{"Launch"}})
	require.NoError(t, err)
	_, err = c.CreateOrUpdateTags(ctx, &asg.CreateOrUpdateTagsInput{Tags: []types.Tag{{
		ResourceId: group, ResourceType: aws.String("auto-scaling-group"), Key: aws.String("lifeline:before"),
		Value: aws.String("1,3,1"), PropagateAtLaunch: aws.Bool(false),
	}}})
	require.NoError(t, err)
	_, err = c.UpdateAutoScalingGroup(ctx, &asg.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: group, MinSize: aws.Int32(0), MaxSize: aws.Int32(0), DesiredCapacity: aws.Int32(0),
	})
	require.NoError(t, err)
	var read types.AutoScalingGroup
	require.Eventually(t, func() bool {
		out, err := c.DescribeAutoScalingGroups(ctx, &asg.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}})
		require.NoError(t, err)
		read = out.AutoScalingGroups[0]
		return len(read.Instances) == 0
	}, 10*time.Second, 5*time.Millisecond)
	require.Equal(t, "Launch", *read.SuspendedProcesses[0].ProcessName)
	require.Equal(t, "1,3,1", *read.Tags[0].Value)
	require.Equal(t, int32(0), *read.DesiredCapacity)
	activities, err := c.DescribeScalingActivities(ctx, &asg.DescribeScalingActivitiesInput{AutoScalingGroupName: group, MaxRecords: aws.Int32(1)})
	require.NoError(t, err)
	require.Contains(t, *activities.Activities[0].Description, "Terminating EC2 instance")
	require.NotEmpty(t, *activities.NextToken)
	_, err = c.SetDesiredCapacity(ctx, &asg.SetDesiredCapacityInput{AutoScalingGroupName: group, DesiredCapacity: aws.Int32(2)})
	var refused smithy.APIError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "ValidationError", refused.ErrorCode())
}
