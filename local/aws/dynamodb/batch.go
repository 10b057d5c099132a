package dynamodb

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/dynamodb"

	"lifeline/local/aws/wire"
)

// AWS's limits on one request.
const (
	maxBatchGet    = 100
	maxBatchWrite  = 25
	maxTransaction = 100
)

func (d *DynamoDB) batchGetItem(c *wire.Call, in *dynamodb.BatchGetItemInput) (*dynamodb.BatchGetItemOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	total := 0
	out := &dynamodb.BatchGetItemOutput{
		Responses:       map[string][]map[string]*dynamodb.AttributeValue{},
		UnprocessedKeys: map[string]*dynamodb.KeysAndAttributes{},
	}
	for name, wanted := range in.RequestItems {
		if total += len(wanted.Keys); total > maxBatchGet {
			return nil, invalid("Too many items requested for the BatchGetItem call")
		}
		for _, key := range wanted.Keys {
			item, err := d.read(c.Region, read{&name, key, wanted.ProjectionExpression, wanted.ExpressionAttributeNames, aws.BoolValue(wanted.ConsistentRead)})
			if err != nil {
				return nil, err
			}
			if item != nil {
				out.Responses[name] = append(out.Responses[name], item)
			}
		}
	}
	return out, nil
}

// batchWriteItem writes each item by itself: a batch is no transaction.
func (d *DynamoDB) batchWriteItem(c *wire.Call, in *dynamodb.BatchWriteItemInput) (*dynamodb.BatchWriteItemOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var effects []*effect
	for name, writes := range in.RequestItems {
		for _, w := range writes {
			one := change{verb: put, table: &name}
			if w.DeleteRequest != nil {
				one.verb, one.key = remove, w.DeleteRequest.Key
			} else if w.PutRequest != nil {
				one.item = w.PutRequest.Item
			}
			e, err := d.plan(c.Region, one)
			if err != nil {
				return nil, err
			}
			effects = append(effects, e)
		}
	}
	if len(effects) > maxBatchWrite {
		return nil, invalid("Too many items requested for the BatchWriteItem call")
	}
	if twice(effects) {
		return nil, invalid("Provided list of item keys contains duplicates")
	}
	for _, e := range effects {
		d.commit(e)
	}
	return &dynamodb.BatchWriteItemOutput{UnprocessedItems: map[string][]*dynamodb.WriteRequest{}}, nil
}

func noTransactions() error {
	return invalid("Transactions are not supported for global tables with multi-Region strong consistency")
}

// twice tells whether two effects meet the same item.
func twice(effects []*effect) bool {
	seen := map[string]bool{}
	for _, e := range effects {
		if e == nil {
			continue
		}
		id := e.table.name + "\x00" + e.key
		if seen[id] {
			return true
		}
		seen[id] = true
	}
	return false
}

func (d *DynamoDB) transactGetItems(c *wire.Call, in *dynamodb.TransactGetItemsInput) (*dynamodb.TransactGetItemsOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := &dynamodb.TransactGetItemsOutput{}
	for _, one := range in.TransactItems {
		if t, err := d.find(c.Region, one.Get.TableName); err == nil && t.strong() {
			return nil, noTransactions()
		}
		item, err := d.read(c.Region, read{one.Get.TableName, one.Get.Key, one.Get.ProjectionExpression, one.Get.ExpressionAttributeNames, false})
		if err != nil {
			return nil, err
		}
		out.Responses = append(out.Responses, &dynamodb.ItemResponse{Item: item})
	}
	return out, nil
}

