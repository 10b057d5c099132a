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

// MeasureAuroraLag reads the newest AuroraGlobalDBRPOLag of a secondary cluster:
// how much would be lost if it were promoted, as the secondary itself sees it.
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
				// The worst of the minute: a gate must not be flattered by an average.
				Stat: aws.String("Maximum"),
			},
		}},
	}
	for {
		out, err := cloud.Call(ctx, at, s.Clients(in.Region).GetMetricData, query)
		if err != nil {
			return Lag{}, fmt.Errorf("measure lag of aurora cluster %q: %w", in.Cluster, err)
		}
		if lag, found := newest(out.MetricDataResults); found {
			return lag, nil
		}
		if aws.ToString(out.NextToken) == "" {
			return Lag{}, nil
		}
		query.NextToken = out.NextToken
	}
}

// newest is the datapoint with the latest time.
func newest(results []types.MetricDataResult) (Lag, bool) {
	lag := Lag{}
	for _, r := range results {
		for i, at := range r.Timestamps {
			if i < len(r.Values) && (!lag.Found || at.After(lag.At)) {
				lag = Lag{Milliseconds: r.Values[i], At: at.UTC(), Found: true}
			}
		}
	}
	return lag, lag.Found
}
