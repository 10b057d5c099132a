package cloudwatch

import (
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/cloudwatch"

	"lifeline/local/aws/wire"
)

// Limits of PutMetricData as the API reference gives them.
const (
	maxData       = 1000
	maxDimensions = 30
	maxValues     = 150
	oldest        = 14 * 24 * time.Hour
	newest        = 2 * time.Hour
)

func (c *CloudWatch) putMetricData(call *wire.Call, in *api.PutMetricDataInput) (*api.PutMetricDataOutput, error) {
	if strings.HasPrefix(*in.Namespace, "AWS/") {
		return nil, invalid("The value AWS/ for parameter Namespace is invalid: namespaces that begin with AWS/ are reserved.")
	}
	if len(in.MetricData) > maxData {
		return nil, invalid("The collection MetricData must not have a size greater than %d.", maxData)
	}
	type entry struct {
		id metricID
		sample
	}
	entries := make([]entry, 0, len(in.MetricData))
	for _, d := range in.MetricData {
		s, err := c.parse(d)
		if err != nil {
			return nil, err
		}
		id := metricID{namespace: *in.Namespace, name: *d.MetricName, dimensions: fromAPI(d.Dimensions)}
		entries = append(entries, entry{id: id, sample: s})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range entries {
		c.region(call.Region).at(e.id).add(e.sample)
	}
	return &api.PutMetricDataOutput{}, nil
}

// parse checks one datum and turns any of its three forms into a sample.
func (c *CloudWatch) parse(d *api.MetricDatum) (sample, error) {
	at, err := c.timestamp(d)
	if err != nil {
		return sample{}, err
	}
	if len(d.Dimensions) > maxDimensions {
		return sample{}, invalid("The collection MetricData.member.1.Dimensions must not have a size greater than %d.", maxDimensions)
	}
	if r := aws.Int64Value(d.StorageResolution); d.StorageResolution != nil && r != 1 && r != 60 {
		return sample{}, invalid("The value %d for parameter StorageResolution is invalid: it must be 1 or 60.", r)
	}
	forms := 0
	for _, given := range []bool{d.Value != nil, len(d.Values) > 0, d.StatisticValues != nil} {
		if given {
			forms++
		}
	}
	switch {
	case forms == 0:
		return sample{}, wire.Errorf(400, "MissingParameter", "At least one of the parameters Value, Values or StatisticValues must be specified for %s.", *d.MetricName)
	case forms > 1:
		return sample{}, wire.Errorf(400, "InvalidParameterCombination", "The parameters Value, Values and StatisticValues are mutually exclusive and you have specified more than one for %s.", *d.MetricName)
	case d.Value != nil:
		return one(at, d)
	case d.StatisticValues != nil:
		v := d.StatisticValues
		return sample{at: at, unit: aws.StringValue(d.Unit), count: *v.SampleCount, sum: *v.Sum, min: *v.Minimum, max: *v.Maximum}, nil
	default:
		return many(at, d)
	}
}

func one(at time.Time, d *api.MetricDatum) (sample, error) {
	if err := finite(*d.Value); err != nil {
		return sample{}, err
	}
	return single(at, *d.Value, aws.StringValue(d.Unit)), nil
}

func many(at time.Time, d *api.MetricDatum) (sample, error) {
	if len(d.Counts) > 0 && len(d.Counts) != len(d.Values) {
		return sample{}, invalid("The parameters Values and Counts must have the same number of elements for %s.", *d.MetricName)
	}
	if len(d.Values) > maxValues {
		return sample{}, invalid("The collection Values must not have a size greater than %d.", maxValues)
	}
	s := sample{at: at, unit: aws.StringValue(d.Unit), min: math.Inf(1), max: math.Inf(-1)}
	for i, v := range d.Values {
		if err := finite(*v); err != nil {
			return sample{}, err
		}
		n := 1.0
		if len(d.Counts) > 0 {
			n = *d.Counts[i]
		}
		s.count += n
		s.sum += *v * n
		s.min, s.max = math.Min(s.min, *v), math.Max(s.max, *v)
		s.values, s.counts = append(s.values, *v), append(s.counts, n)
	}
	return s, nil
}

func (c *CloudWatch) timestamp(d *api.MetricDatum) (time.Time, error) {
	now := c.world.Now()
	if d.Timestamp == nil {
		return now, nil
	}
	if d.Timestamp.Before(now.Add(-oldest)) || d.Timestamp.After(now.Add(newest)) {
		return time.Time{}, invalid("The value %s for parameter Timestamp is invalid: it must be within the past two weeks and two hours.", d.Timestamp.UTC().Format(time.RFC3339))
	}
	return *d.Timestamp, nil
}

func finite(v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return invalid("The value %v for parameter Value is invalid: special values are not supported.", v)
	}
	return nil
}

func invalid(format string, args ...any) *wire.Error {
	return wire.Errorf(400, "InvalidParameterValue", format, args...)
}
