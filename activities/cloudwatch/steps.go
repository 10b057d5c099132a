package cloudwatch

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// defaultWindow is a few one-minute datapoints, the first of which may be late.
const defaultWindow = 5 * time.Minute

// API is every operation of this package: its part of the IAM policy.
type API interface {
	GetMetricData(context.Context, *sdk.GetMetricDataInput, ...func(*sdk.Options)) (*sdk.GetMetricDataOutput, error)
}

// Steps are the activities of this package.
type Steps struct {
	Clients func(plan.Region) API
	Now     func() time.Time
}

// New makes the steps on AWS.
func New(c *cloud.Clients) *Steps {
	return &Steps{
		Clients: cloud.PerRegion(c, func(cfg aws.Config) API { return sdk.NewFromConfig(cfg) }),
		Now:     time.Now,
	}
}

// MeasureAuroraLag reads AuroraGlobalDBRPOLag of a secondary cluster: up to when
// the writer's commits have surely arrived there, as the secondary itself sees it.
//
// Datapoints are sums of a minute and carry the minute's beginning. Somewhere in
// the minute the lag was at its minimum, so everything committed before the
// minute began, less that minimum, has arrived. Of all minutes the one that
// proves most counts. A lag that grows while the source is dark proves nothing
// more, and nothing less: the answer never gets worse while people think.
func (s *Steps) MeasureAuroraLag(ctx context.Context, in AuroraLag) (Lag, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	window := in.Window
	if window <= 0 {
		window = defaultWindow
	}
	now := s.Now().UTC()
	query := &sdk.GetMetricDataInput{
		StartTime: aws.Time(now.Add(-window)),
		EndTime:   aws.Time(now.Add(time.Minute)), // the datapoint of the running minute
		ScanBy:    types.ScanByTimestampDescending,
		MetricDataQueries: []types.MetricDataQuery{{
			Id: aws.String("lag"),
			MetricStat: &types.MetricStat{
				Metric: &types.Metric{
					Namespace:  aws.String("AWS/RDS"),
					MetricName: aws.String("AuroraGlobalDBRPOLag"),
					Dimensions: []types.Dimension{{Name: aws.String("DBClusterIdentifier"), Value: aws.String(in.Cluster)}},
				},
				Period: aws.Int32(60),
				Stat:   aws.String("Minimum"),
			},
		}},
	}
	best := Lag{}
	for {
		out, err := cloud.Call(ctx, at, s.Clients(in.Region).GetMetricData, query)
		if err != nil {
			return Lag{}, fmt.Errorf("measure lag of aurora cluster %q: %w", in.Cluster, err)
		}
		best = furthest(best, out.MetricDataResults)
		if aws.ToString(out.NextToken) == "" {
			return best, nil
		}
		query.NextToken = out.NextToken
	}
}

// furthest is the datapoint that proves the most: the latest beginning less lag.
func furthest(best Lag, results []types.MetricDataResult) Lag {
	for _, r := range results {
		for i, at := range r.Timestamps {
			if i >= len(r.Values) {
				break
			}
			l := Lag{Milliseconds: r.Values[i], At: at.UTC(), Found: true}
			if !best.Found || l.arrived().After(best.arrived()) {
				best = l
			}
		}
	}
	return best
}

func (l Lag) arrived() time.Time {
	return l.At.Add(-time.Duration(l.Milliseconds * float64(time.Millisecond)))
}
