package cloudwatch_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/cloudwatch"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

type clients func(region string) *sdk.Client

func setup(t *testing.T) (clients, *cloudwatch.CloudWatch, *world.World) {
	t.Helper()
	w := world.New(world.Options{})
	t.Cleanup(w.Close)
	c := cloudwatch.New(w, cloudwatch.Options{})
	server := httptest.NewServer(wire.NewServer(w, c.Wire()))
	t.Cleanup(server.Close)
	return func(region string) *sdk.Client {
		return sdk.New(sdk.Options{
			Region: region, BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
		})
	}, c, w
}

func dims(pairs ...string) []types.Dimension {
	var out []types.Dimension
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, types.Dimension{Name: &pairs[i], Value: &pairs[i+1]})
	}
	return out
}

func TestContract_PutAndGetMetrics(t *testing.T) {
	t.Parallel()
	at, _, _ := setup(t)
	c := at("us-west-2")
	minute := time.Now().Truncate(time.Minute).Add(-5 * time.Minute)
	_, err := c.PutMetricData(t.Context(), &sdk.PutMetricDataInput{Namespace: aws.String("Lifeline"), MetricData: []types.MetricDatum{
		{MetricName: aws.String("Lag"), Timestamp: aws.Time(minute), Value: aws.Float64(2), Unit: types.StandardUnitSeconds, Dimensions: dims("App", "records", "Table", "t1")},
		{MetricName: aws.String("Lag"), Timestamp: aws.Time(minute.Add(time.Minute)), Values: []float64{1, 3}, Counts: []float64{3, 1}, Unit: types.StandardUnitSeconds, Dimensions: dims("Table", "t1", "App", "records")},
		{MetricName: aws.String("Other"), StatisticValues: &types.StatisticSet{SampleCount: aws.Float64(2), Sum: aws.Float64(6), Minimum: aws.Float64(1), Maximum: aws.Float64(5)}},
	}})
	require.NoError(t, err)

	stats, err := c.GetMetricStatistics(t.Context(), &sdk.GetMetricStatisticsInput{
		Namespace: aws.String("Lifeline"), MetricName: aws.String("Lag"), Dimensions: dims("App", "records", "Table", "t1"),
		StartTime: &minute, EndTime: aws.Time(minute.Add(5 * time.Minute)), Period: aws.Int32(60),
		Statistics: []types.Statistic{types.StatisticAverage, types.StatisticSampleCount}, ExtendedStatistics: []string{"p90"},
	})
	require.NoError(t, err)
	require.Len(t, stats.Datapoints, 2)
	require.Equal(t, minute.UTC(), stats.Datapoints[0].Timestamp.UTC())
	require.InDelta(t, 2.0, *stats.Datapoints[0].Average, 0)
	require.InDelta(t, 1.5, *stats.Datapoints[1].Average, 0)
	require.InDelta(t, 4.0, *stats.Datapoints[1].SampleCount, 0)
	require.InDelta(t, 3.0, stats.Datapoints[1].ExtendedStatistics["p90"], 0)
	require.Equal(t, types.StandardUnitSeconds, stats.Datapoints[0].Unit)

	data, err := c.GetMetricData(t.Context(), &sdk.GetMetricDataInput{
		StartTime: &minute, EndTime: aws.Time(minute.Add(5 * time.Minute)), ScanBy: types.ScanByTimestampAscending,
		MetricDataQueries: []types.MetricDataQuery{
			{Id: aws.String("lag"), MetricStat: &types.MetricStat{Metric: &types.Metric{Namespace: aws.String("Lifeline"), MetricName: aws.String("Lag"), Dimensions: dims("App", "records", "Table", "t1")}, Period: aws.Int32(60), Stat: aws.String("Maximum")}},
			{Id: aws.String("ms"), Expression: aws.String("lag * 1000"), Label: aws.String("milliseconds")},
		},
	})
	require.NoError(t, err)
	require.Equal(t, []float64{2, 3}, data.MetricDataResults[0].Values)
	require.Equal(t, []float64{2000, 3000}, data.MetricDataResults[1].Values)
	require.Equal(t, "milliseconds", *data.MetricDataResults[1].Label)
	require.Equal(t, types.StatusCodeComplete, data.MetricDataResults[1].StatusCode)

	list, err := c.ListMetrics(t.Context(), &sdk.ListMetricsInput{Dimensions: []types.DimensionFilter{{Name: aws.String("App")}}})
	require.NoError(t, err)
	require.Len(t, list.Metrics, 1)
	require.Len(t, list.Metrics[0].Dimensions, 2)
	elsewhere, err := at("us-east-1").ListMetrics(t.Context(), &sdk.ListMetricsInput{})
	require.NoError(t, err)
	require.Empty(t, elsewhere.Metrics, "metrics are Regional")
}

