package app

import (
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/dynamodb"
)

// reachableTables are the tables as a machine reaches them: not at all while
// its network is cut.
type reachableTables struct{ i *Instance }

// PutItem writes, if the network lets it.
func (t reachableTables) PutItem(from, region string, in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
	if !t.i.network() {
		return nil, errNoNetwork()
	}
	return t.i.fleet.stores.Tables.PutItem(from, region, in)
}

// GetItem reads, if the network lets it.
func (t reachableTables) GetItem(from, region string, in *dynamodb.GetItemInput) (map[string]*dynamodb.AttributeValue, error) {
	if !t.i.network() {
		return nil, errNoNetwork()
	}
	return t.i.fleet.stores.Tables.GetItem(from, region, in)
}

// UpdateItem updates, if the network lets it.
func (t reachableTables) UpdateItem(from, region string, in *dynamodb.UpdateItemInput) (*dynamodb.UpdateItemOutput, error) {
	if !t.i.network() {
		return nil, errNoNetwork()
	}
	return t.i.fleet.stores.Tables.UpdateItem(from, region, in)
}

// record writes to the local replica.
func (i *Instance) record(id, location string) (receipt, error) {
	r := receipt{ID: id, Region: i.Region, Epoch: i.lease.view(i.Region, time.Now()).epoch, At: time.Now().UTC()}
	_, err := i.tables().PutItem(i.Region, i.Region, &dynamodb.PutItemInput{
		TableName: &i.Table,
		Item: map[string]*dynamodb.AttributeValue{
			"id": {S: &id}, "region": {S: &i.Region}, "location": {S: &location},
			"at": {S: aws.String(r.At.Format(time.RFC3339Nano))},
		},
	})
	if err != nil {
		return receipt{}, fmt.Errorf("write record %q: %w", id, err)
	}
	return r, nil
}

func (i *Instance) findRecord(id string) (found bool, r receipt, err error) {
	item, err := i.tables().GetItem(i.Region, i.Region, &dynamodb.GetItemInput{
		TableName: &i.Table, Key: map[string]*dynamodb.AttributeValue{"id": {S: &id}}, ConsistentRead: aws.Bool(true),
	})
	if err != nil || item == nil {
		return false, receipt{}, err
	}
	r = receipt{ID: id}
	if v := item["region"]; v != nil {
		r.Region = aws.StringValue(v.S)
	}
	if v := item["at"]; v != nil {
		if r.At, err = time.Parse(time.RFC3339Nano, aws.StringValue(v.S)); err != nil {
			return false, receipt{}, fmt.Errorf("record %q: %w", id, err)
		}
	}
	return true, r, nil
}

func documentKey(id string) string { return "documents/" + id }

// document writes to the local bucket.
func (i *Instance) document(id string) (receipt, error) {
	r := receipt{ID: id, Region: i.Region, Epoch: i.lease.view(i.Region, time.Now()).epoch, At: time.Now().UTC()}
	if !i.network() {
		return receipt{}, errNoNetwork()
	}
	body := fmt.Appendf(nil, "%s %s %s\n", id, i.Region, r.At.Format(time.RFC3339Nano))
	if err := i.fleet.stores.Buckets.PutObject(i.Region, i.Bucket, documentKey(id), body); err != nil {
		return receipt{}, fmt.Errorf("write document %q: %w", id, err)
	}
	return r, nil
}

func (i *Instance) findDocument(id string) (body []byte, ok bool, err error) {
	if !i.network() {
		return nil, false, errNoNetwork()
	}
	return i.fleet.stores.Buckets.GetObject(i.Region, i.Bucket, documentKey(id))
}

func (i *Instance) hasDocuments() bool { return i.Bucket != "" && i.fleet.stores.Buckets != nil }

// healthy looks at the dependencies inside this Region only: a check that
// touched a shared one would take every Region down together.
func (i *Instance) healthy() error {
	var problems []error
	if _, _, err := i.findRecord("lifeline#health"); err != nil {
		problems = append(problems, fmt.Errorf("table %q: %w", i.Table, err))
	}
	if i.GlobalCluster != "" {
		if _, _, err := i.fleet.stores.Databases.Read(i.Region, i.Cluster, "health"); err != nil {
			problems = append(problems, fmt.Errorf("cluster %q: %w", i.Cluster, err))
		}
	}
	if i.hasDocuments() {
		if _, _, err := i.findDocument("health"); err != nil {
			problems = append(problems, fmt.Errorf("bucket %q: %w", i.Bucket, err))
		}
	}
	return errors.Join(problems...)
}
