package ec2

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// volume is an EBS volume.
type volume struct {
	api *sdk.Volume
	// lineage is the volume whose blocks it holds: what came from a snapshot
	// needs no second full copy where one is already.
	lineage string
	keyless bool // its key can't be used
}

func (v *volume) state() string { return *v.api.State }

// blueprint is a volume that is to be made.
type blueprint struct {
	zone, kind, snapshot string
	size                 int64 // GiB; 0 = that of the snapshot
	iops, throughput     *int64
	encrypted            *bool
	key                  *string
	tags                 []*sdk.Tag
}

// kind is a volume type with its smallest and largest size in GiB.
type volumeKind struct{ least, most int64 }

func volumeKindOf(name string) (volumeKind, bool) {
	const most = 16384
	switch name {
	case sdk.VolumeTypeGp2, sdk.VolumeTypeGp3:
		return volumeKind{1, most}, true
	case sdk.VolumeTypeIo1, sdk.VolumeTypeIo2:
		return volumeKind{4, most}, true
	case sdk.VolumeTypeSt1, sdk.VolumeTypeSc1:
		return volumeKind{125, most}, true
	case sdk.VolumeTypeStandard:
		return volumeKind{1, 1024}, true
	default:
		return volumeKind{}, false
	}
}

// addVolume makes a volume that is available (or broken: a key that can't be
// used shows later) after a moment; e.mu is held.
func (e *EC2) addVolume(r *region, b blueprint) (*volume, error) {
	source, err := r.sourceOf(&b)
	if err != nil {
		return nil, err
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	crypt, err := e.volumeEncryption(r, b, source)
	if err != nil {
		return nil, err
	}
	id := e.world.NewID("vol-")
	v := &volume{lineage: id, keyless: crypt.bad, api: &sdk.Volume{
		VolumeId: aws.String(id), AvailabilityZone: aws.String(b.zone), VolumeType: aws.String(b.kind),
		Size: aws.Int64(b.size), SnapshotId: aws.String(b.snapshot), CreateTime: aws.Time(e.world.Now()),
		State: aws.String(sdk.VolumeStateCreating), MultiAttachEnabled: aws.Bool(false), Tags: clones(b.tags),
		Encrypted: aws.Bool(crypt.on), Iops: b.iops, Throughput: b.throughput,
	}}
	b.perform(v.api)
	if source != nil {
		v.lineage = source.lineage
	}
	if crypt.on {
		v.api.KmsKeyId = aws.String(crypt.key)
	}
	r.disks.volumes.put(id, v)
	e.later(e.times.Volume, func() { e.volumeMade(r, v) })
	return v, nil
}

// volumeEncryption keeps the key of an encrypted snapshot unless another is named.
func (e *EC2) volumeEncryption(r *region, b blueprint, source *snapshot) (encryption, error) {
	inherited := source != nil && *source.api.Encrypted
	if inherited && b.key == nil {
		arn, ok := e.usable(r, *source.api.KmsKeyId)
		return encryption{on: true, key: arn, bad: !ok}, nil
	}
	return e.encryption(r, b.encrypted, b.key, inherited)
}

func (e *EC2) volumeMade(r *region, v *volume) {
	if v.state() != sdk.VolumeStateCreating {
		return // attached or deleted meanwhile
	}
	detail := map[string]any{"event": "createVolume", "result": "available", "cause": "", "request-id": ""}
	v.api.State = aws.String(sdk.VolumeStateAvailable)
	if v.keyless {
		v.api.State = aws.String(sdk.VolumeStateError)
		detail["result"], detail["cause"] = "failed", "Given key ID is not accessible"
	}
	e.emit(r, "EBS Volume Notification", e.ebsARN(r, "volume/"+*v.api.VolumeId), detail)
}

func (e *EC2) ebsARN(r *region, tail string) string {
	return fmt.Sprintf("arn:aws:ec2:%s:%s:%s", r.name, e.world.Account(), tail)
}

// sourceOf finds the snapshot of a blueprint and takes its size where none is
// given.
func (r *region) sourceOf(b *blueprint) (*snapshot, error) {
	if b.snapshot == "" {
		return nil, nil //nolint:nilnil // a volume without a snapshot is a good volume
	}
	s, ok := r.disks.snapshots.get(&b.snapshot)
	switch {
	case !ok:
		return nil, noSnapshot(b.snapshot)
	case *s.api.State != sdk.SnapshotStateCompleted:
		return nil, refuse("IncorrectState", "Snapshot is in invalid state - %s", *s.api.State)
	case b.size != 0 && b.size < *s.api.VolumeSize:
		return nil, refuse("InvalidParameterValue", "The size of the volume (%d GiB) is smaller than that of snapshot %s", b.size, b.snapshot)
	}
	b.size = cmp.Or(b.size, *s.api.VolumeSize)
	return s, nil
}

// check refuses what EBS can't build.
func (b *blueprint) check() error {
	kind, ok := volumeKindOf(b.kind)
	switch {
	case !ok:
		return refuse("InvalidParameterValue", "Value (%s) for parameter volumeType is invalid", b.kind)
	case b.size == 0:
		return refuse("MissingParameter", "The request must contain the parameter size/snapshot")
	case b.size < kind.least || b.size > kind.most:
		return refuse("InvalidParameterValue", "Volume of %dGiB is out of range for type %s: %d to %d", b.size, b.kind, kind.least, kind.most)
	case b.iops == nil && (b.kind == sdk.VolumeTypeIo1 || b.kind == sdk.VolumeTypeIo2):
		return refuse("MissingParameter", "The parameter iops must be specified for %s volumes.", b.kind)
	case b.throughput != nil && b.kind != sdk.VolumeTypeGp3:
		return refuse("InvalidParameterCombination", "The parameter throughput is not supported for %s volumes.", b.kind)
	}
	return nil
}

// perform fills in what a type gives without being asked.
func (b *blueprint) perform(v *sdk.Volume) {
	const base, baseThroughput, gp2Least, gp2Most, gp2PerGiB = 3000, 125, 100, 16000, 3
	switch b.kind {
	case sdk.VolumeTypeGp3:
		v.Iops = aws.Int64(cmp.Or(aws.Int64Value(b.iops), base))
		v.Throughput = aws.Int64(cmp.Or(aws.Int64Value(b.throughput), baseThroughput))
	case sdk.VolumeTypeGp2:
		v.Iops = aws.Int64(min(max(gp2Least, gp2PerGiB*b.size), gp2Most))
	}
}

// CreateVolume makes a volume, empty or from a snapshot.
func (e *EC2) CreateVolume(c *wire.Call, in *sdk.CreateVolumeInput) (*sdk.Volume, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	token := aws.StringValue(in.ClientToken)
	if id, ok := r.disks.tokens[token]; ok && token != "" {
		if v, ok := r.disks.volumes.get(&id); ok {
			return clone(v.api), nil
		}
	}
	zone := aws.StringValue(in.AvailabilityZone)
	if letter, ok := strings.CutPrefix(zone, r.name); !ok || len(letter) != 1 || !strings.Contains(zones, letter) {
		return nil, refuse("InvalidZone.NotFound", "The zone '%s' does not exist.", zone)
	}
	v, err := e.addVolume(r, blueprint{
		zone: zone, kind: cmp.Or(aws.StringValue(in.VolumeType), sdk.VolumeTypeGp2),
		snapshot: aws.StringValue(in.SnapshotId), size: aws.Int64Value(in.Size), iops: in.Iops, throughput: in.Throughput,
		encrypted: in.Encrypted, key: in.KmsKeyId, tags: tagsFor(in.TagSpecifications, "volume"),
	})
	if err != nil {
		return nil, err
	}
	if token != "" {
		r.disks.tokens[token] = *v.api.VolumeId
	}
	return clone(v.api), nil
}

func noVolume(id string) error {
	return refuse("InvalidVolume.NotFound", "The volume '%s' does not exist.", id)
}

func (r *region) volume(id *string) (*volume, error) {
	v, ok := r.disks.volumes.get(id)
	if !ok {
		return nil, noVolume(aws.StringValue(id))
	}
	return v, nil
}

// DeleteVolume removes a volume that no instance holds.
func (e *EC2) DeleteVolume(c *wire.Call, in *sdk.DeleteVolumeInput) (*sdk.DeleteVolumeOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	v, err := r.volume(in.VolumeId)
	if err != nil {
		return nil, err
	}
	switch v.state() {
	case sdk.VolumeStateInUse:
		return nil, refuse("VolumeInUse", "Volume %s is currently attached to %s", *in.VolumeId, *v.api.Attachments[0].InstanceId)
	case sdk.VolumeStateCreating, sdk.VolumeStateDeleting:
		return nil, refuse("IncorrectState", "The volume '%s' is '%s'", *in.VolumeId, v.state())
	}
	v.api.State = aws.String(sdk.VolumeStateDeleting)
	e.later(e.times.Volume, func() { r.disks.volumes.drop(*v.api.VolumeId) })
	return nil, nil
}

// DescribeVolumes lists volumes.
func (e *EC2) DescribeVolumes(c *wire.Call, in *sdk.DescribeVolumesInput) (*sdk.DescribeVolumesOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, unknown := e.in(c.Region).disks.volumes.named(in.VolumeIds)
	if unknown != "" {
		return nil, noVolume(unknown)
	}
	found, err := choose(in.Filters, found, volumeFields)
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	out := &sdk.DescribeVolumesOutput{NextToken: next}
	for _, v := range found {
		out.Volumes = append(out.Volumes, clone(v.api))
	}
	return out, err
}

func volumeFields(v *volume) (fields, []*sdk.Tag) {
	a := v.api
	f := fields{
		"volume-id": one(a.VolumeId), "status": one(a.State), "availability-zone": one(a.AvailabilityZone),
		"volume-type": one(a.VolumeType), "snapshot-id": one(a.SnapshotId), "encrypted": flag(a.Encrypted),
		"size": {fmt.Sprint(*a.Size)}, "create-time": {a.CreateTime.UTC().Format(time.RFC3339)},
		"attachment.instance-id": nil, "attachment.device": nil, "attachment.status": nil, "attachment.delete-on-termination": nil,
	}
	for _, at := range a.Attachments {
		f["attachment.instance-id"], f["attachment.device"] = one(at.InstanceId), one(at.Device)
		f["attachment.status"], f["attachment.delete-on-termination"] = one(at.State), flag(at.DeleteOnTermination)
	}
	return f, a.Tags
}
