package checkers

import (
	"context"
	"hash/fnv"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"lifeline/local/aws/cloudwatch"
	"lifeline/local/aws/route53"
	"lifeline/local/aws/world"
)

// Route53 is where checks come from and reports go; *route53.Route53 is one.
type Route53 interface {
	EndpointChecks() []route53.EndpointCheck
	OnChecks(fn func())
	Observe(id string, o route53.Observation)
	Checks() []string
	Healthy(id string) (now, served, ok bool)
	Share(id string) (percent float64, ok bool)
}

// Metrics takes what Route 53 publishes; *cloudwatch.CloudWatch does.
type Metrics interface {
	Put(region string, d cloudwatch.Datum)
}

// Options configure a Fleet.
type Options struct {
	Route53 Route53
	// Resolve turns an endpoint's name into IPv4 addresses, anew for each probe.
	Resolve func(ctx context.Context, name string) ([]netip.Addr, error)
	// Dial connects to a resolved address. The simulator maps ports that it can't
	// listen on, such as the buckets' port 80. nil is a plain TCP connection.
	Dial    func(ctx context.Context, host string, port int) (net.Conn, error)
	Metrics Metrics // nil: no metrics
	Logger  *slog.Logger
}

// metricRegion is the only Region in which Route 53 publishes its metrics.
const metricRegion = "us-east-1"

// Fleet runs the probers of all checks.
type Fleet struct {
	world  *world.World
	o      Options
	log    *slog.Logger
	ctx    context.Context //nolint:containedctx // ends the probers, which outlive every call
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	probers map[key]*prober
}

type key struct{ check, region string }

// New starts the fleet; it follows the checks of Route 53 until Close.
func New(w *world.World, o Options) *Fleet {
	if o.Logger == nil {
		o.Logger = w.Logger()
	}
	if o.Dial == nil {
		o.Dial = dial
	}
	f := &Fleet{world: w, o: o, log: o.Logger, probers: map[key]*prober{}}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	o.Route53.OnChecks(f.reconcile)
	f.reconcile()
	if o.Metrics != nil {
		w.Every(time.Minute, f.publish)
	}
	return f
}

// Close ends all probes and waits for them.
func (f *Fleet) Close() {
	f.mu.Lock()
	f.cancel() // under the lock, so that no prober starts after it
	f.mu.Unlock()
	f.work.Wait()
}

// reconcile starts, updates and stops probers so that they match the checks.
func (f *Fleet) reconcile() {
	checks := f.o.Route53.EndpointChecks()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx.Err() != nil {
		return
	}
	wanted := map[key]bool{}
	for _, c := range checks {
		for i, region := range c.Regions {
			k := key{check: c.ID, region: region}
			wanted[k] = true
			if p, ok := f.probers[k]; ok {
				p.update(c)
				continue
			}
			f.probers[k] = f.start(c, region, float64(i)/float64(len(c.Regions)))
		}
	}
	for k, p := range f.probers {
		if !wanted[k] {
			p.cancel()
			delete(f.probers, k)
		}
	}
}

// start runs a prober. Checkers do not coordinate on AWS, but are spread over
// the interval: phase is the prober's place in it.
func (f *Fleet) start(c route53.EndpointCheck, region string, phase float64) *prober {
	ctx, cancel := context.WithCancel(f.ctx)
	// Asked for each round: the world's clock may change its speed.
	interval := func() time.Duration { return f.world.Wall(time.Duration(*c.Config.RequestInterval) * time.Second) }
	p := &prober{fleet: f, region: region, cancel: cancel, check: c, healthy: true}
	first := time.Duration((phase + spread(c.ID)) * float64(interval()))
	f.work.Go(func() { p.run(ctx, first%interval(), interval) })
	return p
}

// spread moves the checks against each other by a fixed share of the interval.
func spread(id string) float64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	return float64(h.Sum32()%1000) / 1000
}

// publish writes Route 53's metrics once a minute.
func (f *Fleet) publish() {
	for _, id := range f.o.Route53.Checks() {
		healthy, _, ok := f.o.Route53.Healthy(id)
		if !ok {
			continue
		}
		status := 0.0
		if healthy {
			status = 1
		}
		f.put(id, "HealthCheckStatus", status, "None")
		if percent, ok := f.o.Route53.Share(id); ok {
			f.put(id, "HealthCheckPercentageHealthy", percent, "Percent")
		}
	}
}

func (f *Fleet) put(id, name string, value float64, unit string) {
	f.o.Metrics.Put(metricRegion, cloudwatch.Datum{
		Namespace: "AWS/Route53", Name: name, Value: value, Unit: unit,
		Dimensions: map[string]string{"HealthCheckId": id},
	})
}
