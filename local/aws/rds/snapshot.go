package rds

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/rds"

	"lifeline/local/aws/wire"
)

// snapshot is a cluster snapshot in one Region.
type snapshot struct {
	place
	cluster, resource string
	kind              string // automated or manual
	status            string
	engine, version   string
	user, key         string
	encrypted         bool
	port              int64
	born, taken       time.Time
	source            string // ARN of the snapshot it was copied from
	tags              map[string]string
	data              map[string]string
}

func (r *RDS) serveSnapshots() {
	wire.Handle(r.wire, "CreateDBClusterSnapshot", r.createSnapshot)
	wire.Handle(r.wire, "DescribeDBClusterSnapshots", r.describeSnapshots)
	wire.Handle(r.wire, "CopyDBClusterSnapshot", r.copySnapshot)
	wire.Handle(r.wire, "DeleteDBClusterSnapshot", r.deleteSnapshot)
	wire.Handle(r.wire, "DescribeEvents", r.describeEvents)
	wire.Handle(r.wire, "AddTagsToResource", r.addTags)
	wire.Handle(r.wire, "RemoveTagsFromResource", r.removeTags)
	wire.Handle(r.wire, "ListTagsForResource", r.listTags)
}

// SnapshotData is what a cluster snapshot holds, for reconciliation; ok is
// false when there is no such snapshot.
func (r *RDS) SnapshotData(region, id string) (data map[string]string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.snapshots[place{region, strings.ToLower(id)}]
	if !ok {
		return nil, false
	}
	return maps.Clone(s.data), true
}

// takeSnapshot of a cluster's volume as it is now; r.mu is held.
func (r *RDS) takeSnapshot(c *cluster, id, kind string) (*snapshot, error) {
	at := place{c.region, id}
	if r.snapshots[at] != nil {
		return nil, fault(rds.ErrCodeDBClusterSnapshotAlreadyExistsFault, "Cannot create the cluster snapshot because one with the identifier %s already exists", id)
	}
	s := &snapshot{
		place: at, cluster: c.id, resource: c.resource, kind: kind, status: statusCreating, engine: c.engine, version: c.version,
		user: c.user, key: c.key, encrypted: c.encrypted, port: c.port, born: c.created, taken: r.world.Now(),
		tags: map[string]string{}, data: maps.Clone(c.volume.data),
	}
	r.snapshots[at] = s
	r.settle(r.options.Modify, func() { s.status = statusAvailable })
	return s, nil
}

func (r *RDS) createSnapshot(call *wire.Call, in *rds.CreateDBClusterSnapshotInput) (*rds.CreateDBClusterSnapshotOutput, error) {
	if err := checkIdentifier("DBClusterSnapshotIdentifier", aws.StringValue(in.DBClusterSnapshotIdentifier)); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.cluster(call.Region, in.DBClusterIdentifier)
	switch {
	case err != nil:
		return nil, err
	case c.status != statusAvailable:
		return nil, fault(rds.ErrCodeInvalidDBClusterStateFault, "Cluster %s is %s", c.id, c.status)
	}
	s, err := r.takeSnapshot(c, strings.ToLower(*in.DBClusterSnapshotIdentifier), "manual")
	if err != nil {
		return nil, err
	}
	maps.Copy(s.tags, tagsOf(in.Tags))
	return &rds.CreateDBClusterSnapshotOutput{DBClusterSnapshot: r.describeSnapshot(s)}, nil
}

func (r *RDS) snapshot(region string, id *string) (*snapshot, error) {
	if s, ok := r.snapshots[locateSnapshot(region, id)]; ok {
		return s, nil
	}
	return nil, missing(rds.ErrCodeDBClusterSnapshotNotFoundFault, "DBClusterSnapshot not found: %s", aws.StringValue(id))
}

// locateSnapshot is locate for identifiers that hold colons ("rds:...").
func locateSnapshot(region string, id *string) place {
	s := strings.ToLower(aws.StringValue(id))
	if strings.HasPrefix(s, "arn:") {
		return locate(region, &s)
	}
	return place{region, s}
}

