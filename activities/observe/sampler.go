package observe

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"lifeline/internal/plan"
)

// Clock is the time that a sampler lives by.
type Clock interface {
	Now() time.Time
	// Tick sends every interval until stop is called.
	Tick(every time.Duration) (ticks <-chan time.Time, stop func())
}

// Sampler looks at every Region of a plan, all the time, so that evidence is
// there when it is asked for: three rounds of proof take three rounds only if
// they are not started by the question.
type Sampler struct {
	observer string
	traffic  plan.Traffic
	rules    plan.Observers
	clock    Clock
	web      *web

	mu      sync.Mutex
	regions map[string]*watched
}

// watched is one Region under observation.
type watched struct {
	endpoint string
	run      run
}

// NewSampler makes the sampler of one observer. Run starts it.
func NewSampler(observer string, p plan.Plan) *Sampler {
	return newSampler(observer, p, wallClock{}, newWeb())
}

func newSampler(observer string, p plan.Plan, clock Clock, w *web) *Sampler {
	s := &Sampler{
		observer: observer, traffic: p.Traffic, rules: p.Observers,
		clock: clock, web: w, regions: map[string]*watched{},
	}
	for _, region := range p.Regions {
		if region.Endpoint != "" {
			s.regions[string(region.Name)] = &watched{endpoint: region.Endpoint}
		}
	}
	return s
}

// Run looks until ctx ends, then waits for the looks that are under way.
func (s *Sampler) Run(ctx context.Context) {
	var side sync.WaitGroup
	for _, w := range s.regions {
		side.Go(func() { s.watch(ctx, w) })
	}
	side.Wait()
}

// watch starts a look every interval. It never waits for one: a Region that
// hangs must not be looked at less often than one that answers.
func (s *Sampler) watch(ctx context.Context, w *watched) {
	ticks, stop := s.clock.Tick(s.rules.Interval.D())
	defer stop()
	var looks sync.WaitGroup
	defer looks.Wait()
	for {
		s.mu.Lock()
		l := w.run.begin(s.clock.Now().UTC())
		s.mu.Unlock()
		looks.Go(func() { s.look(ctx, w, l) })
		select {
		case <-ticks:
		case <-ctx.Done():
			return
		}
	}
}

// look judges a Region by its deep health check.
func (s *Sampler) look(ctx context.Context, w *watched, l *look) {
	attempt, cancel := context.WithTimeout(ctx, s.rules.Timeout.D())
	defer cancel()
	healthy, detail := s.judge(attempt, w.endpoint)
	if ctx.Err() != nil {
		// Cut short by the observer's own end: it has seen nothing.
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.run.finish(l, healthy, detail)
}

// judge takes 2xx and 3xx as healthy, as Route 53's checkers do.
func (s *Sampler) judge(ctx context.Context, endpoint string) (healthy bool, detail string) {
	answer, err := s.web.do(ctx, request{
		traffic: s.traffic, subnet: netip.Prefix{}, method: http.MethodGet,
		host: endpoint, path: s.traffic.HealthCheck.Path,
	})
	if err != nil {
		return false, err.Error()
	}
	healthy = answer.status >= http.StatusOK && answer.status < http.StatusBadRequest
	return healthy, fmt.Sprintf("answered %d from %s", answer.status, answer.address)
}

// Observe is what has been seen so far.
func (s *Sampler) Observe() Observation {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := Observation{Observer: s.observer, At: s.clock.Now().UTC(), Regions: map[string]Verdict{}}
	for name, w := range s.regions {
		o.Regions[name] = w.run.verdict()
	}
	return o
}

// wallClock is real time.
type wallClock struct{}

// Now is the present.
func (wallClock) Now() time.Time { return time.Now() }

// Tick is a time.Ticker.
func (wallClock) Tick(every time.Duration) (<-chan time.Time, func()) {
	t := time.NewTicker(every)
	return t.C, t.Stop
}
