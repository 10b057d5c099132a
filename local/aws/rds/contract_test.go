package rds_test

import (
	"net/http/httptest"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	api "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/rds"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

const (
	east    = "us-east-1"
	west    = "us-west-2"
	arnEast = "arn:aws:rds:us-east-1:123456789012:cluster:billing-use1"
	arnWest = "arn:aws:rds:us-west-2:123456789012:cluster:billing-usw2"
)

// server speaks to a simulated RDS with the unmodified SDK.
type server struct{ url string }

func serve(t *testing.T, w *world.World, r *rds.RDS) *server {
	t.Helper()
	s := httptest.NewServer(wire.NewServer(w, r.Wire()))
	t.Cleanup(s.Close)
	return &server{s.URL}
}

func newServer(t *testing.T) *server {
	t.Helper()
	w := world.New(world.Options{Regions: []string{east, west}, Compression: 100})
	t.Cleanup(w.Close)
	return serve(t, w, rds.New(w, rds.Options{}))
}

func (s *server) client(region string) *api.Client {
	return api.New(api.Options{
		Region: region, BaseEndpoint: &s.url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	})
}

func (s *server) globalDatabase(t *testing.T) {
	t.Helper()
	_, err := s.client(east).CreateGlobalCluster(t.Context(), &api.CreateGlobalClusterInput{
		GlobalClusterIdentifier: sdk.String("billing"), Engine: sdk.String("aurora-postgresql"),
	})
	require.NoError(t, err)
	s.cluster(t, east, "billing-use1", sdk.String("clerk"))
	s.cluster(t, west, "billing-usw2", nil)
}

// cluster makes a member of the global database with one instance.
func (s *server) cluster(t *testing.T, region, id string, user *string) {
	t.Helper()
	c := s.client(region)
	in := &api.CreateDBClusterInput{
		DBClusterIdentifier: &id, Engine: sdk.String("aurora-postgresql"), GlobalClusterIdentifier: sdk.String("billing"), MasterUsername: user,
	}
	if user != nil {
		in.MasterUserPassword = sdk.String("correct horse")
	}
	out, err := c.CreateDBCluster(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, "creating", *out.DBCluster.Status)
	_, err = c.CreateDBInstance(t.Context(), &api.CreateDBInstanceInput{
		DBInstanceIdentifier: sdk.String(id + "-1"), DBClusterIdentifier: &id, Engine: sdk.String("aurora-postgresql"), DBInstanceClass: sdk.String("db.r6g.large"),
	})
	require.NoError(t, err)
	s.clusterIs(t, region, id, "available")
	s.instanceIs(t, region, id+"-1", "available")
}

func (s *server) clusterIs(t *testing.T, region, id, status string) {
	t.Helper()
	eventually(t, func() bool {
		out, err := s.client(region).DescribeDBClusters(t.Context(), &api.DescribeDBClustersInput{DBClusterIdentifier: &id})
		return err == nil && *out.DBClusters[0].Status == status
	})
}

func (s *server) instanceIs(t *testing.T, region, id, status string) {
	t.Helper()
	eventually(t, func() bool {
		out, err := s.client(region).DescribeDBInstances(t.Context(), &api.DescribeDBInstancesInput{DBInstanceIdentifier: &id})
		return err == nil && *out.DBInstances[0].DBInstanceStatus == status
	})
}

func (s *server) describe(t *testing.T, region string) types.GlobalCluster {
	t.Helper()
	out, err := s.client(region).DescribeGlobalClusters(t.Context(), &api.DescribeGlobalClustersInput{GlobalClusterIdentifier: sdk.String("billing")})
	require.NoError(t, err)
	return out.GlobalClusters[0]
}

func (s *server) snapshots(t *testing.T, region string) []types.DBClusterSnapshot {
	t.Helper()
	out, err := s.client(region).DescribeDBClusterSnapshots(t.Context(), &api.DescribeDBClusterSnapshotsInput{})
	require.NoError(t, err)
	return out.DBClusterSnapshots
}

func TestContract_GlobalCluster(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	_, err := s.client(west).DescribeGlobalClusters(t.Context(), &api.DescribeGlobalClustersInput{GlobalClusterIdentifier: sdk.String("billing")})
	var notFound *types.GlobalClusterNotFoundFault
	require.ErrorAs(t, err, &notFound)

	s.globalDatabase(t)
	g := s.describe(t, west)
	require.Len(t, g.GlobalClusterMembers, 2)
	writer, reader := g.GlobalClusterMembers[0], g.GlobalClusterMembers[1]
	require.Equal(t, arnEast, *writer.DBClusterArn)
	require.True(t, *writer.IsWriter)
	require.Equal(t, []string{arnWest}, writer.Readers)
	require.False(t, *reader.IsWriter)
	require.Equal(t, types.GlobalClusterMemberSynchronizationStatusConnected, reader.SynchronizationStatus)
	require.Equal(t, "arn:aws:rds::123456789012:global-cluster:billing", *g.GlobalClusterArn)

	_, err = s.client(east).DeleteGlobalCluster(t.Context(), &api.DeleteGlobalClusterInput{GlobalClusterIdentifier: sdk.String("billing")})
	var invalid *types.InvalidGlobalClusterStateFault
	require.ErrorAs(t, err, &invalid)
	_, err = s.client(east).RemoveFromGlobalCluster(t.Context(), &api.RemoveFromGlobalClusterInput{
		GlobalClusterIdentifier: sdk.String("billing"), DbClusterIdentifier: sdk.String(arnEast),
	})
	require.ErrorAs(t, err, &invalid, "the primary leaves last")
	for _, arn := range []string{arnWest, arnEast} {
		_, err = s.client(east).RemoveFromGlobalCluster(t.Context(), &api.RemoveFromGlobalClusterInput{
			GlobalClusterIdentifier: sdk.String("billing"), DbClusterIdentifier: &arn,
		})
		require.NoError(t, err)
	}
	_, err = s.client(east).DeleteGlobalCluster(t.Context(), &api.DeleteGlobalClusterInput{GlobalClusterIdentifier: sdk.String("billing")})
	require.NoError(t, err)
}

func TestContract_Clusters(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.globalDatabase(t)
	c := s.client(east)
	_, err := c.DescribeDBClusters(t.Context(), &api.DescribeDBClustersInput{DBClusterIdentifier: sdk.String("nope")})
	var notFound *types.DBClusterNotFoundFault
	require.ErrorAs(t, err, &notFound)

	list, err := c.DescribeDBClusters(t.Context(), &api.DescribeDBClustersInput{})
	require.NoError(t, err)
	require.Len(t, list.DBClusters, 1, "Regions do not see each other's clusters")
	one := list.DBClusters[0]
	require.Equal(t, "billing-use1-1", *one.DBClusterMembers[0].DBInstanceIdentifier)
	require.True(t, *one.DBClusterMembers[0].IsClusterWriter)
	require.Contains(t, *one.ReaderEndpoint, ".cluster-ro-")

	_, err = c.CreateDBCluster(t.Context(), &api.CreateDBClusterInput{
		DBClusterIdentifier: sdk.String("billing-use1"), Engine: sdk.String("aurora-postgresql"), MasterUsername: sdk.String("x"),
	})
	var exists *types.DBClusterAlreadyExistsFault
	require.ErrorAs(t, err, &exists)
	_, err = c.DeleteDBCluster(t.Context(), &api.DeleteDBClusterInput{DBClusterIdentifier: sdk.String("billing-use1"), SkipFinalSnapshot: sdk.Bool(true)})
	var state *types.InvalidDBClusterStateFault
	require.ErrorAs(t, err, &state)
	_, err = c.CreateDBCluster(t.Context(), &api.CreateDBClusterInput{DBClusterIdentifier: sdk.String("2bad-"), Engine: sdk.String("aurora-postgresql"), MasterUsername: sdk.String("x")})
	require.ErrorContains(t, err, "InvalidParameterValue")

	_, err = c.ModifyDBCluster(t.Context(), &api.ModifyDBClusterInput{DBClusterIdentifier: sdk.String("billing-use1"), BackupRetentionPeriod: sdk.Int32(30), ApplyImmediately: sdk.Bool(true)})
	require.NoError(t, err)
	s.clusterIs(t, east, "billing-use1", "available")
}

func TestContract_InstancesAndReplicas(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	primary, replica := s.client(east), s.client(west)
	_, err := primary.DescribeDBInstances(t.Context(), &api.DescribeDBInstancesInput{DBInstanceIdentifier: sdk.String("ledger")})
	var notFound *types.DBInstanceNotFoundFault
	require.ErrorAs(t, err, &notFound)

	_, err = primary.CreateDBInstance(t.Context(), &api.CreateDBInstanceInput{
		DBInstanceIdentifier: sdk.String("ledger"), Engine: sdk.String("postgres"), DBInstanceClass: sdk.String("db.m6g.large"),
		AllocatedStorage: sdk.Int32(100), MasterUsername: sdk.String("clerk"), MasterUserPassword: sdk.String("correct horse"),
		Tags: []types.Tag{{Key: sdk.String("tier"), Value: sdk.String("2")}},
	})
	require.NoError(t, err)
	s.instanceIs(t, east, "ledger", "available")
	source := "arn:aws:rds:us-east-1:123456789012:db:ledger"
	_, err = replica.CreateDBInstanceReadReplica(t.Context(), &api.CreateDBInstanceReadReplicaInput{
		DBInstanceIdentifier: sdk.String("ledger-copy"), SourceDBInstanceIdentifier: &source,
	})
	require.NoError(t, err)
	s.instanceIs(t, west, "ledger-copy", "available")
	got, err := replica.DescribeDBInstances(t.Context(), &api.DescribeDBInstancesInput{DBInstanceIdentifier: sdk.String("ledger-copy")})
	require.NoError(t, err)
	require.Equal(t, source, *got.DBInstances[0].ReadReplicaSourceDBInstanceIdentifier)
	require.Equal(t, "replicating", *got.DBInstances[0].StatusInfos[0].Status)

	_, err = primary.StopDBInstance(t.Context(), &api.StopDBInstanceInput{DBInstanceIdentifier: sdk.String("ledger")})
	var state *types.InvalidDBInstanceStateFault
	require.ErrorAs(t, err, &state, "a primary with replicas cannot be stopped")

	_, err = replica.PromoteReadReplica(t.Context(), &api.PromoteReadReplicaInput{DBInstanceIdentifier: sdk.String("ledger-copy"), BackupRetentionPeriod: sdk.Int32(7)})
	require.NoError(t, err)
	eventually(t, func() bool {
		got, err := replica.DescribeDBInstances(t.Context(), &api.DescribeDBInstancesInput{DBInstanceIdentifier: sdk.String("ledger-copy")})
		one := got.DBInstances[0]
		return err == nil && *one.DBInstanceStatus == "available" && one.ReadReplicaSourceDBInstanceIdentifier == nil && *one.BackupRetentionPeriod == 7
	})
	_, err = replica.PromoteReadReplica(t.Context(), &api.PromoteReadReplicaInput{DBInstanceIdentifier: sdk.String("ledger-copy")})
	require.ErrorAs(t, err, &state, "promotion is one-way")

	_, err = primary.StopDBInstance(t.Context(), &api.StopDBInstanceInput{DBInstanceIdentifier: sdk.String("ledger")})
	require.NoError(t, err, "without a replica it can be stopped")
	s.instanceIs(t, east, "ledger", "stopped")

	tags, err := primary.ListTagsForResource(t.Context(), &api.ListTagsForResourceInput{ResourceName: &source})
	require.NoError(t, err)
	require.Equal(t, "tier", *tags.TagList[0].Key)
}

func TestContract_ModifyRebootDelete(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.client(east)
	id := sdk.String("ledger")
	_, err := c.CreateDBInstance(t.Context(), &api.CreateDBInstanceInput{
		DBInstanceIdentifier: id, Engine: sdk.String("mysql"), DBInstanceClass: sdk.String("db.m6g.large"),
		AllocatedStorage: sdk.Int32(100), MasterUsername: sdk.String("clerk"), MasterUserPassword: sdk.String("correct horse"),
	})
	require.NoError(t, err)
	_, err = c.RebootDBInstance(t.Context(), &api.RebootDBInstanceInput{DBInstanceIdentifier: id})
	var state *types.InvalidDBInstanceStateFault
	require.ErrorAs(t, err, &state, "not while it is being created")
	s.instanceIs(t, east, "ledger", "available")

	_, err = c.RebootDBInstance(t.Context(), &api.RebootDBInstanceInput{DBInstanceIdentifier: id, ForceFailover: sdk.Bool(true)})
	require.ErrorContains(t, err, "InvalidParameterCombination")
	out, err := c.ModifyDBInstance(t.Context(), &api.ModifyDBInstanceInput{DBInstanceIdentifier: id, MultiAZ: sdk.Bool(true), ApplyImmediately: sdk.Bool(true)})
	require.NoError(t, err)
	require.True(t, *out.DBInstance.PendingModifiedValues.MultiAZ)
	eventually(t, func() bool {
		got, err := c.DescribeDBInstances(t.Context(), &api.DescribeDBInstancesInput{DBInstanceIdentifier: id})
		return err == nil && *got.DBInstances[0].MultiAZ && *got.DBInstances[0].DBInstanceStatus == "available"
	})
	_, err = c.RebootDBInstance(t.Context(), &api.RebootDBInstanceInput{DBInstanceIdentifier: id, ForceFailover: sdk.Bool(true)})
	require.NoError(t, err)
	s.instanceIs(t, east, "ledger", "available")

	_, err = c.DeleteDBInstance(t.Context(), &api.DeleteDBInstanceInput{DBInstanceIdentifier: id})
	require.ErrorContains(t, err, "FinalDBSnapshotIdentifier is required")
	_, err = c.DeleteDBInstance(t.Context(), &api.DeleteDBInstanceInput{DBInstanceIdentifier: id, SkipFinalSnapshot: sdk.Bool(true)})
	require.NoError(t, err)
	eventually(t, func() bool {
		list, err := c.DescribeDBInstances(t.Context(), &api.DescribeDBInstancesInput{})
		return err == nil && len(list.DBInstances) == 0
	})
}

func TestContract_SnapshotsAndEvents(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.globalDatabase(t)
	c := s.client(east)
	_, err := c.CreateDBClusterSnapshot(t.Context(), &api.CreateDBClusterSnapshotInput{DBClusterIdentifier: sdk.String("billing-use1"), DBClusterSnapshotIdentifier: sdk.String("before")})
	require.NoError(t, err)
	eventually(t, func() bool { return *s.snapshots(t, east)[0].Status == "available" })
	source := *s.snapshots(t, east)[0].DBClusterSnapshotArn
	_, err = s.client(west).CopyDBClusterSnapshot(t.Context(), &api.CopyDBClusterSnapshotInput{
		SourceDBClusterSnapshotIdentifier: &source, TargetDBClusterSnapshotIdentifier: sdk.String("before-copy"),
	})
	require.NoError(t, err)
	eventually(t, func() bool { return *s.snapshots(t, west)[0].Status == "available" })
	require.Equal(t, source, *s.snapshots(t, west)[0].SourceDBClusterSnapshotArn)
	_, err = c.CopyDBClusterSnapshot(t.Context(), &api.CopyDBClusterSnapshotInput{
		SourceDBClusterSnapshotIdentifier: sdk.String("nope"), TargetDBClusterSnapshotIdentifier: sdk.String("x"),
	})
	var notFound *types.DBClusterSnapshotNotFoundFault
	require.ErrorAs(t, err, &notFound)

	events, err := c.DescribeEvents(t.Context(), &api.DescribeEventsInput{SourceType: types.SourceTypeDbCluster, SourceIdentifier: sdk.String("billing-use1")})
	require.NoError(t, err)
	require.Equal(t, "DB cluster created", *events.Events[0].Message)
	require.Equal(t, arnEast, *events.Events[0].SourceArn)
}