func TestContract_GetMetricData_Pages(t *testing.T) {
	t.Parallel()
	at, cw, _ := setup(t)
	start := time.Now().Truncate(time.Minute).Add(-10 * time.Minute)
	for i := range 5 {
		cw.Put("us-west-2", cloudwatch.Datum{Namespace: "AWS/RDS", Name: "AuroraGlobalDBRPOLag", Value: float64(i), At: start.Add(time.Duration(i) * time.Minute), Dimensions: map[string]string{"DBClusterIdentifier": "b"}})
	}
	var got []float64
	pages := 0
	p := sdk.NewGetMetricDataPaginator(at("us-west-2"), &sdk.GetMetricDataInput{
		StartTime: &start, EndTime: aws.Time(start.Add(10 * time.Minute)), MaxDatapoints: aws.Int32(2), ScanBy: types.ScanByTimestampAscending,
		MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("lag"), MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: aws.String("AWS/RDS"), MetricName: aws.String("AuroraGlobalDBRPOLag"), Dimensions: dims("DBClusterIdentifier", "b")}, Period: aws.Int32(60), Stat: aws.String("Average"),
		}}},
	})
	for p.HasMorePages() {
		page, err := p.NextPage(t.Context())
		require.NoError(t, err)
		got = append(got, page.MetricDataResults[0].Values...)
		pages++
	}
	require.Equal(t, []float64{0, 1, 2, 3, 4}, got)
	require.Equal(t, 3, pages)
}

func alarm(name string) *sdk.PutMetricAlarmInput {
	return &sdk.PutMetricAlarmInput{
		AlarmName: &name, Namespace: aws.String("Lifeline"), MetricName: aws.String("Lag"), Statistic: types.StatisticMaximum,
		Period: aws.Int32(60), EvaluationPeriods: aws.Int32(3), DatapointsToAlarm: aws.Int32(2), Threshold: aws.Float64(5),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("breaching"),
		AlarmActions: []string{"arn:aws:sns:us-west-2:123456789012:page"}, Dimensions: dims("App", "records"),
	}
}

