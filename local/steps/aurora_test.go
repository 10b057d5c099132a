package steps_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/activities/rds"
	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
	"lifeline/local/aws/world"
)

// TestAurora_RegionLost_WriterMovesAndTheRestIsKept goes the whole way: blackout,
// failover, heal, the snapshot of what was lost, resynchronization, switchover home.
func TestAurora_RegionLost_WriterMovesAndTheRestIsKept(t *testing.T) {
	t.Parallel()
	f := start(t, "patient-records.yaml", 60, quiet)
	w := f.worker()
	w.timeout = suspect
	home, away := f.id("billing", east, "cluster"), f.id("billing", west, "cluster")
	describe := func() rds.Aurora {
		a, err := w.rds.DescribeAurora(t.Context(), rds.AuroraRef{Region: west, GlobalCluster: f.globalCluster(), Suspect: east, Timeout: w.timeout})
		require.NoError(t, err)
		return a
	}
	await := rds.AuroraAwait{Region: west, GlobalCluster: f.globalCluster(), TargetARN: f.cluster(west), Interval: 20 * time.Millisecond}
	lost := rds.SnapshotCopy{Region: east, Cluster: home, After: time.Now(), Timeout: w.timeout}

	require.NoError(t, f.RDS.Write(string(east), home, "early", "replicated"))
	eventually(t, "the early write arrives", func() bool {
		_, ok, err := f.RDS.Read(string(west), away, "early")
		return ok && err == nil
	})
	none, err := w.rds.PreserveLostWrites(t.Context(), lost)
	require.NoError(t, err)
	require.False(t, none.Found, "nothing was lost yet")

	f.RDS.SetLag(time.Hour)
	require.NoError(t, f.RDS.Write(string(east), home, "late", "acknowledged, never replicated"))
	f.World.Inject(world.Fault{Kind: world.Blackout, Region: string(east)})
	f.RDS.SetLag(300 * time.Millisecond)
	before := describe()
	require.Equal(t, string(east), before.WriterRegion)
	require.ElementsMatch(t, []rds.AuroraMember{
		{ARN: f.cluster(east), ClusterID: home, Region: string(east), Writer: true, Sync: before.Members[0].Sync, Instances: -1},
		{ARN: f.cluster(west), ClusterID: away, Region: string(west), Sync: "connected", Instances: 1},
	}, before.Members)

	_, err = w.rds.FailoverAurora(t.Context(), f.move(w, west, west, runbook.Command{}))
	require.NoError(t, err)
	require.Equal(t, f.cluster(west), describe().FailoverTarget, "accepted is not done")
	after, err := w.rds.AwaitAuroraWriter(within(t, patience), await)
	require.NoError(t, err)
	require.Equal(t, string(west), after.WriterRegion)
	require.NoError(t, f.RDS.Write(string(west), away, "new", "writer"))
	_, ok, err := f.RDS.Read(string(west), away, "late")
	require.NoError(t, err)
	require.False(t, ok, "the late write is cut off")

	_, err = w.rds.PreserveLostWrites(t.Context(), lost)
	require.Equal(t, cloud.Unreachable, cloud.KindOf(err), "the only copy is in the dark Region")
	await.TargetARN, await.Timeout = f.cluster(east), suspect
	_, err = w.rds.AwaitAuroraSynchronized(within(t, suspect), await)
	require.Equal(t, cloud.NotYet, cloud.KindOf(err), "%v", err)

	f.World.Heal(string(east))
	f.keepOnce(t, w, lost)
	synced, err := w.rds.AwaitAuroraSynchronized(within(t, patience), await)
	require.NoError(t, err)
	require.Equal(t, string(west), synced.WriterRegion)

	_, err = w.rds.SwitchoverAurora(t.Context(), f.move(w, west, east, runbook.Command{}))
	require.NoError(t, err)
	back, err := w.rds.AwaitAuroraWriter(within(t, patience), await)
	require.NoError(t, err)
	require.Equal(t, string(east), back.WriterRegion)
	for _, key := range []string{"early", "new"} {
		_, ok, err = f.RDS.Read(string(east), home, key)
		require.NoError(t, err)
		require.True(t, ok, "%s: a switchover loses nothing", key)
	}
}

// keepOnce preserves the lost writes as often as a nervous operator would.
func (f *fixture) keepOnce(t *testing.T, w *worker, lost rds.SnapshotCopy) {
	t.Helper()
	var kept rds.Snapshot
	require.NoError(t, until(within(t, patience), "AWS's snapshot", func() (bool, error) {
		var err error
		kept, err = w.rds.PreserveLostWrites(t.Context(), lost)
		if cloud.KindOf(err) == cloud.Conflict {
			return false, nil // AWS is still making it
		}
		return kept.Found, err
	}))
	require.Equal(t, runbook.Acted, kept.Effect)
	data, ok := f.RDS.SnapshotData(string(east), kept.Copy)
	require.True(t, ok)
	require.Equal(t, "acknowledged, never replicated", data["late"])

	again, err := w.rds.PreserveLostWrites(t.Context(), lost)
	require.NoError(t, err)
	require.Equal(t, runbook.Already, again.Effect)
	require.Equal(t, kept.Copy, again.Copy)
	manual, err := f.snapshots(t.Context(), east, lost.Cluster, "manual")
	require.NoError(t, err)
	require.Len(t, manual, 1)

	lost.After = time.Now()
	later, err := w.rds.PreserveLostWrites(t.Context(), lost)
	require.NoError(t, err)
	require.False(t, later.Found, "an earlier failover's snapshot is not this one's")
}
