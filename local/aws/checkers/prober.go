package checkers

import (
	"context"
	"sync"
	"time"

	"lifeline/local/aws/route53"
)

// prober is one checker's view of one check.
type prober struct {
	fleet  *Fleet
	region string
	cancel context.CancelFunc

	mu    sync.Mutex
	check route53.EndpointCheck

	// Only the prober's own goroutine uses these.
	healthy bool
	streak  int64 // consecutive results that contradict healthy
}

func (p *prober) update(c route53.EndpointCheck) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.check = c
}

func (p *prober) current() route53.EndpointCheck {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.check
}

// run probes at a steady pace: a slow probe doesn't shift those after it.
func (p *prober) run(ctx context.Context, first time.Duration, interval func() time.Duration) {
	next := time.Now().Add(first)
	timer := time.NewTimer(first)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.fleet.world.Done():
			return
		case <-timer.C:
		}
		p.probe(ctx)
		next = next.Add(interval())
		timer.Reset(time.Until(next))
	}
}

// probe does one check and reports. A checker in a dark Region is silent.
func (p *prober) probe(ctx context.Context) {
	if p.fleet.world.Dark(p.region) {
		return
	}
	c := p.current()
	ok, status := p.fleet.examine(ctx, c.Config)
	if ctx.Err() != nil {
		return // stopped in the middle: says nothing about the endpoint
	}
	p.count(ok, *c.Config.FailureThreshold)
	p.fleet.o.Route53.Observe(c.ID, route53.Observation{
		Region: p.region, Address: route53.CheckerAddress(p.region), Healthy: p.healthy,
		Status: status, Failed: !ok, At: p.fleet.world.Now(),
	})
}

// count changes the checker's mind after threshold results in a row against it,
// in either direction.
func (p *prober) count(ok bool, threshold int64) {
	if ok == p.healthy {
		p.streak = 0
		return
	}
	p.streak++
	if p.streak >= threshold {
		p.healthy, p.streak = ok, 0
	}
}
