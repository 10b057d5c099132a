package rds_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/rds"
	"lifeline/local/aws/world"
)

// database is a two-Region global database "billing" with clusters
// "billing-use1" (writer) and "billing-usw2".
type database struct {
	*server
	world *world.World
	rds   *rds.RDS
}

func newDatabase(t *testing.T, o rds.Options) database {
	t.Helper()
	w := world.New(world.Options{Regions: []string{east, west}, Compression: 100})
	t.Cleanup(w.Close)
	r := rds.New(w, o)
	s := serve(t, w, r)
	s.globalDatabase(t)
	return database{s, w, r}
}

func (d database) value(t *testing.T, region, cluster, key string) string {
	t.Helper()
	v, _, err := d.rds.Read(region, cluster, key)
	require.NoError(t, err)
	return v
}

func (d database) failover(t *testing.T, region string, loss bool) error {
	t.Helper()
	in := &api.FailoverGlobalClusterInput{GlobalClusterIdentifier: sdk.String("billing"), TargetDbClusterIdentifier: sdk.String(arnWest)}
	if loss {
		in.AllowDataLoss = sdk.Bool(true)
	}
	_, err := d.client(region).FailoverGlobalCluster(t.Context(), in)
	return err
}

func (d database) switchover(t *testing.T, region, target string) error {
	t.Helper()
	_, err := d.client(region).SwitchoverGlobalCluster(t.Context(), &api.SwitchoverGlobalClusterInput{
		GlobalClusterIdentifier: sdk.String("billing"), TargetDbClusterIdentifier: &target,
	})
	return err
}

func (d database) writerIs(region string) func() bool {
	return func() bool {
		_, at := d.rds.Writer("billing")
		return at == region
	}
}

func (d database) member(t *testing.T, arn string) types.GlobalClusterMember {
	t.Helper()
	g := d.describe(t, west)
	for _, m := range g.GlobalClusterMembers {
		if *m.DBClusterArn == arn {
			return m
		}
	}
	t.Fatalf("no member %s", arn)
	return types.GlobalClusterMember{}
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, time.Minute, 5*time.Millisecond)
}

// visible is a pace at which a state of half a minute lasts for a second or two,
// so that it is seen also on a busy machine.
const visible = 20

func TestReplication_KeepsAPrefix(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rds.Options{Lag: 20 * time.Second})
	for i := range 50 {
		require.NoError(t, d.rds.Write(east, "billing-use1", strconv.Itoa(i), "x"))
		if i == 25 {
			d.rds.SetLag(time.Millisecond) // later commits are faster, but may not overtake
		}
		// The newest first: what arrives while this looks can only be older.
		newer := false
		for k := i; k >= 0; k-- {
			there := d.value(t, west, "billing-usw2", strconv.Itoa(k)) != ""
			require.False(t, newer && !there, "a commit arrived before commit %d", k)
			newer = newer || there
		}
	}
	eventually(t, func() bool { return d.value(t, west, "billing-usw2", "49") == "x" })
}

func TestWrite_OnlyOnTheWriter(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rds.Options{})
	require.ErrorContains(t, d.rds.Write(west, "billing-usw2", "k", "v"), "the cluster is a secondary")
	require.NoError(t, d.rds.Write(west, "billing-use1", "k", "v"), "the other Region may write through the writer's endpoint")
	require.ErrorContains(t, d.rds.Write(east, "nope", "k", "v"), "no such host")
	d.world.Inject(world.Fault{Kind: world.Partition, Region: east, Peer: west})
	require.ErrorContains(t, d.rds.Write(west, "billing-use1", "k", "v"), "timed out")
	require.NoError(t, d.rds.Write(east, "billing-use1", "k", "v"))
}

