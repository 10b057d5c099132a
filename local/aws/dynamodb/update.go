package dynamodb

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/dynamodb"

	"lifeline/local/aws/wire"
)

// settle runs fn under the lock once d of AWS time has passed.
func (d *DynamoDB) settle(after time.Duration, fn func()) {
	d.world.After(after, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		fn()
	})
}

func (d *DynamoDB) updateTable(c *wire.Call, in *dynamodb.UpdateTableInput) (*dynamodb.UpdateTableOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, err := d.find(c.Region, in.TableName)
	switch {
	case err != nil:
		return nil, tableMissing(nameOf(in.TableName))
	case t.status != dynamodb.TableStatusActive:
		return nil, inUse(t)
	}
	if err := d.checkSettings(t, in); err != nil {
		return nil, err
	}
	var wish consistency
	if err := c.Newer(&wish); err != nil {
		return nil, err
	}
	if wish.given() || t.strong() {
		err = d.updateStrong(t, in.ReplicaUpdates, wish)
	} else {
		err = d.updateReplicas(t, in.ReplicaUpdates)
	}
	if err != nil {
		return nil, err
	}
	d.updateSettings(t, in)
	t.addConsistency(c, "TableDescription")
	return &dynamodb.UpdateTableOutput{TableDescription: d.describe(t)}, nil
}

// updateReplicas adds and removes replicas of an eventually consistent table.
func (d *DynamoDB) updateReplicas(t *table, updates []*dynamodb.ReplicationGroupUpdate) error {
	for _, u := range updates {
		if err := d.checkReplicaUpdate(t, u); err != nil {
			return err
		}
	}
	for _, u := range updates {
		switch {
		case u.Create != nil:
			d.addReplica(t, u.Create)
		case u.Delete != nil:
			d.removeReplica(t, aws.StringValue(u.Delete.RegionName))
		}
	}
	return nil
}

// checkSettings refuses what no table can become.
func (d *DynamoDB) checkSettings(t *table, in *dynamodb.UpdateTableInput) error {
	mode := cmp.Or(aws.StringValue(in.BillingMode), t.billing)
	switch {
	case mode == dynamodb.BillingModePayPerRequest && in.ProvisionedThroughput != nil:
		return invalidParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	case mode == dynamodb.BillingModeProvisioned && t.billing != mode && in.ProvisionedThroughput == nil:
		return invalidParameter("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	case t.group != nil && in.StreamSpecification != nil && !aws.BoolValue(in.StreamSpecification.StreamEnabled):
		return invalid("Streams cannot be disabled while the table has replicas")
	}
	return d.checkKey(t.region, in.SSESpecification)
}

func (d *DynamoDB) updateSettings(t *table, in *dynamodb.UpdateTableInput) {
	if in.DeletionProtectionEnabled != nil {
		t.protected = *in.DeletionProtectionEnabled
	}
	if in.BillingMode != nil {
		t.billing = *in.BillingMode
	}
	if in.ProvisionedThroughput != nil {
		t.throughput = in.ProvisionedThroughput
	}
	if in.TableClass != nil {
		t.class = *in.TableClass
	}
	if in.SSESpecification != nil {
		t.sse = in.SSESpecification
	}
	if in.StreamSpecification != nil {
		t.stream, t.streamed = in.StreamSpecification, d.world.Now()
	}
	if len(in.ReplicaUpdates) == 0 { // replica updates end by themselves
		t.status = dynamodb.TableStatusUpdating
		d.settle(time.Second, func() { t.status = dynamodb.TableStatusActive })
	}
}

func (d *DynamoDB) checkReplicaUpdate(t *table, u *dynamodb.ReplicationGroupUpdate) error {
	switch {
	case u.Create != nil:
		return d.checkNewReplica(t, u.Create)
	case u.Delete != nil:
		return t.checkGone(aws.StringValue(u.Delete.RegionName))
	}
	return nil
}

// checkGone says whether a replica can be taken away.
func (t *table) checkGone(region string) error {
	if t.group == nil || t.group.replicas[region] == nil || region == t.region {
		return invalid("Update table operation failed. Replica not found in region %s", region)
	}
	return nil
}

func (d *DynamoDB) checkNewReplica(t *table, in *dynamodb.CreateReplicationGroupMemberAction) error {
	region := aws.StringValue(in.RegionName)
	streams := t.stream != nil && aws.BoolValue(t.stream.StreamEnabled)
	switch {
	case streams && aws.StringValue(t.stream.StreamViewType) != dynamodb.StreamViewTypeNewAndOldImages:
		return invalid("Table must have stream enabled with view type NEW_AND_OLD_IMAGES to become a global table")
	case t.billing == dynamodb.BillingModeProvisioned:
		// Auto Scaling of throughput would do too, but is not simulated.
		return invalid("Table write capacity should either be Pay-Per-Request or AutoScaled.")
	case t.customerKey() != "" && in.KMSMasterKeyId == nil:
		return invalidParameter("KMSMasterKeyId must be specified for each replica.")
	case !slices.Contains(d.world.Regions(), region):
		return invalid("Region %s is not supported", region)
	case region == t.region:
		return invalid("Cannot add, delete, or update the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or UpdateTable as required.")
	case t.group != nil && t.group.replicas[region] != nil, d.tables[place{region, t.name}] != nil:
		return invalid("Failed to create a the new replica of table with name: '%s' because one or more replicas already existed as tables.", t.name)
	case !d.world.Reachable(t.region, region):
		return wire.Errorf(http.StatusInternalServerError, dynamodb.ErrCodeInternalServerError, "Region %s cannot be reached", region)
	}
	return d.checkKey(region, &dynamodb.SSESpecification{KMSMasterKeyId: in.KMSMasterKeyId})
}

// addReplica begins a replica: it is listed at once, and holds everything once
// it is ACTIVE. Writes made meanwhile reach it by replication. d.mu is held.
func (d *DynamoDB) addReplica(t *table, in *dynamodb.CreateReplicationGroupMemberAction) {
	now, region := d.world.Now(), aws.StringValue(in.RegionName)
	if t.group == nil {
		t.group = &group{replicas: map[string]*replica{t.region: {status: dynamodb.ReplicaStatusActive, since: now}}}
	}
	if !t.strong() {
		// MREC replicates from the table's stream, so AWS turns streams on.
		t.stream = &dynamodb.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: aws.String(dynamodb.StreamViewTypeNewAndOldImages),
		}
	}
	r := &replica{status: dynamodb.ReplicaStatusCreating, since: now, key: aws.StringValue(in.KMSMasterKeyId)}
	t.group.replicas[region] = r
	copied := *t
	copied.place = place{region, t.name}
	copied.id = d.world.NewID("")
	copied.created, copied.streamed = now, now
	copied.status = dynamodb.TableStatusCreating
	copied.items = maps.Clone(t.items)
	copied.tags = map[string]string{}
	copied.backups = backups{}
	copied.sse = keyed(in.KMSMasterKeyId, t.sse)
	d.tables[copied.place] = &copied
	t.status = dynamodb.TableStatusUpdating
	d.settle(d.options.CreateReplica, func() { d.activate(t, &copied, r) })
}