func TestContract_Alarms(t *testing.T) {
	t.Parallel()
	at, _, _ := setup(t)
	c := at("us-west-2")
	for _, name := range []string{"b", "a", "other"} {
		_, err := c.PutMetricAlarm(t.Context(), alarm(name))
		require.NoError(t, err)
	}
	var names []string
	for p := sdk.NewDescribeAlarmsPaginator(c, &sdk.DescribeAlarmsInput{MaxRecords: aws.Int32(2)}); p.HasMorePages(); {
		page, err := p.NextPage(t.Context())
		require.NoError(t, err)
		for _, a := range page.MetricAlarms {
			names = append(names, *a.AlarmName)
		}
	}
	require.Equal(t, []string{"a", "b", "other"}, names)
	out, err := c.DescribeAlarms(t.Context(), &sdk.DescribeAlarmsInput{AlarmNamePrefix: aws.String("oth")})
	require.NoError(t, err)
	require.Len(t, out.MetricAlarms, 1)
	require.Equal(t, "arn:aws:cloudwatch:us-west-2:123456789012:alarm:other", *out.MetricAlarms[0].AlarmArn)
	require.Equal(t, types.StateValueInsufficientData, out.MetricAlarms[0].StateValue)
	require.True(t, *out.MetricAlarms[0].ActionsEnabled)

	_, err = c.SetAlarmState(t.Context(), &sdk.SetAlarmStateInput{AlarmName: aws.String("a"), StateValue: types.StateValueAlarm, StateReason: aws.String("drill")})
	require.NoError(t, err)
	out, err = c.DescribeAlarms(t.Context(), &sdk.DescribeAlarmsInput{StateValue: types.StateValueAlarm})
	require.NoError(t, err)
	require.Len(t, out.MetricAlarms, 1)
	require.Equal(t, "drill", *out.MetricAlarms[0].StateReason)
	history, err := c.DescribeAlarmHistory(t.Context(), &sdk.DescribeAlarmHistoryInput{AlarmName: aws.String("a")})
	require.NoError(t, err)
	require.NotEmpty(t, history.AlarmHistoryItems)

	_, err = c.DeleteAlarms(t.Context(), &sdk.DeleteAlarmsInput{AlarmNames: []string{"a", "nope"}})
	var missing *types.ResourceNotFound
	require.ErrorAs(t, err, &missing)
	_, err = c.DeleteAlarms(t.Context(), &sdk.DeleteAlarmsInput{AlarmNames: []string{"a"}})
	require.NoError(t, err)
	_, err = c.SetAlarmState(t.Context(), &sdk.SetAlarmStateInput{AlarmName: aws.String("a"), StateValue: types.StateValueOk, StateReason: aws.String("x")})
	require.ErrorAs(t, err, &missing)
}

func TestContract_Refusals(t *testing.T) {
	t.Parallel()
	at, _, _ := setup(t)
	c := at("us-east-1")
	code := func(err error) string {
		var e smithy.APIError
		if !errors.As(err, &e) {
			return ""
		}
		return e.ErrorCode()
	}
	_, err := c.PutMetricData(t.Context(), &sdk.PutMetricDataInput{Namespace: aws.String("AWS/RDS"), MetricData: []types.MetricDatum{{MetricName: aws.String("m"), Value: aws.Float64(1)}}})
	require.Contains(t, code(err), "InvalidParameterValue")
	_, err = c.PutMetricData(t.Context(), &sdk.PutMetricDataInput{Namespace: aws.String("L"), MetricData: []types.MetricDatum{{MetricName: aws.String("m"), Value: aws.Float64(1), Values: []float64{1}}}})
	require.Contains(t, code(err), "InvalidParameterCombination")
	_, err = c.PutMetricData(t.Context(), &sdk.PutMetricDataInput{Namespace: aws.String("L"), MetricData: []types.MetricDatum{{MetricName: aws.String("m"), Value: aws.Float64(1), Timestamp: aws.Time(time.Now().Add(-20 * 24 * time.Hour))}}})
	require.Contains(t, code(err), "InvalidParameterValue")

	for name, change := range map[string]func(*sdk.PutMetricAlarmInput){
		"m over n":       func(in *sdk.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(4) },
		"no threshold":   func(in *sdk.PutMetricAlarmInput) { in.Threshold = nil },
		"odd period":     func(in *sdk.PutMetricAlarmInput) { in.Period = aws.Int32(45) },
		"over a day":     func(in *sdk.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(1441) },
		"over a week":    func(in *sdk.PutMetricAlarmInput) { in.Period, in.EvaluationPeriods = aws.Int32(3600), aws.Int32(169) },
		"two statistics": func(in *sdk.PutMetricAlarmInput) { in.ExtendedStatistic = aws.String("p90") },
		"odd treatment":  func(in *sdk.PutMetricAlarmInput) { in.TreatMissingData = aws.String("panic") },
	} {
		in := alarm("x")
		change(in)
		_, err := c.PutMetricAlarm(t.Context(), in)
		require.NotEmpty(t, code(err), name)
	}
}