func TestSwitchover_LosesNothing(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rds.Options{Lag: 10 * time.Second})
	d.world.SetCompression(visible)
	require.ErrorContains(t, d.switchover(t, west, arnWest), "InvalidGlobalClusterStateFault", "has to be sent to the primary's Region")

	var acked []string
	for i := range 20 {
		key := strconv.Itoa(i)
		require.NoError(t, d.rds.Write(east, "billing-use1", key, "x"))
		acked = append(acked, key)
	}
	require.NoError(t, d.switchover(t, east, arnWest))
	require.ErrorContains(t, d.rds.Write(east, "billing-use1", "late", "x"), "switchover is in progress")
	state := d.describe(t, east).FailoverState
	require.NotNil(t, state)
	require.False(t, *state.IsDataLossAllowed)
	require.ErrorContains(t, d.switchover(t, east, arnWest), "InvalidGlobalClusterStateFault", "one at a time")

	eventually(t, d.writerIs(west))
	for _, key := range acked {
		require.Equal(t, "x", d.value(t, west, "billing-usw2", key))
	}
	require.NoError(t, d.rds.Write(west, "billing-usw2", "after", "x"))
	require.Error(t, d.rds.Write(east, "billing-use1", "after", "x"))
	eventually(t, func() bool { return d.value(t, east, "billing-use1", "after") == "x" })
	require.Nil(t, d.describe(t, east).FailoverState)
	require.NoError(t, d.switchover(t, west, arnEast), "and back again")
	eventually(t, d.writerIs(east))
}

func TestSwitchover_NeedsAHealthyPrimary(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rds.Options{})
	d.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	err := d.failover(t, west, false)
	require.ErrorContains(t, err, "InvalidGlobalClusterStateFault", "without AllowDataLoss a failover is a switchover")
	_, region := d.rds.Writer("billing")
	require.Equal(t, east, region)
}

func TestSwitchover_PrimaryDiesMeanwhile_IsCancelled(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rds.Options{Switchover: 100 * time.Second})
	require.NoError(t, d.switchover(t, east, arnWest))
	d.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	eventually(t, func() bool { return d.describe(t, west).FailoverState == nil })
	_, region := d.rds.Writer("billing")
	require.Equal(t, east, region)
	require.NoError(t, d.failover(t, west, true), "the emergency way is open again")
}

func TestFailover_DarkPrimary_LosesTheTailAndKeepsItAsSnapshot(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rds.Options{Lag: 50 * time.Second, Rebuild: 200 * time.Second})
	require.NoError(t, d.rds.Write(east, "billing-use1", "arrived", "x"))
	eventually(t, func() bool { return d.value(t, west, "billing-usw2", "arrived") == "x" })
	require.NoError(t, d.rds.Write(east, "billing-use1", "tail", "x"))
	d.world.Inject(world.Fault{Kind: world.Blackout, Region: east})

	require.NoError(t, d.failover(t, west, true))
	require.ErrorContains(t, d.failover(t, west, true), "InvalidGlobalClusterStateFault", "no second failover while one runs")
	require.True(t, *d.describe(t, west).FailoverState.IsDataLossAllowed)
	require.Error(t, d.rds.Write(west, "billing-usw2", "early", "x"), "promotion takes its time")
	eventually(t, d.writerIs(west))
	require.NoError(t, d.rds.Write(west, "billing-usw2", "after", "x"))
	require.Empty(t, d.value(t, west, "billing-usw2", "tail"))
	require.Equal(t, types.GlobalClusterMemberSynchronizationStatusPendingResync, d.member(t, arnEast).SynchronizationStatus)
	require.Empty(t, d.snapshots(t, west))

	d.world.Heal(east)
	require.Error(t, d.rds.Write(east, "billing-use1", "zombie", "x"), "the old writer is fenced")
	eventually(t, func() bool { return len(d.snapshots(t, east)) == 1 })
	name := *d.snapshots(t, east)[0].DBClusterSnapshotIdentifier
	require.True(t, strings.HasPrefix(name, "rds:unplanned-global-failover-billing-use1-"), name)
	data, ok := d.rds.SnapshotData(east, name)
	require.True(t, ok)
	require.Equal(t, map[string]string{"arrived": "x", "tail": "x"}, data)

	eventually(t, func() bool {
		return d.member(t, arnEast).SynchronizationStatus == types.GlobalClusterMemberSynchronizationStatusConnected
	})
	require.Equal(t, "x", d.value(t, east, "billing-use1", "after"), "rebuilt from the new writer")
	require.Empty(t, d.value(t, east, "billing-use1", "tail"))
	require.Len(t, d.snapshots(t, east), 1)
	require.NoError(t, d.switchover(t, west, arnEast), "failback is a switchover")
	eventually(t, d.writerIs(east))
}

