package cloudwatch

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// Ready are the steps of a proof of readiness that no run needs: they only read.
type Ready struct {
	Clients func(plan.Region) API
	Now     func() time.Time
}

// NewReady makes the steps on AWS.
func NewReady(c *cloud.Clients) *Ready {
	s := New(c)
	return &Ready{Clients: s.Clients, Now: s.Now}
}

// Metric is one metric that is asked for.
type Metric struct {
	Namespace  string            `json:"namespace"`
	Name       string            `json:"name"`
	Dimensions map[string]string `json:"dimensions"`
	Window     time.Duration     `json:"window"` // how far back to look
}

// MetricsRef asks for metrics of one Region, at most 500 of them.
type MetricsRef struct {
	Region  plan.Region   `json:"region"`
	Metrics []Metric      `json:"metrics"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Metrics are in the order in which they were asked for.
type Metrics struct {
	Series []Series `json:"series"`
}

// Series sums up the one-minute maxima of a metric in its window. No datapoint
// means unknown, never zero.
type Series struct {
	Found  bool      `json:"found"`
	Latest float64   `json:"latest"`
	At     time.Time `json:"at,omitzero"` // of the latest
	Sum    float64   `json:"sum"`
	Least  float64   `json:"least"`
}

// MeasureMetrics reads metrics in one call.
func (r *Ready) MeasureMetrics(ctx context.Context, in MetricsRef) (Metrics, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	now, longest := r.Now().UTC(), time.Duration(0)
	ask := &sdk.GetMetricDataInput{EndTime: aws.Time(now.Add(time.Minute)), ScanBy: types.ScanByTimestampDescending}
	for i, m := range in.Metrics {
		longest = max(longest, m.Window)
		metric := &types.Metric{Namespace: aws.String(m.Namespace), MetricName: aws.String(m.Name)}
		for name, value := range m.Dimensions {
			metric.Dimensions = append(metric.Dimensions, types.Dimension{Name: aws.String(name), Value: aws.String(value)})
		}
		ask.MetricDataQueries = append(ask.MetricDataQueries, types.MetricDataQuery{
			Id: aws.String("m" + strconv.Itoa(i)), MetricStat: &types.MetricStat{Metric: metric, Period: aws.Int32(60), Stat: aws.String("Maximum")},
		})
	}
	ask.StartTime = aws.Time(now.Add(-longest))
	out := Metrics{Series: make([]Series, len(in.Metrics))}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).GetMetricData, ask)
		if err != nil {
			return Metrics{}, fmt.Errorf("read %d metrics in %s: %w", len(in.Metrics), in.Region, err)
		}
		for _, result := range page.MetricDataResults {
			i, err := strconv.Atoi(aws.ToString(result.Id)[1:])
			if err == nil && i < len(in.Metrics) {
				out.Series[i].add(result, now.Add(-in.Metrics[i].Window))
			}
		}
		if ask.NextToken = page.NextToken; aws.ToString(ask.NextToken) == "" {
			return out, nil
		}
	}
}

// add takes datapoints from since on into the series.
func (s *Series) add(result types.MetricDataResult, since time.Time) {
	for i, at := range result.Timestamps {
		if i >= len(result.Values) || at.Before(since) {
			continue
		}
		v := result.Values[i]
		if !s.Found || v < s.Least {
			s.Least = v
		}
		if !s.Found || at.After(s.At) {
			s.Latest, s.At = v, at.UTC()
		}
		s.Sum += v
		s.Found = true
	}
}
