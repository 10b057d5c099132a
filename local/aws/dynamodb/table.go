package dynamodb

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/dynamodb"

	"lifeline/local/aws/dynamodb/expression"
)

// table is one table in one Region; a replica of a global table is one too.
type table struct {
	place
	id         string
	status     string
	created    time.Time
	attributes []*dynamodb.AttributeDefinition
	schema     schema
	indexes    map[string]*index
	billing    string
	throughput *dynamodb.ProvisionedThroughput
	class      string
	protected  bool
	sse        *dynamodb.SSESpecification // nil: DynamoDB's own key
	stream     *dynamodb.StreamSpecification
	streamed   time.Time
	tags       map[string]string
	backups    backups
	ttl        *dynamodb.TimeToLiveSpecification
	group      *group // nil for a table of one Region
	items      map[string]*record
}

// record is the newest version of an item that a replica knows. A deleted item
// stays as a tombstone, or an older write from elsewhere would bring it back.
type record struct {
	item    Item // nil when deleted
	written time.Time
	origin  string // Region that accepted the write
}

// newer tells which of two versions of an item wins. Clocks of two Regions may
// agree to the nanosecond; the Region's name then decides everywhere alike.
func (r *record) newer(than *record) bool {
	if than == nil || r.written.After(than.written) {
		return true
	}
	return r.written.Equal(than.written) && r.origin > than.origin
}

// group is a global table: the status of each of its replicas.
type group struct {
	replicas map[string]*replica
	strong   bool   // all agree before a write is acknowledged
	witness  string // Region that agrees without holding a replica
}

type replica struct {
	status string
	since  time.Time
	key    string // KMS key of its Region, when it has one of its own
}

// schema is a primary key or an index key; rang is "" when there is no sort key.
type schema struct{ hash, rang string }

type index struct {
	schema
	global bool
	name   string
}

func schemaOf(elements []*dynamodb.KeySchemaElement) schema {
	var s schema
	for _, e := range elements {
		if aws.StringValue(e.KeyType) == dynamodb.KeyTypeHash {
			s.hash = aws.StringValue(e.AttributeName)
		} else {
			s.rang = aws.StringValue(e.AttributeName)
		}
	}
	return s
}

func (s schema) names() []string {
	if s.rang == "" {
		return []string{s.hash}
	}
	return []string{s.hash, s.rang}
}

func (s schema) elements() []*dynamodb.KeySchemaElement {
	out := []*dynamodb.KeySchemaElement{{AttributeName: &s.hash, KeyType: aws.String(dynamodb.KeyTypeHash)}}
	if s.rang != "" {
		out = append(out, &dynamodb.KeySchemaElement{AttributeName: &s.rang, KeyType: aws.String(dynamodb.KeyTypeRange)})
	}
	return out
}

// keyOf picks the primary key out of an item.
func (t *table) keyOf(item Item) Item {
	key := Item{}
	for _, name := range t.schema.names() {
		if v, ok := item[name]; ok {
			key[name] = v
		}
	}
	return key
}

// checkKey validates a primary key and gives its identity within the table.
func (t *table) checkKey(key Item, whole bool) (string, error) {
	if whole && len(key) != len(t.schema.names()) {
		return "", invalid("The provided key element does not match the schema")
	}
	var parts []string
	for _, name := range t.schema.names() {
		v, ok := key[name]
		if !ok {
			return "", invalidParameter("Missing the key %s in the item", name)
		}
		if want := t.typeOf(name); expression.TypeOf(v) != want {
			return "", invalidParameter("Type mismatch for key %s expected: %s actual: %s", name, want, expression.TypeOf(v))
		}
		if (v.S != nil && *v.S == "") || (v.B != nil && len(v.B) == 0) {
			return "", invalidParameter("The AttributeValue for a key attribute cannot contain an empty string value. Key: %s", name)
		}
		parts = append(parts, identity(v))
	}
	return strings.Join(parts, "\x00"), nil
}

func identity(v *expression.Value) string {
	switch {
	case v.S != nil:
		return "S" + *v.S
	case v.N != nil:
		if r, err := expression.Number(*v.N); err == nil {
			return "N" + expression.FormatNumber(r)
		}
		return "N" + *v.N
	default:
		return "B" + string(v.B)
	}
}

func (t *table) typeOf(attribute string) string {
	for _, a := range t.attributes {
		if aws.StringValue(a.AttributeName) == attribute {
			return aws.StringValue(a.AttributeType)
		}
	}
	return ""
}

