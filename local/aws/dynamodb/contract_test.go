package dynamodb_test

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/dynamodb"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// server speaks to a simulated DynamoDB with the unmodified SDK.
type server struct{ url string }

func serve(t *testing.T, w *world.World, d *dynamodb.DynamoDB) server {
	t.Helper()
	s := httptest.NewServer(wire.NewServer(w, d.Wire()))
	t.Cleanup(s.Close)
	return server{s.URL}
}

func (s server) client(region string) *ddb.Client {
	return ddb.New(ddb.Options{
		Region: region, BaseEndpoint: &s.url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	})
}

func (s server) createTable(t *testing.T, region, name string) {
	t.Helper()
	c := s.client(region)
	out, err := c.CreateTable(t.Context(), &ddb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: sdk.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: sdk.String("id"), KeyType: types.KeyTypeHash}},
	})
	require.NoError(t, err)
	require.Equal(t, types.TableStatusCreating, out.TableDescription.TableStatus)
	s.active(t, region, name)
}

func (s server) active(t *testing.T, region, name string) {
	t.Helper()
	eventually(t, func() bool {
		out, err := s.client(region).DescribeTable(t.Context(), &ddb.DescribeTableInput{TableName: &name})
		return err == nil && out.Table.TableStatus == types.TableStatusActive
	})
}

// addReplica gives the table "records" of us-east-1 a replica in us-west-2.
func (s server) addReplica(t *testing.T) {
	t.Helper()
	region, name, other := east, "records", west
	out, err := s.client(region).UpdateTable(t.Context(), &ddb.UpdateTableInput{
		TableName:      &name,
		ReplicaUpdates: []types.ReplicationGroupUpdate{{Create: &types.CreateReplicationGroupMemberAction{RegionName: &other}}},
	})
	require.NoError(t, err)
	require.Equal(t, types.ReplicaStatusCreating, out.TableDescription.Replicas[0].ReplicaStatus)
	s.active(t, region, name)
	s.active(t, other, name)
}

func (s server) delete(t *testing.T, region, table, id string) {
	t.Helper()
	_, err := s.client(region).DeleteItem(t.Context(), &ddb.DeleteItemInput{TableName: &table, Key: sKey(id)})
	require.NoError(t, err)
}

func sKey(id string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}}
}

func n(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }

func newServer(t *testing.T) server {
	t.Helper()
	w := world.New(world.Options{Regions: []string{east, west}, Compression: 1000})
	t.Cleanup(w.Close)
	return serve(t, w, dynamodb.New(w, dynamodb.Options{}))
}

func TestContract_Tables(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.client(east)
	_, err := c.DescribeTable(t.Context(), &ddb.DescribeTableInput{TableName: sdk.String("records")})
	missing := require.New(t)
	var notFound *types.ResourceNotFoundException
	missing.ErrorAs(err, &notFound)

	s.createTable(t, east, "records")
	_, err = c.CreateTable(t.Context(), &ddb.CreateTableInput{
		TableName: sdk.String("records"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: sdk.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: sdk.String("id"), KeyType: types.KeyTypeHash}},
	})
	var inUse *types.ResourceInUseException
	require.ErrorAs(t, err, &inUse)

	s.addReplica(t)
	out, err := s.client(west).DescribeTable(t.Context(), &ddb.DescribeTableInput{TableName: sdk.String("records")})
	require.NoError(t, err)
	require.Equal(t, "arn:aws:dynamodb:us-west-2:123456789012:table/records", *out.Table.TableArn)
	require.Equal(t, east, *out.Table.Replicas[0].RegionName)
	require.Equal(t, types.ReplicaStatusActive, out.Table.Replicas[0].ReplicaStatus)
	require.Equal(t, "2019.11.21", *out.Table.GlobalTableVersion)
	require.NotEmpty(t, *out.Table.LatestStreamArn)

	list, err := c.ListTables(t.Context(), &ddb.ListTablesInput{})
	require.NoError(t, err)
	require.Equal(t, []string{"records"}, list.TableNames)

	_, err = c.DeleteTable(t.Context(), &ddb.DeleteTableInput{TableName: sdk.String("records")})
	require.NoError(t, err)
	eventually(t, func() bool {
		_, err := c.DescribeTable(t.Context(), &ddb.DescribeTableInput{TableName: sdk.String("records")})
		return err != nil
	})
	out, err = s.client(west).DescribeTable(t.Context(), &ddb.DescribeTableInput{TableName: sdk.String("records")})
	require.NoError(t, err)
	require.Empty(t, out.Table.Replicas, "the other replica stays, alone")
}