// activate ends the making of a replica; d.mu is held.
func (d *DynamoDB) activate(source, made *table, r *replica) {
	if source.status == dynamodb.TableStatusUpdating {
		source.status = dynamodb.TableStatusActive
	}
	if r.status == dynamodb.ReplicaStatusCreating {
		r.status, r.since = dynamodb.ReplicaStatusActive, d.world.Now()
		made.status = dynamodb.TableStatusActive
	}
}

func (d *DynamoDB) removeReplica(t *table, region string) {
	t.group.replicas[region].status = dynamodb.ReplicaStatusDeleting
	t.status = dynamodb.TableStatusUpdating
	gone := d.tables[place{region, t.name}]
	gone.status = dynamodb.TableStatusDeleting
	d.settle(d.options.DeleteTable, func() {
		d.drop(gone)
		t.status = dynamodb.TableStatusActive
	})
}

func (d *DynamoDB) updateTimeToLive(c *wire.Call, in *dynamodb.UpdateTimeToLiveInput) (*dynamodb.UpdateTimeToLiveOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, err := d.find(c.Region, in.TableName)
	switch {
	case err != nil:
		return nil, err
	case t.strong():
		return nil, invalid("Time to Live is not supported for global tables with multi-Region strong consistency")
	}
	t.ttl = in.TimeToLiveSpecification
	return &dynamodb.UpdateTimeToLiveOutput{TimeToLiveSpecification: t.ttl}, nil
}

func (d *DynamoDB) describeTimeToLive(c *wire.Call, in *dynamodb.DescribeTimeToLiveInput) (*dynamodb.DescribeTimeToLiveOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, err := d.find(c.Region, in.TableName)
	if err != nil {
		return nil, err
	}
	out := &dynamodb.TimeToLiveDescription{TimeToLiveStatus: aws.String(dynamodb.TimeToLiveStatusDisabled)}
	if t.ttl != nil && aws.BoolValue(t.ttl.Enabled) {
		out.TimeToLiveStatus = aws.String(dynamodb.TimeToLiveStatusEnabled)
		out.AttributeName = t.ttl.AttributeName
	}
	return &dynamodb.DescribeTimeToLiveOutput{TimeToLiveDescription: out}, nil
}
