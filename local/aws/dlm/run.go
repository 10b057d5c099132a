package dlm

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/dlm"
	"github.com/aws/aws-sdk-go/service/ec2"
)

const (
	principal = "dlm.amazonaws.com"
	poll      = time.Minute // between two looks at a pending snapshot
)

// job is one run of one schedule, with what the policy said when it began.
type job struct {
	p        *policy
	turn     int
	region   string
	schedule *sdk.Schedule
	details  *sdk.PolicyDetails
	role     string
}

// start sets the timers of a policy anew; d.mu is held.
func (d *DLM) start(p *policy) {
	p.turn++
	if p.wanted != sdk.SettablePolicyStateValuesEnabled {
		return
	}
	details := clone(p.api.PolicyDetails)
	for _, s := range details.Schedules {
		d.arm(&job{p: p, turn: p.turn, region: p.region, schedule: s, details: details, role: *p.api.ExecutionRoleArn}, d.world.Now())
	}
}

// arm waits for the next time of a schedule after t, over and over.
func (d *DLM) arm(j *job, t time.Time) {
	at, err := next(j.schedule.CreateRule, t)
	if err != nil {
		d.fail(j, fmt.Sprintf("schedule %s: %v", *j.schedule.Name, err))
		return
	}
	d.world.After(at.Sub(t), func() {
		if !d.current(j) {
			return
		}
		d.arm(j, at)
		if !d.world.Dark(j.region) {
			d.run(j)
		}
	})
}

// current says whether the policy is still the one that the job was made for.
func (d *DLM) current(j *job) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return j.p.turn == j.turn
}

// run makes the snapshots of one schedule.
func (d *DLM) run(j *job) {
	if d.roles != nil && !d.roles.Trusts(j.role, principal) {
		d.fail(j, "The execution role "+j.role+" can't be assumed.")
		return
	}
	made, err := d.snapshotTargets(j)
	d.count(j, "SnapshotsCreateStarted", len(made))
	d.count(j, "SnapshotsCreateCompleted", len(made))
	if err != nil {
		d.count(j, "SnapshotsCreateFailed", 1)
		d.fail(j, err.Error())
	} else if len(j.schedule.CrossRegionCopyRules) == 0 {
		d.succeed(j)
	}
	for _, m := range made {
		d.keep(j, m)
		if len(j.schedule.CrossRegionCopyRules) > 0 {
			d.copyWhenDone(j, m)
		}
	}
}

// snapshotTargets snapshots whatever carries one of the target tags. What could
// be made is given also when something failed.
func (d *DLM) snapshotTargets(j *job) ([]managed, error) {
	if *j.details.ResourceTypes[0] == sdk.ResourceTypeValuesInstance {
		return d.snapshotInstances(j)
	}
	var made []managed
	seen := map[string]bool{}
	for _, tag := range j.details.TargetTags {
		found, err := d.targets.DescribeVolumes(d.call(j.region), &ec2.DescribeVolumesInput{Filters: []*ec2.Filter{byTag(tag)}})
		if err != nil {
			return made, fmt.Errorf("find volumes tagged %s: %w", *tag.Key, err)
		}
		for _, v := range found.Volumes {
			if seen[*v.VolumeId] {
				continue
			}
			seen[*v.VolumeId] = true
			s, err := d.snapshots.CreateSnapshot(d.call(j.region), &ec2.CreateSnapshotInput{
				VolumeId: v.VolumeId, Description: j.description(), TagSpecifications: j.tags(v.Tags),
			})
			if err != nil {
				return made, fmt.Errorf("snapshot volume %s: %w", *v.VolumeId, err)
			}
			made = append(made, managed{j.region, *s.SnapshotId, *j.schedule.Name, *v.VolumeId})
		}
	}
	return made, nil
}

