package elbv2

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/elbv2"
)

// patience is the shortest time-out in wall time. A time-out of AWS divided by a
// large compression would measure how busy this machine is.
const patience = 200 * time.Millisecond

// timeout turns a time-out of AWS into wall time.
func (e *ELB) timeout(d time.Duration) time.Duration { return max(e.world.Wall(d), patience) }

// checkPort is the port that the health check asks.
func (g *targetGroup) checkPort(t *target) int64 {
	if n, err := strconv.ParseInt(*g.api.HealthCheckPort, 10, 64); err == nil {
		return n
	}
	return t.port
}

// watch checks the targets of a group again and again until the group is deleted.
func (e *ELB) watch(g *targetGroup) {
	e.world.After(time.Duration(*g.api.HealthCheckIntervalSeconds)*time.Second, func() {
		e.mu.Lock()
		exists, targets := slices.Contains(e.groups, g), slices.Clone(g.targets)
		if exists {
			e.watch(g)
		}
		e.mu.Unlock()
		if exists {
			for _, t := range targets {
				e.world.After(0, func() { e.check(g, t) })
			}
		}
	})
}

// probe is one health check, taken out of the lock.
type probe struct {
	url     string
	timeout time.Duration
	matcher codes
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
}

// check asks one target how it is.
func (e *ELB) check(g *targetGroup, t *target) {
	p, ok := e.probeOf(g, t)
	if !ok {
		return
	}
	reason, description := p.run()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.note(g, t, reason, description)
}

func (e *ELB) probeOf(g *targetGroup, t *target) (probe, bool) {
	e.mu.Lock()
	balancers, registered := e.balancersOf(g), slices.Contains(g.targets, t)
	api := clone(g.api)
	port := int(g.checkPort(t))
	e.mu.Unlock()
	place, running := e.ec2.Placement(g.region, t.id)
	if !running && registered {
		e.forget(g, t)
	}
	if !registered || !running || len(balancers) == 0 || place.State != "running" {
		return probe{}, false
	}
	matcher, err := parseMatcher(*api.Matcher.HttpCode)
	if err != nil {
		return probe{}, false // checkHealthSettings has refused it before
	}
	return probe{
		url:     fmt.Sprintf("http://%s%s", net.JoinHostPort(place.Address.String(), strconv.Itoa(port)), *api.HealthCheckPath),
		timeout: e.timeout(time.Duration(*api.HealthCheckTimeoutSeconds) * time.Second), matcher: matcher,
		dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return e.ec2.Dial(ctx, e.sourceFor(balancers[0], place.Subnet, port), t.id, port)
		},
	}, true
}

// forget drops a target whose instance was terminated.
func (e *ELB) forget(g *targetGroup, t *target) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g.targets = slices.DeleteFunc(g.targets, func(o *target) bool { return o == t })
	t.transport.CloseIdleConnections()
}

// run gives the reason and the description of a failure, or "" for success.
func (p probe) run() (reason, description string) {
	ctx, cancel := context.WithTimeout(context.Background(), p.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, http.NoBody)
	if err != nil {
		return sdk.TargetHealthReasonEnumTargetFailedHealthChecks, "Health checks failed"
	}
	req.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	transport := &http.Transport{DialContext: p.dial, DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if ctx.Err() != nil {
		return sdk.TargetHealthReasonEnumTargetTimeout, "Request timed out"
	}
	if err != nil {
		return sdk.TargetHealthReasonEnumTargetFailedHealthChecks, "Health checks failed"
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)); err != nil {
		return sdk.TargetHealthReasonEnumTargetTimeout, "Request timed out"
	}
	if !p.matcher.contain(resp.StatusCode) {
		return sdk.TargetHealthReasonEnumTargetResponseCodeMismatch, fmt.Sprintf("Health checks failed with these codes: [%d]", resp.StatusCode)
	}
	return "", ""
}

// note counts a check. A new target needs one success to be healthy, one that
// was unhealthy needs the threshold; e.mu is held.
func (e *ELB) note(g *targetGroup, t *target, reason, description string) {
	if reason == "" {
		t.good, t.bad = t.good+1, 0
		if *t.health.State == sdk.TargetHealthStateEnumInitial || t.good >= *g.api.HealthyThresholdCount {
			t.health = sdk.TargetHealth{State: aws.String(sdk.TargetHealthStateEnumHealthy)}
		}
		return
	}
	t.good, t.bad = 0, t.bad+1
	if t.bad >= *g.api.UnhealthyThresholdCount {
		t.health = sdk.TargetHealth{
			State: aws.String(sdk.TargetHealthStateEnumUnhealthy), Reason: aws.String(reason), Description: aws.String(description),
		}
	}
}
