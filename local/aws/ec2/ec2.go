package ec2

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/ec2/link"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Times are how long AWS takes for things that this package does, in AWS time.
type Times struct {
	Launch    time.Duration // pending until running
	Boot      time.Duration // running until the software listens
	Checks    time.Duration // running until both status checks pass
	Stop      time.Duration // stopping until stopped
	Terminate time.Duration // shutting-down until terminated
	Forget    time.Duration // terminated until no longer described

	Volume      time.Duration // a volume creating until available; also attaching, deleting
	Snapshot    time.Duration // a snapshot pending until completed, for what has changed
	SnapshotGiB time.Duration // more for each GiB of a volume's first snapshot
	Copy        time.Duration // the same for a copy into another Region
	CopyGiB     time.Duration // more for each GiB of the first copy under its key
}

// TypicalTimes are what a Linux instance takes on AWS.
func TypicalTimes() Times {
	return Times{
		Launch: 12 * time.Second, Boot: 25 * time.Second, Checks: 2 * time.Minute,
		Stop: 20 * time.Second, Terminate: 25 * time.Second, Forget: time.Hour,
		Volume: 5 * time.Second, Snapshot: time.Minute, SnapshotGiB: 4 * time.Second,
		Copy: 2 * time.Minute, CopyGiB: 8 * time.Second,
	}
}

// Machine is an instance as the software on it sees it.
type Machine struct {
	ID, Region, Zone, Subnet string
	Address                  netip.Addr // private, inside the world
	UserData                 []byte     // decoded
	// Network says whether packets get from the machine to the Region's service
	// endpoints and back: false behind a network ACL that denies it.
	Network func() bool
}

// Boot starts the software of an instance, whose user data is a JSON object with
// the member "lifeline". ctx ends when the instance stops. The handler answers
// HTTP on the port that the member "port" names, on any port without it. An
// error leaves the instance running with nothing on it, as bad user data does.
type Boot func(ctx context.Context, m Machine) (http.Handler, error)

// Options configure EC2; the zero value is AWS's behaviour with no software.
type Options struct {
	Boot  Boot
	Times Times // zero = TypicalTimes
	// VCPUs is the quota of running on-demand standard instances of a Region
	// (L-1216C47A); nil = unlimited.
	VCPUs  func(region string) int
	Keys   Keys   // nil = every key of a Region is usable there
	Events Events // may be nil
}

// EC2 is the service in all Regions.
type EC2 struct {
	world  *world.World
	boot   Boot
	times  Times
	vcpus  func(region string) int
	keys   Keys
	events Events
	signal *link.Signal // raised when a path may have opened or closed

	mu       sync.Mutex
	regions  map[string]*region
	capacity map[string]int // instances that may still be launched; absent = plenty
}

// region is the state of one Region.
type region struct {
	name      string
	vpcs      store[sdk.Vpc]
	subnets   store[subnet]
	groups    store[group]
	acls      store[sdk.NetworkAcl]
	templates store[template]
	instances store[instance]
	launches  map[string]launchToken
	aclTokens map[string]string // client token -> ACL

	vpcSettings map[string]*vpcSettings
	tables      store[sdk.RouteTable]
	gateways    store[sdk.InternetGateway]
	endpoints   store[sdk.VpcEndpoint]

	disks        disks
	reservations store[sdk.CapacityReservation]
}

// New makes EC2 with a default VPC in every Region of the world.
func New(w *world.World, o Options) *EC2 {
	if o.Times == (Times{}) {
		o.Times = TypicalTimes()
	}
	e := &EC2{
		world: w, boot: o.Boot, times: o.Times, vcpus: o.VCPUs, signal: link.NewSignal(),
		keys: o.Keys, events: o.Events,
		regions: map[string]*region{}, capacity: map[string]int{},
	}
	w.OnFault(e.signal.Raise)
	return e
}

// SetCapacity lets only n more instances be launched in a Region, after which
// EC2 answers InsufficientInstanceCapacity; a negative n lifts that.
func (e *EC2) SetCapacity(region string, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n < 0 {
		delete(e.capacity, region)
		return
	}
	e.capacity[region] = n
}