func TestFailover_Partition_OldWriterRunsUntilTheFenceReachesIt(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rds.Options{})
	cut := d.world.Inject(world.Fault{Kind: world.Partition, Region: east, Peer: west})
	require.NoError(t, d.failover(t, west, true))
	eventually(t, d.writerIs(west))
	require.NoError(t, d.rds.Write(east, "billing-use1", "split", "brain"), "storage fencing is best effort: it cannot cross a partition")
	d.world.Remove(cut)
	require.Error(t, d.rds.Write(east, "billing-use1", "split", "again"))
	eventually(t, func() bool { return len(d.snapshots(t, east)) == 1 })
	data, _ := d.rds.SnapshotData(east, *d.snapshots(t, east)[0].DBClusterSnapshotIdentifier)
	require.Equal(t, "brain", data["split"])
}

func TestFailover_ReachablePrimary_IsFencedAtOnce(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rds.Options{})
	require.NoError(t, d.failover(t, west, true))
	require.ErrorContains(t, d.rds.Write(east, "billing-use1", "k", "v"), "fenced")
	eventually(t, d.writerIs(west))
}

func TestFailover_Refused(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rds.Options{})
	require.ErrorContains(t, d.failover(t, east, true), "InvalidGlobalClusterStateFault", "sent to the wrong Region")
	_, err := d.client(west).FailoverGlobalCluster(t.Context(), &api.FailoverGlobalClusterInput{
		GlobalClusterIdentifier: sdk.String("billing"), TargetDbClusterIdentifier: sdk.String(arnWest),
		AllowDataLoss: sdk.Bool(true), Switchover: sdk.Bool(true),
	})
	require.ErrorContains(t, err, "InvalidParameterCombination")

	_, err = d.client(west).DeleteDBInstance(t.Context(), &api.DeleteDBInstanceInput{DBInstanceIdentifier: sdk.String("billing-usw2-1")})
	require.NoError(t, err)
	eventually(t, func() bool {
		_, err := d.client(west).DescribeDBInstances(t.Context(), &api.DescribeDBInstancesInput{DBInstanceIdentifier: sdk.String("billing-usw2-1")})
		return err != nil
	})
	require.ErrorContains(t, d.failover(t, west, true), "headless")
}

// gauge keeps what RDS publishes.
type gauge struct {
	mu     sync.Mutex
	values map[string]float64
}

func (g *gauge) Publish(region, _, name string, dimensions map[string]string, value float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.values[region+" "+name+" "+dimensions["DBClusterIdentifier"]] = value
}

func (g *gauge) lag() (float64, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	v, ok := g.values[west+" AuroraGlobalDBRPOLag billing-usw2"]
	return v, ok
}

func TestLag_PublishedInTheSecondarysRegion(t *testing.T) {
	t.Parallel()
	g := &gauge{values: map[string]float64{}}
	d := newDatabase(t, rds.Options{Lag: 20 * time.Second, Metrics: g})
	require.NoError(t, d.rds.Write(east, "billing-use1", "k", "v"))
	eventually(t, func() bool {
		v, ok := g.lag()
		return ok && v >= 20 // 20 s of AWS time are 20 ms here
	})
	d.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	before, _ := g.lag()
	eventually(t, func() bool {
		v, _ := g.lag()
		return v > before+100
	})
	g.mu.Lock()
	defer g.mu.Unlock()
	for name := range g.values {
		require.False(t, strings.HasPrefix(name, east), "no metric of the writer itself: %s", name)
	}
}
