package dynamodb

import (
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
	for _, u := range in.ReplicaUpdates {
		if err := d.checkReplicaUpdate(t, u); err != nil {
			return nil, err
		}
	}
	for _, u := range in.ReplicaUpdates {
		switch {
		case u.Create != nil:
			d.addReplica(t, aws.StringValue(u.Create.RegionName))
		case u.Delete != nil:
			d.removeReplica(t, aws.StringValue(u.Delete.RegionName))
		}
	}
	d.updateSettings(t, in)
	return &dynamodb.UpdateTableOutput{TableDescription: d.describe(t)}, nil
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
		return d.checkNewReplica(t, aws.StringValue(u.Create.RegionName))
	case u.Delete != nil:
		region := aws.StringValue(u.Delete.RegionName)
		if t.group == nil || t.group.replicas[region] == nil {
			return invalid("Update table operation failed. Replica not found in region %s", region)
		}
	}
	return nil
}

func (d *DynamoDB) checkNewReplica(t *table, region string) error {
	switch {
	case !slices.Contains(d.world.Regions(), region):
		return invalid("Region %s is not supported", region)
	case region == t.region:
		return invalid("Cannot add, delete, or update the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or UpdateTable as required.")
	case t.group != nil && t.group.replicas[region] != nil, d.tables[place{region, t.name}] != nil:
		return invalid("Failed to create a the new replica of table with name: '%s' because one or more replicas already existed as tables.", t.name)
	case !d.world.Reachable(t.region, region):
		return wire.Errorf(http.StatusInternalServerError, dynamodb.ErrCodeInternalServerError, "Region %s cannot be reached", region)
	}
	return nil
}

// addReplica begins a replica: it is listed at once, and holds everything once
// it is ACTIVE. Writes made meanwhile reach it by replication. d.mu is held.
func (d *DynamoDB) addReplica(t *table, region string) {
	now := d.world.Now()
	if t.group == nil {
		t.group = &group{replicas: map[string]*replica{t.region: {dynamodb.ReplicaStatusActive, now}}}
	}
	// MREC replicates from the table's stream, so AWS turns streams on.
	t.stream = &dynamodb.StreamSpecification{
		StreamEnabled: aws.Bool(true), StreamViewType: aws.String(dynamodb.StreamViewTypeNewAndOldImages),
	}
	r := &replica{dynamodb.ReplicaStatusCreating, now}
	t.group.replicas[region] = r
	copied := *t
	copied.place = place{region, t.name}
	copied.id = d.world.NewID("")
	copied.created, copied.streamed = now, now
	copied.status = dynamodb.TableStatusCreating
	copied.items = maps.Clone(t.items)
	copied.tags = map[string]string{}
	copied.backups = backups{}
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

// backups are a table's point-in-time recovery settings, per replica.
type backups struct{ since time.Time }

func (b backups) describe(now time.Time) *dynamodb.ContinuousBackupsDescription {
	pitr := &dynamodb.PointInTimeRecoveryDescription{
		PointInTimeRecoveryStatus: aws.String(dynamodb.PointInTimeRecoveryStatusDisabled),
	}
	if !b.since.IsZero() {
		pitr.PointInTimeRecoveryStatus = aws.String(dynamodb.PointInTimeRecoveryStatusEnabled)
		pitr.EarliestRestorableDateTime = aws.Time(b.since)
		// AWS restores up to five minutes before now.
		latest := now.Add(-5 * time.Minute)
		if latest.Before(b.since) {
			latest = b.since
		}
		pitr.LatestRestorableDateTime = aws.Time(latest)
	}
	return &dynamodb.ContinuousBackupsDescription{
		ContinuousBackupsStatus:        aws.String(dynamodb.ContinuousBackupsStatusEnabled),
		PointInTimeRecoveryDescription: pitr,
	}
}

func (d *DynamoDB) backupsOf(region string, name *string) (*table, error) {
	t, err := d.find(region, name)
	if err != nil {
		return nil, wire.Errorf(http.StatusBadRequest, dynamodb.ErrCodeTableNotFoundException, "Table not found: %s", nameOf(name))
	}
	return t, nil
}

func (d *DynamoDB) updateContinuousBackups(c *wire.Call, in *dynamodb.UpdateContinuousBackupsInput) (*dynamodb.UpdateContinuousBackupsOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, err := d.backupsOf(c.Region, in.TableName)
	switch {
	case err != nil:
		return nil, err
	case t.status == dynamodb.TableStatusCreating:
		return nil, wire.Errorf(http.StatusBadRequest, dynamodb.ErrCodeContinuousBackupsUnavailableException, "Backups are being enabled for the table: %s. Please retry later", t.name)
	}
	switch enabled := aws.BoolValue(in.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled); {
	case !enabled:
		t.backups.since = time.Time{}
	case t.backups.since.IsZero():
		t.backups.since = d.world.Now()
	}
	return &dynamodb.UpdateContinuousBackupsOutput{ContinuousBackupsDescription: t.backups.describe(d.world.Now())}, nil
}

func (d *DynamoDB) describeContinuousBackups(c *wire.Call, in *dynamodb.DescribeContinuousBackupsInput) (*dynamodb.DescribeContinuousBackupsOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, err := d.backupsOf(c.Region, in.TableName)
	if err != nil {
		return nil, err
	}
	return &dynamodb.DescribeContinuousBackupsOutput{ContinuousBackupsDescription: t.backups.describe(d.world.Now())}, nil
}

func (d *DynamoDB) updateTimeToLive(c *wire.Call, in *dynamodb.UpdateTimeToLiveInput) (*dynamodb.UpdateTimeToLiveOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, err := d.find(c.Region, in.TableName)
	if err != nil {
		return nil, err
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
