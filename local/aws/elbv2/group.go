package elbv2

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/elbv2"

	"lifeline/local/aws/wire"
)

// targetGroup is a target group with its targets.
type targetGroup struct {
	api        *sdk.TargetGroup
	region     string
	attributes attributes
	tags       []*sdk.Tag
	targets    []*target
	turn       int // round robin
}

// minimum reads an attribute that is a count or "off".
func (g *targetGroup) minimum(key string) int {
	n, err := strconv.Atoi(g.attributes[key])
	if err != nil {
		return 0
	}
	return n
}

// groupsOf are the target groups that a load balancer forwards to; e.mu is held.
func (e *ELB) groupsOf(b *balancer) []*targetGroup {
	var out []*targetGroup
	for _, l := range b.listeners {
		for _, arn := range l.forwards() {
			if g, err := e.group(b.region, &arn); err == nil && !slices.Contains(out, g) {
				out = append(out, g)
			}
		}
	}
	return out
}

// balancersOf are the load balancers that forward to a group; e.mu is held.
func (e *ELB) balancersOf(g *targetGroup) []*balancer {
	return slices.DeleteFunc(slices.Clone(e.balancers), func(b *balancer) bool {
		return !slices.Contains(e.groupsOf(b), g)
	})
}

func (e *ELB) describeGroup(g *targetGroup) *sdk.TargetGroup {
	out := clone(g.api)
	for _, b := range e.balancersOf(g) {
		out.LoadBalancerArns = append(out.LoadBalancerArns, aws.String(*b.api.LoadBalancerArn))
	}
	return out
}

// CreateTargetGroup makes a group of instances. Asked again with the same
// settings it gives the one that exists.
func (e *ELB) CreateTargetGroup(c *wire.Call, in *sdk.CreateTargetGroupInput) (*sdk.CreateTargetGroupOutput, error) {
	api := &sdk.TargetGroup{
		TargetGroupName: in.Name, Protocol: in.Protocol, Port: in.Port, VpcId: in.VpcId,
		TargetType:                 orDefault(in.TargetType, sdk.TargetTypeEnumInstance),
		ProtocolVersion:            orDefault(in.ProtocolVersion, "HTTP1"),
		IpAddressType:              aws.String("ipv4"),
		HealthCheckEnabled:         aws.Bool(true),
		HealthCheckPath:            orDefault(in.HealthCheckPath, "/"),
		HealthCheckPort:            orDefault(in.HealthCheckPort, "traffic-port"),
		HealthCheckProtocol:        orDefault(in.HealthCheckProtocol, "HTTP"),
		HealthCheckIntervalSeconds: orDefault(in.HealthCheckIntervalSeconds, 30),
		HealthCheckTimeoutSeconds:  orDefault(in.HealthCheckTimeoutSeconds, 5),
		HealthyThresholdCount:      orDefault(in.HealthyThresholdCount, 5),
		UnhealthyThresholdCount:    orDefault(in.UnhealthyThresholdCount, 2),
		Matcher:                    in.Matcher,
	}
	if api.Matcher == nil || api.Matcher.HttpCode == nil {
		api.Matcher = &sdk.Matcher{HttpCode: aws.String("200")}
	}
	if err := checkGroup(api); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, g := range e.groups {
		if g.region == c.Region && *g.api.TargetGroupName == *in.Name {
			if !sameGroup(g.api, api) {
				return nil, refuse("DuplicateTargetGroupName", "A target group with the same name '%s' exists, but with different settings", *in.Name)
			}
			return &sdk.CreateTargetGroupOutput{TargetGroups: []*sdk.TargetGroup{e.describeGroup(g)}}, nil
		}
	}
	api = clone(api)
	api.TargetGroupArn = e.arn(c.Region, "targetgroup/"+*in.Name+"/"+e.hexID())
	g := &targetGroup{api: api, region: c.Region, attributes: groupDefaults(), tags: in.Tags}
	e.groups = append(e.groups, g)
	e.watch(g)
	return &sdk.CreateTargetGroupOutput{TargetGroups: []*sdk.TargetGroup{e.describeGroup(g)}}, nil
}

func orDefault[T any](v *T, otherwise T) *T {
	if v == nil {
		return &otherwise
	}
	return v
}

