package cloudwatch

import (
	"sort"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/cloudwatch"

	"lifeline/local/aws/wire"
)

// maxPoints is how many datapoints one GetMetricStatistics answer holds.
const maxPoints = 1440

// listPage is how many metrics one ListMetrics answer holds.
const listPage = 500

// recent is what RecentlyActive=PT3H means.
const recent = 3 * time.Hour

func (c *CloudWatch) getMetricStatistics(call *wire.Call, in *api.GetMetricStatisticsInput) (*api.GetMetricStatisticsOutput, error) {
	period, err := c.checkStatistics(in)
	if err != nil {
		return nil, err
	}
	id := metricID{namespace: *in.Namespace, name: *in.MetricName, dimensions: fromAPI(in.Dimensions)}
	c.mu.Lock()
	defer c.mu.Unlock()
	out := &api.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []*api.Datapoint{}}
	s, ok := c.region(call.Region).series[id.key()]
	if !ok {
		return out, nil
	}
	from := in.StartTime.Truncate(period)
	for _, b := range s.buckets(from, *in.EndTime, period, aws.StringValue(in.Unit)) {
		out.Datapoints = append(out.Datapoints, b.datapoint(in))
	}
	return out, nil
}

func (c *CloudWatch) checkStatistics(in *api.GetMetricStatisticsInput) (time.Duration, error) {
	if len(in.Statistics)+len(in.ExtendedStatistics) == 0 {
		return 0, wire.Errorf(400, "MissingParameter", "At least one of the parameters Statistics and ExtendedStatistics must be specified.")
	}
	for _, s := range in.ExtendedStatistics {
		if _, ok := percentile(*s); !ok {
			return 0, invalid("The value %s for parameter ExtendedStatistics is invalid.", *s)
		}
	}
	if !in.StartTime.Before(*in.EndTime) {
		return 0, invalid("The parameter StartTime must be less than the parameter EndTime.")
	}
	if err := checkPeriod(*in.Period); err != nil {
		return 0, err
	}
	period := c.period(*in.Period)
	if n := int64(in.EndTime.Sub(*in.StartTime) / period); n > maxPoints {
		return 0, wire.Errorf(400, "InvalidParameterCombination", "You have requested up to %d datapoints, which exceeds the limit of %d. You may reduce the datapoints requested by increasing Period, or decreasing the time range.", n, maxPoints)
	}
	return period, nil
}

func checkPeriod(p int64) error {
	switch {
	case p == 1 || p == 5 || p == 10 || p == 20 || p == 30:
		return nil
	case p >= 60 && p%60 == 0:
		return nil
	default:
		return invalid("The value %d for parameter Period is invalid: it must be 1, 5, 10, 20, 30 or a multiple of 60.", p)
	}
}

func (b *bucket) datapoint(in *api.GetMetricStatisticsInput) *api.Datapoint {
	unit := b.unit
	if unit == "" {
		unit = api.StandardUnitNone
	}
	d := &api.Datapoint{Timestamp: aws.Time(b.start), Unit: &unit}
	for _, name := range in.Statistics {
		v, _ := b.stat(*name) // the wire layer let only the five statistics pass
		switch *name {
		case api.StatisticAverage:
			d.Average = &v
		case api.StatisticMaximum:
			d.Maximum = &v
		case api.StatisticMinimum:
			d.Minimum = &v
		case api.StatisticSampleCount:
			d.SampleCount = &v
		case api.StatisticSum:
			d.Sum = &v
		}
	}
	for _, name := range in.ExtendedStatistics {
		if v, ok := b.stat(*name); ok {
			if d.ExtendedStatistics == nil {
				d.ExtendedStatistics = map[string]*float64{}
			}
			d.ExtendedStatistics[*name] = &v
		}
	}
	return d
}

func (c *CloudWatch) listMetrics(call *wire.Call, in *api.ListMetricsInput) (*api.ListMetricsOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var keys []string
	for key, s := range c.region(call.Region).series {
		if c.matches(s, in) {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	from, to, next, err := page(len(keys), listPage, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &api.ListMetricsOutput{NextToken: next, Metrics: []*api.Metric{}}
	for _, key := range keys[from:to] {
		id := c.region(call.Region).series[key].id
		out.Metrics = append(out.Metrics, &api.Metric{Namespace: &id.namespace, MetricName: &id.name, Dimensions: toAPI(id.dimensions)})
	}
	return out, nil
}

func (c *CloudWatch) matches(s *series, in *api.ListMetricsInput) bool {
	if in.Namespace != nil && *in.Namespace != s.id.namespace || in.MetricName != nil && *in.MetricName != s.id.name {
		return false
	}
	if in.RecentlyActive != nil && s.last.Before(c.world.Now().Add(-c.world.Wall(recent))) {
		return false
	}
	for _, f := range in.Dimensions {
		if !s.id.has(*f.Name, f.Value) {
			return false
		}
	}
	return true
}

// has says whether the metric carries the dimension; a nil value is any.
func (m metricID) has(name string, value *string) bool {
	for _, d := range m.dimensions {
		if d.name == name && (value == nil || *value == d.value) {
			return true
		}
	}
	return false
}

// page cuts a list of n items; the token is the index of the first item.
func page(n, size int, token *string) (from, to int, next *string, err error) {
	if token != nil && *token != "" {
		from, err = strconv.Atoi(*token)
		if err != nil || from < 0 || from > n {
			return 0, 0, nil, wire.Errorf(400, "InvalidNextToken", "The value %s for parameter NextToken is invalid.", *token)
		}
	}
	to = min(from+size, n)
	if to < n {
		next = aws.String(strconv.Itoa(to))
	}
	return from, to, next, nil
}
