package rds

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/runbook"
)

func move(dry bool) AuroraMove {
	return AuroraMove{
		Command: runbook.Command{DryRun: dry}, Region: "us-west-2",
		GlobalCluster: global, TargetARN: westARN, Timeout: cloud.SuspectTimeout,
	}
}

func TestFailoverAurora(t *testing.T) {
	t.Parallel()
	cloudtest.CheckChange(t, "rds:FailoverGlobalCluster", func() cloudtest.Change {
		w := newWorld()
		return cloudtest.Change{
			Service: &w.regions["us-west-2"].Service, Operation: "FailoverGlobalCluster",
			Run: func(ctx context.Context, dry bool) (runbook.Outcome, error) {
				return w.steps().FailoverAurora(ctx, move(dry))
			},
			Effects: func() int { return w.moves },
		}
	})
}

func TestSwitchoverAurora(t *testing.T) {
	t.Parallel()
	cloudtest.CheckChange(t, "rds:SwitchoverGlobalCluster", func() cloudtest.Change {
		w := newWorld()
		return cloudtest.Change{
			Service: &w.regions["us-east-1"].Service, Operation: "SwitchoverGlobalCluster",
			Run: func(ctx context.Context, dry bool) (runbook.Outcome, error) {
				in := move(dry)
				in.Region = "us-east-1"
				return w.steps().SwitchoverAurora(ctx, in)
			},
			Effects: func() int { return w.moves },
		}
	})
}

func TestFailoverAurora_AllowsDataLossAndCallsTheTargetsRegionOnly(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.regions["us-east-1"].Always("", cloudtest.Hang())
	_, err := w.steps().FailoverAurora(t.Context(), move(false))
	require.NoError(t, err)
	require.True(t, w.lossy)
	require.Empty(t, w.regions["us-east-1"].Changes())
	require.Zero(t, w.regions["us-east-1"].Count("DescribeGlobalClusters"))
}

func TestFailoverAurora_MoveToAnotherTarget_IsAConflict(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]types.FailoverState{
		"another target":   {Status: types.FailoverStatusPending, ToDbClusterArn: aws.String(eastARN)},
		"being taken back": {Status: types.FailoverStatusCancelling, ToDbClusterArn: aws.String(westARN)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.settle = 100
			w.global.FailoverState = &state
			_, err := w.steps().FailoverAurora(t.Context(), move(false))
			require.Equal(t, cloud.Conflict, cloud.KindOf(err))
			require.Zero(t, w.moves)
		})
	}
}

func TestFailoverAurora_StrangersAreNotFound(t *testing.T) {
	t.Parallel()
	in := move(false)
	in.TargetARN = "arn:aws:rds:us-west-2:123456789012:cluster:other"
	_, err := newWorld().steps().FailoverAurora(t.Context(), in)
	require.Equal(t, cloud.NotFound, cloud.KindOf(err))
	in = move(false)
	in.GlobalCluster = "other"
	_, err = newWorld().steps().FailoverAurora(t.Context(), in)
	require.Equal(t, cloud.NotFound, cloud.KindOf(err))
}

func TestDescribeAurora_CountsAvailableInstancesEverywhere(t *testing.T) {
	t.Parallel()
	a, err := newWorld().steps().DescribeAurora(t.Context(), AuroraRef{Region: "us-west-2", GlobalCluster: global})
	require.NoError(t, err)
	require.Equal(t, Aurora{
		Status: "available", WriterRegion: "us-east-1",
		Members: []AuroraMember{
			{ARN: eastARN, ClusterID: "billing-use1", Region: "us-east-1", Writer: true, Sync: "connected", Instances: 1},
			{ARN: westARN, ClusterID: "billing-usw2", Region: "us-west-2", Sync: "connected", Instances: 1},
		},
	}, a)
}

func TestDescribeAurora_DarkOrSuspectRegion_DoesNotStopIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.regions["us-east-1"].Always("", cloudtest.Hang())
		start := time.Now()
		a, err := w.steps().DescribeAurora(t.Context(), AuroraRef{Region: "us-west-2", GlobalCluster: global, Timeout: cloud.SuspectTimeout})
		require.NoError(t, err)
		require.Equal(t, -1, a.Members[0].Instances)
		require.Equal(t, 1, a.Members[1].Instances)
		require.Equal(t, 2*time.Second, time.Since(start))

		start = time.Now()
		_, err = w.steps().DescribeAurora(t.Context(), AuroraRef{Region: "us-west-2", GlobalCluster: global, Suspect: "us-east-1"})
		require.NoError(t, err)
		require.Zero(t, time.Since(start), "the suspect Region is not asked")
	})
}

