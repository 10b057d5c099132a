package ec2

import (
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// instanceFields are what DescribeInstances filters by.
func instanceFields(i *instance) (fields, []*sdk.Tag) {
	a := i.api
	f := fields{
		"instance-id": one(a.InstanceId), "instance-state-name": one(a.State.Name), "instance-type": one(a.InstanceType),
		"image-id": one(a.ImageId), "subnet-id": one(a.SubnetId), "vpc-id": one(a.VpcId), "client-token": one(a.ClientToken),
		"availability-zone": one(a.Placement.AvailabilityZone), "private-ip-address": one(a.PrivateIpAddress),
		"private-dns-name": one(a.PrivateDnsName), "reservation-id": {i.reservation}, "key-name": one(a.KeyName),
		"instance.group-id": nil, "instance.group-name": nil, "network-interface.group-id": nil,
	}
	for _, g := range a.SecurityGroups {
		f["instance.group-id"] = append(f["instance.group-id"], *g.GroupId)
		f["network-interface.group-id"] = append(f["network-interface.group-id"], *g.GroupId)
		f["instance.group-name"] = append(f["instance.group-name"], *g.GroupName)
	}
	return f, a.Tags
}

// DescribeInstances lists instances, grouped by the launch that made them.
func (e *EC2) DescribeInstances(c *wire.Call, in *sdk.DescribeInstancesInput) (*sdk.DescribeInstancesOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, unknown := e.in(c.Region).instances.named(in.InstanceIds)
	if unknown != "" {
		return nil, refuse("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", unknown)
	}
	found, err := choose(in.Filters, found, instanceFields)
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	out := &sdk.DescribeInstancesOutput{NextToken: next}
	for _, i := range found {
		at := slices.IndexFunc(out.Reservations, func(r *sdk.Reservation) bool { return *r.ReservationId == i.reservation })
		if at < 0 {
			at = len(out.Reservations)
			out.Reservations = append(out.Reservations, &sdk.Reservation{
				ReservationId: aws.String(i.reservation), OwnerId: aws.String(e.world.Account()),
			})
		}
		out.Reservations[at].Instances = append(out.Reservations[at].Instances, clone(i.api))
	}
	return out, err
}

// DescribeInstanceStatus tells the status checks; only of running instances
// unless all are asked for.
func (e *EC2) DescribeInstanceStatus(c *wire.Call, in *sdk.DescribeInstanceStatusInput) (*sdk.DescribeInstanceStatusOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, unknown := e.in(c.Region).instances.named(in.InstanceIds)
	if unknown != "" {
		return nil, refuse("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", unknown)
	}
	found = slices.DeleteFunc(found, func(i *instance) bool {
		return !aws.BoolValue(in.IncludeAllInstances) && i.state() != sdk.InstanceStateNameRunning
	})
	found, err := choose(in.Filters, found, func(i *instance) (fields, []*sdk.Tag) {
		health := status(i)
		return fields{
			"instance-state-name": one(i.api.State.Name), "availability-zone": one(i.api.Placement.AvailabilityZone),
			"instance-status.status": one(health.Status), "system-status.status": one(health.Status),
		}, nil
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	out := &sdk.DescribeInstanceStatusOutput{NextToken: next}
	for _, i := range found {
		out.InstanceStatuses = append(out.InstanceStatuses, &sdk.InstanceStatus{
			InstanceId: aws.String(*i.api.InstanceId), AvailabilityZone: aws.String(*i.api.Placement.AvailabilityZone),
			InstanceState: clone(i.api.State), InstanceStatus: status(i), SystemStatus: status(i),
		})
	}
	return out, err
}

func status(i *instance) *sdk.InstanceStatusSummary {
	overall, reached := "initializing", "initializing"
	switch {
	case i.state() != sdk.InstanceStateNameRunning:
		overall, reached = "not-applicable", ""
	case i.checked:
		overall, reached = "ok", "passed"
	}
	out := &sdk.InstanceStatusSummary{Status: aws.String(overall)}
	if reached != "" {
		out.Details = []*sdk.InstanceStatusDetails{{Name: aws.String("reachability"), Status: aws.String(reached)}}
	}
	return out
}

// change is how Start, Stop and Terminate move instances: all of them or none.
type change struct {
	to   string
	from []string // states in which it can be asked for
	done []string // states in which it has happened or begun: asking again is fine
}

func (e *EC2) move(region string, ids []*string, ch change) ([]*sdk.InstanceStateChange, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(region)
	found, unknown := r.instances.named(ids)
	if unknown != "" {
		return nil, refuse("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", unknown)
	}
	for _, i := range found {
		if !slices.Contains(ch.from, i.state()) && !slices.Contains(ch.done, i.state()) {
			return nil, refuse("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be moved to '%s'.", *i.api.InstanceId, ch.to)
		}
	}
	var out []*sdk.InstanceStateChange
	for _, i := range found {
		before := clone(i.api.State)
		if slices.Contains(ch.from, i.state()) {
			e.enter(r, i, ch.to)
		}
		out = append(out, &sdk.InstanceStateChange{
			InstanceId: aws.String(*i.api.InstanceId), PreviousState: before, CurrentState: clone(i.api.State),
		})
	}
	return out, nil
}

// StartInstances starts stopped instances.
func (e *EC2) StartInstances(c *wire.Call, in *sdk.StartInstancesInput) (*sdk.StartInstancesOutput, error) {
	out, err := e.move(c.Region, in.InstanceIds, change{
		to:   sdk.InstanceStateNamePending,
		from: []string{sdk.InstanceStateNameStopped},
		done: []string{sdk.InstanceStateNamePending, sdk.InstanceStateNameRunning},
	})
	return &sdk.StartInstancesOutput{StartingInstances: out}, err
}

// StopInstances stops running instances; their addresses stay theirs.
func (e *EC2) StopInstances(c *wire.Call, in *sdk.StopInstancesInput) (*sdk.StopInstancesOutput, error) {
	out, err := e.move(c.Region, in.InstanceIds, change{
		to:   sdk.InstanceStateNameStopping,
		from: []string{sdk.InstanceStateNameRunning},
		done: []string{sdk.InstanceStateNameStopping, sdk.InstanceStateNameStopped},
	})
	return &sdk.StopInstancesOutput{StoppingInstances: out}, err
}

// TerminateInstances ends instances for good.
func (e *EC2) TerminateInstances(c *wire.Call, in *sdk.TerminateInstancesInput) (*sdk.TerminateInstancesOutput, error) {
	out, err := e.move(c.Region, in.InstanceIds, change{
		to: sdk.InstanceStateNameShuttingDown,
		from: []string{
			sdk.InstanceStateNamePending, sdk.InstanceStateNameRunning,
			sdk.InstanceStateNameStopping, sdk.InstanceStateNameStopped,
		},
		done: []string{sdk.InstanceStateNameShuttingDown, sdk.InstanceStateNameTerminated},
	})
	return &sdk.TerminateInstancesOutput{TerminatingInstances: out}, err
}

// ModifyInstanceAttribute changes the security groups of an instance; tracked
// connections go on.
func (e *EC2) ModifyInstanceAttribute(c *wire.Call, in *sdk.ModifyInstanceAttributeInput) (*sdk.ModifyInstanceAttributeOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	i, ok := r.instances.get(in.InstanceId)
	if !ok {
		return nil, refuse("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", aws.StringValue(in.InstanceId))
	}
	if len(in.Groups) == 0 {
		return nil, refuse("UnsupportedOperation", "Only the attribute groupSet can be modified here")
	}
	var next []*sdk.GroupIdentifier
	for _, id := range in.Groups {
		g, err := r.findGroup(id, nil)
		if err != nil {
			return nil, err
		}
		next = append(next, &sdk.GroupIdentifier{GroupId: aws.String(g.id), GroupName: aws.String(g.name)})
	}
	i.api.SecurityGroups = next
	e.signal.Raise()
	return nil, nil
}