func (d *DLM) snapshotInstances(j *job) ([]managed, error) {
	var made []managed
	seen := map[string]bool{}
	for _, tag := range j.details.TargetTags {
		found, err := d.targets.DescribeInstances(d.call(j.region), &ec2.DescribeInstancesInput{Filters: []*ec2.Filter{byTag(tag), alive()}})
		if err != nil {
			return made, fmt.Errorf("find instances tagged %s: %w", *tag.Key, err)
		}
		for _, r := range found.Reservations {
			for _, i := range r.Instances {
				if seen[*i.InstanceId] {
					continue
				}
				seen[*i.InstanceId] = true
				of, err := d.snapshotInstance(j, i)
				if err != nil {
					return made, err
				}
				made = append(made, of...)
			}
		}
	}
	return made, nil
}

func (d *DLM) snapshotInstance(j *job, i *ec2.Instance) ([]managed, error) {
	spec := &ec2.InstanceSpecification{InstanceId: i.InstanceId}
	if p := j.details.Parameters; p != nil {
		spec.ExcludeBootVolume = p.ExcludeBootVolume
	}
	in := &ec2.CreateSnapshotsInput{InstanceSpecification: spec, Description: j.description(), TagSpecifications: j.tags(nil)}
	if aws.BoolValue(j.schedule.CopyTags) {
		in.CopyTagsFromSource = aws.String(ec2.CopyTagsFromSourceVolume)
	}
	out, err := d.snapshots.CreateSnapshots(d.call(j.region), in)
	if err != nil {
		return nil, fmt.Errorf("snapshot instance %s: %w", *i.InstanceId, err)
	}
	var made []managed
	for _, s := range out.Snapshots {
		made = append(made, managed{j.region, *s.SnapshotId, *j.schedule.Name, *s.VolumeId})
	}
	return made, nil
}

func byTag(t *sdk.Tag) *ec2.Filter {
	return &ec2.Filter{Name: aws.String("tag:" + *t.Key), Values: []*string{t.Value}}
}

func alive() *ec2.Filter {
	return &ec2.Filter{Name: aws.String("instance-state-name"), Values: aws.StringSlice([]string{"running", "stopped"})}
}

func (j *job) description() *string {
	return aws.String(fmt.Sprintf("Created for policy: %s schedule: %s", j.p.id, *j.schedule.Name))
}

// tags are DLM's own, those of the schedule and, if it says so, the source's.
func (j *job) tags(source []*ec2.Tag) []*ec2.TagSpecification {
	own := []*ec2.Tag{
		{Key: aws.String("aws:dlm:lifecycle-policy-id"), Value: aws.String(j.p.id)},
		{Key: aws.String("aws:dlm:lifecycle-schedule-name"), Value: j.schedule.Name},
		{Key: aws.String("dlm:managed"), Value: aws.String("true")},
	}
	for _, t := range j.schedule.TagsToAdd {
		own = append(own, &ec2.Tag{Key: t.Key, Value: t.Value})
	}
	if aws.BoolValue(j.schedule.CopyTags) {
		own = append(own, source...)
	}
	return []*ec2.TagSpecification{{ResourceType: aws.String(ec2.ResourceTypeSnapshot), Tags: own}}
}

// count publishes how often something happened; never that it did not.
func (d *DLM) count(j *job, metric string, n int) {
	if d.metrics == nil || n == 0 {
		return
	}
	d.metrics.Publish(j.region, "AWS/EBS", metric, map[string]string{"DLMPolicyId": j.p.id}, float64(n))
}

// fail puts the policy into ERROR.
func (d *DLM) fail(j *job, reason string) { d.judge(j, reason) }

// succeed takes the policy out of ERROR.
func (d *DLM) succeed(j *job) { d.judge(j, "") }

func (d *DLM) judge(j *job, reason string) {
	// A schedule may fail while its policy is being made: never under the lock.
	d.world.After(0, func() {
		d.mu.Lock()
		before, stale := j.p.state(), j.p.turn != j.turn
		if !stale {
			j.p.failed = reason
		}
		after := j.p.state()
		d.mu.Unlock()
		if before != after && d.events != nil {
			d.events.Emit(j.region, "aws.dlm", "DLM Policy State Change", []string{j.p.arn}, map[string]any{
				"state": after, "cause": reason, "policy_id": j.p.arn,
			})
		}
	})
}
