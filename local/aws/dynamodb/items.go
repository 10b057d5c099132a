package dynamodb

import (
	"errors"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/dynamodb"

	"lifeline/local/aws/dynamodb/expression"
	"lifeline/local/aws/wire"
)

// maxItem is the largest item that DynamoDB stores, in bytes.
const maxItem = 400 << 10

func (d *DynamoDB) serveItems() {
	wire.Handle(d.wire, "PutItem", func(c *wire.Call, in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
		return d.putItem(c.Region, in)
	})
	wire.Handle(d.wire, "GetItem", func(c *wire.Call, in *dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error) {
		return d.getItem(c.Region, in)
	})
	wire.Handle(d.wire, "UpdateItem", func(c *wire.Call, in *dynamodb.UpdateItemInput) (*dynamodb.UpdateItemOutput, error) {
		return d.updateItem(c.Region, in)
	})
	wire.Handle(d.wire, "DeleteItem", d.deleteItem)
	wire.Handle(d.wire, "Query", d.query)
	wire.Handle(d.wire, "Scan", d.scan)
	wire.Handle(d.wire, "BatchGetItem", d.batchGetItem)
	wire.Handle(d.wire, "BatchWriteItem", d.batchWriteItem)
	wire.Handle(d.wire, "TransactWriteItems", d.transactWriteItems)
	wire.Handle(d.wire, "TransactGetItems", d.transactGetItems)
}

// open finds a table that answers reads and writes; d.mu is held.
func (d *DynamoDB) open(region string, name *string) (*table, error) {
	t, err := d.find(region, name)
	if err != nil {
		return nil, err
	}
	if !t.usable() {
		return nil, tableNotFound()
	}
	return t, nil
}

type verb int

const (
	put verb = iota
	update
	remove
	check
)

// change is one wish to write an item, or only to check it.
type change struct {
	verb      verb
	table     *string
	key       Item // of update, remove and check
	item      Item // of put
	update    *string
	condition *string
	names     map[string]*string
	values    Item
	onFailure *string // ReturnValuesOnConditionCheckFailure
}

// effect is what a change does to a table when it is committed.
type effect struct {
	table         *table
	key           string
	before, after Item
	written       []string // attributes that an update wrote
	checkOnly     bool
}

// plan judges a change against the local copy; nothing is written yet. d.mu is held.
func (d *DynamoDB) plan(region string, c change) (*effect, error) {
	t, err := d.open(region, c.table)
	if err != nil {
		return nil, err
	}
	if err := d.agrees(t); err != nil {
		return nil, err
	}
	params := expression.NewParams(c.names, c.values)
	condition, err := expression.ParseCondition(c.condition, params)
	if err != nil {
		return nil, invalidExpression("ConditionExpression", err)
	}
	changes, err := expression.ParseUpdate(c.update, params)
	if err != nil {
		return nil, invalidExpression("UpdateExpression", err)
	}
	if err := params.Unused(); err != nil {
		return nil, invalid("%s", err)
	}
	e, err := t.effect(c, changes)
	if err != nil {
		return nil, err
	}
	if !condition.Holds(e.before) {
		return nil, conditionFailed(c, e.before)
	}
	if err := t.apply(e, c, changes); err != nil {
		return nil, err
	}
	return e, nil
}

func invalidExpression(kind string, err error) error {
	return invalid("Invalid %s: %s", kind, err)
}

func (t *table) effect(c change, changes *expression.Update) (*effect, error) {
	key, whole := c.key, true
	if c.verb == put {
		key, whole = c.item, false
	}
	id, err := t.checkKey(key, whole)
	if err != nil {
		return nil, err
	}
	for _, name := range changes.Attributes() {
		if slices.Contains(t.schema.names(), name) {
			return nil, invalidParameter("Cannot update attribute %s. This attribute is part of the key", name)
		}
	}
	return &effect{table: t, key: id, before: t.item(id), checkOnly: c.verb == check}, nil
}

func (t *table) apply(e *effect, c change, changes *expression.Update) error {
	switch c.verb {
	case put:
		e.after = expression.Clone(c.item)
	case update:
		base := e.before
		if base == nil {
			base = t.keyOf(c.key)
		}
		after, err := changes.Apply(base)
		if err != nil {
			return invalid("%s", err)
		}
		e.after, e.written = after, changes.Attributes()
	case remove, check:
	}
	return checkItem(e.after)
}

func checkItem(item Item) error {
	if expression.ItemSize(item) > maxItem {
		return invalid("Item size has exceeded the maximum allowed size")
	}
	for name, v := range item {
		if expression.TypeOf(v) == "" {
			return invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes: %s", name)
		}
		if v.N != nil {
			if _, err := expression.Number(*v.N); err != nil {
				return invalid("%s", err)
			}
		}
	}
	return nil
}

