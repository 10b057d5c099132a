package wire_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	v1ddb "github.com/aws/aws-sdk-go/service/dynamodb"
	v1ec2 "github.com/aws/aws-sdk-go/service/ec2"
	v1rds "github.com/aws/aws-sdk-go/service/rds"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// stopper is an operation that counts how often it was applied.
type stopper struct {
	*bench
	client  *rds.Client
	applied atomic.Int64
}

func newStopper(t *testing.T) *stopper {
	t.Helper()
	s := &stopper{}
	svc := rdsService()
	wire.Handle(svc, "StopDBCluster", func(*wire.Call, *v1rds.StopDBClusterInput) (*v1rds.StopDBClusterOutput, error) {
		s.applied.Add(1)
		return nil, nil
	})
	s.bench = newBench(t, svc)
	s.client = rds.NewFromConfig(s.config("us-east-1"))
	return s
}

func (s *stopper) stop(ctx context.Context) error {
	_, err := s.client.StopDBCluster(ctx, &rds.StopDBClusterInput{DBClusterIdentifier: aws.String("orders")})
	return err
}

// outcome waits for the one call in the log.
func (s *stopper) outcome(t *testing.T) string {
	t.Helper()
	require.Eventually(t, func() bool { return len(s.world.Calls(time.Time{})) == 1 }, 5*time.Second, time.Millisecond)
	return s.only(t).Outcome
}

func code(t *testing.T, err error) string {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	return api.ErrorCode()
}

func TestBlackout_HangsUntilTheClientGivesUp(t *testing.T) {
	t.Parallel()
	s := newStopper(t)
	s.world.Inject(world.Fault{Kind: world.Blackout, Region: "us-east-1"})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()

	err := s.stop(ctx)

	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, "blackhole", s.outcome(t))
	require.Zero(t, s.applied.Load())
	require.GreaterOrEqual(t, s.only(t).Duration, 50*time.Millisecond)
}

func TestBlackout_TakesGlobalControlPlanesWithIt(t *testing.T) {
	t.Parallel()
	b := newBench(t, route53Service(t), rdsService())
	b.world.Inject(world.Fault{Kind: world.Blackout, Region: "us-east-1"})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()

	_, err := route53.NewFromConfig(b.config("us-west-2")).GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: aws.String("Z1")})
	require.ErrorIs(t, err, context.DeadlineExceeded)

	_, err = rds.NewFromConfig(b.config("us-west-2")).DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{})
	require.Equal(t, "InvalidAction", code(t, err), "another Region's own control plane still answers")
}

func TestLostAnswer_ActIsAppliedOnce(t *testing.T) {
	t.Parallel()
	s := newStopper(t)
	s.world.Inject(world.Fault{Kind: world.LoseAnswer, Operation: "StopDBCluster", Times: 1})

	err := s.stop(t.Context())

	require.Error(t, err)
	var api smithy.APIError
	require.NotErrorAs(t, err, &api, "a dropped connection is no answer")
	require.Equal(t, "answer lost", s.outcome(t))
	require.EqualValues(t, 1, s.applied.Load())
	require.NoError(t, s.stop(t.Context()), "once means once")
	require.Empty(t, s.world.Faults())
}

