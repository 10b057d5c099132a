package ec2

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// snapshot is a snapshot of a volume, or a copy of one.
type snapshot struct {
	api     *sdk.Snapshot
	lineage string // the volume whose blocks it holds
	copied  bool
	due     time.Time // when it is expected to be complete
}

// describe copies the snapshot with its progress as of now.
func (s *snapshot) describe(now time.Time) *sdk.Snapshot {
	out := clone(s.api)
	if *s.api.State != sdk.SnapshotStatePending {
		return out
	}
	const percent, last = 100, 99
	whole, passed := s.due.Sub(*s.api.StartTime), now.Sub(*s.api.StartTime)
	done := last
	if whole > passed {
		done = min(last, int(percent*passed/whole))
	}
	out.Progress = aws.String(fmt.Sprintf("%d%%", done))
	return out
}

func noSnapshot(id string) error {
	return refuse("InvalidSnapshot.NotFound", "The snapshot '%s' does not exist.", id)
}

// addSnapshot starts a snapshot of a volume; e.mu is held. The first one of a
// volume moves every block, later ones what has changed.
func (e *EC2) addSnapshot(r *region, v *volume, description *string, tags []*sdk.Tag) *snapshot {
	took := e.times.Snapshot
	if !slices.ContainsFunc(r.disks.snapshots.all(), func(s *snapshot) bool { return s.lineage == v.lineage }) {
		took += time.Duration(*v.api.Size) * e.times.SnapshotGiB
	}
	s := &snapshot{lineage: v.lineage, api: &sdk.Snapshot{
		VolumeId: aws.String(*v.api.VolumeId), VolumeSize: aws.Int64(*v.api.Size),
		Encrypted: aws.Bool(*v.api.Encrypted), KmsKeyId: v.api.KmsKeyId, Description: aws.String(aws.StringValue(description)),
	}}
	e.startSnapshot(r, s, took, tags)
	e.later(took, func() { e.endSnapshot(r, s, "createSnapshot", "") })
	return s
}

// startSnapshot enters a pending snapshot; e.mu is held.
func (e *EC2) startSnapshot(r *region, s *snapshot, took time.Duration, tags []*sdk.Tag) {
	now := e.world.Now()
	s.due = now.Add(e.world.Wall(took))
	s.api.SnapshotId, s.api.OwnerId = aws.String(e.world.NewID("snap-")), aws.String(e.world.Account())
	s.api.StartTime, s.api.State = aws.Time(now), aws.String(sdk.SnapshotStatePending)
	s.api.Progress, s.api.StorageTier = aws.String("0%"), aws.String(sdk.StorageTierStandard)
	s.api.Tags = clones(tags)
	r.disks.snapshots.put(*s.api.SnapshotId, s)
}

// endSnapshot completes a snapshot, or puts it into error with a reason.
func (e *EC2) endSnapshot(r *region, s *snapshot, event, reason string) {
	if _, ok := r.disks.snapshots.get(s.api.SnapshotId); !ok {
		return // deleted while it was pending
	}
	s.api.State, s.api.Progress = aws.String(sdk.SnapshotStateCompleted), aws.String("100%")
	result := "succeeded"
	if reason != "" {
		s.api.State, s.api.Progress = aws.String(sdk.SnapshotStateError), aws.String("0%")
		s.api.StateMessage, result = aws.String(reason), "failed"
	}
	arn := fmt.Sprintf("arn:aws:ec2::%s:snapshot/%s", r.name, *s.api.SnapshotId)
	e.emit(r, "EBS Snapshot Notification", arn, map[string]any{
		"event": event, "result": result, "cause": reason, "snapshot_id": arn,
		"startTime": s.api.StartTime.UTC().Format(time.RFC3339), "endTime": e.world.Now().UTC().Format(time.RFC3339),
	})
}

// maxPending is how many snapshots of one volume can be under way.
func maxPending(kind string) int {
	if kind == sdk.VolumeTypeSt1 || kind == sdk.VolumeTypeSc1 {
		return 1
	}
	return 5
}

// checkSnapshot refuses a snapshot of a volume that isn't ready for one.
func (r *region) checkSnapshot(v *volume) error {
	if v.state() != sdk.VolumeStateAvailable && v.state() != sdk.VolumeStateInUse {
		return refuse("IncorrectState", "The volume '%s' is '%s'", *v.api.VolumeId, v.state())
	}
	pending := 0
	for _, s := range r.disks.snapshots.all() {
		if !s.copied && *s.api.VolumeId == *v.api.VolumeId && *s.api.State == sdk.SnapshotStatePending {
			pending++
		}
	}
	if pending >= maxPending(*v.api.VolumeType) {
		return refuse("ConcurrentSnapshotLimitExceeded", "Maximum allowed in-progress snapshots for a single volume exceeded.")
	}
	return nil
}

