package elb

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// SetupAPI is what setup calls of load balancers: it only looks.
type SetupAPI interface {
	DescribeLoadBalancers(context.Context, *sdk.DescribeLoadBalancersInput, ...func(*sdk.Options)) (*sdk.DescribeLoadBalancersOutput, error)
	DescribeTargetGroups(context.Context, *sdk.DescribeTargetGroupsInput, ...func(*sdk.Options)) (*sdk.DescribeTargetGroupsOutput, error)
}

// kept is what the keepers share.
type kept struct {
	clients func(plan.Region) SetupAPI
}

// Keepers look at load balancers and target groups, so that records and alarms can
// refer to them.
func Keepers(c *cloud.Clients) []keep.Keeper {
	k := kept{cloud.PerRegion(c, func(cfg aws.Config) SetupAPI { return sdk.NewFromConfig(cfg) })}
	return []keep.Keeper{
		{Type: "load-balancer", Read: k.readBalancers},
		{Type: "target-group", Read: k.readTargetGroups},
	}
}

// readBalancers goes through all load balancers of a Region: asked for by name,
// one that is missing makes AWS refuse the whole call.
func (k kept) readBalancers(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found := map[string]map[string]string{}
	in := &sdk.DescribeLoadBalancersInput{}
	for {
		page, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeLoadBalancers, in)
		if err != nil {
			return nil, err
		}
		for _, b := range page.LoadBalancers {
			found[aws.ToString(b.LoadBalancerName)] = map[string]string{
				"arn": aws.ToString(b.LoadBalancerArn), "dns": strings.ToLower(aws.ToString(b.DNSName)), "zone": aws.ToString(b.CanonicalHostedZoneId),
			}
		}
		if aws.ToString(page.NextMarker) == "" {
			break
		}
		in.Marker = page.NextMarker
	}
	out := make([]runbook.ItemState, len(items))
	for i, item := range items {
		out[i] = runbook.ItemState{ID: item.ID(), Found: found[item.Name] != nil, Out: found[item.Name]}
	}
	return out, nil
}

// readTargetGroups gives what CloudWatch calls a target group and its load balancer
// in dimensions: the ends of their ARNs.
func (k kept) readTargetGroups(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found := map[string]map[string]string{}
	in := &sdk.DescribeTargetGroupsInput{}
	for {
		page, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeTargetGroups, in)
		if err != nil {
			return nil, err
		}
		for _, g := range page.TargetGroups {
			arn := aws.ToString(g.TargetGroupArn)
			out := map[string]string{"arn": arn, "dimension": arn[strings.LastIndex(arn, ":")+1:]}
			for _, balancer := range g.LoadBalancerArns {
				_, out["load-balancer"], _ = strings.Cut(balancer, ":loadbalancer/")
			}
			found[aws.ToString(g.TargetGroupName)] = out
		}
		if aws.ToString(page.NextMarker) == "" {
			break
		}
		in.Marker = page.NextMarker
	}
	out := make([]runbook.ItemState, len(items))
	for i, item := range items {
		out[i] = runbook.ItemState{ID: item.ID(), Found: found[item.Name] != nil, Out: found[item.Name]}
	}
	return out, nil
}