func TestContract_DarkRegion_IsSilent(t *testing.T) {
	t.Parallel()
	at, _, w := setup(t)
	w.Inject(world.Fault{Kind: world.Blackout, Region: "us-east-1"})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := at("us-east-1").ListMetrics(ctx, &sdk.ListMetricsInput{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = at("us-west-2").ListMetrics(t.Context(), &sdk.ListMetricsInput{})
	require.NoError(t, err)
}

func TestContract_CompositeAlarmsTagsAndDashboards(t *testing.T) {
	t.Parallel()
	at, _, _ := setup(t)
	c := at("us-west-2")
	in := alarm("lag")
	in.Tags = []types.Tag{{Key: aws.String("app"), Value: aws.String("records")}}
	_, err := c.PutMetricAlarm(t.Context(), in)
	require.NoError(t, err)
	_, err = c.PutCompositeAlarm(t.Context(), &sdk.PutCompositeAlarmInput{
		AlarmName: aws.String("region"), AlarmRule: aws.String(`ALARM("lag") AND NOT INSUFFICIENT_DATA("lag")`), AlarmDescription: aws.String("what pages"),
		AlarmActions: []string{"arn:aws:sns:us-west-2:123456789012:page"},
	})
	require.NoError(t, err)
	out, err := c.DescribeAlarms(t.Context(), &sdk.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm}})
	require.NoError(t, err)
	require.Len(t, out.CompositeAlarms, 1)
	require.Equal(t, "arn:aws:cloudwatch:us-west-2:123456789012:alarm:region", *out.CompositeAlarms[0].AlarmArn)
	require.Equal(t, types.StateValueOk, out.CompositeAlarms[0].StateValue)
	_, err = c.PutCompositeAlarm(t.Context(), &sdk.PutCompositeAlarmInput{AlarmName: aws.String("bad"), AlarmRule: aws.String("ALARM(")})
	var refused smithy.APIError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "ValidationError", refused.ErrorCode())

	arn := aws.String("arn:aws:cloudwatch:us-west-2:123456789012:alarm:lag")
	_, err = c.TagResource(t.Context(), &sdk.TagResourceInput{ResourceARN: arn, Tags: []types.Tag{{Key: aws.String("run"), Value: aws.String("1")}}})
	require.NoError(t, err)
	_, err = c.PutMetricAlarm(t.Context(), alarm("lag"))
	require.NoError(t, err)
	tags, err := c.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceARN: arn})
	require.NoError(t, err)
	require.Equal(t, []types.Tag{{Key: aws.String("app"), Value: aws.String("records")}, {Key: aws.String("run"), Value: aws.String("1")}}, tags.Tags, "an update keeps the tags")
	_, err = c.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"app"}})
	require.NoError(t, err)
	_, err = c.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceARN: aws.String("arn:aws:cloudwatch:us-west-2:123456789012:alarm:none")})
	var missing *types.ResourceNotFoundException
	require.ErrorAs(t, err, &missing)

	_, err = c.PutDashboard(t.Context(), &sdk.PutDashboardInput{DashboardName: aws.String("recovery"), DashboardBody: aws.String(`{"widgets":[]}`)})
	require.NoError(t, err)
	board, err := at("us-east-1").GetDashboard(t.Context(), &sdk.GetDashboardInput{DashboardName: aws.String("recovery")})
	require.NoError(t, err, "dashboards are the account's")
	require.JSONEq(t, `{"widgets":[]}`, *board.DashboardBody)
	list, err := c.ListDashboards(t.Context(), &sdk.ListDashboardsInput{})
	require.NoError(t, err)
	require.Len(t, list.DashboardEntries, 1)
	_, err = c.PutDashboard(t.Context(), &sdk.PutDashboardInput{DashboardName: aws.String("recovery"), DashboardBody: aws.String(`no`)})
	require.ErrorAs(t, err, &refused)
	_, err = c.DeleteDashboards(t.Context(), &sdk.DeleteDashboardsInput{DashboardNames: []string{"recovery"}})
	require.NoError(t, err)
}
