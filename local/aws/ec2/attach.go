package ec2

import (
	"cmp"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

const (
	rootDevice = "/dev/xvda"
	rootSize   = 8 // GiB, as Amazon Linux has it
)

// disk is a volume that a launch brings with it.
type disk struct {
	device string
	keep   bool // outlives the instance
	volume blueprint
}

// disksFor gives the volumes of a launch: those of the request, else of the
// template, and always a root volume.
func disksFor(in *sdk.RunInstancesInput, data *sdk.ResponseLaunchTemplateData) []disk {
	root := disk{device: rootDevice, volume: blueprint{kind: sdk.VolumeTypeGp3, size: rootSize}}
	out := []disk{root}
	add := func(device *string, b *sdk.EbsBlockDevice) {
		if b == nil {
			return
		}
		d := disk{
			device: aws.StringValue(device), keep: b.DeleteOnTermination != nil && !*b.DeleteOnTermination,
			volume: blueprint{
				kind: cmp.Or(aws.StringValue(b.VolumeType), sdk.VolumeTypeGp3), size: aws.Int64Value(b.VolumeSize),
				snapshot: aws.StringValue(b.SnapshotId), iops: b.Iops, throughput: b.Throughput, encrypted: b.Encrypted, key: b.KmsKeyId,
			},
		}
		at := slices.IndexFunc(out, func(o disk) bool { return o.device == d.device })
		if at < 0 {
			out = append(out, d)
			return
		}
		if d.volume.snapshot == "" {
			d.volume.size = cmp.Or(d.volume.size, rootSize)
		}
		out[at] = d
	}
	for _, m := range in.BlockDeviceMappings {
		add(m.DeviceName, m.Ebs)
	}
	if len(in.BlockDeviceMappings) == 0 {
		for _, m := range data.BlockDeviceMappings {
			add(m.DeviceName, fromTemplate(m.Ebs))
		}
	}
	tags := tagsFor(in.TagSpecifications, "volume")
	for _, s := range data.TagSpecifications {
		if aws.StringValue(s.ResourceType) == "volume" {
			tags = merge(clones(s.Tags), tags)
		}
	}
	for i := range out {
		out[i].volume.tags = tags
	}
	return out
}

func fromTemplate(b *sdk.LaunchTemplateEbsBlockDevice) *sdk.EbsBlockDevice {
	if b == nil {
		return nil
	}
	return &sdk.EbsBlockDevice{
		DeleteOnTermination: b.DeleteOnTermination, Encrypted: b.Encrypted, Iops: b.Iops, KmsKeyId: b.KmsKeyId,
		SnapshotId: b.SnapshotId, Throughput: b.Throughput, VolumeSize: b.VolumeSize, VolumeType: b.VolumeType,
	}
}

// furnish makes and attaches the volumes of a new instance; e.mu is held. A key
// that can't be used ends the instance soon after RunInstances has answered.
func (e *EC2) furnish(r *region, i *instance, all []disk) error {
	for _, d := range all {
		d.volume.zone = *i.api.Placement.AvailabilityZone
		v, err := e.addVolume(r, d.volume)
		if err != nil {
			return err
		}
		i.keyless = i.keyless || v.keyless
		e.attach(i, v, d.device, !d.keep)
		v.api.Attachments[0].State = aws.String(sdk.VolumeAttachmentStateAttached)
	}
	return nil
}

// attach puts a volume into an instance; e.mu is held.
func (e *EC2) attach(i *instance, v *volume, device string, dies bool) {
	now := e.world.Now()
	v.api.State = aws.String(sdk.VolumeStateInUse)
	v.api.Attachments = []*sdk.VolumeAttachment{{
		VolumeId: aws.String(*v.api.VolumeId), InstanceId: aws.String(*i.api.InstanceId), Device: aws.String(device),
		State: aws.String(sdk.VolumeAttachmentStateAttaching), AttachTime: aws.Time(now), DeleteOnTermination: aws.Bool(dies),
	}}
	i.api.BlockDeviceMappings = append(i.api.BlockDeviceMappings, &sdk.InstanceBlockDeviceMapping{
		DeviceName: aws.String(device), Ebs: &sdk.EbsInstanceBlockDevice{
			VolumeId: aws.String(*v.api.VolumeId), Status: aws.String(sdk.AttachmentStatusAttached),
			AttachTime: aws.Time(now), DeleteOnTermination: aws.Bool(dies),
		},
	})
}

// release lets go of a volume; e.mu is held.
func (i *instance) release(v *volume) {
	v.api.State, v.api.Attachments = aws.String(sdk.VolumeStateAvailable), nil
	i.api.BlockDeviceMappings = slices.DeleteFunc(i.api.BlockDeviceMappings, func(m *sdk.InstanceBlockDeviceMapping) bool {
		return *m.Ebs.VolumeId == *v.api.VolumeId
	})
}

// strip takes the volumes of an instance that ends; e.mu is held.
func (r *region) strip(i *instance) {
	for _, m := range slices.Clone(i.api.BlockDeviceMappings) {
		if v, ok := r.disks.volumes.get(m.Ebs.VolumeId); ok {
			i.release(v)
			if *m.Ebs.DeleteOnTermination {
				r.disks.volumes.drop(*v.api.VolumeId)
			}
		}
	}
}

// AttachVolume puts an available volume into an instance of the same zone.
func (e *EC2) AttachVolume(c *wire.Call, in *sdk.AttachVolumeInput) (*sdk.VolumeAttachment, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	v, err := r.volume(in.VolumeId)
	if err != nil {
		return nil, err
	}
	i, ok := r.instances.get(in.InstanceId)
	if !ok {
		return nil, refuse("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", aws.StringValue(in.InstanceId))
	}
	taken := slices.ContainsFunc(i.api.BlockDeviceMappings, func(m *sdk.InstanceBlockDeviceMapping) bool {
		return *m.DeviceName == aws.StringValue(in.Device)
	})
	switch {
	case v.state() == sdk.VolumeStateInUse:
		return nil, refuse("VolumeInUse", "%s is already attached to an instance", *in.VolumeId)
	case v.state() != sdk.VolumeStateAvailable:
		return nil, refuse("IncorrectState", "%s is not 'available'.", *in.VolumeId)
	case i.state() != sdk.InstanceStateNameRunning && i.state() != sdk.InstanceStateNameStopped:
		return nil, refuse("IncorrectState", "Instance '%s' is not 'running'.", *in.InstanceId)
	case *v.api.AvailabilityZone != *i.api.Placement.AvailabilityZone:
		return nil, refuse("InvalidVolume.ZoneMismatch", "The volume '%s' is not in the same availability zone as instance '%s'", *in.VolumeId, *in.InstanceId)
	case taken:
		return nil, refuse("InvalidParameterValue", "Invalid value '%s' for unixDevice. Attachment point %s is already in use", *in.Device, *in.Device)
	}
	e.attach(i, v, *in.Device, false)
	answer := clone(v.api.Attachments[0])
	e.later(e.times.Volume, func() {
		for _, a := range v.api.Attachments {
			a.State = aws.String(sdk.VolumeAttachmentStateAttached)
		}
	})
	return answer, nil
}

// DetachVolume takes a volume out of its instance; the root volume only while
// the instance is stopped.
func (e *EC2) DetachVolume(c *wire.Call, in *sdk.DetachVolumeInput) (*sdk.VolumeAttachment, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	v, err := r.volume(in.VolumeId)
	if err != nil {
		return nil, err
	}
	if len(v.api.Attachments) == 0 {
		return nil, refuse("IncorrectState", "Volume '%s' is in the '%s' state.", *in.VolumeId, v.state())
	}
	at := clone(v.api.Attachments[0])
	i, ok := r.instances.get(at.InstanceId)
	switch {
	case !ok || (in.InstanceId != nil && *in.InstanceId != *at.InstanceId):
		return nil, refuse("InvalidAttachment.NotFound", "The attachment of volume '%s' to instance '%s' does not exist", *in.VolumeId, aws.StringValue(in.InstanceId))
	case *at.Device == aws.StringValue(i.api.RootDeviceName) && i.state() != sdk.InstanceStateNameStopped:
		return nil, refuse("OperationNotPermitted", "Unable to detach root volume '%s' from instance '%s'", *in.VolumeId, *at.InstanceId)
	}
	i.release(v)
	at.State = aws.String(sdk.VolumeAttachmentStateDetaching)
	return at, nil
}
