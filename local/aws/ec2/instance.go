package ec2

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/world"
)

// stateCode is the number that AWS's API gives to a state.
func stateCode(name string) int64 {
	switch name {
	case sdk.InstanceStateNamePending:
		return 0
	case sdk.InstanceStateNameRunning:
		return 16
	case sdk.InstanceStateNameShuttingDown:
		return 32
	case sdk.InstanceStateNameTerminated:
		return 48
	case sdk.InstanceStateNameStopping:
		return 64
	default:
		return 80
	}
}

func state(name string) *sdk.InstanceState {
	return &sdk.InstanceState{Name: aws.String(name), Code: aws.Int64(stateCode(name))}
}

// instance is an instance and, while it runs, its software.
type instance struct {
	api         *sdk.Instance
	reservation string
	userData    string
	subnet      *subnet
	address     netip.Addr
	checked     bool // both status checks have passed since it runs
	keyless     bool // the key of a volume can't be used: it never runs
	// turn counts state changes: a timer set in an earlier turn does nothing.
	turn     int
	software *software // nil unless something was booted
}

func (i *instance) state() string { return *i.api.State.Name }

func (i *instance) gone() bool { return i.state() == sdk.InstanceStateNameTerminated }

func (i *instance) countsAgainstQuota() bool {
	return i.state() == sdk.InstanceStateNamePending || i.state() == sdk.InstanceStateNameRunning
}

func (i *instance) groupIDs() []string {
	out := make([]string, 0, len(i.api.SecurityGroups))
	for _, g := range i.api.SecurityGroups {
		out = append(out, *g.GroupId)
	}
	return out
}

// launch adds one pending instance to a reservation; e.mu is held.
func (e *EC2) launch(r *region, l launch, reservation string, index int) error {
	address, ok := l.subnet.free()
	if !ok {
		return refuse("InsufficientFreeAddressesInSubnet", "There are not enough free addresses in subnet '%s' to satisfy the requested number of instances.", *l.subnet.api.SubnetId)
	}
	l.subnet.taken[address] = true
	id := e.world.NewID("i-")
	i := &instance{
		reservation: reservation, userData: l.userData, subnet: l.subnet, address: address,
		api: &sdk.Instance{
			InstanceId: aws.String(id), ImageId: aws.String(l.image), InstanceType: aws.String(l.kind),
			AmiLaunchIndex: aws.Int64(int64(index)), LaunchTime: aws.Time(e.world.Now()),
			State: state(sdk.InstanceStateNamePending), SubnetId: l.subnet.api.SubnetId, VpcId: l.subnet.api.VpcId,
			Placement:        &sdk.Placement{AvailabilityZone: l.subnet.api.AvailabilityZone, Tenancy: aws.String("default")},
			PrivateIpAddress: aws.String(address.String()),
			PrivateDnsName:   aws.String(fmt.Sprintf("ip-%s.%s.compute.internal", strings.ReplaceAll(address.String(), ".", "-"), r.name)),
			Monitoring:       &sdk.Monitoring{State: aws.String("disabled")},
			Architecture:     aws.String("x86_64"), Hypervisor: aws.String("xen"), VirtualizationType: aws.String("hvm"),
			RootDeviceType: aws.String("ebs"), RootDeviceName: aws.String(rootDevice), EbsOptimized: aws.Bool(false),
			SourceDestCheck: aws.Bool(true), Tags: clones(l.tags), CpuOptions: cpuOptions(l.kind),
		},
	}
	if l.token != "" {
		i.api.ClientToken = aws.String(l.token)
	}
	if l.key != "" {
		i.api.KeyName = aws.String(l.key)
	}
	if l.profile != "" {
		i.api.IamInstanceProfile = &sdk.IamInstanceProfile{Arn: aws.String(l.profile)}
	}
	for _, g := range l.groups {
		i.api.SecurityGroups = append(i.api.SecurityGroups, &sdk.GroupIdentifier{GroupId: aws.String(g.id), GroupName: aws.String(g.name)})
	}
	if err := e.furnish(r, i, l.disks); err != nil {
		r.strip(i)
		delete(l.subnet.taken, address)
		return err
	}
	r.instances.put(id, i)
	e.enter(r, i, sdk.InstanceStateNamePending)
	return nil
}

// enter puts an instance into a state, does what belongs to it and sets the
// timer that leads to the next; e.mu is held.
func (e *EC2) enter(r *region, i *instance, name string) {
	i.turn++
	i.api.State = state(name)
	i.checked = false
	switch name {
	case sdk.InstanceStateNamePending:
		e.then(e.times.Launch, i, func() { e.launched(r, i) })
	case sdk.InstanceStateNameRunning:
		e.then(e.times.Boot, i, func() { e.start(r, i) })
		e.then(e.times.Checks, i, func() { i.checked = true })
	case sdk.InstanceStateNameStopping:
		i.halt()
		e.then(e.times.Stop, i, func() { e.enter(r, i, sdk.InstanceStateNameStopped) })
	case sdk.InstanceStateNameShuttingDown:
		i.halt()
		e.then(e.times.Terminate, i, func() { e.enter(r, i, sdk.InstanceStateNameTerminated) })
	case sdk.InstanceStateNameTerminated:
		r.strip(i)
		delete(i.subnet.taken, i.address)
		i.api.PrivateIpAddress, i.api.SubnetId, i.api.VpcId, i.api.SecurityGroups = nil, nil, nil, nil
		e.then(e.times.Forget, i, func() { r.instances.drop(*i.api.InstanceId) })
	}
	e.signal.Raise()
	event := world.Event{
		Service: "ec2", Kind: "instance-state", Region: r.name, ID: *i.api.InstanceId, Detail: map[string]string{"state": name},
	}
	// Subscribers may ask this service: they are told outside its lock.
	e.world.After(0, func() { e.world.Publish(event) })
}

// launched ends the wait for an instance: it runs, or is gone without having run.
func (e *EC2) launched(r *region, i *instance) {
	if !i.keyless {
		e.enter(r, i, sdk.InstanceStateNameRunning)
		return
	}
	i.api.StateReason = &sdk.StateReason{
		Code:    aws.String("Client.InternalError"),
		Message: aws.String("Client.InternalError: Client error on launch"),
	}
	e.enter(r, i, sdk.InstanceStateNameTerminated)
}

// then runs fn under the lock after d, unless the instance changed its state.
func (e *EC2) then(d time.Duration, i *instance, fn func()) {
	turn := i.turn
	e.world.After(d, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if i.turn == turn {
			fn()
		}
	})
}

// reservation describes the instances of one launch; e.mu is held.
func (e *EC2) reservation(r *region, id string) *sdk.Reservation {
	out := &sdk.Reservation{ReservationId: aws.String(id), OwnerId: aws.String(e.world.Account())}
	for _, i := range r.instances.all() {
		if i.reservation == id {
			out.Instances = append(out.Instances, clone(i.api))
		}
	}
	slices.SortFunc(out.Instances, func(a, b *sdk.Instance) int { return cmp.Compare(*a.AmiLaunchIndex, *b.AmiLaunchIndex) })
	return out
}
