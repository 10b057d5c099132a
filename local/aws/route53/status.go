package route53

import (
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/cloudwatch"
	api "github.com/aws/aws-sdk-go/service/route53"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// quorum: an endpoint is healthy while more than this share of the checkers say
// so.
const quorum = 0.18

// Observation is what one checker Region thinks of an endpoint, after its own
// count of consecutive results.
type Observation struct {
	Region  string
	Address string // of the checker
	Healthy bool
	Status  string // such as "Success: HTTP Status Code 200, OK"; of the last probe
	Failed  bool   // whether the last probe failed
	At      time.Time
}

// EndpointCheck is a health check that has to be probed. Config must not be
// changed.
type EndpointCheck struct {
	ID      string
	Version int64
	Config  *api.HealthCheckConfig
	Regions []string // to probe from
}

// EndpointChecks are all checks that have to be probed now; disabled ones need
// no probing.
func (r *Route53) EndpointChecks() []EndpointCheck {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []EndpointCheck
	for _, c := range r.checks {
		if c.endpoint() && !*c.config().Disabled {
			out = append(out, EndpointCheck{ID: c.id(), Version: *c.HealthCheckVersion, Config: c.describe().HealthCheckConfig, Regions: c.regions()})
		}
	}
	return out
}

// OnChecks calls fn whenever EndpointChecks may have changed.
func (r *Route53) OnChecks(fn func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchers = append(r.watchers, fn)
}

// Observe takes a checker's report. Reports on unknown checks, or from Regions
// that don't check it, are dropped.
func (r *Route53) Observe(id string, o Observation) {
	r.mu.Lock()
	c, ok := r.checks[id]
	if !ok || !slices.Contains(c.regions(), o.Region) {
		r.mu.Unlock()
		return
	}
	c.reports[o.Region] = o
	if o.Failed {
		c.failures[o.Region] = o
	}
	r.unlockAndTell(r.recompute())
}

// Refresh looks again at everything that checks depend on: routing controls,
// metrics, dark checker Regions.
func (r *Route53) Refresh() {
	r.mu.Lock()
	r.unlockAndTell(r.recompute())
}

// Healthy says how a check stands now and how the answers see it, which lags by
// the propagation delay.
func (r *Route53) Healthy(id string) (now, served, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.checks[id]
	if !ok {
		return false, false, false
	}
	return c.current, c.served, true
}

// Share is the share of checkers that call an endpoint healthy, in percent;
// ok is false for checks that have no endpoint.
func (r *Route53) Share(id string) (percent float64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, found := r.checks[id]
	if !found || !c.endpoint() {
		return 0, false
	}
	good, all := r.count(c)
	if all == 0 {
		return 0, false
	}
	return 100 * float64(good) / float64(all), true
}

// Checks are the ids of all checks.
func (r *Route53) Checks() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.checks))
}

func (c *check) regions() []string {
	if len(c.config().Regions) > 0 {
		return aws.StringValueSlice(c.config().Regions)
	}
	return CheckerRegions()
}

// resetReports makes every checker start out with "healthy", as a new one does.
func (c *check) resetReports() {
	c.reports, c.failures = map[string]Observation{}, map[string]Observation{}
	for _, region := range c.regions() {
		c.reports[region] = Observation{Region: region, Healthy: true}
	}
}

// recompute brings every check up to date and sends what changed on its way to
// the answers. The lock is held; the events are for after it.
func (r *Route53) recompute() []world.Event {
	var events []world.Event
	known := map[string]bool{}
	for id, c := range r.checks {
		healthy := r.effective(c, known)
		if healthy == c.current {
			continue
		}
		c.current = healthy
		c.version++
		events = append(events, healthEvent("health", id, healthy))
		version := c.version
		r.propagate(func() []world.Event {
			if version <= c.applied {
				return nil
			}
			c.applied, c.served = version, healthy
			return []world.Event{healthEvent("health-served", id, healthy)}
		}, &events)
	}
	return events
}

// propagate applies now, or later under the lock.
func (r *Route53) propagate(apply func() []world.Event, events *[]world.Event) {
	if r.o.Propagation == 0 {
		*events = append(*events, apply()...)
		return
	}
	r.world.After(r.o.Propagation, func() {
		r.mu.Lock()
		r.unlockAndTell(apply())
	})
}

func healthEvent(kind, id string, healthy bool) world.Event {
	status := "unhealthy"
	if healthy {
		status = "healthy"
	}
	return world.Event{Service: "route53", Kind: kind, ID: id, Detail: map[string]string{"status": status}}
}

