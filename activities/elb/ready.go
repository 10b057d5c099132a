package elb

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// ReadyAPI is what a proof of readiness reads of load balancers.
type ReadyAPI interface {
	DescribeLoadBalancers(context.Context, *sdk.DescribeLoadBalancersInput, ...func(*sdk.Options)) (*sdk.DescribeLoadBalancersOutput, error)
	DescribeTargetGroups(context.Context, *sdk.DescribeTargetGroupsInput, ...func(*sdk.Options)) (*sdk.DescribeTargetGroupsOutput, error)
	DescribeTargetHealth(context.Context, *sdk.DescribeTargetHealthInput, ...func(*sdk.Options)) (*sdk.DescribeTargetHealthOutput, error)
	DescribeLoadBalancerAttributes(context.Context, *sdk.DescribeLoadBalancerAttributesInput, ...func(*sdk.Options)) (*sdk.DescribeLoadBalancerAttributesOutput, error)
}

// Ready are the steps of a proof of readiness that no run needs: they only read.
type Ready struct {
	Clients func(plan.Region) ReadyAPI
}

// NewReady makes the steps on AWS.
func NewReady(c *cloud.Clients) *Ready {
	return &Ready{Clients: cloud.PerRegion(c, func(cfg aws.Config) ReadyAPI { return sdk.NewFromConfig(cfg) })}
}

// keepAlive is how long an application load balancer lets a client use one
// connection, in seconds: 60 to 604,800, and 3,600 when nobody has set it (Elastic
// Load Balancing user guide, "HTTP client keepalive duration").
const keepAlive = "client_keep_alive.seconds"

// BalancerRef is one load balancer, by name.
type BalancerRef struct {
	Region   plan.Region   `json:"region"`
	Balancer string        `json:"balancer"`
	Timeout  time.Duration `json:"timeout,omitempty"`
}

// Balancer is a load balancer as clients feel it.
type Balancer struct {
	ARN  string `json:"arn"`
	Type string `json:"type"` // application, network, gateway
	// KeepAlive is how long a client may go on using a connection; zero when AWS
	// names none, as of load balancers that know no HTTP.
	KeepAlive time.Duration `json:"keep_alive"`
}

// DescribeBalancer reads how long a load balancer keeps its clients' connections.
func (r *Ready) DescribeBalancer(ctx context.Context, in BalancerRef) (Balancer, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	b, err := r.find(ctx, at, in.Balancer)
	if err != nil {
		return Balancer{}, err
	}
	out := Balancer{ARN: aws.ToString(b.LoadBalancerArn), Type: string(b.Type)}
	got, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeLoadBalancerAttributes, &sdk.DescribeLoadBalancerAttributesInput{LoadBalancerArn: b.LoadBalancerArn})
	if err != nil {
		return Balancer{}, fmt.Errorf("describe attributes of load balancer %q: %w", in.Balancer, err)
	}
	for _, a := range got.Attributes {
		if aws.ToString(a.Key) != keepAlive {
			continue
		}
		seconds, err := strconv.Atoi(aws.ToString(a.Value))
		if err != nil {
			return Balancer{}, fmt.Errorf("load balancer %q: %s is %q, not a number", in.Balancer, keepAlive, aws.ToString(a.Value))
		}
		out.KeepAlive = time.Duration(seconds) * time.Second
	}
	return out, nil
}

// find is the load balancer of a name.
func (r *Ready) find(ctx context.Context, at cloud.At, name string) (types.LoadBalancer, error) {
	got, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeLoadBalancers, &sdk.DescribeLoadBalancersInput{Names: []string{name}})
	if err != nil {
		return types.LoadBalancer{}, fmt.Errorf("find load balancer %q: %w", name, err)
	}
	if len(got.LoadBalancers) == 0 {
		return types.LoadBalancer{}, cloud.Errorf(cloud.NotFound, "find load balancer %q in %s: it does not exist", name, at.Region)
	}
	return got.LoadBalancers[0], nil
}

// Registered are the targets of a load balancer, healthy or not: all count against
// its quotas.
type Registered struct {
	Type   string         `json:"type"`
	Groups map[string]int `json:"groups"` // by the target group's name
	Total  int            `json:"total"`
}

// MeasureTargets counts the targets of a load balancer's groups.
func (r *Ready) MeasureTargets(ctx context.Context, in BalancerRef) (Registered, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	b, err := r.find(ctx, at, in.Balancer)
	if err != nil {
		return Registered{}, err
	}
	out := Registered{Type: string(b.Type), Groups: map[string]int{}}
	ask := &sdk.DescribeTargetGroupsInput{LoadBalancerArn: b.LoadBalancerArn}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeTargetGroups, ask)
		if err != nil {
			return Registered{}, fmt.Errorf("find target groups of load balancer %q: %w", in.Balancer, err)
		}
		for _, g := range page.TargetGroups {
			name := aws.ToString(g.TargetGroupName)
			got, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeTargetHealth, &sdk.DescribeTargetHealthInput{TargetGroupArn: g.TargetGroupArn})
			if err != nil {
				return Registered{}, fmt.Errorf("count targets of %q: %w", name, err)
			}
			out.Groups[name] = len(got.TargetHealthDescriptions)
			out.Total += len(got.TargetHealthDescriptions)
		}
		if ask.Marker = page.NextMarker; aws.ToString(ask.Marker) == "" {
			return out, nil
		}
	}
}
