package ec2

import (
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// maxCopies is how many copies can be under way into one Region.
const maxCopies = 20

// copiesOwner is the volume that copies name: it exists nowhere, as on AWS.
const copiesOwner = "vol-ffffffff"

// CopySnapshot copies a snapshot of any Region into the one that is called.
// Tags stay behind. A key that can't be used is noticed only after the answer.
func (e *EC2) CopySnapshot(c *wire.Call, in *sdk.CopySnapshotInput) (*sdk.CopySnapshotOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, from := e.in(c.Region), aws.StringValue(in.SourceRegion)
	source, err := e.copySource(r, from, in.SourceSnapshotId)
	if err != nil {
		return nil, err
	}
	crypt, err := e.encryption(r, in.Encrypted, in.KmsKeyId, *source.api.Encrypted)
	if err != nil {
		return nil, err
	}
	if r.copying() >= maxCopies {
		return nil, refuse("ResourceLimitExceeded", "Too many snapshot copies in progress. The limit is %d for this destination region.", maxCopies)
	}
	s := &snapshot{lineage: source.lineage, copied: true, api: &sdk.Snapshot{
		VolumeId: aws.String(copiesOwner), VolumeSize: aws.Int64(*source.api.VolumeSize),
		Encrypted: aws.Bool(crypt.on), Description: aws.String(aws.StringValue(in.Description)),
	}}
	if crypt.on {
		s.api.KmsKeyId = aws.String(crypt.key)
	}
	took := e.copyTime(r, s)
	if crypt.bad {
		took = e.times.Volume
	}
	tags := tagsFor(in.TagSpecifications, "snapshot")
	e.startSnapshot(r, s, took, tags)
	e.later(took, func() { e.endCopy(r, s, from, crypt.bad) })
	return &sdk.CopySnapshotOutput{SnapshotId: aws.String(*s.api.SnapshotId), Tags: clones(tags)}, nil
}

// copySource finds the snapshot in its Region, if that can be reached.
func (e *EC2) copySource(r *region, from string, id *string) (*snapshot, error) {
	if !slices.Contains(e.world.Regions(), from) {
		return nil, refuse("InvalidParameterValue", "Value (%s) for parameter sourceRegion is invalid. Invalid region.", from)
	}
	if !e.world.Reachable(r.name, from) {
		return nil, wire.Errorf(http.StatusServiceUnavailable, "Unavailable", "The service in %s can't be reached. Please try again later.", from)
	}
	source, ok := e.in(from).disks.snapshots.get(id)
	switch {
	case !ok:
		return nil, noSnapshot(aws.StringValue(id))
	case *source.api.State != sdk.SnapshotStateCompleted:
		return nil, refuse("IncorrectState", "Snapshot %s is not in completed state", *id)
	}
	return source, nil
}

func (r *region) copying() int {
	n := 0
	for _, s := range r.disks.snapshots.all() {
		if s.copied && *s.api.State == sdk.SnapshotStatePending {
			n++
		}
	}
	return n
}

// copyTime is long for the first copy of a volume under a key in a Region;
// later ones carry only what has changed. Another key means another full copy.
func (e *EC2) copyTime(r *region, s *snapshot) time.Duration {
	incremental := slices.ContainsFunc(r.disks.snapshots.all(), func(o *snapshot) bool {
		return o.lineage == s.lineage && *o.api.State == sdk.SnapshotStateCompleted &&
			aws.StringValue(o.api.KmsKeyId) == aws.StringValue(s.api.KmsKeyId)
	})
	if incremental {
		return e.times.Copy
	}
	return e.times.Copy + time.Duration(*s.api.VolumeSize)*e.times.CopyGiB
}

// endCopy completes a copy once the Regions reach each other: until then it
// stays pending, and counts.
func (e *EC2) endCopy(r *region, s *snapshot, from string, badKey bool) {
	switch {
	case badKey:
		e.endSnapshot(r, s, "copySnapshot", "Given key ID is not accessible")
	case !e.world.Reachable(from, r.name):
		e.later(time.Minute, func() { e.endCopy(r, s, from, badKey) })
	default:
		e.endSnapshot(r, s, "copySnapshot", "")
	}
}
