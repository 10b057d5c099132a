package dynamodb

import (
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/dynamodb"

	"lifeline/local/aws/dynamodb/expression"
	"lifeline/local/aws/wire"
)

// pageSize is how much DynamoDB reads for one page of Query or Scan, in bytes.
const pageSize = 1 << 20

// search is one page of a Query or a Scan, over items in order.
type search struct {
	table      *table
	schema     schema // of the table or of the index searched
	filter     *expression.Condition
	projection expression.Projection
	start      Item
	limit      *int64
	countOnly  bool
}

type page struct {
	items          []Item
	scanned, found int64
	last           Item
}

// expressions are the parts that Query and Scan have in common.
type expressions struct {
	key, filter, projection *string
	params                  *expression.Params
}

func (e expressions) parse() (key, filter *expression.Condition, p expression.Projection, err error) {
	if key, err = expression.ParseCondition(e.key, e.params); err != nil {
		return nil, nil, nil, invalidExpression("KeyConditionExpression", err)
	}
	if filter, err = expression.ParseCondition(e.filter, e.params); err != nil {
		return nil, nil, nil, invalidExpression("FilterExpression", err)
	}
	if p, err = expression.ParseProjection(e.projection, e.params); err != nil {
		return nil, nil, nil, invalidExpression("ProjectionExpression", err)
	}
	if err = e.params.Unused(); err != nil {
		return nil, nil, nil, invalid("%s", err)
	}
	return key, filter, p, nil
}

func (d *DynamoDB) query(c *wire.Call, in *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, err := d.open(c.Region, in.TableName)
	if err != nil {
		return nil, err
	}
	schema, err := t.searched(in.IndexName, aws.BoolValue(in.ConsistentRead))
	if err != nil {
		return nil, err
	}
	params := expression.NewParams(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	key, filter, projection, err := expressions{in.KeyConditionExpression, in.FilterExpression, in.ProjectionExpression, params}.parse()
	if err != nil {
		return nil, err
	}
	if err := checkKeyCondition(schema, key); err != nil {
		return nil, err
	}
	items := slices.DeleteFunc(t.live(), func(item Item) bool { return !schema.holds(item) || !key.Holds(item) })
	sortItems(items, schema.rang)
	if in.ScanIndexForward != nil && !*in.ScanIndexForward {
		slices.Reverse(items)
	}
	p := search{t, schema, filter, projection, in.ExclusiveStartKey, in.Limit, countOnly(in.Select)}.page(items)
	return &dynamodb.QueryOutput{Items: p.items, Count: &p.found, ScannedCount: &p.scanned, LastEvaluatedKey: p.last}, nil
}

func (d *DynamoDB) scan(c *wire.Call, in *dynamodb.ScanInput) (*dynamodb.ScanOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, err := d.open(c.Region, in.TableName)
	if err != nil {
		return nil, err
	}
	schema, err := t.searched(in.IndexName, aws.BoolValue(in.ConsistentRead))
	if err != nil {
		return nil, err
	}
	params := expression.NewParams(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	_, filter, projection, err := expressions{nil, in.FilterExpression, in.ProjectionExpression, params}.parse()
	if err != nil {
		return nil, err
	}
	items := slices.DeleteFunc(t.live(), func(item Item) bool { return !schema.holds(item) })
	if segments := aws.Int64Value(in.TotalSegments); segments > 1 {
		items = segment(t, items, segments, aws.Int64Value(in.Segment))
	}
	p := search{t, schema, filter, projection, in.ExclusiveStartKey, in.Limit, countOnly(in.Select)}.page(items)
	return &dynamodb.ScanOutput{Items: p.items, Count: &p.found, ScannedCount: &p.scanned, LastEvaluatedKey: p.last}, nil
}

// segment keeps the share of a parallel scan.
func segment(t *table, items []Item, segments, which int64) []Item {
	return slices.DeleteFunc(items, func(item Item) bool {
		sum := int64(0)
		for _, b := range []byte(identity(item[t.schema.hash])) {
			sum += int64(b)
		}
		return sum%segments != which
	})
}

func countOnly(selected *string) bool { return aws.StringValue(selected) == dynamodb.SelectCount }

func (t *table) searched(indexName *string, consistent bool) (schema, error) {
	if indexName == nil {
		return t.schema, nil
	}
	i, ok := t.indexes[*indexName]
	if !ok {
		return schema{}, invalid("The table does not have the specified index: %s", *indexName)
	}
	if i.global && consistent {
		return schema{}, invalid("Consistent reads are not supported on global secondary indexes")
	}
	return i.schema, nil
}

// holds tells whether an item has all attributes of the key: an index leaves
// the others out.
func (s schema) holds(item Item) bool {
	for _, name := range s.names() {
		if item[name] == nil {
			return false
		}
	}
	return true
}

func checkKeyCondition(s schema, key *expression.Condition) error {
	if key.Equality(s.hash) == nil {
		return invalid("Query condition missed key schema element: %s", s.hash)
	}
	for _, name := range key.Attributes() {
		if !slices.Contains(s.names(), name) {
			return invalid("Query key condition not supported")
		}
	}
	return nil
}

func sortItems(items []Item, attribute string) {
	if attribute == "" {
		return
	}
	slices.SortStableFunc(items, func(a, b Item) int {
		order, _ := expression.Compare(a[attribute], b[attribute])
		return order
	})
}

// page reads on after the start key until a limit or a page's size is reached.
func (s search) page(items []Item) page {
	var p page
	if s.start != nil {
		items = items[s.after(items):]
	}
	size := 0
	for _, item := range items {
		if (s.limit != nil && p.scanned == *s.limit) || size > pageSize {
			break
		}
		size += expression.ItemSize(item)
		p.scanned++
		p.last = item
		if !s.filter.Holds(item) {
			continue
		}
		p.found++
		if !s.countOnly {
			p.items = append(p.items, s.projection.Of(item))
		}
	}
	if p.scanned == int64(len(items)) {
		p.last = nil
		return p
	}
	p.last = expression.Clone(pick(p.last, append(s.table.schema.names(), s.schema.names()...)))
	return p
}

// after is the position behind the start key.
func (s search) after(items []Item) int {
	start, err := s.table.checkKey(s.table.keyOf(s.start), true)
	if err != nil {
		return 0
	}
	for i, item := range items {
		if key, err := s.table.checkKey(s.table.keyOf(item), true); err == nil && key == start {
			return i + 1
		}
	}
	// The item is gone: scans are in key order, so go on behind its place.
	for i, item := range items {
		if key, err := s.table.checkKey(s.table.keyOf(item), true); err == nil && key > start {
			return i
		}
	}
	return len(items)
}
