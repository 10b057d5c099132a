package bench

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
	"lifeline/workflows/kinds"
)

func TestGrow_AboutAThousandItems_OfAPlanThatHolds(t *testing.T) {
	t.Parallel()
	p, problems := plan.Load(filepath.Join("..", "..", "examples", "patient-records.yaml"))
	require.NoError(t, problems.Err())
	grown := grow(p, thousand())
	require.NoError(t, grown.Validate().Err())
	require.LessOrEqual(t, len(grown.Backup.Select.Resources), 100, "AWS Backup's limit of selections for a plan")
	items, err := kinds.Items(kinds.Site{Plan: grown, Account: "123456789012"})
	require.NoError(t, err)
	require.InDelta(t, 1000, len(items), 100)
	require.Len(t, p.Resources, 4, "the example stays as it is")
}

func TestBuckets_LeastTimeThatCallsTake_SlowestFirst(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	var calls []world.CallRecord
	add := func(n int, service, operation, region, outcome string) {
		for range n {
			calls = append(calls, world.CallRecord{Time: begun.Add(time.Second), Service: service, Operation: operation, Region: region, Outcome: outcome})
		}
	}
	add(43, "monitoring", "PutMetricAlarm", "us-east-1", "ok")
	add(10, "monitoring", "PutMetricAlarm", "us-east-1", throttled) // took no token
	add(13, "monitoring", "PutMetricAlarm", "us-west-2", "ok")      // another Region's bucket
	add(60, "ec2", "CreateTags", "us-east-1", "ok")
	add(60, "ec2", "DescribeVolumes", "us-east-1", "ok") // inside the burst
	add(900, "s3", "GetBucketTagging", "us-east-1", "ok")
	got := buckets(begun, calls, map[wire.LimitKey]wire.Rate{
		{Service: "monitoring", Operation: "PutMetricAlarm"}: {PerSecond: 2, Burst: 3},
		{Service: "ec2", Mutating: true}:                     {PerSecond: 5, Burst: 50},
		{Service: "ec2"}:                                     {PerSecond: 20, Burst: 100},
	})
	require.Len(t, got, 4)
	require.Equal(t, Bucket{
		Service: "monitoring", Region: "us-east-1", Operation: "PutMetricAlarm", Calls: 43, PerSecond: 2, Burst: 3, Seconds: 20, First: 1, Last: 1,
	}, got[0])
	require.InDelta(t, 5, got[1].Seconds, 0)
	require.Equal(t, "us-west-2", got[1].Region)
	require.InDelta(t, 2, got[2].Seconds, 0)
	require.True(t, got[2].Changes)
	require.Zero(t, got[3].Seconds)

	wall, bound, ratio := Phase{Wall: 24, Buckets: got}.ratio()
	require.Equal(t, []float64{24, 20, 1.2}, []float64{wall, bound, ratio})
}
