package dynamodb_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/dynamodb"
	"lifeline/local/aws/world"
)

const ohio = "us-east-2"

func newThree(t *testing.T) (*world.World, *dynamodb.DynamoDB, server) {
	t.Helper()
	w := world.New(world.Options{Regions: []string{east, west, ohio, "eu-west-1"}, Compression: 1000})
	t.Cleanup(w.Close)
	d := dynamodb.New(w, dynamodb.Options{})
	s := serve(t, w, d)
	s.createTable(t, east, "records")
	return w, d, s
}

func wireCode(t *testing.T, err error) string {
	t.Helper()
	var refused smithy.APIError
	require.ErrorAs(t, err, &refused)
	return refused.ErrorCode()
}

func (s server) update(t *testing.T, in *ddb.UpdateTableInput) error {
	t.Helper()
	in.TableName = sdk.String("records")
	_, err := s.client(east).UpdateTable(t.Context(), in)
	return err
}

func (s server) table(t *testing.T, region string) *types.TableDescription {
	t.Helper()
	out, err := s.client(region).DescribeTable(t.Context(), &ddb.DescribeTableInput{TableName: sdk.String("records")})
	require.NoError(t, err)
	return out.Table
}

func added(regions ...string) []types.ReplicationGroupUpdate {
	var out []types.ReplicationGroupUpdate
	for _, region := range regions {
		out = append(out, types.ReplicationGroupUpdate{Create: &types.CreateReplicationGroupMemberAction{RegionName: sdk.String(region)}})
	}
	return out
}

func watched(region string) []types.GlobalTableWitnessGroupUpdate {
	return []types.GlobalTableWitnessGroupUpdate{{Create: &types.CreateGlobalTableWitnessGroupMemberAction{RegionName: sdk.String(region)}}}
}

func (s server) strong(t *testing.T) {
	t.Helper()
	require.NoError(t, s.update(t, &ddb.UpdateTableInput{
		MultiRegionConsistency: types.MultiRegionConsistencyStrong, ReplicaUpdates: added(west), GlobalTableWitnessUpdates: watched(ohio),
	}))
	s.active(t, west, "records")
	s.active(t, east, "records")
}

func TestStrong_TwoReplicasAndAWitness_ReadTheirWritesEverywhere(t *testing.T) {
	t.Parallel()
	w, d, s := newThree(t)
	s.strong(t)
	table := s.table(t, west)
	require.Equal(t, types.MultiRegionConsistencyStrong, table.MultiRegionConsistency)
	require.Equal(t, ohio, *table.GlobalTableWitnesses[0].RegionName)
	require.Equal(t, types.WitnessStatusActive, table.GlobalTableWitnesses[0].WitnessStatus)

	require.NoError(t, d.Put(east, "records", item("a", "1")))
	require.Equal(t, "1", value(t, d, west, "a"), "no lag")

	w.Inject(world.Fault{ID: "cut", Kind: world.Partition, Region: west, Peer: east})
	require.NoError(t, d.Put(west, "records", item("a", "2")), "west and the witness are two of three")
	w.Inject(world.Fault{ID: "alone", Kind: world.Partition, Region: west, Peer: ohio})
	require.Error(t, d.Put(west, "records", item("a", "3")), "alone, nothing is acknowledged")
	_, err := s.client(west).GetItem(t.Context(), &ddb.GetItemInput{TableName: sdk.String("records"), Key: sKey("a"), ConsistentRead: sdk.Bool(true)})
	require.Equal(t, "InternalServerError", wireCode(t, err))
	require.Equal(t, "2", value(t, d, west, "a"), "an eventually consistent read needs nobody")
	w.Remove("alone")
	w.Remove("cut")
	require.Equal(t, "2", value(t, d, east, "a"), "what was missed is there at once")
}

