package elb

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// API is every operation of this package: its part of the IAM policy.
type API interface {
	DescribeTargetGroups(context.Context, *sdk.DescribeTargetGroupsInput, ...func(*sdk.Options)) (*sdk.DescribeTargetGroupsOutput, error)
	DescribeTargetHealth(context.Context, *sdk.DescribeTargetHealthInput, ...func(*sdk.Options)) (*sdk.DescribeTargetHealthOutput, error)
}

// Steps are the activities of this package.
type Steps struct {
	Clients func(plan.Region) API
}

// New makes the steps on AWS.
func New(c *cloud.Clients) *Steps {
	return &Steps{Clients: cloud.PerRegion(c, func(cfg aws.Config) API { return sdk.NewFromConfig(cfg) })}
}

// DescribeTargets counts a target group's targets by health.
func (s *Steps) DescribeTargets(ctx context.Context, in TargetsRef) (Targets, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	group, err := s.arn(ctx, at, in.TargetGroup)
	if err != nil {
		return Targets{}, err
	}
	out, err := cloud.Call(ctx, at, s.Clients(in.Region).DescribeTargetHealth,
		&sdk.DescribeTargetHealthInput{TargetGroupArn: aws.String(group)})
	if err != nil {
		return Targets{}, fmt.Errorf("describe targets of %q: %w", in.TargetGroup, err)
	}
	t := Targets{Total: len(out.TargetHealthDescriptions)}
	for _, d := range out.TargetHealthDescriptions {
		if d.TargetHealth == nil {
			continue
		}
		switch d.TargetHealth.State {
		case types.TargetHealthStateEnumHealthy:
			t.Healthy++
		case types.TargetHealthStateEnumUnhealthy, types.TargetHealthStateEnumUnhealthyDraining, types.TargetHealthStateEnumUnavailable:
			t.Unhealthy++
		case types.TargetHealthStateEnumInitial, types.TargetHealthStateEnumUnused, types.TargetHealthStateEnumDraining:
		}
	}
	return t, nil
}

// arn is the target group's ARN: plans name it as people do, health is asked by ARN.
func (s *Steps) arn(ctx context.Context, at cloud.At, group string) (string, error) {
	if strings.HasPrefix(group, "arn:") {
		return group, nil
	}
	out, err := cloud.Call(ctx, at, s.Clients(at.Region).DescribeTargetGroups, &sdk.DescribeTargetGroupsInput{Names: []string{group}})
	if err != nil {
		return "", fmt.Errorf("find target group %q: %w", group, err)
	}
	if len(out.TargetGroups) == 0 {
		return "", cloud.Errorf(cloud.NotFound, "find target group %q in %s: it does not exist", group, at.Region)
	}
	return aws.ToString(out.TargetGroups[0].TargetGroupArn), nil
}
