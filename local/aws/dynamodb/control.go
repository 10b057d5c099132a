package dynamodb

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/dynamodb"

	"lifeline/local/aws/wire"
)

func (d *DynamoDB) serveTables() {
	wire.Handle(d.wire, "CreateTable", d.createTable)
	wire.Handle(d.wire, "DescribeTable", d.describeTable)
	wire.Handle(d.wire, "ListTables", d.listTables)
	wire.Handle(d.wire, "DeleteTable", d.deleteTable)
	wire.Handle(d.wire, "UpdateTable", d.updateTable)
	wire.Handle(d.wire, "UpdateContinuousBackups", d.updateContinuousBackups)
	wire.Handle(d.wire, "DescribeContinuousBackups", d.describeContinuousBackups)
	wire.Handle(d.wire, "UpdateTimeToLive", d.updateTimeToLive)
	wire.Handle(d.wire, "DescribeTimeToLive", d.describeTimeToLive)
	wire.Handle(d.wire, "TagResource", d.tagResource)
	wire.Handle(d.wire, "UntagResource", d.untagResource)
	wire.Handle(d.wire, "ListTagsOfResource", d.listTagsOfResource)
}

// nameOf accepts a table's name or its ARN, as most operations do.
func nameOf(nameOrARN *string) string {
	name := aws.StringValue(nameOrARN)
	if i := strings.Index(name, ":table/"); i >= 0 {
		name = name[i+len(":table/"):]
	}
	return name
}

// find a table of any status; d.mu is held.
func (d *DynamoDB) find(region string, nameOrARN *string) (*table, error) {
	if t, ok := d.tables[place{region, nameOf(nameOrARN)}]; ok {
		return t, nil
	}
	return nil, tableNotFound()
}

func tableMissing(name string) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, dynamodb.ErrCodeResourceNotFoundException, "Requested resource not found: Table: %s not found", name)
}

func (d *DynamoDB) createTable(c *wire.Call, in *dynamodb.CreateTableInput) (*dynamodb.CreateTableOutput, error) {
	if err := checkCreate(in); err != nil {
		return nil, err
	}
	if err := d.checkKey(c.Region, in.SSESpecification); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	at := place{c.Region, nameOf(in.TableName)}
	if _, exists := d.tables[at]; exists {
		return nil, wire.Errorf(http.StatusBadRequest, dynamodb.ErrCodeResourceInUseException, "Table already exists: %s", at.name)
	}
	now := d.world.Now()
	t := &table{
		place: at, id: d.world.NewID(""), status: dynamodb.TableStatusCreating, created: now,
		attributes: in.AttributeDefinitions, schema: schemaOf(in.KeySchema), indexes: indexesOf(in),
		billing:    cmp.Or(aws.StringValue(in.BillingMode), dynamodb.BillingModeProvisioned),
		throughput: in.ProvisionedThroughput,
		class:      cmp.Or(aws.StringValue(in.TableClass), dynamodb.TableClassStandard),
		protected:  aws.BoolValue(in.DeletionProtectionEnabled),
		sse:        in.SSESpecification,
		stream:     in.StreamSpecification, streamed: now,
		tags:  tagsOf(in.Tags),
		items: map[string]*record{},
	}
	d.tables[at] = t
	d.settle(d.options.CreateTable, func() { t.status = dynamodb.TableStatusActive })
	return &dynamodb.CreateTableOutput{TableDescription: d.describe(t)}, nil
}