// CreateSnapshot starts a snapshot of a volume.
func (e *EC2) CreateSnapshot(c *wire.Call, in *sdk.CreateSnapshotInput) (*sdk.Snapshot, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	v, err := r.volume(in.VolumeId)
	if err != nil {
		return nil, err
	}
	if err := r.checkSnapshot(v); err != nil {
		return nil, err
	}
	s := e.addSnapshot(r, v, in.Description, tagsFor(in.TagSpecifications, "snapshot"))
	return s.describe(*s.api.StartTime), nil
}

// CreateSnapshots starts crash-consistent snapshots of an instance's volumes,
// of all of them or of none.
func (e *EC2) CreateSnapshots(c *wire.Call, in *sdk.CreateSnapshotsInput) (*sdk.CreateSnapshotsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	volumes, err := r.chosenVolumes(in.InstanceSpecification)
	if err != nil {
		return nil, err
	}
	for _, v := range volumes {
		if err := r.checkSnapshot(v); err != nil {
			return nil, err
		}
	}
	out := &sdk.CreateSnapshotsOutput{}
	for _, v := range volumes {
		tags := tagsFor(in.TagSpecifications, "snapshot")
		if aws.StringValue(in.CopyTagsFromSource) == sdk.CopyTagsFromSourceVolume {
			tags = merge(clones(v.api.Tags), tags)
		}
		a := e.addSnapshot(r, v, in.Description, tags).api
		out.Snapshots = append(out.Snapshots, clone(&sdk.SnapshotInfo{
			SnapshotId: a.SnapshotId, VolumeId: a.VolumeId, VolumeSize: a.VolumeSize, State: a.State, Progress: a.Progress,
			StartTime: a.StartTime, OwnerId: a.OwnerId, Description: a.Description, Encrypted: a.Encrypted, Tags: a.Tags,
		}))
	}
	return out, nil
}

func (r *region) chosenVolumes(spec *sdk.InstanceSpecification) ([]*volume, error) {
	i, ok := r.instances.get(spec.InstanceId)
	if !ok {
		return nil, refuse("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", aws.StringValue(spec.InstanceId))
	}
	excluded := aws.StringValueSlice(spec.ExcludeDataVolumeIds)
	var out []*volume
	for _, m := range i.api.BlockDeviceMappings {
		isRoot := *m.DeviceName == *i.api.RootDeviceName
		if (isRoot && aws.BoolValue(spec.ExcludeBootVolume)) || slices.Contains(excluded, *m.Ebs.VolumeId) {
			continue
		}
		v, err := r.volume(m.Ebs.VolumeId)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	if len(out) == 0 {
		return nil, refuse("InvalidParameterCombination", "Instance '%s' has no volumes to snapshot", *spec.InstanceId)
	}
	return out, nil
}

// DeleteSnapshot removes a snapshot, also one that is pending.
func (e *EC2) DeleteSnapshot(c *wire.Call, in *sdk.DeleteSnapshotInput) (*sdk.DeleteSnapshotOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	if _, ok := r.disks.snapshots.get(in.SnapshotId); !ok {
		return nil, noSnapshot(aws.StringValue(in.SnapshotId))
	}
	r.disks.snapshots.drop(*in.SnapshotId)
	return nil, nil
}

// DescribeSnapshots lists snapshots. All are the account's own: another owner,
// such as "amazon", has none here.
func (e *EC2) DescribeSnapshots(c *wire.Call, in *sdk.DescribeSnapshotsInput) (*sdk.DescribeSnapshotsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, unknown := e.in(c.Region).disks.snapshots.named(in.SnapshotIds)
	if unknown != "" {
		return nil, noSnapshot(unknown)
	}
	owners := aws.StringValueSlice(in.OwnerIds)
	if len(owners) > 0 && !slices.Contains(owners, "self") && !slices.Contains(owners, e.world.Account()) {
		found = nil
	}
	now, all := e.world.Now(), []*sdk.Snapshot{}
	for _, s := range found {
		all = append(all, s.describe(now))
	}
	all, err := choose(in.Filters, all, snapshotFields)
	if err != nil {
		return nil, err
	}
	all, next, err := page(all, in.MaxResults, in.NextToken)
	return &sdk.DescribeSnapshotsOutput{Snapshots: all, NextToken: next}, err
}

func snapshotFields(s *sdk.Snapshot) (fields, []*sdk.Tag) {
	return fields{
		"snapshot-id": one(s.SnapshotId), "volume-id": one(s.VolumeId), "status": one(s.State), "progress": one(s.Progress),
		"owner-id": one(s.OwnerId), "owner-alias": nil, "description": one(s.Description), "encrypted": flag(s.Encrypted),
		"volume-size": {fmt.Sprint(*s.VolumeSize)}, "storage-tier": one(s.StorageTier),
		"start-time": {s.StartTime.UTC().Format("2006-01-02T15:04:05.000Z")},
	}, s.Tags
}
