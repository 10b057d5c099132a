package dynamodb_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/dynamodb"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/dynamodb"
	"lifeline/local/aws/world"
)

const (
	east = "us-east-1"
	west = "us-west-2"
)

// newGlobal is a world with a global table "records" in both Regions.
func newGlobal(t *testing.T, lag time.Duration) (*world.World, *dynamodb.DynamoDB) {
	t.Helper()
	w := world.New(world.Options{Regions: []string{east, west, "us-east-2"}, Compression: 1000})
	t.Cleanup(w.Close)
	d := dynamodb.New(w, dynamodb.Options{Lag: lag})
	s := serve(t, w, d)
	s.createTable(t, east, "records")
	s.addReplica(t)
	return w, d
}

func item(id, value string) dynamodb.Item {
	return dynamodb.Item{"id": {S: aws.String(id)}, "value": {S: aws.String(value)}}
}

func key(id string) dynamodb.Item { return dynamodb.Item{"id": {S: aws.String(id)}} }

func value(t *testing.T, d *dynamodb.DynamoDB, region, id string) string {
	t.Helper()
	got, err := d.Get(region, "records", key(id))
	require.NoError(t, err)
	if got == nil {
		return ""
	}
	return *got["value"].S
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, 10*time.Second, time.Millisecond)
}

func TestReplication_ArrivesLate(t *testing.T) {
	t.Parallel()
	_, d := newGlobal(t, time.Minute) // 60 ms here
	require.NoError(t, d.Put(east, "records", item("a", "1")))
	require.Equal(t, "1", value(t, d, east, "a"))
	require.Empty(t, value(t, d, west, "a"), "replication takes its time")
	eventually(t, func() bool { return value(t, d, west, "a") == "1" })
	require.Empty(t, d.Backlogs())
}

func TestReplication_BothWays(t *testing.T) {
	t.Parallel()
	_, d := newGlobal(t, time.Second)
	require.NoError(t, d.Put(west, "records", item("a", "1")))
	eventually(t, func() bool { return value(t, d, east, "a") == "1" })
}

func TestReplication_LastWriterWinsEverywhere(t *testing.T) {
	t.Parallel()
	_, d := newGlobal(t, 20*time.Second)
	require.NoError(t, d.Put(east, "records", item("a", "older")))
	require.NoError(t, d.Put(west, "records", item("a", "newer")))
	eventually(t, func() bool { return len(d.Backlogs()) == 0 })
	require.Equal(t, "newer", value(t, d, east, "a"))
	require.Equal(t, "newer", value(t, d, west, "a"))
}

func TestReplication_DarkRegionKeepsItsTail(t *testing.T) {
	t.Parallel()
	w, d := newGlobal(t, 30*time.Second)
	require.NoError(t, d.Put(east, "records", item("tail", "1")))
	require.NoError(t, d.Put(east, "records", item("both", "old")))
	w.Inject(world.Fault{Kind: world.Blackout, Region: east})

	require.Error(t, d.Put(east, "records", item("b", "1")), "a dark Region takes no writes")
	require.NoError(t, d.Put(west, "records", item("both", "new")))
	settled(t, w, 200*time.Second) // far beyond the lag
	require.Empty(t, value(t, d, west, "tail"), "the tail is stuck in the dark Region")
	require.Equal(t, []string{east, west}, []string{d.Backlogs()[0].From, d.Backlogs()[1].From})
	require.Equal(t, 2, d.Backlogs()[0].Writes)

	w.Heal(east)
	eventually(t, func() bool { return len(d.Backlogs()) == 0 })
	require.Equal(t, "1", value(t, d, west, "tail"), "pending writes surface after the heal")
	require.Equal(t, "new", value(t, d, east, "both"))
	require.Equal(t, "new", value(t, d, west, "both"), "and lose to newer ones")
}

func TestReplication_PartitionHoldsBothDirections(t *testing.T) {
	t.Parallel()
	w, d := newGlobal(t, time.Second)
	id := w.Inject(world.Fault{Kind: world.Partition, Region: east, Peer: west})
	require.NoError(t, d.Put(east, "records", item("e", "1")))
	require.NoError(t, d.Put(west, "records", item("w", "1")))
	settled(t, w, 50*time.Second)
	require.Empty(t, value(t, d, west, "e"))
	require.Empty(t, value(t, d, east, "w"))
	w.Remove(id)
	eventually(t, func() bool { return value(t, d, west, "e") == "1" && value(t, d, east, "w") == "1" })
}

func TestReplication_DeleteDoesNotComeBack(t *testing.T) {
	t.Parallel()
	w, d := newGlobal(t, time.Second)
	s := serve(t, w, d)
	require.NoError(t, d.Put(east, "records", item("a", "1")))
	eventually(t, func() bool { return value(t, d, west, "a") == "1" })
	id := w.Inject(world.Fault{Kind: world.Partition, Region: east, Peer: west})
	require.NoError(t, d.Put(east, "records", item("a", "2"))) // older than the delete
	s.delete(t, west, "records", "a")
	w.Remove(id)
	eventually(t, func() bool { return len(d.Backlogs()) == 0 })
	require.Empty(t, value(t, d, east, "a"))
	require.Empty(t, value(t, d, west, "a"))
}

func TestCondition_JudgesTheLocalCopy(t *testing.T) {
	t.Parallel()
	_, d := newGlobal(t, time.Hour)
	create := func(region string) error {
		_, err := d.PutItem(region, region, &api.PutItemInput{
			TableName: aws.String("records"), Item: item("a", region), ConditionExpression: aws.String("attribute_not_exists(id)"),
		})
		return err
	}
	require.NoError(t, create(east))
	require.NoError(t, create(west), "the other Region does not know yet")
	require.True(t, dynamodb.ConditionFailed(create(east)))
}

func TestDataPlane_AcrossRegions(t *testing.T) {
	t.Parallel()
	w, d := newGlobal(t, time.Second)
	serve(t, w, d).createTable(t, "us-east-2", "lease")
	raise := func() error {
		_, err := d.UpdateItem(east, "us-east-2", &api.UpdateItemInput{
			TableName: aws.String("lease"), Key: key("app"),
			UpdateExpression:          aws.String("SET epoch = if_not_exists(epoch, :zero) + :one"),
			ExpressionAttributeValues: dynamodb.Item{":zero": {N: aws.String("0")}, ":one": {N: aws.String("1")}},
		})
		return err
	}
	require.NoError(t, raise())
	w.Inject(world.Fault{Kind: world.Partition, Region: east, Peer: "us-east-2"})
	require.ErrorContains(t, raise(), "no answer")
	got, err := d.GetItem(west, "us-east-2", &api.GetItemInput{TableName: aws.String("lease"), Key: key("app")})
	require.NoError(t, err)
	require.Equal(t, "1", *got["epoch"].N)
}

// settled waits until a timer of that much AWS time has gone off, so that every
// shorter one had its chance.
func settled(t *testing.T, w *world.World, d time.Duration) {
	t.Helper()
	done := make(chan struct{})
	w.After(d, func() { close(done) })
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the world's clock stands still")
	}
}
