package steps_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/activities/autoscaling"
	"lifeline/activities/cloudwatch"
	"lifeline/activities/dynamodb"
	"lifeline/activities/ec2"
	"lifeline/activities/elb"
	"lifeline/activities/s3"
	"lifeline/activities/servicequotas"
	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/local/aws/world"
)

// quiet keeps checkers out of worlds that don't need them.
func quiet(p *plan.Plan) { p.Traffic.HealthCheck.Interval = plan.Duration(30 * time.Second) }

// cutEast parts us-east-1 from another Region; clients still reach both.
func (f *fixture) cutEast(from plan.Region) (mend func()) {
	id := f.World.Inject(world.Fault{Kind: world.Partition, Region: string(east), Peer: string(from)})
	return func() { f.World.Remove(id) }
}

// TestLag_UnderPartition_IsWhatHasReallyArrived writes on one side of a cut and
// measures on the other.
func TestLag_UnderPartition_IsWhatHasReallyArrived(t *testing.T) {
	t.Parallel()
	f := start(t, "patient-records.yaml", 20, quiet)
	type store struct {
		mark    func(*testing.T) // leaves the Region's mark, as its worker does
		measure func(*testing.T) runbook.Watermark
		caught  func(*testing.T, time.Duration) error
	}
	w := f.worker()
	table, buckets := f.id("records", east, "table"), []string{f.id("documents", east, "bucket"), f.id("documents", west, "bucket")}
	stores := map[string]store{
		"table": {
			mark: func(t *testing.T) {
				t.Helper()
				require.NoError(t, w.dynamodb.WriteTableWatermark(t.Context(), dynamodb.TableWatermark{Region: east, Table: table}))
			},
			measure: func(t *testing.T) runbook.Watermark {
				t.Helper()
				m, err := w.dynamodb.MeasureTableLag(t.Context(), dynamodb.TableLag{Region: west, Of: east, Table: table})
				require.NoError(t, err)
				return m
			},
			caught: func(t *testing.T, d time.Duration) error {
				t.Helper()
				_, err := w.dynamodb.AwaitTableCaughtUp(within(t, d), dynamodb.TableCaughtUp{
					Command: runbook.Command{Token: d.String()}, From: east, To: west, Table: table, Interval: 10 * time.Millisecond,
				})
				return err
			},
		},
		"bucket": {
			mark: func(t *testing.T) {
				t.Helper()
				require.NoError(t, w.s3.WriteBucketWatermark(t.Context(), s3.BucketWatermark{Region: east, Bucket: buckets[0]}))
			},
			measure: func(t *testing.T) runbook.Watermark {
				t.Helper()
				m, err := w.s3.MeasureBucketLag(t.Context(), s3.BucketLag{Region: west, Of: east, Bucket: buckets[1]})
				require.NoError(t, err)
				return m
			},
			caught: func(t *testing.T, d time.Duration) error {
				t.Helper()
				_, err := w.s3.AwaitBucketCaughtUp(within(t, d), s3.BucketCaughtUp{
					Command: runbook.Command{Token: d.String()}, Interval: 10 * time.Millisecond,
					From: s3.BucketRef{Region: east, Bucket: buckets[0]}, To: s3.BucketRef{Region: west, Bucket: buckets[1]},
				})
				return err
			},
		},
	}
	for name, s := range stores {
		require.False(t, s.measure(t).Found, "%s: no mark was ever written", name)
		began := time.Now()
		s.mark(t)
		written := time.Now()
		require.NoError(t, until(within(t, patience), "first mark", func() (bool, error) { return s.measure(t).Found, nil }), name)
		first := s.measure(t)
		require.WithinRange(t, first.At, began, written, name)
		require.WithinRange(t, first.Read, written, time.Now(), name)

		mend := f.cutEast(west)
		s.mark(t)
		err := s.caught(t, time.Second) // 20 s of AWS's time
		require.Error(t, err, name)
		require.Equal(t, cloud.NotYet, cloud.KindOf(err), "%s: %v", name, err)
		require.ErrorContains(t, err, "has not arrived")
		require.Equal(t, first.At, s.measure(t).At, "%s: what was written behind the cut is not here", name)

		mend()
		require.NoError(t, s.caught(t, patience), name)
		require.NoError(t, until(within(t, patience), "second mark", func() (bool, error) { return s.measure(t).At.After(first.At), nil }), name)
	}
}

