package drs

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/drs"
	"github.com/aws/aws-sdk-go/service/ec2"
)

// image stands for the machine image that DRS makes of the converted disks.
const image = "ami-0d125a57e4000000d"

// recovered is a recovery instance: an EC2 instance that DRS launched.
type recovered struct {
	region, id, arn string
	order           int
	server, job     string
	drill           bool
	point           *point
	agent           Server
	tags            map[string]*string
	disconnected    bool
	reversed        bool
}

// run asks EC2 for a server's recovery instance, from the default version of
// its launch template.
func (d *DRS) run(l *launch) (string, error) {
	in := &ec2.RunInstancesInput{
		ImageId: aws.String(image), MinCount: aws.Int64(1), MaxCount: aws.Int64(1),
		LaunchTemplate:      &ec2.LaunchTemplateSpecification{LaunchTemplateId: l.s.launching.Ec2LaunchTemplateID, Version: aws.String("$Default")},
		BlockDeviceMappings: l.s.disks(),
		TagSpecifications:   []*ec2.TagSpecification{{ResourceType: aws.String(ec2.ResourceTypeInstance), Tags: l.tags()}},
	}
	// The method NONE leaves the type to the template, which somebody may have
	// changed; the others put their own above it.
	if aws.StringValue(l.s.launching.TargetInstanceTypeRightSizingMethod) != sdk.TargetInstanceTypeRightSizingMethodNone {
		in.InstanceType = aws.String(l.s.agent.InstanceType)
	}
	out, err := d.machines.RunInstances(d.call(l.r.name), in)
	if err != nil {
		return "", fmt.Errorf("launch recovery instance of %s: %w", l.s.id, err)
	}
	return *out.Instances[0].InstanceId, nil
}

// disks are encrypted as the replication settings say, not the template.
func (s *server) disks() []*ec2.BlockDeviceMapping {
	encrypted := aws.StringValue(s.settings.EbsEncryption) != sdk.ReplicationConfigurationEbsEncryptionNone
	var out []*ec2.BlockDeviceMapping
	for i, v := range s.agent.Volumes {
		device := v.Device
		if i == 0 {
			device = "/dev/xvda"
		}
		out = append(out, &ec2.BlockDeviceMapping{DeviceName: aws.String(device), Ebs: &ec2.EbsBlockDevice{
			VolumeSize: aws.Int64(v.GiB), VolumeType: aws.String(ec2.VolumeTypeGp3), Encrypted: aws.Bool(encrypted),
			KmsKeyId: s.settings.EbsEncryptionKeyArn, DeleteOnTermination: aws.Bool(true),
		}})
	}
	return out
}

func (l *launch) tags() []*ec2.Tag {
	all := map[string]string{}
	if aws.BoolValue(l.s.launching.CopyTags) {
		all = aws.StringValueMap(l.s.tags)
	}
	all["Name"] = cmp.Or(all["Name"], l.s.agent.Hostname)
	all["AWSElasticDisasterRecoveryManaged"] = "drs.amazonaws.com"
	all["AWSElasticDisasterRecoverySourceServerID"] = l.s.id
	all["AWSElasticDisasterRecoveryJobID"] = l.job.id
	var out []*ec2.Tag
	for _, key := range slices.Sorted(maps.Keys(all)) {
		out = append(out, &ec2.Tag{Key: aws.String(key), Value: aws.String(all[key])})
	}
	return out
}

// remember enters a recovery instance that EC2 has made.
func (d *DRS) remember(l *launch, id string) {
	l.s.launched = append(l.s.launched, id)
	i := &recovered{
		region: l.r.name, id: id, arn: d.arn(l.r.name, "recovery-instance", id), order: d.next(), server: l.s.id, job: l.job.id,
		drill: l.drill, point: l.point, agent: l.s.agent, tags: map[string]*string{},
	}
	if aws.BoolValue(l.s.launching.CopyTags) {
		maps.Copy(i.tags, l.s.tags)
	}
	l.r.instances[id] = i
}