func TestContract_BackupsAndTags(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.client(east)
	s.createTable(t, east, "records")
	_, err := c.UpdateContinuousBackups(t.Context(), &ddb.UpdateContinuousBackupsInput{
		TableName:                        sdk.String("records"),
		PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: sdk.Bool(true)},
	})
	require.NoError(t, err)
	out, err := c.DescribeContinuousBackups(t.Context(), &ddb.DescribeContinuousBackupsInput{TableName: sdk.String("records")})
	require.NoError(t, err)
	pitr := out.ContinuousBackupsDescription.PointInTimeRecoveryDescription
	require.Equal(t, types.PointInTimeRecoveryStatusEnabled, pitr.PointInTimeRecoveryStatus)
	require.WithinDuration(t, time.Now(), *pitr.EarliestRestorableDateTime, time.Minute)
	_, err = c.DescribeContinuousBackups(t.Context(), &ddb.DescribeContinuousBackupsInput{TableName: sdk.String("nope")})
	var notFound *types.TableNotFoundException
	require.ErrorAs(t, err, &notFound)

	arn := "arn:aws:dynamodb:us-east-1:123456789012:table/records"
	_, err = c.TagResource(t.Context(), &ddb.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: sdk.String("tier"), Value: sdk.String("1")}}})
	require.NoError(t, err)
	tags, err := c.ListTagsOfResource(t.Context(), &ddb.ListTagsOfResourceInput{ResourceArn: &arn})
	require.NoError(t, err)
	require.Equal(t, []types.Tag{{Key: sdk.String("tier"), Value: sdk.String("1")}}, tags.Tags)
}

