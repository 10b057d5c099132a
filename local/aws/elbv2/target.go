package elbv2

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/elbv2"

	"lifeline/local/aws/wire"
)

// target is a registered instance and port.
type target struct {
	id        string
	port      int64
	health    sdk.TargetHealth // as the checks found it
	good, bad int64            // checks in a row
	draining  bool
	inFlight  int
	transport *http.Transport // connections that are kept for the next request
}

func initial() sdk.TargetHealth {
	return sdk.TargetHealth{
		State: aws.String(sdk.TargetHealthStateEnumInitial), Reason: aws.String(sdk.TargetHealthReasonEnumElbInitialHealthChecking),
		Description: aws.String("Initial health checks in progress"),
	}
}

// RegisterTargets adds running instances to a group; one that is draining comes back.
func (e *ELB) RegisterTargets(c *wire.Call, in *sdk.RegisterTargetsInput) (*sdk.RegisterTargetsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(c.Region, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	for _, t := range in.Targets {
		p, ok := e.ec2.Placement(c.Region, *t.Id)
		switch {
		case !ok:
			return nil, refuse("InvalidTarget", "The following targets are not valid instances: '%s'", *t.Id)
		case p.State != "running":
			return nil, refuse("InvalidTarget", "The following targets are not in a running state and cannot be registered: '%s'", *t.Id)
		case p.VPC != *g.api.VpcId:
			return nil, refuse("InvalidTarget", "The following targets are not in the target group VPC '%s': '%s'", *g.api.VpcId, *t.Id)
		}
	}
	for _, t := range in.Targets {
		port := *orDefault(t.Port, *g.api.Port)
		if old := g.find(*t.Id, port); old != nil {
			if old.draining {
				old.draining, old.health, old.good, old.bad = false, initial(), 0, 0
			}
			continue
		}
		added := &target{id: *t.Id, port: port, health: initial()}
		added.transport = e.transport(g, added)
		g.targets = append(g.targets, added)
		e.world.After(0, func() { e.check(g, added) })
	}
	return nil, nil
}

func (g *targetGroup) find(id string, port int64) *target {
	i := slices.IndexFunc(g.targets, func(t *target) bool { return t.id == id && t.port == port })
	if i < 0 {
		return nil
	}
	return g.targets[i]
}

// asked are the targets that a description means: without a port, all ports of
// the instance.
func (g *targetGroup) asked(d *sdk.TargetDescription) []*target {
	var out []*target
	for _, t := range g.targets {
		if t.id == aws.StringValue(d.Id) && (d.Port == nil || *d.Port == t.port) {
			out = append(out, t)
		}
	}
	return out
}

// DeregisterTargets drains targets: no new requests, and gone as soon as the
// last one in flight has ended or the delay is over.
func (e *ELB) DeregisterTargets(c *wire.Call, in *sdk.DeregisterTargetsInput) (*sdk.DeregisterTargetsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(c.Region, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	for _, d := range in.Targets {
		for _, t := range g.asked(d) {
			if t.draining {
				continue
			}
			t.draining = true
			e.world.After(g.attributes.seconds("deregistration_delay.timeout_seconds"), func() { e.dropDrained(g, t, true) })
			e.dropDrainedLocked(g, t, false)
		}
	}
	return nil, nil
}

func (e *ELB) dropDrained(g *targetGroup, t *target, late bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dropDrainedLocked(g, t, late)
}

func (e *ELB) dropDrainedLocked(g *targetGroup, t *target, late bool) {
	if t.draining && (late || t.inFlight == 0) {
		g.targets = slices.DeleteFunc(g.targets, func(o *target) bool { return o == t })
		t.transport.CloseIdleConnections()
	}
}

// healthy are the targets that take requests because their checks pass; e.mu is held.
func (e *ELB) healthy(g *targetGroup) []*target {
	return slices.DeleteFunc(slices.Clone(g.targets), func(t *target) bool {
		return *e.judge(g, t).State != sdk.TargetHealthStateEnumHealthy
	})
}

// judge is the health of a target as AWS describes it; e.mu is held.
func (e *ELB) judge(g *targetGroup, t *target) *sdk.TargetHealth {
	say := func(state, reason, description string) *sdk.TargetHealth {
		return &sdk.TargetHealth{State: aws.String(state), Reason: aws.String(reason), Description: aws.String(description)}
	}
	if t.draining {
		return say(sdk.TargetHealthStateEnumDraining, sdk.TargetHealthReasonEnumTargetDeregistrationInProgress, "Target deregistration is in progress")
	}
	balancers := e.balancersOf(g)
	if len(balancers) == 0 {
		return say(sdk.TargetHealthStateEnumUnused, sdk.TargetHealthReasonEnumTargetNotInUse, "Target group is not configured to receive traffic from the load balancer")
	}
	p, ok := e.ec2.Placement(g.region, t.id)
	if !ok || p.State != "running" {
		return say(sdk.TargetHealthStateEnumUnused, sdk.TargetHealthReasonEnumTargetInvalidState, "Target is in the stopped state")
	}
	inZone := slices.ContainsFunc(balancers, func(b *balancer) bool {
		return slices.ContainsFunc(b.api.AvailabilityZones, func(z *sdk.AvailabilityZone) bool { return *z.ZoneName == p.Zone })
	})
	if !inZone {
		return say(sdk.TargetHealthStateEnumUnused, sdk.TargetHealthReasonEnumTargetNotInUse, "Target is in an Availability Zone that is not enabled for the load balancer")
	}
	return clone(&t.health)
}

// DescribeTargetHealth tells what the checks of a group's targets found.
func (e *ELB) DescribeTargetHealth(c *wire.Call, in *sdk.DescribeTargetHealthInput) (*sdk.DescribeTargetHealthOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(c.Region, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeTargetHealthOutput{}
	describe := func(t *target) {
		port := strconv.FormatInt(g.checkPort(t), 10)
		out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, &sdk.TargetHealthDescription{
			Target:          &sdk.TargetDescription{Id: aws.String(t.id), Port: aws.Int64(t.port)},
			HealthCheckPort: aws.String(port), TargetHealth: e.judge(g, t),
		})
	}
	if len(in.Targets) == 0 {
		for _, t := range g.targets {
			describe(t)
		}
	}
	for _, d := range in.Targets {
		found := g.asked(d)
		for _, t := range found {
			describe(t)
		}
		if len(found) == 0 {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, &sdk.TargetHealthDescription{
				Target: clone(d), TargetHealth: &sdk.TargetHealth{
					State: aws.String(sdk.TargetHealthStateEnumUnused), Reason: aws.String(sdk.TargetHealthReasonEnumTargetNotRegistered),
					Description: aws.String("Target is not registered to the target group"),
				},
			})
		}
	}
	return out, nil
}

// State is the state of a target as DescribeTargetHealth tells it, for the
// services of the same account that ask all the time; "" when not registered.
func (e *ELB) State(region, groupARN, instance string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(region, &groupARN)
	if err != nil {
		return ""
	}
	found := g.asked(&sdk.TargetDescription{Id: &instance})
	if len(found) == 0 {
		return ""
	}
	return *e.judge(g, found[0]).State
}
