package autoscaling

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// ReadyAPI is what a proof of readiness reads of groups.
type ReadyAPI interface {
	DescribeAutoScalingGroups(context.Context, *sdk.DescribeAutoScalingGroupsInput, ...func(*sdk.Options)) (*sdk.DescribeAutoScalingGroupsOutput, error)
}

// Ready are the steps of a proof of readiness that no run needs: they only read.
type Ready struct {
	Clients func(plan.Region) ReadyAPI
}

// NewReady makes the steps on AWS.
func NewReady(c *cloud.Clients) *Ready {
	return &Ready{Clients: cloud.PerRegion(c, func(cfg aws.Config) ReadyAPI { return sdk.NewFromConfig(cfg) })}
}

// Fleet is a group with what it launches.
type Fleet struct {
	Group
	Types []string `json:"types,omitempty"` // of the instances that it has, each once
	// Template is the launch template's id, empty for a group without one.
	Template string `json:"template,omitempty"`
	Version  string `json:"version,omitempty"` // a number, $Default or $Latest
}

// DescribeFleet reads a group's sizes and what it launches.
func (r *Ready) DescribeFleet(ctx context.Context, in GroupRef) (Fleet, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	out, err := cloud.Call(ctx, at, r.Clients(in.Region).DescribeAutoScalingGroups, &sdk.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{in.Group}})
	if err != nil {
		return Fleet{}, fmt.Errorf("describe auto scaling group %q: %w", in.Group, err)
	}
	if len(out.AutoScalingGroups) == 0 {
		return Fleet{}, cloud.Errorf(cloud.NotFound, "describe auto scaling group %q in %s: it does not exist", in.Group, in.Region)
	}
	g := out.AutoScalingGroups[0]
	fleet := Fleet{Group: read(g).Group}
	for _, i := range g.Instances {
		if t := aws.ToString(i.InstanceType); t != "" && !slices.Contains(fleet.Types, t) {
			fleet.Types = append(fleet.Types, t)
		}
	}
	slices.Sort(fleet.Types)
	if t := templateOf(g); t != nil {
		fleet.Template, fleet.Version = aws.ToString(t.LaunchTemplateId), aws.ToString(t.Version)
	}
	return fleet, nil
}

// templateOf is what a group launches from, also when it mixes types.
func templateOf(g types.AutoScalingGroup) *types.LaunchTemplateSpecification {
	if m := g.MixedInstancesPolicy; m != nil && m.LaunchTemplate != nil {
		return m.LaunchTemplate.LaunchTemplateSpecification
	}
	return g.LaunchTemplate
}
