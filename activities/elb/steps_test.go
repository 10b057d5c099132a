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

const groupARN = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/web/1"

type fake struct {
	cloudtest.Service
	states []types.TargetHealthStateEnum
}

func newFake(states ...types.TargetHealthStateEnum) (*fake, *Steps) {
	f := &fake{Service: cloudtest.Service{ID: "Elastic Load Balancing v2"}, states: states}
	return f, &Steps{Clients: func(plan.Region) API { return f }}
}

func (f *fake) DescribeTargetGroups(ctx context.Context, in *sdk.DescribeTargetGroupsInput, _ ...func(*sdk.Options)) (*sdk.DescribeTargetGroupsOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "DescribeTargetGroups", func() (*sdk.DescribeTargetGroupsOutput, error) {
		switch in.Names[0] {
		case "web":
			return &sdk.DescribeTargetGroupsOutput{TargetGroups: []types.TargetGroup{{TargetGroupArn: aws.String(groupARN)}}}, nil
		case "empty":
			return &sdk.DescribeTargetGroupsOutput{}, nil
		default:
			return nil, &types.TargetGroupNotFoundException{}
		}
	})
}

func (f *fake) DescribeTargetHealth(ctx context.Context, in *sdk.DescribeTargetHealthInput, _ ...func(*sdk.Options)) (*sdk.DescribeTargetHealthOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "DescribeTargetHealth", func() (*sdk.DescribeTargetHealthOutput, error) {
		if aws.ToString(in.TargetGroupArn) != groupARN {
			return nil, &types.TargetGroupNotFoundException{}
		}
		out := &sdk.DescribeTargetHealthOutput{TargetHealthDescriptions: []types.TargetHealthDescription{{}}}
		for _, s := range f.states {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, types.TargetHealthDescription{TargetHealth: &types.TargetHealth{State: s}})
		}
		return out, nil
	})
}

func TestDescribeTargets_ByNameOrARN(t *testing.T) {
	t.Parallel()
	f, s := newFake("healthy", "healthy", "unhealthy", "initial", "draining", "unavailable")
	for _, group := range []string{"web", groupARN} {
		got, err := s.DescribeTargets(t.Context(), TargetsRef{Region: "us-west-2", TargetGroup: group})
		require.NoError(t, err)
		require.Equal(t, Targets{Healthy: 2, Unhealthy: 2, Total: 7}, got)
	}
	require.Equal(t, 1, f.Count("DescribeTargetGroups"), "an ARN is not looked up")
}

func TestDescribeTargets_NoSuchGroup(t *testing.T) {
	t.Parallel()
	_, s := newFake()
	for _, group := range []string{"other", "empty"} {
		_, err := s.DescribeTargets(t.Context(), TargetsRef{Region: "us-west-2", TargetGroup: group})
		require.Equal(t, cloud.NotFound, cloud.KindOf(err))
	}
}

func TestDescribeTargets_DeniedOrDark(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, s := newFake()
		f.Next("DescribeTargetHealth", cloudtest.Code("AccessDenied"))
		in := TargetsRef{Region: "us-east-1", TargetGroup: "web", Timeout: cloud.SuspectTimeout}
		_, err := s.DescribeTargets(t.Context(), in)
		require.ErrorContains(t, err, "permission elasticloadbalancing:DescribeTargetHealth is missing")
		f.Always("", cloudtest.Hang())
		start := time.Now()
		_, err = s.DescribeTargets(t.Context(), in)
		require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
		require.Equal(t, 2*time.Second, time.Since(start))
	})
}

func TestAwaitTargets_UntilNoneIsUnhealthy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, s := newFake("unhealthy", "initial")
		f.Next("DescribeTargetHealth", cloudtest.Code("Throttling"))
		time.AfterFunc(5*time.Second, func() { f.With(func() { f.states = []types.TargetHealthStateEnum{"healthy", "initial"} }) })
		start := time.Now()
		got, err := s.AwaitTargets(t.Context(), TargetsRef{Region: "us-west-2", TargetGroup: "web"})
		require.NoError(t, err)
		require.Equal(t, 1, got.Healthy)
		require.Equal(t, 6*time.Second, time.Since(start))
	})
}

func TestAwaitTargets_LateIsNotYet_MissingIsFinal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, s := newFake("initial")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := s.AwaitTargets(ctx, TargetsRef{Region: "us-west-2", TargetGroup: "web"})
		require.Equal(t, cloud.NotYet, cloud.KindOf(err))
		require.ErrorContains(t, err, "0 healthy and 0 unhealthy of 2")
		_, err = s.AwaitTargets(t.Context(), TargetsRef{Region: "us-west-2", TargetGroup: "other"})
		require.Equal(t, cloud.NotFound, cloud.KindOf(err))
	})
}