func (r *RDS) copySnapshot(call *wire.Call, in *rds.CopyDBClusterSnapshotInput) (*rds.CopyDBClusterSnapshotOutput, error) {
	target := aws.StringValue(in.TargetDBClusterSnapshotIdentifier)
	if err := checkIdentifier("TargetDBClusterSnapshotIdentifier", target); err != nil {
		return nil, err
	}
	if err := r.mayTag(call, aws.BoolValue(in.CopyTags) || len(in.Tags) > 0); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	source, err := r.snapshot(call.Region, in.SourceDBClusterSnapshotIdentifier)
	at := place{call.Region, strings.ToLower(target)}
	switch {
	case err != nil:
		return nil, err
	case source.status != statusAvailable:
		return nil, fault(rds.ErrCodeInvalidDBClusterSnapshotStateFault, "Source snapshot %s is %s", source.id, source.status)
	case r.snapshots[at] != nil:
		return nil, fault(rds.ErrCodeDBClusterSnapshotAlreadyExistsFault, "Cannot create the cluster snapshot because one with the identifier %s already exists", at.id)
	case source.encrypted && source.region != call.Region && in.KmsKeyId == nil:
		return nil, fault(rds.ErrCodeKMSKeyNotAccessibleFault, "An encrypted snapshot needs a KMS key of the destination Region")
	case !r.world.Reachable(call.Region, source.region):
		return nil, fault(rds.ErrCodeInvalidDBClusterSnapshotStateFault, "Source snapshot %s cannot be reached", source.id)
	}
	copied := *source
	copied.place, copied.kind, copied.status, copied.taken = at, "manual", statusCreating, r.world.Now()
	copied.source = r.arn(source.region, "cluster-snapshot", source.id)
	copied.key = cmp.Or(aws.StringValue(in.KmsKeyId), source.key)
	copied.data, copied.tags = maps.Clone(source.data), tagsOf(in.Tags)
	if aws.BoolValue(in.CopyTags) {
		maps.Copy(copied.tags, source.tags)
	}
	r.snapshots[at] = &copied
	r.settle(r.options.Create, func() { copied.status = statusAvailable })
	return &rds.CopyDBClusterSnapshotOutput{DBClusterSnapshot: r.describeSnapshot(&copied)}, nil
}

// mayTag refuses a call that would make tags for a caller who may not: AWS asks
// for that right beside the one to the call itself.
func (r *RDS) mayTag(call *wire.Call, tags bool) error {
	const action = "rds:AddTagsToResource"
	if !tags || r.world.Allowed(call.Caller, action) {
		return nil
	}
	return wire.Errorf(http.StatusForbidden, "AccessDenied", "User: arn:aws:iam::%s:user/%s is not authorized to perform: %s because no identity-based policy allows the %s action",
		r.world.Account(), call.Caller, action, action)
}

func (r *RDS) describeSnapshots(call *wire.Call, in *rds.DescribeDBClusterSnapshotsInput) (*rds.DescribeDBClusterSnapshotsOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.DBClusterSnapshotIdentifier != nil {
		s, err := r.snapshot(call.Region, in.DBClusterSnapshotIdentifier)
		if err != nil {
			return nil, err
		}
		return &rds.DescribeDBClusterSnapshotsOutput{DBClusterSnapshots: []*rds.DBClusterSnapshot{r.describeSnapshot(s)}}, nil
	}
	var found []*snapshot
	for at, s := range r.snapshots {
		wanted := at.region == call.Region &&
			(in.DBClusterIdentifier == nil || s.cluster == locate(call.Region, in.DBClusterIdentifier).id) &&
			(in.SnapshotType == nil || *in.SnapshotType == s.kind) &&
			filtered(in.Filters, map[string][]string{
				"db-cluster-id": {s.cluster}, "db-cluster-snapshot-id": {s.id}, "snapshot-type": {s.kind}, "engine": {s.engine},
			})
		if wanted {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b *snapshot) int { return cmp.Compare(a.id, b.id) })
	page, marker, err := paginate(found, in.Marker, in.MaxRecords)
	out := &rds.DescribeDBClusterSnapshotsOutput{Marker: marker}
	for _, s := range page {
		out.DBClusterSnapshots = append(out.DBClusterSnapshots, r.describeSnapshot(s))
	}
	return out, err
}

// describeSnapshot works on a copy: answers are written after the lock is gone.
func (r *RDS) describeSnapshot(live *snapshot) *rds.DBClusterSnapshot {
	one := *live
	s := &one
	progress := int64(100)
	if s.status != statusAvailable {
		progress = 0
	}
	out := &rds.DBClusterSnapshot{
		DBClusterSnapshotIdentifier: &s.id, DBClusterSnapshotArn: aws.String(r.arn(s.region, "cluster-snapshot", s.id)),
		DBClusterIdentifier: &s.cluster, DbClusterResourceId: &s.resource, SnapshotType: &s.kind, Status: &s.status, Engine: &s.engine, EngineVersion: &s.version,
		EngineMode: aws.String("provisioned"), MasterUsername: &s.user, Port: &s.port, StorageEncrypted: &s.encrypted,
		SnapshotCreateTime: &s.taken, ClusterCreateTime: &s.born, PercentProgress: &progress, TagList: describeTags(s.tags), AllocatedStorage: aws.Int64(1),
	}
	if s.encrypted && s.key != "" {
		out.KmsKeyId = &s.key
	}
	if s.source != "" {
		out.SourceDBClusterSnapshotArn = &s.source
	}
	return out
}

func (r *RDS) deleteSnapshot(call *wire.Call, in *rds.DeleteDBClusterSnapshotInput) (*rds.DeleteDBClusterSnapshotOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, err := r.snapshot(call.Region, in.DBClusterSnapshotIdentifier)
	switch {
	case err != nil:
		return nil, err
	case s.kind != "manual" || s.status != statusAvailable:
		return nil, fault(rds.ErrCodeInvalidDBClusterSnapshotStateFault, "Only available manual snapshots may be deleted; %s is %s and %s", s.id, s.kind, s.status)
	}
	delete(r.snapshots, s.place)
	return &rds.DeleteDBClusterSnapshotOutput{DBClusterSnapshot: r.describeSnapshot(s)}, nil
}

