package elbv2

import (
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awsutil"
	sdk "github.com/aws/aws-sdk-go/service/elbv2"

	"lifeline/local/aws/cloudwatch"
	"lifeline/local/aws/ec2"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Metrics takes what CloudWatch is told. A nil Metrics drops it.
type Metrics interface {
	Put(region string, d cloudwatch.Datum)
}

// Options configure load balancing; the zero value is AWS's behaviour.
type Options struct {
	// Provision is how long a new load balancer is not active yet; 0 = two minutes.
	Provision time.Duration
	Metrics   Metrics
}

// ELB is the service in all Regions.
type ELB struct {
	world     *world.World
	ec2       *ec2.EC2
	provision time.Duration
	metrics   Metrics

	mu        sync.Mutex
	balancers []*balancer
	groups    []*targetGroup
}

// New makes load balancing for the instances of e.
func New(w *world.World, e *ec2.EC2, o Options) *ELB {
	if o.Provision == 0 {
		o.Provision = 2 * time.Minute
	}
	b := &ELB{world: w, ec2: e, provision: o.Provision, metrics: o.Metrics}
	if b.metrics != nil {
		w.Every(time.Minute, b.publish)
	}
	return b
}

// Wire is the service's API.
func (e *ELB) Wire() *wire.Service {
	s := wire.NewService("elasticloadbalancing", sdk.New(wire.V1Session()), wire.Query)
	wire.Handle(s, "CreateLoadBalancer", e.CreateLoadBalancer)
	wire.Handle(s, "DeleteLoadBalancer", e.DeleteLoadBalancer)
	wire.Handle(s, "DescribeLoadBalancers", e.DescribeLoadBalancers)
	wire.Handle(s, "DescribeLoadBalancerAttributes", e.DescribeLoadBalancerAttributes)
	wire.Handle(s, "ModifyLoadBalancerAttributes", e.ModifyLoadBalancerAttributes)
	wire.Handle(s, "SetSecurityGroups", e.SetSecurityGroups)
	wire.Handle(s, "CreateListener", e.CreateListener)
	wire.Handle(s, "ModifyListener", e.ModifyListener)
	wire.Handle(s, "DeleteListener", e.DeleteListener)
	wire.Handle(s, "DescribeListeners", e.DescribeListeners)
	wire.Handle(s, "CreateTargetGroup", e.CreateTargetGroup)
	wire.Handle(s, "ModifyTargetGroup", e.ModifyTargetGroup)
	wire.Handle(s, "DeleteTargetGroup", e.DeleteTargetGroup)
	wire.Handle(s, "DescribeTargetGroups", e.DescribeTargetGroups)
	wire.Handle(s, "DescribeTargetGroupAttributes", e.DescribeTargetGroupAttributes)
	wire.Handle(s, "ModifyTargetGroupAttributes", e.ModifyTargetGroupAttributes)
	wire.Handle(s, "RegisterTargets", e.RegisterTargets)
	wire.Handle(s, "DeregisterTargets", e.DeregisterTargets)
	wire.Handle(s, "DescribeTargetHealth", e.DescribeTargetHealth)
	wire.Handle(s, "AddTags", e.AddTags)
	wire.Handle(s, "RemoveTags", e.RemoveTags)
	wire.Handle(s, "DescribeTags", e.DescribeTags)
	return s
}

func refuse(code, format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, code, format, args...)
}

// needDNS refuses what writes DNS records while their control plane is gone.
func (e *ELB) needDNS(region string) error {
	home := e.world.Home("route53")
	if region != home && !e.world.Reachable(region, home) {
		return wire.Errorf(http.StatusServiceUnavailable, "ServiceUnavailable",
			"The request has failed due to a temporary failure of the server.")
	}
	return nil
}

func clone[T any](v *T) *T {
	out := new(T)
	awsutil.Copy(out, v)
	return out
}

// named gives the balancer with this ARN; e.mu is held.
func (e *ELB) balancer(region string, arn *string) (*balancer, error) {
	for _, b := range e.balancers {
		if b.region == region && *b.api.LoadBalancerArn == aws.StringValue(arn) {
			return b, nil
		}
	}
	return nil, refuse("LoadBalancerNotFound", "Load balancer '%s' not found", aws.StringValue(arn))
}

// group gives the target group with this ARN; e.mu is held.
func (e *ELB) group(region string, arn *string) (*targetGroup, error) {
	for _, g := range e.groups {
		if g.region == region && *g.api.TargetGroupArn == aws.StringValue(arn) {
			return g, nil
		}
	}
	return nil, refuse("TargetGroupNotFound", "Target groups '%s' not found", aws.StringValue(arn))
}

// byName finds a load balancer by its DNS name; e.mu is held.
func (e *ELB) byName(dnsName string) *balancer {
	i := slices.IndexFunc(e.balancers, func(b *balancer) bool { return *b.api.DNSName == dnsName })
	if i < 0 {
		return nil
	}
	return e.balancers[i]
}

// nameTTL is how long an answer for a load balancer's name may be kept.
const nameTTL = 60 * time.Second

// Resolve gives the addresses behind a load balancer's DNS name, without a dot
// at its end, and how long they may be kept. Answers come also while its Region
// is dark: DNS lives elsewhere.
func (e *ELB) Resolve(dnsName string) (addrs []netip.Addr, ttl time.Duration, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	b := e.byName(dnsName)
	if b == nil {
		return nil, 0, false
	}
	return []netip.Addr{b.vip}, nameTTL, true
}

// AliasHealth gives the hosted zone of a load balancer's name and what an alias
// record with EvaluateTargetHealth makes of it (see Healthy).
func (e *ELB) AliasHealth(dnsName string) (zoneID string, healthy, ok bool) {
	e.mu.Lock()
	b := e.byName(dnsName)
	e.mu.Unlock()
	if b == nil {
		return "", false, false
	}
	return hostedZone(b.region), e.Healthy(dnsName), true
}

// Healthy is what an alias record with EvaluateTargetHealth learns: whether the
// load balancer answers and every target group behind it has as many healthy
// targets as it must. A group without targets counts as unhealthy.
func (e *ELB) Healthy(dnsName string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	b := e.byName(dnsName)
	if b == nil || e.world.Dark(b.region) || *b.api.State.Code != sdk.LoadBalancerStateEnumActive {
		return false
	}
	groups := e.groupsOf(b)
	return len(groups) > 0 && !slices.ContainsFunc(groups, func(g *targetGroup) bool {
		return len(e.healthy(g)) < g.minimum("target_group_health.dns_failover.minimum_healthy_targets.count")
	})
}