func checkCreate(in *dynamodb.CreateTableInput) error {
	name := nameOf(in.TableName)
	if !regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`).MatchString(name) {
		return invalid("TableName must be at least 3 characters long and at most 255 characters long and match [a-zA-Z0-9_.-]+")
	}
	if len(in.KeySchema) > 2 || aws.StringValue(in.KeySchema[0].KeyType) != dynamodb.KeyTypeHash {
		return invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	}
	defined, used := map[string]bool{}, map[string]bool{}
	for _, a := range in.AttributeDefinitions {
		defined[aws.StringValue(a.AttributeName)] = true
	}
	schemas := []schema{schemaOf(in.KeySchema)}
	for _, i := range indexesOf(in) {
		schemas = append(schemas, i.schema)
	}
	for _, s := range schemas {
		for _, name := range s.names() {
			if !defined[name] {
				return invalidParameter("Some index key attributes are not defined in AttributeDefinitions. Keys: [%s]", name)
			}
			used[name] = true
		}
	}
	if len(used) != len(defined) {
		return invalidParameter("Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
	}
	return checkBilling(aws.StringValue(in.BillingMode), in.ProvisionedThroughput)
}

func checkBilling(mode string, throughput *dynamodb.ProvisionedThroughput) error {
	switch {
	case mode == dynamodb.BillingModePayPerRequest && throughput != nil:
		return invalidParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	case mode != dynamodb.BillingModePayPerRequest && throughput == nil:
		return invalidParameter("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	}
	return nil
}

func indexesOf(in *dynamodb.CreateTableInput) map[string]*index {
	out := map[string]*index{}
	for _, g := range in.GlobalSecondaryIndexes {
		name := aws.StringValue(g.IndexName)
		out[name] = &index{schemaOf(g.KeySchema), true, name}
	}
	for _, l := range in.LocalSecondaryIndexes {
		name := aws.StringValue(l.IndexName)
		out[name] = &index{schemaOf(l.KeySchema), false, name}
	}
	return out
}

func (d *DynamoDB) describeTable(c *wire.Call, in *dynamodb.DescribeTableInput) (*dynamodb.DescribeTableOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, ok := d.tables[place{c.Region, nameOf(in.TableName)}]
	if !ok {
		return nil, tableMissing(nameOf(in.TableName))
	}
	t.addConsistency(c, "Table")
	return &dynamodb.DescribeTableOutput{Table: d.describe(t)}, nil
}

func (d *DynamoDB) listTables(c *wire.Call, in *dynamodb.ListTablesInput) (*dynamodb.ListTablesOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for at := range d.tables {
		if at.region == c.Region && at.name > aws.StringValue(in.ExclusiveStartTableName) {
			names = append(names, at.name)
		}
	}
	slices.Sort(names)
	out := &dynamodb.ListTablesOutput{}
	limit := 100
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	if len(names) > limit {
		names = names[:limit]
		out.LastEvaluatedTableName = aws.String(names[limit-1])
	}
	out.TableNames = aws.StringSlice(names)
	return out, nil
}

func (d *DynamoDB) deleteTable(c *wire.Call, in *dynamodb.DeleteTableInput) (*dynamodb.DeleteTableOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, err := d.find(c.Region, in.TableName)
	switch {
	case err != nil:
		return nil, tableMissing(nameOf(in.TableName))
	case t.status != dynamodb.TableStatusActive:
		return nil, inUse(t)
	case t.strong() && len(t.group.replicas) > 1:
		return nil, invalid("A replica of a global table with multi-Region strong consistency can't be deleted: remove its replicas by UpdateTable first")
	case t.protected:
		return nil, invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	t.status = dynamodb.TableStatusDeleting
	d.settle(d.options.DeleteTable, func() { d.drop(t) })
	return &dynamodb.DeleteTableOutput{TableDescription: d.describe(t)}, nil
}

func inUse(t *table) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, dynamodb.ErrCodeResourceInUseException, "Attempt to change a resource which is still in use: Table is being %s: %s",
		strings.ToLower(strings.TrimSuffix(t.status, "ING")+"ed"), t.name)
}

// drop forgets a table and takes it out of its global table; d.mu is held.
func (d *DynamoDB) drop(t *table) {
	delete(d.tables, t.place)
	if t.group != nil {
		delete(t.group.replicas, t.region)
	}
}

func tagsOf(tags []*dynamodb.Tag) map[string]string {
	out := map[string]string{}
	for _, tag := range tags {
		out[aws.StringValue(tag.Key)] = aws.StringValue(tag.Value)
	}
	return out
}

func (d *DynamoDB) tagResource(c *wire.Call, in *dynamodb.TagResourceInput) (*dynamodb.TagResourceOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, err := d.find(c.Region, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	maps.Copy(t.tags, tagsOf(in.Tags))
	return &dynamodb.TagResourceOutput{}, nil
}

func (d *DynamoDB) untagResource(c *wire.Call, in *dynamodb.UntagResourceInput) (*dynamodb.UntagResourceOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, err := d.find(c.Region, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(t.tags, aws.StringValue(key))
	}
	return &dynamodb.UntagResourceOutput{}, nil
}

func (d *DynamoDB) listTagsOfResource(c *wire.Call, in *dynamodb.ListTagsOfResourceInput) (*dynamodb.ListTagsOfResourceOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, err := d.find(c.Region, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &dynamodb.ListTagsOfResourceOutput{}
	for _, key := range slices.Sorted(maps.Keys(t.tags)) {
		out.Tags = append(out.Tags, &dynamodb.Tag{Key: aws.String(key), Value: aws.String(t.tags[key])})
	}
	return out, nil
}
