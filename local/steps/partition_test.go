package steps_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/activities/dynamodb"
	"lifeline/activities/rds"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// TestPartition_TheLeaseStopsTheOldWriter cuts us-east-1 from the other Regions
// while clients still reach it. Nothing can tell its writer to stop, and it stops.
func TestPartition_TheLeaseStopsTheOldWriter(t *testing.T) {
	t.Parallel()
	const ttl = 3 * time.Second
	f := start(t, "patient-records.yaml", 60, func(p *plan.Plan) {
		quiet(p)
		p.Lease.TTL = plan.Duration(ttl)
	})
	w, clients := f.worker(), f.invoices(t)
	eventually(t, "the writer serves the clients of both Regions", func() bool { return len(clients.by(east)) > 10 })

	mendWest, mendWitness := f.cutEast(west), f.cutEast(witness)
	cutAt := time.Now()
	fence, err := w.dynamodb.FenceLease(t.Context(), dynamodb.LeaseFence{
		Region: witness, Table: f.plan.Lease.Table, Application: f.plan.Application, From: east, To: west, TTL: ttl,
	})
	require.NoError(t, err)
	require.Equal(t, runbook.Acted, fence.Effect)
	require.Equal(t, int64(2), fence.Epoch)
	require.WithinRange(t, fence.FreeAt, cutAt, time.Now().Add(ttl), "one TTL after a renewal from before the fence")
	require.NotEmpty(t, clients.by(east))
	eventually(t, "the lease has lapsed", func() bool { return time.Now().After(fence.FreeAt) })

	moved := f.move(w, west, west, runbook.Command{Token: "partition"})
	_, err = w.rds.FailoverAurora(t.Context(), moved)
	require.NoError(t, err)
	promoted, err := w.rds.AwaitAuroraWriter(within(t, patience), rds.AuroraAwait{
		Region: west, GlobalCluster: moved.GlobalCluster, TargetARN: moved.TargetARN, Interval: 20 * time.Millisecond,
	})
	require.NoError(t, err)
	require.Equal(t, string(west), promoted.WriterRegion)
	eventually(t, "the new writer serves", func() bool { return len(clients.by(west)) > 10 })

	// The cut heals: the old Region finds out, and forwards.
	mendWest()
	mendWitness()
	healed := time.Now()
	require.NoError(t, f.still(within(t, patience)))
	eventually(t, "the old Region's clients are served by the new writer", func() bool {
		return slices.ContainsFunc(clients.since(west, healed), func(a ack) bool { return a.ID[:len(east)] == string(east) })
	})
	clients.goHome()

	old, young := clients.by(east), clients.by(west)
	require.NotEmpty(t, clients.since(east, cutAt), "a partition is no blackout: the old writer served until its lease lapsed")
	for _, a := range old {
		require.Equal(t, int64(1), a.Epoch)
		require.False(t, a.At.After(fence.FreeAt), "%s was accepted %s after the lease had lapsed", a.ID, a.At.Sub(fence.FreeAt))
	}
	for _, a := range young {
		require.Equal(t, int64(2), a.Epoch)
	}
	lastOld := slices.MaxFunc(old, func(a, b ack) int { return a.ended.Compare(b.ended) })
	firstYoung := slices.MinFunc(young, func(a, b ack) int { return a.ended.Compare(b.ended) })
	require.True(t, lastOld.ended.Before(firstYoung.ended), "%+v and %+v: two writers at one moment", lastOld, firstYoung)
	f.nothingForgotten(t, w, append(old, young...))
}

// nothingForgotten finds every acknowledged invoice: at the new writer, or in
// the snapshot of what the old one had not replicated.
func (f *fixture) nothingForgotten(t *testing.T, w *worker, acks []ack) {
	t.Helper()
	kept, err := w.rds.PreserveLostWrites(t.Context(), rds.SnapshotCopy{Region: east, Cluster: f.id("billing", east, "cluster")})
	require.NoError(t, err)
	require.True(t, kept.Found)
	cut, ok := f.RDS.SnapshotData(string(east), kept.Copy)
	require.True(t, ok)
	var only []string
	for _, a := range acks {
		_, found, err := f.RDS.Read(string(west), f.id("billing", west, "cluster"), "invoice/"+a.ID)
		require.NoError(t, err)
		if !found {
			only = append(only, a.ID)
			require.Contains(t, slices.Collect(maps.Keys(cut)), "invoice/"+a.ID)
		}
	}
	require.NotEmpty(t, only, "what was written behind the cut is in the snapshot alone")
}