func TestHold_ActIsAppliedBeforeTheAnswerComes(t *testing.T) {
	t.Parallel()
	s := newStopper(t)
	s.world.Inject(world.Fault{Kind: world.Hold, Latency: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.stop(ctx) }()

	require.Eventually(t, func() bool { return s.applied.Load() == 1 }, 5*time.Second, time.Millisecond)
	require.Empty(t, s.world.Calls(time.Time{}), "the answer is still held")
	cancel()

	require.ErrorIs(t, <-ended, context.Canceled)
	require.Equal(t, "ok", s.outcome(t))
}

func TestHold_BlackoutMeanwhile_SwallowsTheAnswer(t *testing.T) {
	t.Parallel()
	s := newStopper(t)
	s.world.Inject(world.Fault{Kind: world.Hold, Latency: 50 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.stop(ctx) }()

	require.Eventually(t, func() bool { return s.applied.Load() == 1 }, 5*time.Second, time.Millisecond)
	s.world.Inject(world.Fault{Kind: world.Blackout, Region: "us-east-1"})

	require.ErrorIs(t, <-ended, context.DeadlineExceeded)
	require.Equal(t, "blackhole", s.outcome(t))
}

func TestLatency_DelaysTheAct(t *testing.T) {
	t.Parallel()
	s := newStopper(t)
	s.world.Inject(world.Fault{Kind: world.Latency, Latency: 80 * time.Millisecond, Caller: "AKIATESTCALLER"})
	started := time.Now()

	require.NoError(t, s.stop(t.Context()))

	require.GreaterOrEqual(t, time.Since(started), 80*time.Millisecond)
}

func TestBrownoutThrottleDeny_AreRefusedBeforeTheAct(t *testing.T) {
	t.Parallel()
	for kind, want := range map[world.FaultKind]string{
		world.Brownout: "ServiceUnavailable", world.Throttle: "Throttling", world.Deny: "AccessDenied",
	} {
		s := newStopper(t)
		s.world.Inject(world.Fault{Kind: kind, Service: "rds", Times: 1})

		err := s.stop(t.Context())

		require.Equal(t, want, code(t, err))
		require.Zero(t, s.applied.Load())
		require.NoError(t, s.stop(t.Context()))
		if kind == world.Deny {
			require.ErrorContains(t, err, "rds:StopDBCluster")
		}
		if kind == world.Throttle {
			require.Equal(t, "throttled", s.world.Calls(time.Time{})[0].Outcome)
		}
	}
}

func TestFaults_OfOthers_DontHit(t *testing.T) {
	t.Parallel()
	s := newStopper(t)
	for _, f := range []world.Fault{
		{Kind: world.Brownout, Region: "us-west-2"},
		{Kind: world.Brownout, Service: "s3"},
		{Kind: world.Brownout, Operation: "StartDBCluster"},
		{Kind: world.Brownout, Caller: "AKIAOTHER"},
		{Kind: world.Partition, Region: "us-east-1", Peer: "us-west-2"},
	} {
		s.world.Inject(f)
	}
	require.NoError(t, s.stop(t.Context()))
}

func TestThrottlingCodes_PerProtocol(t *testing.T) {
	t.Parallel()
	ec2Svc, ddbSvc := ec2Service(), dynamoService()
	wire.Handle(ec2Svc, "DescribeSubnets", func(*wire.Call, *v1ec2.DescribeSubnetsInput) (*v1ec2.DescribeSubnetsOutput, error) {
		return nil, nil
	})
	wire.Handle(ddbSvc, "DescribeTable", func(*wire.Call, *v1ddb.DescribeTableInput) (*v1ddb.DescribeTableOutput, error) {
		return nil, nil
	})
	b := newBench(t, ec2Svc, ddbSvc, (&store{}).service())
	b.world.Inject(world.Fault{Kind: world.Throttle})

	_, err := ec2.NewFromConfig(b.config("us-east-1")).DescribeSubnets(t.Context(), nil)
	require.Equal(t, "RequestLimitExceeded", code(t, err))
	_, err = dynamodb.NewFromConfig(b.config("us-east-1")).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("abc")})
	require.Equal(t, "ThrottlingException", code(t, err))
	_, err = s3.NewFromConfig(b.config("us-east-1")).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("b")})
	require.Equal(t, "SlowDown", code(t, err))
}

func TestPolicy_AllowsWhatItNames(t *testing.T) {
	t.Parallel()
	s := newStopper(t)
	s.world.SetPolicy("AKIATESTCALLER", []string{"rds:Describe*"})
	require.Equal(t, "AccessDenied", code(t, s.stop(t.Context())))
	s.world.SetPolicy("AKIATESTCALLER", []string{"rds:Stop*"})
	require.NoError(t, s.stop(t.Context()))
}

func TestLimit_BurstThenRefill_PerRegion(t *testing.T) {
	t.Parallel()
	s := newStopper(t)
	s.server.Limit(map[wire.LimitKey]wire.Rate{{Service: "rds", Mutating: true}: {PerSecond: 50, Burst: 2}})

	require.NoError(t, s.stop(t.Context()))
	require.NoError(t, s.stop(t.Context()))
	require.Eventually(t, func() bool { return s.stop(t.Context()) != nil }, time.Second, time.Microsecond, "the bucket never ran dry")
	require.Eventually(t, func() bool { return s.stop(t.Context()) == nil }, 5*time.Second, 10*time.Millisecond, "the bucket fills again")
}