// TestMeasureAuroraLag_UnderPartition_NeverSaysMoreThanArrived compares the
// metric with the writes themselves.
func TestMeasureAuroraLag_UnderPartition_NeverSaysMoreThanArrived(t *testing.T) {
	t.Parallel()
	f := start(t, "patient-records.yaml", 200, quiet)
	w := f.worker()
	lag := func() cloudwatch.Lag {
		l, err := w.cloudwatch.MeasureAuroraLag(t.Context(), cloudwatch.AuroraLag{Region: west, Cluster: f.id("billing", west, "cluster")})
		require.NoError(t, err)
		return l
	}
	arrived := func(l cloudwatch.Lag) time.Time {
		return l.At.Add(-time.Duration(l.Milliseconds * float64(time.Millisecond)))
	}
	require.NoError(t, until(within(t, patience), "a datapoint", func() (bool, error) { return lag().Found, nil }))
	before := lag()
	f.cutEast(west)
	cutAt := time.Now()
	require.NoError(t, f.RDS.Write(string(east), f.id("billing", east, "cluster"), "k", "behind the cut"))
	require.NoError(t, until(within(t, patience), "the metric to see the cut", func() (bool, error) {
		out, err := f.lagNow(t.Context(), west, f.id("billing", west, "cluster"))
		return out > float64(500), err
	}))
	_, there, err := f.RDS.Read(string(west), f.id("billing", west, "cluster"), "k")
	require.NoError(t, err)
	require.False(t, there)
	after := lag()
	require.False(t, arrived(after).After(cutAt), "claims %s, the cut was at %s", arrived(after), cutAt)
	require.False(t, arrived(after).Before(arrived(before)), "what had arrived stays arrived")
}

// TestDescribe_TheWorldAsItIs reads groups, targets, replicas and headroom while
// they change.
func TestDescribe_TheWorldAsItIs(t *testing.T) {
	t.Parallel()
	f := start(t, "patient-records.yaml", 100, quiet)
	w := f.worker()
	group := autoscaling.GroupRef{Region: west, Group: f.id("web", west, "autoScalingGroup")}
	headroom := func() servicequotas.Headroom {
		h, err := w.quotas.MeasureHeadroom(t.Context(), servicequotas.HeadroomRef{Region: west})
		require.NoError(t, err)
		return h
	}
	idle := headroom()
	require.InDelta(t, 2*2, idle.VCPUUsed, 0, "two m6g.large")
	require.Greater(t, idle.VCPULimit, idle.VCPUUsed)
	_, err := w.autoscaling.ScaleGroup(t.Context(), autoscaling.GroupScale{Region: west, Group: group.Group, Desired: 4})
	require.NoError(t, err)
	require.NoError(t, until(within(t, patience), "four instances", func() (bool, error) {
		g, err := w.autoscaling.DescribeGroup(t.Context(), group)
		return g.Desired == 4 && g.InService == 4, err
	}))
	require.InDelta(t, 4*2, headroom().VCPUUsed, 0)
	targets := elb.TargetsRef{Region: west, TargetGroup: f.id("web", west, "targetGroup")}
	require.NoError(t, until(within(t, patience), "four healthy targets", func() (bool, error) {
		got, err := w.elb.DescribeTargets(t.Context(), targets)
		return got == elb.Targets{Healthy: 4, Total: 4}, err
	}))

	replicas, err := w.dynamodb.DescribeReplicas(t.Context(), dynamodb.TableRef{Region: west, Table: f.id("records", west, "table")})
	require.NoError(t, err)
	require.Equal(t, map[string]string{string(east): "ACTIVE", string(west): "ACTIVE"}, replicas.Status)

	subnets, err := f.subnets(t.Context(), west)
	require.NoError(t, err)
	fence := ec2.NetworkFence{Region: west, Subnets: subnets}
	_, err = w.ec2.FenceNetwork(t.Context(), fence)
	require.NoError(t, err)
	w = f.worker() // the one before has spent its calls on looking often
	require.NoError(t, until(within(t, patience), "cut off targets", func() (bool, error) {
		got, err := w.elb.DescribeTargets(t.Context(), targets)
		return got.Healthy == 0 && got.Unhealthy == 4, err
	}))
	w = f.worker()
	_, err = w.elb.AwaitTargets(within(t, 3*suspect), targets)
	require.Equal(t, cloud.NotYet, cloud.KindOf(err))
	require.ErrorContains(t, err, "0 healthy and 4 unhealthy")
	_, err = w.ec2.UnfenceNetwork(t.Context(), fence)
	require.NoError(t, err)
	got, err := w.elb.AwaitTargets(within(t, patience), targets)
	require.NoError(t, err)
	require.Equal(t, elb.Targets{Healthy: 4, Total: 4}, got)
}