// conditionFailed carries the item for the caller that asked for it by
// ReturnValuesOnConditionCheckFailure.
func conditionFailed(c change, before Item) error {
	failure := wire.Errorf(http.StatusBadRequest, dynamodb.ErrCodeConditionalCheckFailedException, "The conditional request failed")
	detail := &dynamodb.ConditionalCheckFailedException{}
	if aws.StringValue(c.onFailure) == dynamodb.ReturnValuesOnConditionCheckFailureAllOld {
		detail.Item = expression.Clone(before)
	}
	failure.Detail = detail
	return failure
}

// ConditionFailed tells whether a write was refused by its condition.
func ConditionFailed(err error) bool {
	e, ok := errors.AsType[*wire.Error](err)
	return ok && e.Code == dynamodb.ErrCodeConditionalCheckFailedException
}

// commit makes an effect happen; d.mu is held.
func (d *DynamoDB) commit(e *effect) {
	if e.checkOnly || (e.before == nil && e.after == nil) {
		return
	}
	d.store(e.table, e.key, e.after)
}

// execute plans and commits one change.
func (d *DynamoDB) execute(region string, c change) (*effect, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, err := d.plan(region, c)
	if err != nil {
		return nil, err
	}
	d.commit(e)
	return e, nil
}

func (d *DynamoDB) putItem(region string, in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
	e, err := d.execute(region, change{
		verb: put, table: in.TableName, item: in.Item, condition: in.ConditionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		onFailure: in.ReturnValuesOnConditionCheckFailure,
	})
	if err != nil {
		return nil, err
	}
	return &dynamodb.PutItemOutput{Attributes: e.returned(in.ReturnValues)}, nil
}

func (d *DynamoDB) updateItem(region string, in *dynamodb.UpdateItemInput) (*dynamodb.UpdateItemOutput, error) {
	if in.AttributeUpdates != nil || in.Expected != nil {
		return nil, invalid("AttributeUpdates and Expected are legacy parameters that this DynamoDB does not serve; use expressions")
	}
	e, err := d.execute(region, change{
		verb: update, table: in.TableName, key: in.Key, update: in.UpdateExpression, condition: in.ConditionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		onFailure: in.ReturnValuesOnConditionCheckFailure,
	})
	if err != nil {
		return nil, err
	}
	return &dynamodb.UpdateItemOutput{Attributes: e.returned(in.ReturnValues)}, nil
}

func (d *DynamoDB) deleteItem(c *wire.Call, in *dynamodb.DeleteItemInput) (*dynamodb.DeleteItemOutput, error) {
	e, err := d.execute(c.Region, change{
		verb: remove, table: in.TableName, key: in.Key, condition: in.ConditionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		onFailure: in.ReturnValuesOnConditionCheckFailure,
	})
	if err != nil {
		return nil, err
	}
	return &dynamodb.DeleteItemOutput{Attributes: e.returned(in.ReturnValues)}, nil
}

// returned gives what ReturnValues asks for.
func (e *effect) returned(values *string) Item {
	switch aws.StringValue(values) {
	case dynamodb.ReturnValueAllOld:
		return expression.Clone(e.before)
	case dynamodb.ReturnValueAllNew:
		return expression.Clone(e.after)
	case dynamodb.ReturnValueUpdatedOld:
		return pick(e.before, e.written)
	case dynamodb.ReturnValueUpdatedNew:
		return pick(e.after, e.written)
	default:
		return nil
	}
}

func pick(item Item, names []string) Item {
	out := Item{}
	for _, name := range names {
		if v, ok := item[name]; ok {
			out[name] = expression.CloneValue(v)
		}
	}
	return out
}

func (d *DynamoDB) getItem(region string, in *dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	item, err := d.read(region, read{in.TableName, in.Key, in.ProjectionExpression, in.ExpressionAttributeNames, aws.BoolValue(in.ConsistentRead)})
	return &dynamodb.GetItemOutput{Item: item}, err
}

type read struct {
	table      *string
	key        Item
	projection *string
	names      map[string]*string
	consistent bool
}

// read gives a copy of one item, nil when there is none; d.mu is held.
func (d *DynamoDB) read(region string, r read) (Item, error) {
	t, err := d.open(region, r.table)
	if err != nil {
		return nil, err
	}
	if r.consistent {
		if err := d.agrees(t); err != nil {
			return nil, err
		}
	}
	params := expression.NewParams(r.names, nil)
	projection, err := expression.ParseProjection(r.projection, params)
	if err != nil {
		return nil, invalidExpression("ProjectionExpression", err)
	}
	if err := params.Unused(); err != nil {
		return nil, invalid("%s", err)
	}
	key, err := t.checkKey(r.key, true)
	if err != nil {
		return nil, err
	}
	return projection.Of(t.item(key)), nil
}