// maxEvents bounds the events kept in a Region; AWS keeps 14 days.
const maxEvents = 1000

// event records what DescribeEvents tells; r.mu is held.
func (r *RDS) event(at place, sourceType, category, message string) {
	arnKind := map[string]string{"db-cluster": "cluster", "db-instance": "db"}[sourceType]
	e := &rds.Event{
		Date: aws.Time(r.world.Now()), Message: &message, EventCategories: []*string{&category},
		SourceIdentifier: aws.String(at.id), SourceType: &sourceType, SourceArn: aws.String(r.arn(at.region, arnKind, at.id)),
	}
	events := append(r.events[at.region], e)
	r.events[at.region] = events[max(0, len(events)-maxEvents):]
	r.announce(at.region, e)
}

func (r *RDS) describeEvents(call *wire.Call, in *rds.DescribeEventsInput) (*rds.DescribeEventsOutput, error) {
	if in.SourceIdentifier != nil && in.SourceType == nil {
		return nil, badCombination("The parameter SourceType must be provided when SourceIdentifier is")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	start := r.world.Now().Add(-time.Hour)
	if in.Duration != nil {
		start = r.world.Now().Add(-time.Duration(*in.Duration) * time.Minute)
	}
	if in.StartTime != nil {
		start = *in.StartTime
	}
	found := slices.DeleteFunc(slices.Clone(r.events[call.Region]), func(e *rds.Event) bool {
		return e.Date.Before(start) || (in.EndTime != nil && e.Date.After(*in.EndTime)) ||
			(in.SourceType != nil && *in.SourceType != *e.SourceType) ||
			(in.SourceIdentifier != nil && !strings.EqualFold(*in.SourceIdentifier, *e.SourceIdentifier)) ||
			(len(in.EventCategories) > 0 && !slices.Contains(aws.StringValueSlice(in.EventCategories), *e.EventCategories[0]))
	})
	page, marker, err := paginate(found, in.Marker, in.MaxRecords)
	return &rds.DescribeEventsOutput{Events: page, Marker: marker}, err
}

// tagged finds the tags of the resource that an ARN names; r.mu is held.
func (r *RDS) tagged(region string, arn *string) (map[string]string, error) {
	at := locate(region, arn)
	kind := ""
	if parts := strings.SplitN(aws.StringValue(arn), ":", 7); len(parts) == 7 {
		kind = parts[5]
	}
	switch kind {
	case "cluster":
		c, err := r.cluster(at.region, &at.id)
		if err != nil {
			return nil, err
		}
		return c.tags, nil
	case "db":
		i, err := r.instance(at.region, &at.id)
		if err != nil {
			return nil, err
		}
		return i.tags, nil
	case "cluster-snapshot":
		s, err := r.snapshot(at.region, &at.id)
		if err != nil {
			return nil, err
		}
		return s.tags, nil
	case "subgrp":
		g, err := r.findSubnetGroup(at.region, &at.id)
		if err != nil {
			return nil, err
		}
		return g.tags, nil
	case "pg", "cluster-pg":
		g, err := r.findParameterGroup(at.region, &at.id, kind == "cluster-pg")
		if err != nil {
			return nil, err
		}
		return g.tags, nil
	case "og":
		g, err := r.findOptionGroup(at.region, &at.id)
		if err != nil {
			return nil, err
		}
		return g.tags, nil
	case "es":
		s, err := r.findSubscription(at.region, &at.id)
		if err != nil {
			return nil, err
		}
		return s.tags, nil
	default:
		return nil, badValue("Invalid resource name: %s", aws.StringValue(arn))
	}
}

func (r *RDS) addTags(call *wire.Call, in *rds.AddTagsToResourceInput) (*rds.AddTagsToResourceOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	tags, err := r.tagged(call.Region, in.ResourceName)
	if err != nil {
		return nil, fmt.Errorf("tag: %w", err)
	}
	maps.Copy(tags, tagsOf(in.Tags))
	return &rds.AddTagsToResourceOutput{}, nil
}

func (r *RDS) removeTags(call *wire.Call, in *rds.RemoveTagsFromResourceInput) (*rds.RemoveTagsFromResourceOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	tags, err := r.tagged(call.Region, in.ResourceName)
	if err != nil {
		return nil, fmt.Errorf("untag: %w", err)
	}
	for _, key := range in.TagKeys {
		delete(tags, aws.StringValue(key))
	}
	return &rds.RemoveTagsFromResourceOutput{}, nil
}

func (r *RDS) listTags(call *wire.Call, in *rds.ListTagsForResourceInput) (*rds.ListTagsForResourceOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	tags, err := r.tagged(call.Region, in.ResourceName)
	if err != nil {
		return nil, fmt.Errorf("list tags: %w", err)
	}
	return &rds.ListTagsForResourceOutput{TagList: describeTags(tags)}, nil
}