// transactWriteItems is all or nothing in its own Region. To other replicas its
// writes go one by one: across Regions a transaction is not atomic.
func (d *DynamoDB) transactWriteItems(c *wire.Call, in *dynamodb.TransactWriteItemsInput) (*dynamodb.TransactWriteItemsOutput, error) {
	if len(in.TransactItems) > maxTransaction {
		return nil, invalid("Member must have length less than or equal to %d", maxTransaction)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	done, err := d.repeated(in)
	if done || err != nil {
		return &dynamodb.TransactWriteItemsOutput{}, err
	}
	effects := make([]*effect, len(in.TransactItems))
	reasons := make([]*dynamodb.CancellationReason, len(in.TransactItems))
	failed := false
	for i, item := range in.TransactItems {
		one, err := transactChange(item)
		if err != nil {
			return nil, err
		}
		if t, err := d.find(c.Region, one.table); err == nil && t.strong() {
			return nil, noTransactions()
		}
		effects[i], err = d.plan(c.Region, one)
		if reasons[i], err = cancellation(err); err != nil {
			return nil, err
		}
		failed = failed || effects[i] == nil
	}
	if twice(effects) {
		return nil, invalid("Transaction request cannot include multiple operations on one item")
	}
	if failed {
		return nil, canceled(reasons)
	}
	for _, e := range effects {
		d.commit(e)
	}
	if in.ClientRequestToken != nil {
		d.tokens[*in.ClientRequestToken] = fingerprint(in)
	}
	return &dynamodb.TransactWriteItemsOutput{}, nil
}

// repeated tells whether the request's token was already used: then the answer
// is success for the same request, and an error for another one.
func (d *DynamoDB) repeated(in *dynamodb.TransactWriteItemsInput) (bool, error) {
	if in.ClientRequestToken == nil {
		return false, nil
	}
	before, used := d.tokens[*in.ClientRequestToken]
	if used && before != fingerprint(in) {
		return false, wire.Errorf(http.StatusBadRequest, dynamodb.ErrCodeIdempotentParameterMismatchException,
			"Request with the same client token and different parameters")
	}
	return used, nil
}

func fingerprint(in *dynamodb.TransactWriteItemsInput) string {
	b, err := json.Marshal(in.TransactItems)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func transactChange(item *dynamodb.TransactWriteItem) (change, error) {
	switch {
	case item.Put != nil:
		p := item.Put
		return change{
			verb: put, table: p.TableName, item: p.Item, condition: p.ConditionExpression,
			names: p.ExpressionAttributeNames, values: p.ExpressionAttributeValues, onFailure: p.ReturnValuesOnConditionCheckFailure,
		}, nil
	case item.Update != nil:
		u := item.Update
		return change{
			verb: update, table: u.TableName, key: u.Key, update: u.UpdateExpression, condition: u.ConditionExpression,
			names: u.ExpressionAttributeNames, values: u.ExpressionAttributeValues, onFailure: u.ReturnValuesOnConditionCheckFailure,
		}, nil
	case item.Delete != nil:
		r := item.Delete
		return change{
			verb: remove, table: r.TableName, key: r.Key, condition: r.ConditionExpression,
			names: r.ExpressionAttributeNames, values: r.ExpressionAttributeValues, onFailure: r.ReturnValuesOnConditionCheckFailure,
		}, nil
	case item.ConditionCheck != nil:
		k := item.ConditionCheck
		return change{
			verb: check, table: k.TableName, key: k.Key, condition: k.ConditionExpression,
			names: k.ExpressionAttributeNames, values: k.ExpressionAttributeValues, onFailure: k.ReturnValuesOnConditionCheckFailure,
		}, nil
	default:
		return change{}, invalid("TransactItems can only contain one of Check, Put, Update or Delete")
	}
}

// cancellation turns a failed condition into a reason; other errors stay errors.
func cancellation(err error) (*dynamodb.CancellationReason, error) {
	if err == nil {
		return &dynamodb.CancellationReason{Code: aws.String("None")}, nil
	}
	if !ConditionFailed(err) {
		return nil, err
	}
	reason := &dynamodb.CancellationReason{Code: aws.String("ConditionalCheckFailed"), Message: aws.String("The conditional request failed")}
	if e, ok := errors.AsType[*wire.Error](err); ok {
		if detail, ok := e.Detail.(*dynamodb.ConditionalCheckFailedException); ok {
			reason.Item = detail.Item
		}
	}
	return reason, nil
}

func canceled(reasons []*dynamodb.CancellationReason) error {
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = *r.Code
	}
	e := wire.Errorf(http.StatusBadRequest, dynamodb.ErrCodeTransactionCanceledException,
		"Transaction cancelled, please refer cancellation reasons for specific reasons [%s]", strings.Join(codes, ", "))
	e.Detail = &dynamodb.TransactionCanceledException{CancellationReasons: reasons}
	return e
}
