package elbv2_test

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/wire"
)

func TestContract_FromLoadBalancerToHealthyTarget(t *testing.T) {
	t.Parallel()
	s := newSite(t, west)
	server := httptest.NewServer(wire.NewServer(s.world, s.Wire()))
	t.Cleanup(server.Close)
	c := elb.NewFromConfig(aws.Config{
		Region: west, BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	})
	ctx := t.Context()
	b, err := c.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: aws.String("web"), Subnets: []string{*s.subnets[0], *s.subnets[1]}, SecurityGroups: []string{*s.group},
		Tags: []types.Tag{{Key: aws.String("app"), Value: aws.String("records")}},
	})
	require.NoError(t, err)
	arn := b.LoadBalancers[0].LoadBalancerArn
	require.Equal(t, types.LoadBalancerStateEnumProvisioning, b.LoadBalancers[0].State.Code)
	err = elb.NewLoadBalancerAvailableWaiter(c, func(o *elb.LoadBalancerAvailableWaiterOptions) { o.MinDelay = time.Millisecond }).
		Wait(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{*arn}}, 10*time.Second)
	require.NoError(t, err)
	g, err := c.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(8080), VpcId: s.vpc,
		HealthCheckPath: aws.String("/health"), HealthCheckIntervalSeconds: aws.Int32(10), Matcher: &types.Matcher{HttpCode: aws.String("200-299")},
	})
	require.NoError(t, err)
	group := g.TargetGroups[0].TargetGroupArn
	l, err := c.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: arn, Port: aws.Int32(8080), Protocol: types.ProtocolEnumHttp,
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, ForwardConfig: &types.ForwardActionConfig{
			TargetGroups: []types.TargetGroupTuple{{TargetGroupArn: group, Weight: aws.Int32(1)}},
		}}},
	})
	require.NoError(t, err)
	require.Equal(t, int32(8080), *l.Listeners[0].Port)

	id := s.instance(0)
	_, err = c.RegisterTargets(ctx, &elb.RegisterTargetsInput{TargetGroupArn: group, Targets: []types.TargetDescription{{Id: &id}}})
	require.NoError(t, err)
	err = elb.NewTargetInServiceWaiter(c, func(o *elb.TargetInServiceWaiterOptions) { o.MinDelay = time.Millisecond }).
		Wait(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: group}, 10*time.Second)
	require.NoError(t, err)
	groups, err := c.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{LoadBalancerArn: arn})
	require.NoError(t, err)
	require.Equal(t, []string{*arn}, groups.TargetGroups[0].LoadBalancerArns)
	attributes, err := c.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: arn, Attributes: []types.LoadBalancerAttribute{{Key: aws.String("idle_timeout.timeout_seconds"), Value: aws.String("30")}},
	})
	require.NoError(t, err)
	require.Contains(t, attributes.Attributes, types.LoadBalancerAttribute{Key: aws.String("idle_timeout.timeout_seconds"), Value: aws.String("30")})
	for value, allowed := range map[string]bool{"59": false, "60": true, "604800": true, "604801": false, "an hour": false} {
		_, err := c.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{
			LoadBalancerArn: arn, Attributes: []types.LoadBalancerAttribute{{Key: aws.String("client_keep_alive.seconds"), Value: &value}},
		})
		var invalid *types.InvalidConfigurationRequestException
		require.Equal(t, !allowed, errors.As(err, &invalid), "%s: %v", value, err)
	}
	tags, err := c.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: []string{*arn}})
	require.NoError(t, err)
	require.Equal(t, "records", *tags.TagDescriptions[0].Tags[0].Value)
	_, err = c.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: []string{"absent"}})
	var absent *types.LoadBalancerNotFoundException
	require.ErrorAs(t, err, &absent)
	_, err = c.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: group})
	var inUse *types.ResourceInUseException
	require.ErrorAs(t, err, &inUse)
}