// forget takes a recovery instance off the books.
func (d *DRS) forget(r *region, s *server, id string) {
	delete(r.instances, id)
	if s != nil {
		s.launched = slices.DeleteFunc(s.launched, func(o string) bool { return o == id })
	}
}

// state is an instance's state in EC2's words; "" when EC2 doesn't know it.
func (d *DRS) state(region, id string) string {
	out, err := d.machines.DescribeInstances(d.call(region), &ec2.DescribeInstancesInput{InstanceIds: []*string{&id}})
	if err != nil || len(out.Reservations) == 0 {
		return ""
	}
	return *out.Reservations[0].Instances[0].State.Name
}

func (d *DRS) stop(region, id string) error {
	if _, err := d.machines.StopInstances(d.call(region), &ec2.StopInstancesInput{InstanceIds: []*string{&id}}); err != nil {
		return fmt.Errorf("stop recovery instance %s: %w", id, err)
	}
	return nil
}

// terminate ends those instances that EC2 still knows.
func (d *DRS) terminate(r *region, ids []string) error {
	var known []string
	for _, id := range ids {
		if state := d.state(r.name, id); state != "" && state != ec2.InstanceStateNameTerminated {
			known = append(known, id)
		}
	}
	if len(known) == 0 {
		return nil
	}
	if _, err := d.machines.TerminateInstances(d.call(r.name), &ec2.TerminateInstancesInput{InstanceIds: aws.StringSlice(known)}); err != nil {
		return fmt.Errorf("terminate recovery instances: %w", err)
	}
	return nil
}

func (r *region) instance(id *string) (*recovered, error) {
	i, ok := r.instances[aws.StringValue(id)]
	if !ok {
		return nil, notFound("Recovery instance", aws.StringValue(id))
	}
	return i, nil
}

// describeInstance is the instance as the API tells it. Its states are EC2's in
// capitals.
func (d *DRS) describeInstance(i *recovered) *sdk.RecoveryInstance {
	state := cmp.Or(strings.ToUpper(d.state(i.region, i.id)), sdk.EC2InstanceStateNotFound)
	replicates := sdk.RecoveryInstanceDataReplicationStateNotStarted
	switch {
	case i.disconnected:
		replicates = sdk.RecoveryInstanceDataReplicationStateDisconnected
	case i.reversed:
		replicates = sdk.RecoveryInstanceDataReplicationStateReplicationStateNotAvailable
	}
	origin := sdk.OriginEnvironmentOnPremises
	if i.agent.OriginRegion != "" {
		origin = sdk.OriginEnvironmentAws
	}
	return &sdk.RecoveryInstance{
		RecoveryInstanceID: aws.String(i.id), Ec2InstanceID: aws.String(i.id), Ec2InstanceState: aws.String(state), Arn: aws.String(i.arn),
		SourceServerID: aws.String(i.server), JobID: aws.String(i.job), IsDrill: aws.Bool(i.drill), Tags: maps.Clone(i.tags),
		PointInTimeSnapshotDateTime: stamp(i.point.at), OriginEnvironment: aws.String(origin),
		DataReplicationInfo: &sdk.RecoveryInstanceDataReplicationInfo{DataReplicationState: aws.String(replicates)},
		Failback:            &sdk.RecoveryInstanceFailback{State: aws.String(sdk.FailbackStateFailbackNotStarted)},
		RecoveryInstanceProperties: &sdk.RecoveryInstanceProperties{
			IdentificationHints: &sdk.IdentificationHints{Hostname: aws.String(i.agent.Hostname), AwsInstanceID: aws.String(i.id)},
			Os:                  &sdk.OS{FullString: aws.String(i.agent.OS)},
		},
	}
}

func (d *DRS) describeRecoveryInstances(r *region, in *sdk.DescribeRecoveryInstancesInput) (*sdk.DescribeRecoveryInstancesOutput, error) {
	var ids, servers []string
	if f := in.Filters; f != nil {
		ids, servers = aws.StringValueSlice(f.RecoveryInstanceIDs), aws.StringValueSlice(f.SourceServerIDs)
	}
	var found []*recovered
	for _, i := range r.instances {
		if (len(ids) == 0 || slices.Contains(ids, i.id)) && (len(servers) == 0 || slices.Contains(servers, i.server)) {
			found = append(found, i)
		}
	}
	found, next, err := page(found, in.MaxResults, in.NextToken, func(i *recovered) string { return fmt.Sprintf("%09d", i.order) })
	out := &sdk.DescribeRecoveryInstancesOutput{NextToken: next, Items: []*sdk.RecoveryInstance{}}
	for _, i := range found {
		out.Items = append(out.Items, d.describeInstance(i))
	}
	return out, err
}