func TestStrong_Refusals(t *testing.T) {
	t.Parallel()
	_, d, s := newThree(t)
	refuse := func(why string, in *ddb.UpdateTableInput) {
		t.Helper()
		require.Equal(t, "ValidationException", wireCode(t, s.update(t, in)), why)
	}
	strong := types.MultiRegionConsistencyStrong
	refuse("two Regions", &ddb.UpdateTableInput{MultiRegionConsistency: strong, ReplicaUpdates: added(west)})
	refuse("another Region set", &ddb.UpdateTableInput{MultiRegionConsistency: strong, ReplicaUpdates: added(west, "eu-west-1")})
	refuse("a witness without strong consistency", &ddb.UpdateTableInput{ReplicaUpdates: added(west), GlobalTableWitnessUpdates: watched(ohio)})
	require.NoError(t, d.Put(east, "records", item("a", "1")))
	refuse("not empty", &ddb.UpdateTableInput{MultiRegionConsistency: strong, ReplicaUpdates: added(west, ohio)})
	s.delete(t, east, "records", "a")
	s.strong(t)
	refuse("a fourth Region", &ddb.UpdateTableInput{ReplicaUpdates: added("eu-west-1")})
	gone := []types.ReplicationGroupUpdate{{Delete: &types.DeleteReplicationGroupMemberAction{RegionName: sdk.String(west)}}}
	refuse("a witness alone", &ddb.UpdateTableInput{ReplicaUpdates: gone})
	_, err := s.client(east).TransactWriteItems(t.Context(), &ddb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Delete: &types.Delete{TableName: sdk.String("records"), Key: sKey("a")}},
	}})
	require.Equal(t, "ValidationException", wireCode(t, err))
	_, err = s.client(east).UpdateTimeToLive(t.Context(), &ddb.UpdateTimeToLiveInput{
		TableName: sdk.String("records"), TimeToLiveSpecification: &types.TimeToLiveSpecification{Enabled: sdk.Bool(true), AttributeName: sdk.String("until")},
	})
	require.Equal(t, "ValidationException", wireCode(t, err))
	_, err = s.client(west).DeleteTable(t.Context(), &ddb.DeleteTableInput{TableName: sdk.String("records")})
	require.Equal(t, "ValidationException", wireCode(t, err))
	require.NoError(t, s.update(t, &ddb.UpdateTableInput{
		ReplicaUpdates: gone, GlobalTableWitnessUpdates: []types.GlobalTableWitnessGroupUpdate{{Delete: &types.DeleteGlobalTableWitnessGroupMemberAction{RegionName: sdk.String(ohio)}}},
	}))
	s.active(t, east, "records")
	require.NoError(t, d.Put(east, "records", item("a", "1")), "alone again")
}

func TestStrong_ExistingGlobalTable_StaysEventual(t *testing.T) {
	t.Parallel()
	_, _, s := newThree(t)
	s.addReplica(t)
	require.Equal(t, types.MultiRegionConsistencyEventual, s.table(t, east).MultiRegionConsistency)
	err := s.update(t, &ddb.UpdateTableInput{MultiRegionConsistency: types.MultiRegionConsistencyStrong, ReplicaUpdates: added(ohio, "eu-west-1")})
	require.Equal(t, "ValidationException", wireCode(t, err))
}

