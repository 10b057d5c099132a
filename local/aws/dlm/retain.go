package dlm

import (
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/dlm"
	"github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// keep remembers a snapshot and sees to it that it, or an older one of the same
// volume, goes when it is time.
func (d *DLM) keep(j *job, m managed) {
	retain := j.schedule.RetainRule
	d.mu.Lock()
	j.p.managed = append(j.p.managed, m)
	var old []managed
	if n := int(aws.Int64Value(retain.Count)); n > 0 {
		old = j.p.beyond(m, n)
	}
	d.mu.Unlock()
	for _, o := range old {
		d.remove(j.p, o)
	}
	if aws.Int64Value(retain.Interval) > 0 {
		d.expire(j.p, m, lasting(*retain.Interval, *retain.IntervalUnit))
	}
}

// beyond are the oldest snapshots of the volume that the count leaves no room
// for; d.mu is held.
func (p *policy) beyond(m managed, n int) []managed {
	var same []managed
	for _, o := range p.managed {
		if o.region == m.region && o.schedule == m.schedule && o.of == m.of {
			same = append(same, o)
		}
	}
	return same[:max(0, len(same)-n)]
}

// expire deletes a snapshot after a while. A disabled policy deletes nothing;
// what is due then goes when it is enabled again.
func (d *DLM) expire(p *policy, m managed, after time.Duration) {
	d.world.After(after, func() {
		d.mu.Lock()
		enabled := p.wanted == sdk.SettablePolicyStateValuesEnabled
		d.mu.Unlock()
		if !enabled {
			d.expire(p, m, time.Hour)
			return
		}
		d.remove(p, m)
	})
}

// remove deletes a snapshot that is the policy's.
func (d *DLM) remove(p *policy, m managed) {
	d.mu.Lock()
	theirs := p.forget(m)
	d.mu.Unlock()
	if !theirs {
		return // the policy was deleted
	}
	// Somebody may have deleted it before: then there is nothing to do.
	if _, err := d.snapshots.DeleteSnapshot(d.call(m.region), &ec2.DeleteSnapshotInput{SnapshotId: &m.id}); err != nil {
		d.world.Logger().Info("snapshot of a lifecycle policy is gone already", "snapshot", m.id, "error", err)
	}
}

func (p *policy) forget(m managed) bool {
	for i, o := range p.managed {
		if o == m {
			p.managed = append(p.managed[:i:i], p.managed[i+1:]...)
			return true
		}
	}
	return false
}

// look gives a snapshot, or false when it is gone.
func (d *DLM) look(m managed) (*ec2.Snapshot, bool) {
	out, err := d.snapshots.DescribeSnapshots(d.call(m.region), &ec2.DescribeSnapshotsInput{SnapshotIds: []*string{&m.id}})
	if err != nil || len(out.Snapshots) == 0 {
		return nil, false
	}
	return out.Snapshots[0], true
}

// copyWhenDone waits for a snapshot and then copies it everywhere.
func (d *DLM) copyWhenDone(j *job, m managed) {
	d.world.After(poll, func() {
		s, ok := d.look(m)
		switch {
		case !ok:
			return
		case *s.State == ec2.SnapshotStatePending:
			d.copyWhenDone(j, m)
		case *s.State == ec2.SnapshotStateCompleted:
			for _, rule := range j.schedule.CrossRegionCopyRules {
				d.copy(j, m, s, rule)
			}
		default:
			d.fail(j, fmt.Sprintf("Snapshot %s ended as %s.", m.id, *s.State))
		}
	})
}

// copy copies a snapshot by one rule, again while the Region has no room for
// more copies or can't be reached.
func (d *DLM) copy(j *job, m managed, s *ec2.Snapshot, rule *sdk.CrossRegionCopyRule) {
	target := copyTarget(rule)
	if d.world.Dark(j.region) || !d.world.Reachable(j.region, target) {
		d.world.After(poll, func() { d.copy(j, m, s, rule) })
		return
	}
	in := &ec2.CopySnapshotInput{
		SourceRegion: &m.region, SourceSnapshotId: &m.id, Encrypted: rule.Encrypted, KmsKeyId: rule.CmkArn,
		Description: j.description(), TagSpecifications: j.tags(nil),
	}
	if aws.BoolValue(rule.CopyTags) {
		in.TagSpecifications[0].Tags = s.Tags
	}
	out, err := d.snapshots.CopySnapshot(d.call(target), in)
	var refused *wire.Error
	switch {
	case errors.As(err, &refused) && refused.Code == "ResourceLimitExceeded":
		d.world.After(poll, func() { d.copy(j, m, s, rule) })
	case err != nil:
		d.count(j, "SnapshotsCopiedRegionFailed", 1)
		d.fail(j, fmt.Sprintf("Copy of snapshot %s to %s: %v", m.id, target, err))
	default:
		made := managed{target, *out.SnapshotId, m.schedule, m.of}
		d.mu.Lock()
		j.p.managed = append(j.p.managed, made)
		d.mu.Unlock()
		if r := rule.RetainRule; r != nil {
			d.expire(j.p, made, lasting(*r.Interval, *r.IntervalUnit))
		}
		d.judgeCopy(j, made)
	}
}

// judgeCopy waits for what became of a copy: EBS answers before it knows.
func (d *DLM) judgeCopy(j *job, m managed) {
	d.world.After(poll, func() {
		s, ok := d.look(m)
		switch {
		case !ok:
			return
		case *s.State == ec2.SnapshotStatePending:
			d.judgeCopy(j, m)
		case *s.State == ec2.SnapshotStateCompleted:
			d.count(j, "SnapshotsCopiedRegionCompleted", 1)
			d.succeed(j)
		default:
			d.count(j, "SnapshotsCopiedRegionFailed", 1)
			d.fail(j, fmt.Sprintf("Copy %s in %s failed: %s", m.id, m.region, aws.StringValue(s.StateMessage)))
		}
	})
}
