package dlm

import (
	"context"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go/service/dlm"
	"github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Targets finds what policies are for.
type Targets interface {
	DescribeVolumes(*wire.Call, *ec2.DescribeVolumesInput) (*ec2.DescribeVolumesOutput, error)
	DescribeInstances(*wire.Call, *ec2.DescribeInstancesInput) (*ec2.DescribeInstancesOutput, error)
}

// Snapshots makes and deletes snapshots; EC2 is one.
type Snapshots interface {
	CreateSnapshot(*wire.Call, *ec2.CreateSnapshotInput) (*ec2.Snapshot, error)
	CreateSnapshots(*wire.Call, *ec2.CreateSnapshotsInput) (*ec2.CreateSnapshotsOutput, error)
	DescribeSnapshots(*wire.Call, *ec2.DescribeSnapshotsInput) (*ec2.DescribeSnapshotsOutput, error)
	CopySnapshot(*wire.Call, *ec2.CopySnapshotInput) (*ec2.CopySnapshotOutput, error)
	DeleteSnapshot(*wire.Call, *ec2.DeleteSnapshotInput) (*ec2.DeleteSnapshotOutput, error)
}

// Roles tell whether a service may assume an IAM role.
type Roles interface {
	Trusts(arn, servicePrincipal string) bool
}

// Events receives what DLM tells EventBridge.
type Events interface {
	Emit(region, source, detailType string, resources []string, detail map[string]any)
}

// Metrics receives what DLM publishes to CloudWatch, under EBS's namespace.
type Metrics interface {
	Publish(region, namespace, name string, dimensions map[string]string, value float64)
}

// Options are the neighbours that DLM can do without.
type Options struct {
	Roles   Roles   // nil = every role will do
	Events  Events  // may be nil
	Metrics Metrics // may be nil
}

// DLM is the service in all Regions of a world.
type DLM struct {
	world     *world.World
	targets   Targets
	snapshots Snapshots
	roles     Roles
	events    Events
	metrics   Metrics

	mu       sync.Mutex
	policies map[string]map[string]*policy // Region -> id
}

// New makes a DLM without policies.
func New(w *world.World, targets Targets, snapshots Snapshots, o Options) *DLM {
	return &DLM{
		world: w, targets: targets, snapshots: snapshots, roles: o.Roles, events: o.Events, metrics: o.Metrics,
		policies: map[string]map[string]*policy{},
	}
}

// Wire is the service's API.
func (d *DLM) Wire() *wire.Service {
	s := wire.NewService("dlm", sdk.New(wire.V1Session()), wire.RESTJSON)
	wire.Handle(s, "CreateLifecyclePolicy", d.CreateLifecyclePolicy)
	wire.Handle(s, "GetLifecyclePolicy", d.GetLifecyclePolicy)
	wire.Handle(s, "GetLifecyclePolicies", d.GetLifecyclePolicies)
	wire.Handle(s, "UpdateLifecyclePolicy", d.UpdateLifecyclePolicy)
	wire.Handle(s, "DeleteLifecyclePolicy", d.DeleteLifecyclePolicy)
	wire.Handle(s, "TagResource", d.TagResource)
	wire.Handle(s, "UntagResource", d.UntagResource)
	wire.Handle(s, "ListTagsForResource", d.ListTagsForResource)
	return s
}

// call is a call that DLM itself makes in a Region.
func (d *DLM) call(region string) *wire.Call {
	return &wire.Call{
		Context: context.Background(), World: d.world, Region: region, Service: "dlm", Caller: principal,
	}
}

// lasting is a retention as a duration; a month is 30 days here.
func lasting(n int64, unit string) time.Duration {
	const day = 24 * time.Hour
	switch unit {
	case sdk.RetentionIntervalUnitValuesWeeks:
		return time.Duration(n) * 7 * day
	case sdk.RetentionIntervalUnitValuesMonths:
		return time.Duration(n) * 30 * day
	case sdk.RetentionIntervalUnitValuesYears:
		return time.Duration(n) * 365 * day
	default:
		return time.Duration(n) * day
	}
}

func invalid(format string, args ...any) error {
	return wire.Errorf(400, "InvalidRequestException", format, args...)
}

func notFound(what, id string) error {
	return wire.Errorf(404, "ResourceNotFoundException", "The %s %s could not be found.", what, id)
}