func TestUpdateTable_Refusals(t *testing.T) {
	t.Parallel()
	_, _, s := newThree(t)
	c := s.client(east)
	key := "arn:aws:kms:us-east-1:123456789012:key/1"
	_, err := c.CreateTable(t.Context(), &ddb.CreateTableInput{
		TableName: sdk.String("provisioned"), ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: sdk.Int64(1), WriteCapacityUnits: sdk.Int64(1)},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: sdk.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: sdk.String("id"), KeyType: types.KeyTypeHash}},
		SSESpecification:     &types.SSESpecification{Enabled: sdk.Bool(true), KMSMasterKeyId: &key},
	})
	require.NoError(t, err)
	s.active(t, east, "provisioned")
	update := func(in *ddb.UpdateTableInput) error {
		in.TableName = sdk.String("provisioned")
		_, err := c.UpdateTable(t.Context(), in)
		return err
	}
	require.ErrorContains(t, update(&ddb.UpdateTableInput{ReplicaUpdates: added(west)}), "Pay-Per-Request")
	require.NoError(t, update(&ddb.UpdateTableInput{BillingMode: types.BillingModePayPerRequest}))
	s.active(t, east, "provisioned")
	require.ErrorContains(t, update(&ddb.UpdateTableInput{ReplicaUpdates: added(west)}), "KMSMasterKeyId must be specified")
	wrong := added(west)
	wrong[0].Create.KMSMasterKeyId = &key
	require.ErrorContains(t, update(&ddb.UpdateTableInput{ReplicaUpdates: wrong}), "not in region us-west-2")
	right := added(west)
	right[0].Create.KMSMasterKeyId = sdk.String("arn:aws:kms:us-west-2:123456789012:key/2")
	require.NoError(t, update(&ddb.UpdateTableInput{ReplicaUpdates: right}))
	s.active(t, west, "provisioned")
	out, err := s.client(west).DescribeTable(t.Context(), &ddb.DescribeTableInput{TableName: sdk.String("provisioned")})
	require.NoError(t, err)
	require.Equal(t, "arn:aws:kms:us-west-2:123456789012:key/2", *out.Table.SSEDescription.KMSMasterKeyArn)
	require.Equal(t, types.SSETypeKms, out.Table.SSEDescription.SSEType)
	here, err := c.DescribeTable(t.Context(), &ddb.DescribeTableInput{TableName: sdk.String("provisioned")})
	require.NoError(t, err)
	require.Equal(t, key, *here.Table.SSEDescription.KMSMasterKeyArn)
	require.Equal(t, right[0].Create.KMSMasterKeyId, here.Table.Replicas[0].KMSMasterKeyId)
	require.ErrorContains(t, update(&ddb.UpdateTableInput{StreamSpecification: &types.StreamSpecification{StreamEnabled: sdk.Bool(false)}}), "Streams")
}

func TestDeletionProtection_HoldsUntilItIsSwitchedOff(t *testing.T) {
	t.Parallel()
	_, _, s := newThree(t)
	require.NoError(t, s.update(t, &ddb.UpdateTableInput{DeletionProtectionEnabled: sdk.Bool(true)}))
	s.active(t, east, "records")
	require.True(t, *s.table(t, east).DeletionProtectionEnabled)
	_, err := s.client(east).DeleteTable(t.Context(), &ddb.DeleteTableInput{TableName: sdk.String("records")})
	require.Equal(t, "ValidationException", wireCode(t, err))
}

func TestContinuousBackups_PeriodIsEachReplicasOwn(t *testing.T) {
	t.Parallel()
	_, _, s := newThree(t)
	s.addReplica(t)
	set := func(days *int32, on bool) error {
		_, err := s.client(east).UpdateContinuousBackups(t.Context(), &ddb.UpdateContinuousBackupsInput{
			TableName:                        sdk.String("records"),
			PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: &on, RecoveryPeriodInDays: days},
		})
		return err
	}
	get := func(region string) *types.PointInTimeRecoveryDescription {
		out, err := s.client(region).DescribeContinuousBackups(t.Context(), &ddb.DescribeContinuousBackupsInput{TableName: sdk.String("records")})
		require.NoError(t, err)
		return out.ContinuousBackupsDescription.PointInTimeRecoveryDescription
	}
	for _, days := range []int32{0, 36} {
		require.Equal(t, "ValidationException", wireCode(t, set(&days, true)))
	}
	require.Equal(t, "ValidationException", wireCode(t, set(sdk.Int32(7), false)))
	require.NoError(t, set(nil, true))
	require.Equal(t, int32(35), *get(east).RecoveryPeriodInDays)
	require.NoError(t, set(sdk.Int32(30), true))
	require.Equal(t, int32(30), *get(east).RecoveryPeriodInDays)
	require.NotNil(t, get(east).EarliestRestorableDateTime)
	require.Equal(t, types.PointInTimeRecoveryStatusDisabled, get(west).PointInTimeRecoveryStatus)
	require.Nil(t, get(west).RecoveryPeriodInDays)
}
