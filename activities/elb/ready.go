package elb

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// ReadyAPI is what a proof of readiness reads of load balancers.
type ReadyAPI interface {
	DescribeLoadBalancers(context.Context, *sdk.DescribeLoadBalancersInput, ...func(*sdk.Options)) (*sdk.DescribeLoadBalancersOutput, error)
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
	found, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeLoadBalancers, &sdk.DescribeLoadBalancersInput{Names: []string{in.Balancer}})
	if err != nil {
		return Balancer{}, fmt.Errorf("find load balancer %q: %w", in.Balancer, err)
	}
	if len(found.LoadBalancers) == 0 {
		return Balancer{}, cloud.Errorf(cloud.NotFound, "find load balancer %q in %s: it does not exist", in.Balancer, in.Region)
	}
	b := found.LoadBalancers[0]
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
