package cloudwatch

import (
	"regexp"
	"slices"
	"sort"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/cloudwatch"

	"lifeline/local/aws/wire"
)

// maxQueries and maxReturned are GetMetricData's limits.
const (
	maxQueries  = 500
	maxReturned = 100800
)

func (c *CloudWatch) getMetricData(call *wire.Call, in *api.GetMetricDataInput) (*api.GetMetricDataOutput, error) {
	if err := checkQueries(in.MetricDataQueries); err != nil {
		return nil, err
	}
	if !in.StartTime.Before(*in.EndTime) {
		return nil, wire.Errorf(400, "ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := evaluator{c: c, region: c.region(call.Region), queries: in.MetricDataQueries, from: *in.StartTime, to: *in.EndTime}
	out := &api.GetMetricDataOutput{MetricDataResults: []*api.MetricDataResult{}}
	for _, q := range in.MetricDataQueries {
		if q.ReturnData != nil && !*q.ReturnData {
			continue
		}
		points, err := e.points(*q.Id)
		if err != nil {
			return nil, err
		}
		out.MetricDataResults = append(out.MetricDataResults, result(q, points, aws.StringValue(in.ScanBy)))
	}
	return cut(out, in)
}

// cut keeps one page of datapoints; the token counts the datapoints before it.
func cut(out *api.GetMetricDataOutput, in *api.GetMetricDataInput) (*api.GetMetricDataOutput, error) {
	size := maxReturned
	if in.MaxDatapoints != nil && *in.MaxDatapoints > 0 {
		size = min(size, int(*in.MaxDatapoints))
	}
	total := 0
	for _, r := range out.MetricDataResults {
		total += len(r.Values)
	}
	from, to, next, err := page(total, size, in.NextToken)
	if err != nil {
		return nil, err
	}
	out.NextToken = next
	seen := 0
	for _, r := range out.MetricDataResults {
		n := len(r.Values)
		lo, hi := min(max(from-seen, 0), n), min(max(to-seen, 0), n)
		r.Values, r.Timestamps = r.Values[lo:hi], r.Timestamps[lo:hi]
		if hi < n {
			r.StatusCode = aws.String(api.StatusCodePartialData)
		}
		seen += n
	}
	return out, nil
}

func checkQueries(queries []*api.MetricDataQuery) error {
	if len(queries) > maxQueries {
		return wire.Errorf(400, "ValidationError", "The collection MetricDataQueries must not have a size greater than %d.", maxQueries)
	}
	name := regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)
	seen := map[string]bool{}
	for _, q := range queries {
		switch {
		case !name.MatchString(*q.Id):
			return wire.Errorf(400, "ValidationError", "The value %s for parameter Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.", *q.Id)
		case seen[*q.Id]:
			return wire.Errorf(400, "ValidationError", "The values for parameter id in MetricDataQueries are not unique.")
		case (q.MetricStat == nil) == (q.Expression == nil):
			return wire.Errorf(400, "ValidationError", "Exactly one of the parameters MetricStat and Expression must be specified for %s.", *q.Id)
		}
		seen[*q.Id] = true
		if q.MetricStat == nil {
			continue
		}
		if !known(*q.MetricStat.Stat) {
			return wire.Errorf(400, "ValidationError", "The value %s for parameter MetricStat.Stat is not supported.", *q.MetricStat.Stat)
		}
		if err := checkPeriod(*q.MetricStat.Period); err != nil {
			return err
		}
	}
	return nil
}

func result(q *api.MetricDataQuery, points map[time.Time]float64, scan string) *api.MetricDataResult {
	times := make([]time.Time, 0, len(points))
	for at := range points {
		times = append(times, at)
	}
	sort.Slice(times, func(i, j int) bool { return times[i].Before(times[j]) })
	if scan != api.ScanByTimestampAscending {
		slices.Reverse(times)
	}
	r := &api.MetricDataResult{Id: q.Id, Label: aws.String(label(q)), StatusCode: aws.String(api.StatusCodeComplete)}
	for _, at := range times {
		r.Timestamps = append(r.Timestamps, aws.Time(at))
		r.Values = append(r.Values, aws.Float64(points[at]))
	}
	return r
}

func label(q *api.MetricDataQuery) string {
	switch {
	case q.Label != nil:
		return *q.Label
	case q.MetricStat != nil:
		return aws.StringValue(q.MetricStat.Metric.MetricName)
	default:
		return *q.Id
	}
}