func TestContract_Items(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.client(east)
	table := sdk.String("records")
	s.createTable(t, east, "records")
	whole := map[string]types.AttributeValue{
		"id": &types.AttributeValueMemberS{Value: "a"}, "count": n("1"), "open": &types.AttributeValueMemberBOOL{Value: true},
		"none": &types.AttributeValueMemberNULL{Value: true}, "blob": &types.AttributeValueMemberB{Value: []byte{1, 2}},
		"list": &types.AttributeValueMemberL{Value: []types.AttributeValue{n("1")}},
		"set":  &types.AttributeValueMemberSS{Value: []string{"x", "y"}},
		"map":  &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"k": n("2")}},
	}
	_, err := c.PutItem(t.Context(), &ddb.PutItemInput{TableName: table, Item: whole})
	require.NoError(t, err)
	got, err := c.GetItem(t.Context(), &ddb.GetItemInput{TableName: table, Key: sKey("a"), ConsistentRead: sdk.Bool(true)})
	require.NoError(t, err)
	require.Equal(t, whole, got.Item)

	updated, err := c.UpdateItem(t.Context(), &ddb.UpdateItemInput{
		TableName: table, Key: sKey("a"), ReturnValues: types.ReturnValueUpdatedNew,
		UpdateExpression: sdk.String("SET #c = #c + :one"), ConditionExpression: sdk.String("#c = :one"),
		ExpressionAttributeNames:  map[string]string{"#c": "count"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":one": n("1")},
	})
	require.NoError(t, err)
	require.Equal(t, map[string]types.AttributeValue{"count": n("2")}, updated.Attributes)

	_, err = c.DeleteItem(t.Context(), &ddb.DeleteItemInput{
		TableName: table, Key: sKey("a"), ConditionExpression: sdk.String("attribute_not_exists(id)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var refused *types.ConditionalCheckFailedException
	require.ErrorAs(t, err, &refused)
	require.Equal(t, n("2"), refused.Item["count"])

	gone, err := c.DeleteItem(t.Context(), &ddb.DeleteItemInput{TableName: table, Key: sKey("a"), ReturnValues: types.ReturnValueAllOld})
	require.NoError(t, err)
	require.Equal(t, n("2"), gone.Attributes["count"])
	got, err = c.GetItem(t.Context(), &ddb.GetItemInput{TableName: table, Key: sKey("a")})
	require.NoError(t, err)
	require.Nil(t, got.Item)
}

func TestContract_Refusals(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.client(east)
	s.createTable(t, east, "records")
	put := func(table string, item map[string]types.AttributeValue) error {
		_, err := c.PutItem(t.Context(), &ddb.PutItemInput{TableName: &table, Item: item})
		return err
	}
	require.ErrorContains(t, put("nope", sKey("a")), "ResourceNotFoundException")
	require.ErrorContains(t, put("records", map[string]types.AttributeValue{"x": n("1")}), "Missing the key id in the item")
	require.ErrorContains(t, put("records", map[string]types.AttributeValue{"id": n("1")}), "Type mismatch for key id expected: S actual: N")
	require.ErrorContains(t, put("records", sKey("")), "cannot contain an empty string")
	_, err := c.UpdateItem(t.Context(), &ddb.UpdateItemInput{
		TableName: sdk.String("records"), Key: sKey("a"), UpdateExpression: sdk.String("SET region = :r"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":r": n("1")},
	})
	require.ErrorContains(t, err, "ValidationException: Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: region")
	_, err = c.UpdateItem(t.Context(), &ddb.UpdateItemInput{
		TableName: sdk.String("records"), Key: sKey("a"), UpdateExpression: sdk.String("SET id = :r"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":r": n("1")},
	})
	require.ErrorContains(t, err, "This attribute is part of the key")
}

func TestContract_Transactions(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.client(east)
	table := sdk.String("records")
	s.createTable(t, east, "records")
	write := func(token string, ids ...string) error {
		in := &ddb.TransactWriteItemsInput{ClientRequestToken: &token}
		for _, id := range ids {
			in.TransactItems = append(in.TransactItems, types.TransactWriteItem{Put: &types.Put{
				TableName: table, Item: sKey(id), ConditionExpression: sdk.String("attribute_not_exists(id)"),
			}})
		}
		_, err := c.TransactWriteItems(t.Context(), in)
		return err
	}
	require.NoError(t, write("one", "a", "b"))
	require.NoError(t, write("one", "a", "b"), "the same token is the same transaction")
	var mismatch *types.IdempotentParameterMismatchException
	require.ErrorAs(t, write("one", "a", "c"), &mismatch)

	var canceled *types.TransactionCanceledException
	require.ErrorAs(t, write("two", "c", "b"), &canceled)
	require.Equal(t, "None", *canceled.CancellationReasons[0].Code)
	require.Equal(t, "ConditionalCheckFailed", *canceled.CancellationReasons[1].Code)
	got, err := c.GetItem(t.Context(), &ddb.GetItemInput{TableName: table, Key: sKey("c")})
	require.NoError(t, err)
	require.Nil(t, got.Item, "all or nothing")
	require.ErrorContains(t, write("three", "d", "d"), "multiple operations on one item")
}

func TestContract_QueryScanBatch(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.client(east)
	table := sdk.String("events")
	_, err := c.CreateTable(t.Context(), &ddb.CreateTableInput{
		TableName: table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: sdk.String("patient"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: sdk.String("seq"), AttributeType: types.ScalarAttributeTypeN},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: sdk.String("patient"), KeyType: types.KeyTypeHash},
			{AttributeName: sdk.String("seq"), KeyType: types.KeyTypeRange},
		},
	})
	require.NoError(t, err)
	s.active(t, east, "events")
	var writes []types.WriteRequest
	for i := range 12 {
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: map[string]types.AttributeValue{
			"patient": &types.AttributeValueMemberS{Value: "p"}, "seq": n(fmt.Sprint(i)), "even": &types.AttributeValueMemberBOOL{Value: i%2 == 0},
		}}})
	}
	_, err = c.BatchWriteItem(t.Context(), &ddb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"events": writes}})
	require.NoError(t, err)

	pages := ddb.NewQueryPaginator(c, &ddb.QueryInput{
		TableName: table, Limit: sdk.Int32(3), KeyConditionExpression: sdk.String("patient = :p AND seq BETWEEN :two AND :ten"),
		FilterExpression: sdk.String("even = :yes"), ProjectionExpression: sdk.String("seq"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":p": &types.AttributeValueMemberS{Value: "p"}, ":two": n("2"), ":ten": n("10"), ":yes": &types.AttributeValueMemberBOOL{Value: true},
		},
	})
	var got []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		require.LessOrEqual(t, page.ScannedCount, int32(3))
		for _, item := range page.Items {
			require.Len(t, item, 1)
			number, ok := item["seq"].(*types.AttributeValueMemberN)
			require.True(t, ok)
			got = append(got, number.Value)
		}
	}
	require.Equal(t, []string{"2", "4", "6", "8", "10"}, got, "by number, not by text")

	_, err = c.Query(t.Context(), &ddb.QueryInput{
		TableName: table, KeyConditionExpression: sdk.String("seq = :two"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":two": n("2")},
	})
	require.ErrorContains(t, err, "Query condition missed key schema element: patient")

	scanned := 0
	scan := ddb.NewScanPaginator(c, &ddb.ScanInput{TableName: table, Limit: sdk.Int32(5)})
	for scan.HasMorePages() {
		page, err := scan.NextPage(t.Context())
		require.NoError(t, err)
		scanned += len(page.Items)
	}
	require.Equal(t, 12, scanned)

	read, err := c.BatchGetItem(t.Context(), &ddb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"events": {
		Keys: []map[string]types.AttributeValue{
			{"patient": &types.AttributeValueMemberS{Value: "p"}, "seq": n("3")},
			{"patient": &types.AttributeValueMemberS{Value: "p"}, "seq": n("99")},
		},
	}}})
	require.NoError(t, err)
	require.Len(t, read.Responses["events"], 1)
}
