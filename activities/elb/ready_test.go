package elb

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
)

const balancerARN = "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/web/1"

type balancers struct {
	cloudtest.Service
	attributes []types.LoadBalancerAttribute
}

func newBalancers(attributes ...types.LoadBalancerAttribute) (*balancers, *Ready) {
	f := &balancers{Service: cloudtest.Service{ID: "Elastic Load Balancing v2"}, attributes: attributes}
	return f, &Ready{Clients: func(plan.Region) ReadyAPI { return f }}
}

func (f *balancers) DescribeLoadBalancers(ctx context.Context, in *sdk.DescribeLoadBalancersInput, _ ...func(*sdk.Options)) (*sdk.DescribeLoadBalancersOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "DescribeLoadBalancers", func() (*sdk.DescribeLoadBalancersOutput, error) {
		switch in.Names[0] {
		case "web":
			return &sdk.DescribeLoadBalancersOutput{LoadBalancers: []types.LoadBalancer{{LoadBalancerArn: aws.String(balancerARN), Type: types.LoadBalancerTypeEnumApplication}}}, nil
		case "empty":
			return &sdk.DescribeLoadBalancersOutput{}, nil
		default:
			return nil, &types.LoadBalancerNotFoundException{}
		}
	})
}

func (f *balancers) DescribeLoadBalancerAttributes(ctx context.Context, in *sdk.DescribeLoadBalancerAttributesInput, _ ...func(*sdk.Options)) (*sdk.DescribeLoadBalancerAttributesOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "DescribeLoadBalancerAttributes", func() (*sdk.DescribeLoadBalancerAttributesOutput, error) {
		if aws.ToString(in.LoadBalancerArn) != balancerARN {
			return nil, &types.LoadBalancerNotFoundException{}
		}
		return &sdk.DescribeLoadBalancerAttributesOutput{Attributes: f.attributes}, nil
	})
}

func attribute(key, value string) types.LoadBalancerAttribute {
	return types.LoadBalancerAttribute{Key: aws.String(key), Value: aws.String(value)}
}

func TestDescribeBalancer_ReadsHowLongClientsStay(t *testing.T) {
	t.Parallel()
	_, r := newBalancers(attribute("idle_timeout.timeout_seconds", "60"), attribute("client_keep_alive.seconds", "3600"))
	got, err := r.DescribeBalancer(t.Context(), BalancerRef{Region: "us-west-2", Balancer: "web"})
	require.NoError(t, err)
	require.Equal(t, Balancer{ARN: balancerARN, Type: "application", KeepAlive: time.Hour}, got)
}

func TestDescribeBalancer_NamesNoKeepAlive_SaysNone(t *testing.T) {
	t.Parallel()
	_, r := newBalancers(attribute("idle_timeout.timeout_seconds", "60"))
	got, err := r.DescribeBalancer(t.Context(), BalancerRef{Region: "us-west-2", Balancer: "web"})
	require.NoError(t, err)
	require.Zero(t, got.KeepAlive)
}

func TestDescribeBalancer_UnreadableIsAnErrorNotZero(t *testing.T) {
	t.Parallel()
	_, r := newBalancers(attribute("client_keep_alive.seconds", "an hour"))
	_, err := r.DescribeBalancer(t.Context(), BalancerRef{Region: "us-west-2", Balancer: "web"})
	require.ErrorContains(t, err, `"an hour", not a number`)
}

func TestDescribeBalancer_NoSuchBalancer(t *testing.T) {
	t.Parallel()
	_, r := newBalancers()
	for _, name := range []string{"other", "empty"} {
		_, err := r.DescribeBalancer(t.Context(), BalancerRef{Region: "us-west-2", Balancer: name})
		require.Equal(t, cloud.NotFound, cloud.KindOf(err), name)
	}
}

func TestDescribeBalancer_DeniedOrDark(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, r := newBalancers()
		in := BalancerRef{Region: "us-west-2", Balancer: "web", Timeout: cloud.SuspectTimeout}
		f.Next("DescribeLoadBalancerAttributes", cloudtest.Code("AccessDenied"))
		_, err := r.DescribeBalancer(t.Context(), in)
		require.ErrorContains(t, err, "permission elasticloadbalancing:DescribeLoadBalancerAttributes is missing")
		f.Always("", cloudtest.Hang())
		start := time.Now()
		_, err = r.DescribeBalancer(t.Context(), in)
		require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
		require.Equal(t, 2*time.Second, time.Since(start))
	})
}

// DescribeTargetGroups answers one group a page.
func (f *balancers) DescribeTargetGroups(ctx context.Context, in *sdk.DescribeTargetGroupsInput, _ ...func(*sdk.Options)) (*sdk.DescribeTargetGroupsOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "DescribeTargetGroups", func() (*sdk.DescribeTargetGroupsOutput, error) {
		name, next := "web", aws.String("more")
		if in.Marker != nil {
			name, next = "admin", nil
		}
		return &sdk.DescribeTargetGroupsOutput{TargetGroups: []types.TargetGroup{{TargetGroupName: &name, TargetGroupArn: &name}}, NextMarker: next}, nil
	})
}

func (f *balancers) DescribeTargetHealth(ctx context.Context, in *sdk.DescribeTargetHealthInput, _ ...func(*sdk.Options)) (*sdk.DescribeTargetHealthOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "DescribeTargetHealth", func() (*sdk.DescribeTargetHealthOutput, error) {
		return &sdk.DescribeTargetHealthOutput{TargetHealthDescriptions: make([]types.TargetHealthDescription, len(aws.ToString(in.TargetGroupArn)))}, nil
	})
}

func TestMeasureTargets_CountsAllGroups(t *testing.T) {
	t.Parallel()
	f, r := newBalancers()
	in := BalancerRef{Region: "us-west-2", Balancer: "web"}
	got, err := r.MeasureTargets(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, Registered{Type: "application", Groups: map[string]int{"web": 3, "admin": 5}, Total: 8}, got)
	for _, operation := range []string{"DescribeLoadBalancers", "DescribeTargetGroups", "DescribeTargetHealth"} {
		f.Next(operation, cloudtest.Code("AccessDenied"))
		_, err = r.MeasureTargets(t.Context(), in)
		require.ErrorContains(t, err, "permission elasticloadbalancing:"+operation+" is missing")
	}
}
