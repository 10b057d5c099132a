package route53_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	controlstate "github.com/aws/aws-sdk-go-v2/service/route53recoverycluster"
	controlconfig "github.com/aws/aws-sdk-go-v2/service/route53recoverycontrolconfig"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/arc"
	"lifeline/local/aws/cloudwatch"
	"lifeline/local/aws/route53"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// The neighbours as they are put together.
var (
	_ route53.Metrics         = (*cloudwatch.CloudWatch)(nil)
	_ route53.RoutingControls = (*arc.ARC)(nil)
)

func TestMetricCheck_FollowsTheStream_NotSetAlarmState(t *testing.T) {
	t.Parallel()
	w := world.New(world.Options{Compression: 1000}) // a minute is 60 ms
	t.Cleanup(w.Close)
	metrics := cloudwatch.New(w, cloudwatch.Options{})
	r := route53.New(w, route53.Options{Metrics: metrics, Propagation: -1})
	server := httptest.NewServer(wire.NewServer(w, r.Wire(), metrics.Wire()))
	t.Cleanup(server.Close)
	keys := credentials.NewStaticCredentialsProvider("AKIATEST", "secret", "")
	alarms := cw.New(cw.Options{Region: "us-west-2", BaseEndpoint: &server.URL, Credentials: keys})
	dns := sdk.New(sdk.Options{Region: "us-west-2", BaseEndpoint: &server.URL, Credentials: keys})

	_, err := alarms.PutMetricAlarm(t.Context(), &cw.PutMetricAlarmInput{
		AlarmName: aws.String("sick"), Namespace: aws.String("Lifeline"), MetricName: aws.String("Sick"), Statistic: cwtypes.StatisticMaximum,
		Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(0), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
	})
	require.NoError(t, err)
	made, err := dns.CreateHealthCheck(t.Context(), &sdk.CreateHealthCheckInput{CallerReference: aws.String("x"), HealthCheckConfig: &types.HealthCheckConfig{
		Type: types.HealthCheckTypeCloudwatchMetric, InsufficientDataHealthStatus: types.InsufficientDataHealthStatusHealthy,
		AlarmIdentifier: &types.AlarmIdentifier{Region: types.CloudWatchRegionUsWest2, Name: aws.String("sick")},
	}})
	require.NoError(t, err)
	require.Equal(t, "Sick", *made.HealthCheck.CloudWatchAlarmConfiguration.MetricName)
	id := *made.HealthCheck.Id
	healthy := func() bool { now, _, _ := r.Healthy(id); return now }

	_, err = alarms.SetAlarmState(t.Context(), &cw.SetAlarmStateInput{AlarmName: aws.String("sick"), StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("drill")})
	require.NoError(t, err)
	r.Refresh()
	require.True(t, healthy(), "SetAlarmState has no effect on a health check")

	w.Every(10*time.Second, func() {
		metrics.Put("us-west-2", cloudwatch.Datum{Namespace: "Lifeline", Name: "Sick", Value: 1})
	})
	require.Eventually(t, func() bool { return !healthy() }, 20*time.Second, 5*time.Millisecond)
	w.Inject(world.Fault{Kind: world.Blackout, Region: "us-west-2"})
	require.Eventually(t, healthy, 20*time.Second, 5*time.Millisecond, "no data from a dark Region: InsufficientDataHealthStatus decides")
}

func TestRecoveryControlCheck_FollowsARC(t *testing.T) {
	t.Parallel()
	w := world.New(world.Options{})
	t.Cleanup(w.Close)
	server := httptest.NewUnstartedServer(nil)
	switches := arc.New(w, arc.Options{BaseURL: "http://" + server.Listener.Addr().String(), ClusterDeploy: -1, Deploy: -1})
	r := route53.New(w, route53.Options{RoutingControls: switches, Propagation: -1})
	switches.OnChange(r.Refresh)
	api := wire.NewServer(w, r.Wire(), switches.Wire(), switches.ClusterWire())
	for prefix, region := range arc.Routes() {
		api.Route(prefix, region)
	}
	server.Config.Handler = api
	server.Start()
	t.Cleanup(server.Close)
	keys := credentials.NewStaticCredentialsProvider("AKIATEST", "secret", "")
	config := controlconfig.New(controlconfig.Options{Region: "us-west-2", BaseEndpoint: &server.URL, Credentials: keys})
	dns := sdk.New(sdk.Options{Region: "us-west-2", BaseEndpoint: &server.URL, Credentials: keys})

	made, err := config.CreateCluster(t.Context(), &controlconfig.CreateClusterInput{ClusterName: aws.String("c")})
	require.NoError(t, err)
	control, err := config.CreateRoutingControl(t.Context(), &controlconfig.CreateRoutingControlInput{ClusterArn: made.Cluster.ClusterArn, RoutingControlName: aws.String("east")})
	require.NoError(t, err)
	arn := control.RoutingControl.RoutingControlArn
	check, err := dns.CreateHealthCheck(t.Context(), &sdk.CreateHealthCheckInput{CallerReference: aws.String("x"), HealthCheckConfig: &types.HealthCheckConfig{
		Type: types.HealthCheckTypeRecoveryControl, RoutingControlArn: arn,
	}})
	require.NoError(t, err)
	healthy := func() bool { now, _, _ := r.Healthy(*check.HealthCheck.Id); return now }
	require.False(t, healthy(), "a new routing control is Off")

	described, err := config.DescribeCluster(t.Context(), &controlconfig.DescribeClusterInput{ClusterArn: made.Cluster.ClusterArn})
	require.NoError(t, err)
	for _, e := range described.Cluster.ClusterEndpoints {
		if *e.Region != "us-west-2" {
			continue
		}
		cluster := controlstate.New(controlstate.Options{Region: *e.Region, BaseEndpoint: e.Endpoint, Credentials: keys})
		_, err = cluster.UpdateRoutingControlState(t.Context(), &controlstate.UpdateRoutingControlStateInput{RoutingControlArn: arn, RoutingControlState: "On"})
		require.NoError(t, err)
	}
	require.True(t, healthy(), "at once: nobody has to poll")
}
