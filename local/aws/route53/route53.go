package route53

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go/service/cloudwatch"
	api "github.com/aws/aws-sdk-go/service/route53"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Targets are the AWS-owned names that alias records can point at, such as load
// balancers.
type Targets interface {
	// Resolve gives the addresses behind the name and for how long an answer may
	// be kept; ok is false when there is no such name.
	Resolve(name string) (addrs []netip.Addr, ttl time.Duration, ok bool)
	// AliasHealth gives the hosted zone the name lies in and whether
	// EvaluateTargetHealth counts it as healthy.
	AliasHealth(name string) (zoneID string, healthy, ok bool)
}

// Metrics is what CLOUDWATCH_METRIC health checks read.
type Metrics interface {
	// Alarm describes an alarm; its configuration is copied once.
	Alarm(region, name string) (alarm *cloudwatch.MetricAlarm, ok bool)
	// Judge says what the metric data makes of the configuration: OK, ALARM or
	// INSUFFICIENT_DATA. The alarm's own state must not matter.
	Judge(region string, alarm *cloudwatch.MetricAlarm) string
}

// RoutingControls is what RECOVERY_CONTROL health checks read.
type RoutingControls interface {
	// On is the state of a routing control; known is false when there is none.
	On(arn string) (on, known bool)
}

// Options configure a Route53. Durations are AWS time; 0 is the default and a
// negative value is none.
type Options struct {
	// Propagation is how long a change of health takes to reach the answers:
	// 2 s by default.
	Propagation time.Duration
	// ChangeSync is how long a change of records stays PENDING: 20 s by default.
	ChangeSync time.Duration
	// NameServers are the delegation set of every zone; the default is four
	// names of AWS's pattern.
	NameServers     []string
	Targets         Targets         // nil: no AWS-owned names
	Metrics         Metrics         // nil: CLOUDWATCH_METRIC checks are refused
	RoutingControls RoutingControls // nil: RECOVERY_CONTROL checks are refused
	Geo             *Geo            // nil: the built-in table
	Logger          *slog.Logger    // nil: the world's
}

// metricTick is how often metric-based checks are judged.
const metricTick = 10 * time.Second

// Route53 is the service: one global state.
type Route53 struct {
	world *world.World
	o     Options
	geo   *Geo

	mu          sync.Mutex
	zones       map[string]*zone
	changes     map[string]*api.ChangeInfo
	checks      map[string]*check
	spent       map[string]bool // caller references of deleted checks
	delegations map[string]*api.DelegationSet
	tags        map[string]map[string]string // by "<type>/<id>"
	watchers    []func()                     // told when the set of endpoint checks changes
	sequence    int
}

// New makes an empty Route 53.
func New(w *world.World, o Options) *Route53 {
	o.Propagation = orDefault(o.Propagation, 2*time.Second)
	o.ChangeSync = orDefault(o.ChangeSync, 20*time.Second)
	if len(o.NameServers) == 0 {
		o.NameServers = []string{"ns-101.awsdns-12.com", "ns-702.awsdns-23.net", "ns-1303.awsdns-34.org", "ns-1904.awsdns-45.co.uk"}
	}
	if o.Geo == nil {
		o.Geo = NewGeo()
	}
	if o.Logger == nil {
		o.Logger = w.Logger()
	}
	r := &Route53{
		world: w, o: o, geo: o.Geo,
		zones: map[string]*zone{}, changes: map[string]*api.ChangeInfo{}, checks: map[string]*check{}, spent: map[string]bool{},
		delegations: map[string]*api.DelegationSet{}, tags: map[string]map[string]string{},
	}
	w.OnFault(r.Refresh) // checkers of a dark Region stop counting at once
	w.Every(metricTick, r.Refresh)
	return r
}

func orDefault(d, def time.Duration) time.Duration {
	switch {
	case d == 0:
		return def
	case d < 0:
		return 0
	default:
		return d
	}
}

// Wire is the service as the API server sees it.
func (r *Route53) Wire() *wire.Service {
	s := wire.NewService("route53", api.New(wire.V1Session()), wire.RESTXML)
	wire.Handle(s, "CreateHostedZone", r.createHostedZone)
	wire.Handle(s, "GetHostedZone", r.getHostedZone)
	wire.Handle(s, "GetHostedZoneCount", r.getHostedZoneCount)
	wire.Handle(s, "ListHostedZones", r.listHostedZones)
	wire.Handle(s, "ListHostedZonesByName", r.listHostedZonesByName)
	wire.Handle(s, "UpdateHostedZoneComment", r.updateHostedZoneComment)
	wire.Handle(s, "DeleteHostedZone", r.deleteHostedZone)
	wire.Handle(s, "CreateReusableDelegationSet", r.createReusableDelegationSet)
	wire.Handle(s, "GetReusableDelegationSet", r.getReusableDelegationSet)
	wire.Handle(s, "ListReusableDelegationSets", r.listReusableDelegationSets)
	wire.Handle(s, "DeleteReusableDelegationSet", r.deleteReusableDelegationSet)
	wire.Handle(s, "ChangeResourceRecordSets", r.changeResourceRecordSets)
	wire.Handle(s, "ListResourceRecordSets", r.listResourceRecordSets)
	wire.Handle(s, "GetChange", r.getChange)
	wire.Handle(s, "TestDNSAnswer", r.testDNSAnswer)
	wire.Handle(s, "CreateHealthCheck", r.createHealthCheck)
	wire.Handle(s, "GetHealthCheck", r.getHealthCheck)
	wire.Handle(s, "GetHealthCheckCount", r.getHealthCheckCount)
	wire.Handle(s, "ListHealthChecks", r.listHealthChecks)
	wire.Handle(s, "UpdateHealthCheck", r.updateHealthCheck)
	wire.Handle(s, "DeleteHealthCheck", r.deleteHealthCheck)
	wire.Handle(s, "GetHealthCheckStatus", r.getHealthCheckStatus)
	wire.Handle(s, "GetHealthCheckLastFailureReason", r.getHealthCheckLastFailureReason)
	wire.Handle(s, "ChangeTagsForResource", r.changeTagsForResource)
	wire.Handle(s, "ListTagsForResource", r.listTagsForResource)
	wire.Handle(s, "ListTagsForResources", r.listTagsForResources)
	return s
}

// Geo is the table from addresses to places, which can be extended while
// answers are given.
func (r *Route53) Geo() *Geo { return r.geo }
