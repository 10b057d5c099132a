package cloudwatch

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
)

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

type fake struct {
	cloudtest.Service
	points map[time.Time]float64
	asked  []*sdk.GetMetricDataInput
	empty  int // pages without a datapoint before the last
}

func newFake() (*fake, *Steps) {
	f := &fake{Service: cloudtest.Service{ID: "CloudWatch"}, points: map[time.Time]float64{}}
	return f, &Steps{Clients: func(plan.Region) API { return f }, Now: noon}
}

func (f *fake) GetMetricData(ctx context.Context, in *sdk.GetMetricDataInput, _ ...func(*sdk.Options)) (*sdk.GetMetricDataOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "GetMetricData", func() (*sdk.GetMetricDataOutput, error) {
		f.asked = append(f.asked, in)
		if f.empty > 0 {
			f.empty--
			return &sdk.GetMetricDataOutput{NextToken: aws.String("more")}, nil
		}
		r := types.MetricDataResult{}
		for at, v := range f.points {
			if !at.Before(*in.StartTime) && at.Before(*in.EndTime) {
				r.Timestamps, r.Values = append(r.Timestamps, at), append(r.Values, v)
			}
		}
		return &sdk.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{r}}, nil
	})
}

func TestMeasureAuroraLag_TakesTheDatapointThatProvesMost(t *testing.T) {
	t.Parallel()
	f, s := newFake()
	f.points = map[time.Time]float64{
		noon().Add(-3 * time.Minute): 900, noon().Add(-2 * time.Minute): 250,
		noon().Add(-time.Minute): 61_000, // the source is dark since then: nothing more has arrived
	}
	f.empty = 1
	lag, err := s.MeasureAuroraLag(t.Context(), AuroraLag{Region: "us-west-2", Cluster: "billing-usw2"})
	require.NoError(t, err)
	require.Equal(t, Lag{Milliseconds: 250, At: noon().Add(-2 * time.Minute), Found: true}, lag)
	metric := f.asked[0].MetricDataQueries[0].MetricStat
	require.Equal(t, "AuroraGlobalDBRPOLag", aws.ToString(metric.Metric.MetricName))
	require.Equal(t, "billing-usw2", aws.ToString(metric.Metric.Dimensions[0].Value))
	require.Equal(t, "Minimum", aws.ToString(metric.Stat))
}

func TestMeasureAuroraLag_NoDatapointInTheWindow_IsUnknown(t *testing.T) {
	t.Parallel()
	f, s := newFake()
	f.points = map[time.Time]float64{noon().Add(-3 * time.Minute): 900}
	lag, err := s.MeasureAuroraLag(t.Context(), AuroraLag{Region: "us-west-2", Cluster: "billing-usw2", Window: time.Minute})
	require.NoError(t, err)
	require.Equal(t, Lag{}, lag)
}

func TestMeasureAuroraLag_DeniedOrDark(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, s := newFake()
		f.Next("GetMetricData", cloudtest.Code("AccessDenied"))
		in := AuroraLag{Region: "us-west-2", Cluster: "c", Timeout: cloud.SuspectTimeout}
		_, err := s.MeasureAuroraLag(t.Context(), in)
		require.ErrorContains(t, err, "permission cloudwatch:GetMetricData is missing")
		f.Always("", cloudtest.Hang())
		start := time.Now()
		_, err = s.MeasureAuroraLag(t.Context(), in)
		require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
		require.Equal(t, 2*time.Second, time.Since(start))
	})
}
