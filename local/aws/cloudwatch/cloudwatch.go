package cloudwatch

import (
	"log/slog"
	"sort"
	"strings"
	"sync"
	"time"

	api "github.com/aws/aws-sdk-go/service/cloudwatch"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Actions carries out what an alarm asks for on a change of state.
type Actions interface {
	// Act delivers the notification (AWS's JSON text) to the action ARN, from
	// the alarm's Region. An error is kept in the alarm's history.
	Act(region, arn, subject, message string) error
}

// Options configure a CloudWatch.
type Options struct {
	Actions Actions // nil: actions are kept in the history as not delivered
	Logger  *slog.Logger
}

// CloudWatch is the service in all Regions.
type CloudWatch struct {
	world   *world.World
	actions Actions
	log     *slog.Logger

	mu      sync.Mutex
	regions map[string]*regional
	// dashboards belong to the account.
	dashboards map[string]dashboard
}

// regional is what one Region knows. Guarded by CloudWatch.mu.
type regional struct {
	series  map[string]*series
	alarms  map[string]*alarm
	history []*api.AlarmHistoryItem
}

// New starts a CloudWatch whose alarms are evaluated until the world closes.
func New(w *world.World, o Options) *CloudWatch {
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &CloudWatch{world: w, actions: o.Actions, log: log, regions: map[string]*regional{}, dashboards: map[string]dashboard{}}
	w.Every(evaluationTick, c.evaluateAll)
	return c
}

// Wire is the service as the API server sees it.
func (c *CloudWatch) Wire() *wire.Service {
	s := wire.NewService("monitoring", api.New(wire.V1Session()), wire.CBOR, wire.JSON10, wire.Query)
	wire.Handle(s, "PutMetricData", c.putMetricData)
	wire.Handle(s, "GetMetricData", c.getMetricData)
	wire.Handle(s, "GetMetricStatistics", c.getMetricStatistics)
	wire.Handle(s, "ListMetrics", c.listMetrics)
	wire.Handle(s, "PutMetricAlarm", c.putMetricAlarm)
	wire.Handle(s, "PutCompositeAlarm", c.putCompositeAlarm)
	wire.Handle(s, "DescribeAlarms", c.describeAlarms)
	wire.Handle(s, "DescribeAlarmsForMetric", c.describeAlarmsForMetric)
	wire.Handle(s, "SetAlarmState", c.setAlarmState)
	wire.Handle(s, "DeleteAlarms", c.deleteAlarms)
	wire.Handle(s, "DescribeAlarmHistory", c.describeAlarmHistory)
	wire.Handle(s, "EnableAlarmActions", c.enableAlarmActions)
	wire.Handle(s, "DisableAlarmActions", c.disableAlarmActions)
	wire.Handle(s, "TagResource", c.tagResource)
	wire.Handle(s, "UntagResource", c.untagResource)
	wire.Handle(s, "ListTagsForResource", c.listTagsForResource)
	wire.Handle(s, "PutDashboard", c.putDashboard)
	wire.Handle(s, "GetDashboard", c.getDashboard)
	wire.Handle(s, "ListDashboards", c.listDashboards)
	wire.Handle(s, "DeleteDashboards", c.deleteDashboards)
	return s
}

// Datum is one sample that another simulated service publishes.
type Datum struct {
	Namespace, Name string
	Dimensions      map[string]string
	Value           float64
	Unit            string    // "" is None
	At              time.Time // zero is now
}

// Put stores a sample of a service of that Region. A dark Region loses it, as
// its metrics pipeline is down with everything else.
func (c *CloudWatch) Put(region string, d Datum) {
	if c.world.Dark(region) {
		return
	}
	at := d.At
	if at.IsZero() {
		at = c.world.Now()
	}
	dims := make([]dimension, 0, len(d.Dimensions))
	for k, v := range d.Dimensions {
		dims = append(dims, dimension{name: k, value: v})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.region(region).at(metricID{namespace: d.Namespace, name: d.Name, dimensions: sorted(dims)}).
		add(single(at, d.Value, d.Unit))
}

// region must be called with the lock held.
func (c *CloudWatch) region(name string) *regional {
	r, ok := c.regions[name]
	if !ok {
		r = &regional{series: map[string]*series{}, alarms: map[string]*alarm{}}
		c.regions[name] = r
	}
	return r
}

// at returns the series of a metric, made on first use.
func (r *regional) at(id metricID) *series {
	key := id.key()
	s, ok := r.series[key]
	if !ok {
		s = &series{id: id}
		r.series[key] = s
	}
	return s
}

type dimension struct{ name, value string }

// metricID names a metric: two metrics that differ in one dimension are two.
type metricID struct {
	namespace, name string
	dimensions      []dimension // sorted by name
}

func (m metricID) key() string {
	var b strings.Builder
	b.WriteString(m.namespace + "\x00" + m.name)
	for _, d := range m.dimensions {
		b.WriteString("\x00" + d.name + "\x01" + d.value)
	}
	return b.String()
}

func sorted(d []dimension) []dimension {
	sort.Slice(d, func(i, j int) bool { return d[i].name < d[j].name })
	return d
}

func fromAPI(in []*api.Dimension) []dimension {
	out := make([]dimension, 0, len(in))
	for _, d := range in {
		out = append(out, dimension{name: *d.Name, value: *d.Value})
	}
	return sorted(out)
}

func toAPI(in []dimension) []*api.Dimension {
	out := make([]*api.Dimension, 0, len(in))
	for _, d := range in {
		out = append(out, &api.Dimension{Name: &d.name, Value: &d.value})
	}
	return out
}

// period is an AWS period in wall time.
func (c *CloudWatch) period(seconds int64) time.Duration {
	return c.world.Wall(time.Duration(seconds) * time.Second)
}