func TestAwaitAuroraWriter_WaitsUntilNothingMoves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.settle = 4
		_, err := w.steps().FailoverAurora(t.Context(), move(false))
		require.NoError(t, err)
		w.regions["us-west-2"].Next("DescribeGlobalClusters", cloudtest.Code("Throttling"))
		start := time.Now()
		a, err := w.steps().AwaitAuroraWriter(t.Context(), AuroraAwait{
			Region: "us-west-2", GlobalCluster: global, TargetARN: westARN, Interval: 2 * time.Second,
		})
		require.NoError(t, err)
		require.Equal(t, "us-west-2", a.WriterRegion)
		require.Empty(t, a.FailoverStatus)
		require.Equal(t, 8*time.Second, time.Since(start))
	})
}

func TestAwaitAuroraWriter_Late_SaysWhatItSaw(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		_, err := newWorld().steps().AwaitAuroraWriter(ctx, AuroraAwait{Region: "us-west-2", GlobalCluster: global, TargetARN: westARN})
		require.Equal(t, cloud.NotYet, cloud.KindOf(err))
		require.ErrorContains(t, err, "writer in us-east-1")
	})
}

func TestAwaitAuroraSynchronized_WaitsForMemberSyncAndInstance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		in := AuroraAwait{Region: "us-east-1", GlobalCluster: global, TargetARN: westARN, Interval: time.Second}
		west := w.global.GlobalClusterMembers[1]
		w.global.GlobalClusterMembers = w.global.GlobalClusterMembers[:1]
		w.instances["billing-usw2"] = nil
		done := make(chan error, 1)
		go func() { _, err := w.steps().AwaitAuroraSynchronized(t.Context(), in); done <- err }()
		stillWaiting := func(change func()) {
			w.mu.Lock()
			change()
			w.mu.Unlock()
			time.Sleep(3 * time.Second) //nolint:forbidigo // fake time
			select {
			case err := <-done:
				require.Fail(t, "ended too early", "%v", err)
			default:
			}
		}
		stillWaiting(func() {})
		stillWaiting(func() {
			west.SynchronizationStatus = types.GlobalClusterMemberSynchronizationStatusPendingResync
			w.global.GlobalClusterMembers = append(w.global.GlobalClusterMembers, west)
		})
		stillWaiting(func() {
			w.global.GlobalClusterMembers[1].SynchronizationStatus = types.GlobalClusterMemberSynchronizationStatusConnected
		})
		stillWaiting(func() { w.instances["billing-usw2"] = []string{"creating"} })
		w.mu.Lock()
		w.instances["billing-usw2"] = []string{"available"}
		w.mu.Unlock()
		require.NoError(t, <-done)
	})
}

func lostWrites(dry bool) SnapshotCopy {
	return SnapshotCopy{
		Command: runbook.Command{DryRun: dry}, Region: "us-east-1", Cluster: "billing-use1",
		After: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Timeout: cloud.SuspectTimeout,
	}
}

func TestPreserveLostWrites(t *testing.T) {
	t.Parallel()
	cloudtest.CheckChange(t, "rds:CopyDBClusterSnapshot", func() cloudtest.Change {
		w := newWorld()
		w.snapshot("rds:unplanned-global-failover-billing-use1-2026-11-02-03-04", time.Date(2026, 11, 2, 3, 4, 0, 0, time.UTC))
		return cloudtest.Change{
			Service: &w.regions["us-east-1"].Service, Operation: "CopyDBClusterSnapshot",
			Run: func(ctx context.Context, dry bool) (runbook.Outcome, error) {
				s, err := w.steps().PreserveLostWrites(ctx, lostWrites(dry))
				return s.Outcome, err
			},
			Effects: func() int { return w.copies },
		}
	})
}

func TestPreserveLostWrites_TakesTheNewestOfThisFailover(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.snapshot("rds:billing-use1-2026-11-03", time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC))
	w.snapshot("rds:unplanned-global-failover-billing-use1-old", time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC))
	s, err := w.steps().PreserveLostWrites(t.Context(), lostWrites(false))
	require.NoError(t, err)
	require.False(t, s.Found, "nothing of this failover yet")
	require.Empty(t, w.regions["us-east-1"].Changes())

	w.snapshot("rds:unplanned-global-failover-billing-use1-a", time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC))
	w.snapshot("rds:unplanned-global-failover-billing-use1-b", time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC))
	s, err = w.steps().PreserveLostWrites(t.Context(), lostWrites(false))
	require.NoError(t, err)
	require.True(t, s.Found)
	require.Equal(t, "rds:unplanned-global-failover-billing-use1-b", s.Source)
	require.Equal(t, "lifeline-lost-writes-billing-use1-b", s.Copy)
	require.Contains(t, w.snapshots, s.Copy)
}

func TestPreserveLostWrites_FailedCopy_NeedsAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.snapshot("rds:unplanned-global-failover-billing-use1-b", time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC))
	w.snapshot("lifeline-lost-writes-billing-use1-b", time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC))
	broken := w.snapshots["lifeline-lost-writes-billing-use1-b"]
	broken.Status = aws.String("failed")
	w.snapshots["lifeline-lost-writes-billing-use1-b"] = broken
	_, err := w.steps().PreserveLostWrites(t.Context(), lostWrites(false))
	require.Equal(t, cloud.Conflict, cloud.KindOf(err))
}
