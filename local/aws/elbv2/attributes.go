package elbv2

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/elbv2"

	"lifeline/local/aws/wire"
)

// attributes are the settings of a load balancer or a target group by key.
type attributes map[string]string

// seconds reads an attribute that is a number of seconds.
func (a attributes) seconds(key string) time.Duration {
	n, err := strconv.Atoi(a[key])
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

func balancerDefaults() attributes {
	return attributes{
		"deletion_protection.enabled":                     "false",
		"idle_timeout.timeout_seconds":                    "60",
		"client_keep_alive.seconds":                       "3600",
		"access_logs.s3.enabled":                          "false",
		"access_logs.s3.bucket":                           "",
		"access_logs.s3.prefix":                           "",
		"load_balancing.cross_zone.enabled":               "true",
		"routing.http2.enabled":                           "true",
		"routing.http.drop_invalid_header_fields.enabled": "false",
		"routing.http.desync_mitigation_mode":             "defensive",
		"routing.http.preserve_host_header.enabled":       "false",
		"routing.http.xff_header_processing.mode":         "append",
		"waf.fail_open.enabled":                           "false",
		"zonal_shift.config.enabled":                      "false",
	}
}

func groupDefaults() attributes {
	return attributes{
		"deregistration_delay.timeout_seconds":                                           "300",
		"slow_start.duration_seconds":                                                    "0",
		"stickiness.enabled":                                                             "false",
		"stickiness.type":                                                                "lb_cookie",
		"load_balancing.algorithm.type":                                                  "round_robin",
		"load_balancing.cross_zone.enabled":                                              "use_load_balancer_configuration",
		"target_group_health.dns_failover.minimum_healthy_targets.count":                 "1",
		"target_group_health.dns_failover.minimum_healthy_targets.percentage":            "off",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count":      "1",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
	}
}

// DescribeLoadBalancerAttributes tells the settings of a load balancer.
func (e *ELB) DescribeLoadBalancerAttributes(c *wire.Call, in *sdk.DescribeLoadBalancerAttributesInput) (*sdk.DescribeLoadBalancerAttributesOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	b, err := e.balancer(c.Region, in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeLoadBalancerAttributesOutput{Attributes: balancerAttributes(b)}, nil
}

// bounds are what AWS lets a load balancer's settings that are seconds be.
func bounds() map[string][2]int {
	return map[string][2]int{"idle_timeout.timeout_seconds": {1, 4000}, "client_keep_alive.seconds": {60, 604_800}}
}

// checkAttribute refuses seconds outside what AWS allows.
func checkAttribute(key, value string) error {
	allowed, bounded := bounds()[key]
	if !bounded {
		return nil
	}
	if n, err := strconv.Atoi(value); err != nil || n < allowed[0] || n > allowed[1] {
		return refuse("InvalidConfigurationRequest", "The value of '%s' must be between %d and %d inclusive", key, allowed[0], allowed[1])
	}
	return nil
}

// ModifyLoadBalancerAttributes changes settings of a load balancer, or none when
// one of the keys is unknown or a value out of bounds.
func (e *ELB) ModifyLoadBalancerAttributes(c *wire.Call, in *sdk.ModifyLoadBalancerAttributesInput) (*sdk.ModifyLoadBalancerAttributesOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	b, err := e.balancer(c.Region, in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	next := maps.Clone(b.attributes)
	for _, a := range in.Attributes {
		if _, known := next[aws.StringValue(a.Key)]; !known {
			return nil, refuse("InvalidConfigurationRequest", "Load balancer attribute key '%s' is not recognized", aws.StringValue(a.Key))
		}
		if err := checkAttribute(*a.Key, aws.StringValue(a.Value)); err != nil {
			return nil, err
		}
		next[*a.Key] = aws.StringValue(a.Value)
	}
	b.attributes = next
	return &sdk.ModifyLoadBalancerAttributesOutput{Attributes: balancerAttributes(b)}, nil
}

func balancerAttributes(b *balancer) []*sdk.LoadBalancerAttribute {
	var out []*sdk.LoadBalancerAttribute
	for _, key := range slices.Sorted(maps.Keys(b.attributes)) {
		out = append(out, &sdk.LoadBalancerAttribute{Key: aws.String(key), Value: aws.String(b.attributes[key])})
	}
	return out
}

// DescribeTargetGroupAttributes tells the settings of a target group.
func (e *ELB) DescribeTargetGroupAttributes(c *wire.Call, in *sdk.DescribeTargetGroupAttributesInput) (*sdk.DescribeTargetGroupAttributesOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(c.Region, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeTargetGroupAttributesOutput{Attributes: groupAttributes(g)}, nil
}

// ModifyTargetGroupAttributes changes settings of a target group, or none when
// one of the keys is unknown.
func (e *ELB) ModifyTargetGroupAttributes(c *wire.Call, in *sdk.ModifyTargetGroupAttributesInput) (*sdk.ModifyTargetGroupAttributesOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(c.Region, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	next := maps.Clone(g.attributes)
	for _, a := range in.Attributes {
		if _, known := next[aws.StringValue(a.Key)]; !known {
			return nil, refuse("InvalidConfigurationRequest", "Target group attribute key '%s' is not recognized", aws.StringValue(a.Key))
		}
		next[*a.Key] = aws.StringValue(a.Value)
	}
	g.attributes = next
	return &sdk.ModifyTargetGroupAttributesOutput{Attributes: groupAttributes(g)}, nil
}

func groupAttributes(g *targetGroup) []*sdk.TargetGroupAttribute {
	var out []*sdk.TargetGroupAttribute
	for _, key := range slices.Sorted(maps.Keys(g.attributes)) {
		out = append(out, &sdk.TargetGroupAttribute{Key: aws.String(key), Value: aws.String(g.attributes[key])})
	}
	return out
}