func checkGroup(g *sdk.TargetGroup) error {
	name := aws.StringValue(g.TargetGroupName)
	switch {
	case !regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?$`).MatchString(name):
		return refuse("ValidationError", "Target group name '%s' can only contain characters that are alphanumeric characters or hyphens(-), and cannot be longer than '32' characters", name)
	case *g.TargetType != sdk.TargetTypeEnumInstance:
		return refuse("ValidationError", "Targets of type '%s' are not simulated", *g.TargetType)
	case aws.StringValue(g.Protocol) != sdk.ProtocolEnumHttp || *g.HealthCheckProtocol != sdk.ProtocolEnumHttp:
		return refuse("ValidationError", "Only the protocol 'HTTP' is simulated for targets")
	case g.Port == nil:
		return refuse("ValidationError", "A port must be specified")
	case g.VpcId == nil:
		return refuse("ValidationError", "A VPC ID must be specified")
	}
	return checkHealthSettings(g)
}

func checkHealthSettings(g *sdk.TargetGroup) error {
	switch {
	case *g.HealthCheckIntervalSeconds < 5 || *g.HealthCheckIntervalSeconds > 300:
		return refuse("ValidationError", "Health check interval must be between 5 and 300 seconds")
	case *g.HealthCheckTimeoutSeconds < 2 || *g.HealthCheckTimeoutSeconds > 120:
		return refuse("ValidationError", "Health check timeout must be between 2 and 120 seconds")
	case *g.HealthCheckTimeoutSeconds >= *g.HealthCheckIntervalSeconds:
		return refuse("ValidationError", "Health check timeout '%d' must be smaller than the interval '%d'", *g.HealthCheckTimeoutSeconds, *g.HealthCheckIntervalSeconds)
	case *g.HealthyThresholdCount < 2 || *g.HealthyThresholdCount > 10 || *g.UnhealthyThresholdCount < 2 || *g.UnhealthyThresholdCount > 10:
		return refuse("ValidationError", "Health check thresholds must be between 2 and 10")
	case !strings.HasPrefix(*g.HealthCheckPath, "/"):
		return refuse("ValidationError", "Health check path '%s' must begin with a '/' character", *g.HealthCheckPath)
	}
	if _, err := parseMatcher(aws.StringValue(g.Matcher.HttpCode)); err != nil {
		return refuse("ValidationError", "%v", err)
	}
	return nil
}

// codes are the HTTP status codes that mean healthy.
type codes [][2]int

func (c codes) contain(status int) bool {
	return slices.ContainsFunc(c, func(r [2]int) bool { return status >= r[0] && status <= r[1] })
}

// parseMatcher reads "200", "200,202" and "200-299".
func parseMatcher(s string) (codes, error) {
	var out codes
	for part := range strings.SplitSeq(s, ",") {
		from, to, ranged := strings.Cut(part, "-")
		if !ranged {
			to = from
		}
		low, err := strconv.Atoi(from)
		high, err2 := strconv.Atoi(to)
		if cmp.Or(err, err2) != nil || low < 200 || high > 499 || high < low {
			return nil, fmt.Errorf("health check matcher HTTP code %q is not valid", s)
		}
		out = append(out, [2]int{low, high})
	}
	return out, nil
}

func sameGroup(a, b *sdk.TargetGroup) bool {
	return *a.Port == *b.Port && *a.VpcId == *b.VpcId && *a.Protocol == *b.Protocol &&
		*a.HealthCheckPath == *b.HealthCheckPath && *a.HealthCheckIntervalSeconds == *b.HealthCheckIntervalSeconds &&
		*a.HealthyThresholdCount == *b.HealthyThresholdCount && *a.UnhealthyThresholdCount == *b.UnhealthyThresholdCount
}

// ModifyTargetGroup changes the health check.
func (e *ELB) ModifyTargetGroup(c *wire.Call, in *sdk.ModifyTargetGroupInput) (*sdk.ModifyTargetGroupOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(c.Region, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	next := clone(g.api)
	next.HealthCheckPath = orDefault(in.HealthCheckPath, *next.HealthCheckPath)
	next.HealthCheckPort = orDefault(in.HealthCheckPort, *next.HealthCheckPort)
	next.HealthCheckIntervalSeconds = orDefault(in.HealthCheckIntervalSeconds, *next.HealthCheckIntervalSeconds)
	next.HealthCheckTimeoutSeconds = orDefault(in.HealthCheckTimeoutSeconds, *next.HealthCheckTimeoutSeconds)
	next.HealthyThresholdCount = orDefault(in.HealthyThresholdCount, *next.HealthyThresholdCount)
	next.UnhealthyThresholdCount = orDefault(in.UnhealthyThresholdCount, *next.UnhealthyThresholdCount)
	if in.Matcher != nil && in.Matcher.HttpCode != nil {
		next.Matcher = clone(in.Matcher)
	}
	if err := checkHealthSettings(next); err != nil {
		return nil, err
	}
	g.api = next
	return &sdk.ModifyTargetGroupOutput{TargetGroups: []*sdk.TargetGroup{e.describeGroup(g)}}, nil
}

// DeleteTargetGroup removes a group that no listener forwards to.
func (e *ELB) DeleteTargetGroup(c *wire.Call, in *sdk.DeleteTargetGroupInput) (*sdk.DeleteTargetGroupOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(c.Region, in.TargetGroupArn)
	if err != nil {
		return nil, nil // AWS answers success for one that is gone
	}
	if len(e.balancersOf(g)) > 0 {
		return nil, refuse("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", *g.api.TargetGroupArn)
	}
	e.groups = slices.DeleteFunc(e.groups, func(o *targetGroup) bool { return o == g })
	return nil, nil
}

// DescribeTargetGroups lists target groups.
func (e *ELB) DescribeTargetGroups(c *wire.Call, in *sdk.DescribeTargetGroupsInput) (*sdk.DescribeTargetGroupsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	groups := e.groups
	if in.LoadBalancerArn != nil {
		b, err := e.balancer(c.Region, in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		groups = e.groupsOf(b)
	}
	var found []*sdk.TargetGroup
	for _, g := range groups {
		if g.region == c.Region {
			found = append(found, e.describeGroup(g))
		}
	}
	found, err := pickNamed(found, in.Names, func(g *sdk.TargetGroup) *string { return g.TargetGroupName }, "TargetGroupNotFound", "Target groups")
	if err != nil {
		return nil, err
	}
	found, err = pickNamed(found, in.TargetGroupArns, func(g *sdk.TargetGroup) *string { return g.TargetGroupArn }, "TargetGroupNotFound", "Target groups")
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.PageSize, in.Marker)
	return &sdk.DescribeTargetGroupsOutput{TargetGroups: found, NextMarker: next}, err
}