// terminateRecoveryInstances ends recovery instances in a job of their own.
func (d *DRS) terminateRecoveryInstances(r *region, in *sdk.TerminateRecoveryInstancesInput) (*sdk.TerminateRecoveryInstancesOutput, error) {
	if err := r.room(len(in.RecoveryInstanceIDs)); err != nil {
		return nil, err
	}
	var parts []*sdk.ParticipatingServer
	for _, id := range in.RecoveryInstanceIDs {
		i, err := r.instance(id)
		if err != nil {
			return nil, err
		}
		if s := r.servers[i.server]; s != nil && s.job != nil {
			return nil, conflict("Source server %s is in job %s.", s.id, s.job.id)
		}
		parts = append(parts, &sdk.ParticipatingServer{
			SourceServerID: aws.String(i.server), RecoveryInstanceID: aws.String(i.id), LaunchStatus: aws.String(sdk.LaunchStatusPending),
		})
	}
	j := d.addJob(r, sdk.JobTypeTerminate, sdk.InitiatedByTerminateRecoveryInstances, parts, nil)
	for _, p := range parts {
		if s := r.servers[*p.SourceServerID]; s != nil {
			s.job = j
		}
	}
	d.later(begins, func() {
		j.api.Status = aws.String(sdk.JobStatusStarted)
		d.record(j, sdk.JobLogEventJobStart, nil)
		for _, p := range parts {
			d.endInstance(r, j, p)
		}
	})
	return &sdk.TerminateRecoveryInstancesOutput{Job: clone(j.api)}, nil
}

func (d *DRS) endInstance(r *region, j *job, p *sdk.ParticipatingServer) {
	d.record(j, sdk.JobLogEventCleanupStart, &sdk.JobLogEventData{SourceServerID: p.SourceServerID})
	err := d.terminate(r, []string{*p.RecoveryInstanceID})
	d.later(d.o.Times.Clean, func() {
		s := r.servers[*p.SourceServerID]
		if err != nil {
			p.LaunchStatus = aws.String(sdk.LaunchStatusFailed)
			d.record(j, sdk.JobLogEventCleanupFail, &sdk.JobLogEventData{SourceServerID: p.SourceServerID, RawError: aws.String(err.Error())})
		} else {
			p.LaunchStatus = aws.String(sdk.LaunchStatusTerminated)
			d.record(j, sdk.JobLogEventCleanupEnd, &sdk.JobLogEventData{SourceServerID: p.SourceServerID})
			d.forget(r, s, *p.RecoveryInstanceID)
		}
		if s != nil {
			s.job = nil
		}
		d.done(j)
	})
}

// disconnectRecoveryInstance takes DRS off an instance, which goes on running.
// The next launch of its server ends it all the same.
func (d *DRS) disconnectRecoveryInstance(r *region, in *sdk.DisconnectRecoveryInstanceInput) (*sdk.DisconnectRecoveryInstanceOutput, error) {
	i, err := r.instance(in.RecoveryInstanceID)
	if err != nil {
		return nil, err
	}
	i.disconnected = true
	return nil, nil
}

// deleteRecoveryInstance forgets a disconnected instance; EC2 keeps it.
func (d *DRS) deleteRecoveryInstance(r *region, in *sdk.DeleteRecoveryInstanceInput) (*sdk.DeleteRecoveryInstanceOutput, error) {
	i, err := r.instance(in.RecoveryInstanceID)
	switch {
	case err != nil:
		return nil, err
	case !i.disconnected:
		return nil, conflict("Recovery instance %s must be disconnected first.", i.id)
	}
	d.forget(r, r.servers[i.server], i.id)
	return nil, nil
}