func TestLimit_InWallTime_IsNotCompressed(t *testing.T) {
	t.Parallel()
	s := newStopper(t)
	s.world.SetCompression(100_000)
	s.server.Limit(map[wire.LimitKey]wire.Rate{{Service: "rds", Mutating: true}: {PerSecond: 0.001, Burst: 1}})
	for range 5 {
		require.Eventually(t, func() bool { return s.stop(t.Context()) == nil }, 5*time.Second, time.Millisecond, "compressed, a bucket fills in no time")
	}
	s.server.LimitInWallTime()
	require.Eventually(t, func() bool { return s.stop(t.Context()) != nil }, 5*time.Second, time.Millisecond, "what was left in the bucket")
	require.Error(t, s.stop(t.Context()), "a call each thousand seconds, whatever AWS's own waits take")
}

func TestDefaultLimits_MostSpecificBucketWins(t *testing.T) {
	t.Parallel()
	limits := wire.DefaultLimits()
	for operation, want := range map[string]wire.LimitKey{
		"PutMetricAlarm": {Service: "monitoring", Operation: "PutMetricAlarm"},
		"ListMetrics":    {Service: "monitoring"},
	} {
		key, rate, limited := wire.LimitOf(limits, "monitoring", operation)
		require.True(t, limited)
		require.Equal(t, want, key)
		require.Positive(t, rate.PerSecond)
	}
	key, _, _ := wire.LimitOf(limits, "ec2", "CreateTags")
	require.Equal(t, wire.LimitKey{Service: "ec2", Mutating: true}, key)
	_, _, limited := wire.LimitOf(limits, "s3", "GetObject")
	require.False(t, limited, "data planes are not limited")
}

func TestDefaultLimits_Route53TakesFiveASecond(t *testing.T) {
	t.Parallel()
	b := newBench(t, route53Service(t))
	b.server.Limit(wire.DefaultLimits())
	client := route53.NewFromConfig(b.config("us-east-1"))
	var refused error
	for range 20 {
		if _, err := client.GetHostedZone(t.Context(), &route53.GetHostedZoneInput{Id: aws.String("Z1")}); err != nil {
			refused = err
		}
	}
	require.Equal(t, "Throttling", code(t, refused))
}

func TestPanickingOperation_IsA500AndTheServerLives(t *testing.T) {
	t.Parallel()
	svc := rdsService()
	wire.Handle(svc, "StopDBCluster", func(*wire.Call, *v1rds.StopDBClusterInput) (*v1rds.StopDBClusterOutput, error) {
		panic("bug")
	})
	b := newBench(t, svc)
	client := rds.NewFromConfig(b.config("us-east-1"))
	for range 2 {
		_, err := client.StopDBCluster(t.Context(), &rds.StopDBClusterInput{DBClusterIdentifier: aws.String("x")})
		require.Equal(t, "InternalFailure", code(t, err))
	}
}

func TestCallLog_HoldsNamesAndNoData(t *testing.T) {
	t.Parallel()
	st := &store{}
	b := newBench(t, st.service())
	client := s3.NewFromConfig(b.config("us-west-2"))
	_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("records"), Key: aws.String("evacuate/us-east-1"), SSECustomerKey: aws.String("sssh"),
		ContentType: aws.String("text/plain"), Metadata: map[string]string{"patient": "x"},
	})
	require.NoError(t, err)

	call := b.only(t)

	require.Equal(t, "records", call.Params["Bucket"])
	require.Equal(t, "evacuate/us-east-1", call.Params["Key"])
	require.NotContains(t, call.Params, "SSECustomerKey")
	require.NotContains(t, call.Params, "Metadata")
	require.Equal(t, "AKIATESTCALLER", call.Caller)
	require.NotEmpty(t, call.RequestID)
	require.True(t, call.Mutating)
}

func TestMount_TakesPathsAwayFromAWS(t *testing.T) {
	t.Parallel()
	b := newBench(t, (&store{}).service())
	b.server.Mount("/_lifeline/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	resp, _ := send(t, request(t.Context(), t, http.MethodGet, b.url+"/_lifeline/ready", ""))
	require.Equal(t, http.StatusTeapot, resp.StatusCode)
	require.Empty(t, b.world.Calls(time.Time{}))
}