// in gives the state of a Region, made at first use; e.mu is held.
func (e *EC2) in(name string) *region {
	r, ok := e.regions[name]
	if !ok {
		r = &region{
			name: name, launches: map[string]launchToken{}, aclTokens: map[string]string{},
			vpcSettings: map[string]*vpcSettings{}, disks: disks{tokens: map[string]string{}},
		}
		e.regions[name] = r
		e.makeDefaultVPC(r)
	}
	return r
}

// Wire is the service's API.
func (e *EC2) Wire() *wire.Service {
	s := wire.NewService("ec2", sdk.New(wire.V1Session()), wire.EC2)
	e.serveNetwork(s)
	e.serveRouting(s)
	e.serveInstances(s)
	e.serveVolumes(s)
	e.serveReservations(s)
	return s
}

func (e *EC2) serveNetwork(s *wire.Service) {
	handle(s, "DescribeAvailabilityZones", e.DescribeAvailabilityZones)
	handle(s, "CreateVpc", e.CreateVpc)
	handle(s, "DeleteVpc", e.DeleteVpc)
	handle(s, "DescribeVpcs", e.DescribeVpcs)
	handle(s, "CreateSubnet", e.CreateSubnet)
	handle(s, "DeleteSubnet", e.DeleteSubnet)
	handle(s, "DescribeSubnets", e.DescribeSubnets)
	handle(s, "CreateSecurityGroup", e.CreateSecurityGroup)
	handle(s, "DeleteSecurityGroup", e.DeleteSecurityGroup)
	handle(s, "DescribeSecurityGroups", e.DescribeSecurityGroups)
	handle(s, "AuthorizeSecurityGroupIngress", e.AuthorizeSecurityGroupIngress)
	handle(s, "AuthorizeSecurityGroupEgress", e.AuthorizeSecurityGroupEgress)
	handle(s, "RevokeSecurityGroupIngress", e.RevokeSecurityGroupIngress)
	handle(s, "RevokeSecurityGroupEgress", e.RevokeSecurityGroupEgress)
	handle(s, "DescribeSecurityGroupRules", e.DescribeSecurityGroupRules)
	handle(s, "CreateNetworkAcl", e.CreateNetworkACL)
	handle(s, "DeleteNetworkAcl", e.DeleteNetworkACL)
	handle(s, "DescribeNetworkAcls", e.DescribeNetworkACLs)
	handle(s, "CreateNetworkAclEntry", e.CreateNetworkACLEntry)
	handle(s, "ReplaceNetworkAclEntry", e.ReplaceNetworkACLEntry)
	handle(s, "DeleteNetworkAclEntry", e.DeleteNetworkACLEntry)
	handle(s, "ReplaceNetworkAclAssociation", e.ReplaceNetworkACLAssociation)
	handle(s, "CreateTags", e.CreateTags)
	handle(s, "DeleteTags", e.DeleteTags)
	handle(s, "DescribeTags", e.DescribeTags)
}

func (e *EC2) serveInstances(s *wire.Service) {
	handle(s, "CreateLaunchTemplate", e.CreateLaunchTemplate)
	handle(s, "CreateLaunchTemplateVersion", e.CreateLaunchTemplateVersion)
	handle(s, "ModifyLaunchTemplate", e.ModifyLaunchTemplate)
	handle(s, "DeleteLaunchTemplate", e.DeleteLaunchTemplate)
	handle(s, "DescribeLaunchTemplates", e.DescribeLaunchTemplates)
	handle(s, "DescribeLaunchTemplateVersions", e.DescribeLaunchTemplateVersions)
	handle(s, "RunInstances", e.RunInstances)
	handle(s, "DescribeInstances", e.DescribeInstances)
	handle(s, "DescribeInstanceStatus", e.DescribeInstanceStatus)
	handle(s, "StartInstances", e.StartInstances)
	handle(s, "StopInstances", e.StopInstances)
	handle(s, "TerminateInstances", e.TerminateInstances)
	handle(s, "ModifyInstanceAttribute", e.ModifyInstanceAttribute)
}