// live lists the items that exist, in a stable order.
func (t *table) live() []Item {
	var out []Item
	for _, key := range slices.Sorted(maps.Keys(t.items)) {
		if r := t.items[key]; r.item != nil {
			out = append(out, r.item)
		}
	}
	return out
}

func (t *table) item(key string) Item {
	if r := t.items[key]; r != nil {
		return r.item
	}
	return nil
}

func (d *DynamoDB) describe(t *table) *dynamodb.TableDescription {
	items := t.live()
	size := 0
	for _, item := range items {
		size += expression.ItemSize(item)
	}
	out := &dynamodb.TableDescription{
		TableName:                 aws.String(t.name),
		TableArn:                  aws.String(d.arn(t.region, t.name)),
		TableId:                   aws.String(t.id),
		TableStatus:               aws.String(t.status),
		CreationDateTime:          aws.Time(t.created),
		AttributeDefinitions:      t.attributes,
		KeySchema:                 t.schema.elements(),
		ItemCount:                 aws.Int64(int64(len(items))),
		TableSizeBytes:            aws.Int64(int64(size)),
		DeletionProtectionEnabled: aws.Bool(t.protected),
		BillingModeSummary:        &dynamodb.BillingModeSummary{BillingMode: aws.String(t.billing)},
		ProvisionedThroughput:     describeThroughput(t.throughput),
		TableClassSummary:         &dynamodb.TableClassSummary{TableClass: aws.String(t.class)},
		SSEDescription:            d.describeSSE(t),
	}
	d.describeStream(t, out)
	d.describeIndexes(t, out)
	if t.group != nil {
		out.GlobalTableVersion = aws.String("2019.11.21")
		out.Replicas = t.group.describe(t.region)
	}
	return out
}

// describe lists the other replicas: a Region's table does not list itself.
func (g *group) describe(self string) []*dynamodb.ReplicaDescription {
	var out []*dynamodb.ReplicaDescription
	for _, region := range slices.Sorted(maps.Keys(g.replicas)) {
		if region == self {
			continue
		}
		one := &dynamodb.ReplicaDescription{RegionName: aws.String(region), ReplicaStatus: aws.String(g.replicas[region].status)}
		if key := g.replicas[region].key; key != "" {
			one.KMSMasterKeyId = aws.String(key)
		}
		out = append(out, one)
	}
	return out
}

func describeThroughput(p *dynamodb.ProvisionedThroughput) *dynamodb.ProvisionedThroughputDescription {
	out := &dynamodb.ProvisionedThroughputDescription{
		NumberOfDecreasesToday: aws.Int64(0), ReadCapacityUnits: aws.Int64(0), WriteCapacityUnits: aws.Int64(0),
	}
	if p != nil {
		out.ReadCapacityUnits, out.WriteCapacityUnits = p.ReadCapacityUnits, p.WriteCapacityUnits
	}
	return out
}

func (d *DynamoDB) describeStream(t *table, out *dynamodb.TableDescription) {
	if t.stream == nil || !aws.BoolValue(t.stream.StreamEnabled) {
		return
	}
	label := t.streamed.UTC().Format("2006-01-02T15:04:05.000")
	out.StreamSpecification = t.stream
	out.LatestStreamLabel = aws.String(label)
	out.LatestStreamArn = aws.String(fmt.Sprintf("%s/stream/%s", d.arn(t.region, t.name), label))
}

func (d *DynamoDB) describeIndexes(t *table, out *dynamodb.TableDescription) {
	all := &dynamodb.Projection{ProjectionType: aws.String(dynamodb.ProjectionTypeAll)}
	for _, name := range slices.Sorted(maps.Keys(t.indexes)) {
		i := t.indexes[name]
		arn := aws.String(d.arn(t.region, t.name) + "/index/" + name)
		if i.global {
			out.GlobalSecondaryIndexes = append(out.GlobalSecondaryIndexes, &dynamodb.GlobalSecondaryIndexDescription{
				IndexName: aws.String(name), IndexArn: arn, IndexStatus: aws.String(dynamodb.IndexStatusActive),
				KeySchema: i.elements(), Projection: all, ProvisionedThroughput: describeThroughput(t.throughput),
			})
			continue
		}
		out.LocalSecondaryIndexes = append(out.LocalSecondaryIndexes, &dynamodb.LocalSecondaryIndexDescription{
			IndexName: aws.String(name), IndexArn: arn, KeySchema: i.elements(), Projection: all,
		})
	}
}