// unlockAndTell releases the lock first: who listens may ask back.
func (r *Route53) unlockAndTell(events []world.Event) {
	r.mu.Unlock()
	for _, e := range events {
		r.o.Logger.Info("health check changed", "kind", e.Kind, "check", e.ID, "status", e.Detail["status"])
		r.world.Publish(e)
	}
}

func (r *Route53) tellWatchers() {
	r.mu.Lock()
	watchers := slices.Clone(r.watchers)
	r.mu.Unlock()
	for _, fn := range watchers {
		fn()
	}
}

// effective is the health that others see: disabled is healthy whatever else is
// set, inverted swaps. known remembers results within one pass and ends circles.
func (r *Route53) effective(c *check, known map[string]bool) bool {
	if h, ok := known[c.id()]; ok {
		return h
	}
	known[c.id()] = true
	h := true
	if !*c.config().Disabled {
		c.last = r.raw(c, known)
		h = c.last != *c.config().Inverted
	}
	known[c.id()] = h
	return h
}

// raw is the health before inversion.
func (r *Route53) raw(c *check, known map[string]bool) bool {
	switch *c.config().Type {
	case api.HealthCheckTypeCalculated:
		return r.calculated(c, known)
	case api.HealthCheckTypeCloudwatchMetric:
		return r.metric(c)
	case api.HealthCheckTypeRecoveryControl:
		on, ok := r.o.RoutingControls.On(*c.config().RoutingControlArn)
		return on && ok
	}
	good, all := r.count(c)
	if all == 0 {
		return c.last // nobody can tell: the last word stands
	}
	return float64(good)/float64(all) > quorum
}

// count leaves out the checkers of dark Regions: nothing comes from there.
func (r *Route53) count(c *check) (good, all int) {
	for region, o := range c.reports {
		if r.world.Dark(region) {
			continue
		}
		all++
		if o.Healthy {
			good++
		}
	}
	return good, all
}

// calculated counts healthy children. Threshold 0 is always healthy, one above
// the number of children never. A child that was deleted counts as healthy.
func (r *Route53) calculated(c *check, known map[string]bool) bool {
	var healthy int64
	for _, id := range c.config().ChildHealthChecks {
		child, ok := r.checks[*id]
		if !ok || r.effective(child, known) {
			healthy++
		}
	}
	return healthy >= *c.config().HealthThreshold
}

func (r *Route53) metric(c *check) bool {
	switch r.o.Metrics.Judge(*c.config().AlarmIdentifier.Region, c.alarm) {
	case cloudwatch.StateValueOk:
		return true
	case cloudwatch.StateValueAlarm:
		return false
	}
	switch *c.config().InsufficientDataHealthStatus {
	case api.InsufficientDataHealthStatusHealthy:
		return true
	case api.InsufficientDataHealthStatusUnhealthy:
		return false
	default:
		return c.last
	}
}

func (r *Route53) getHealthCheckStatus(_ *wire.Call, in *api.GetHealthCheckStatusInput) (*api.GetHealthCheckStatusOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.health(*in.HealthCheckId)
	if err != nil {
		return nil, err
	}
	if !c.endpoint() {
		return nil, noStatus(c)
	}
	return &api.GetHealthCheckStatusOutput{HealthCheckObservations: r.observations(c.reports)}, nil
}

func (r *Route53) getHealthCheckLastFailureReason(_ *wire.Call, in *api.GetHealthCheckLastFailureReasonInput) (*api.GetHealthCheckLastFailureReasonOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.health(*in.HealthCheckId)
	if err != nil {
		return nil, err
	}
	if !c.endpoint() {
		return nil, noStatus(c)
	}
	return &api.GetHealthCheckLastFailureReasonOutput{HealthCheckObservations: r.observations(c.failures)}, nil
}

func noStatus(c *check) *wire.Error {
	return invalidInput("Health check %s is of type %s: only checks of an endpoint have reports of checkers.", c.id(), *c.config().Type)
}

// observations are the reports that were made at all, in order of Region.
func (r *Route53) observations(reports map[string]Observation) []*api.HealthCheckObservation {
	out := []*api.HealthCheckObservation{}
	for _, region := range slices.Sorted(maps.Keys(reports)) {
		o := reports[region]
		if o.At.IsZero() || r.world.Dark(region) {
			continue
		}
		out = append(out, &api.HealthCheckObservation{
			Region: &o.Region, IPAddress: &o.Address,
			StatusReport: &api.StatusReport{Status: &o.Status, CheckedTime: aws.Time(o.At.UTC())},
		})
	}
	return out
}
