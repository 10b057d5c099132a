package drs

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awsutil"
	sdk "github.com/aws/aws-sdk-go/service/drs"
	"github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Machines is EC2 as far as DRS uses it.
type Machines interface {
	CreateLaunchTemplate(*wire.Call, *ec2.CreateLaunchTemplateInput) (*ec2.CreateLaunchTemplateOutput, error)
	RunInstances(*wire.Call, *ec2.RunInstancesInput) (*ec2.Reservation, error)
	StopInstances(*wire.Call, *ec2.StopInstancesInput) (*ec2.StopInstancesOutput, error)
	TerminateInstances(*wire.Call, *ec2.TerminateInstancesInput) (*ec2.TerminateInstancesOutput, error)
	DescribeInstances(*wire.Call, *ec2.DescribeInstancesInput) (*ec2.DescribeInstancesOutput, error)
}

// Subnets knows the subnets of a Region.
type Subnets interface {
	DescribeSubnets(*wire.Call, *ec2.DescribeSubnetsInput) (*ec2.DescribeSubnetsOutput, error)
}

// Metrics receives what DRS publishes to CloudWatch.
type Metrics interface {
	Publish(region, namespace, name string, dimensions map[string]string, value float64)
}

// Events receives what DRS tells EventBridge.
type Events interface {
	Emit(region, source, detailType string, resources []string, detail map[string]any)
}

// Times are how long DRS takes, in AWS time. The states of replication move once
// a minute.
type Times struct {
	Initiate     time.Duration // INITIATING until data flows
	SyncGiB      time.Duration // initial sync of one GiB
	Snapshot     time.Duration // a fresh snapshot of a launch
	Patience     time.Duration // what a launch waits for an unreachable source
	ConvertLinux time.Duration // conversion
	ConvertOther time.Duration // the same for Windows
	Launch       time.Duration // from LAUNCH_START until the instance is asked for
	Clean        time.Duration // termination of what a server had launched before
	Action       time.Duration // one launch action
}

// TypicalTimes make a launch of five minutes for Linux and twenty for Windows.
func TypicalTimes() Times {
	return Times{
		Initiate: 5 * time.Minute, SyncGiB: 6 * time.Second, Snapshot: time.Minute, Patience: 10 * time.Minute,
		ConvertLinux: 3 * time.Minute, ConvertOther: 18 * time.Minute, Launch: 30 * time.Second,
		Clean: 30 * time.Second, Action: 30 * time.Second,
	}
}

// Options configure DRS; the zero value is usable.
type Options struct {
	Times   Times   // zero = TypicalTimes
	Subnets Subnets // nil = any subnet will do
	Metrics Metrics // may be nil
	Events  Events  // may be nil
	// RunAction says how a launch action ends on an instance; nil = well.
	RunAction func(region, instance, actionCode string) error
}

// DRS is the service in all Regions of a world.
type DRS struct {
	world    *world.World
	machines Machines
	o        Options

	mu      sync.Mutex
	regions map[string]*region
	made    int // everything ever made, for the order of lists
}

// region is the state of one Region; it exists once the service is initialized.
type region struct {
	name        string
	replication map[string]*sdk.ReplicationConfigurationTemplate
	launching   map[string]*launchTemplate
	servers     map[string]*server
	jobs        map[string]*job
	instances   map[string]*recovered
}

// New makes a DRS that is initialized nowhere.
func New(w *world.World, machines Machines, o Options) *DRS {
	if o.Times == (Times{}) {
		o.Times = TypicalTimes()
	}
	d := &DRS{world: w, machines: machines, o: o, regions: map[string]*region{}}
	w.Every(time.Minute, d.tick)
	return d
}

// Wire is the service's API.
func (d *DRS) Wire() *wire.Service {
	s := wire.NewService("drs", sdk.New(wire.V1Session()), wire.RESTJSON)
	wire.Handle(s, "InitializeService", d.InitializeService)
	d.serveTemplates(s)
	d.serveServers(s)
	d.serveRecovery(s)
	d.serveTags(s)
	return s
}

// serve registers an operation that runs under the lock, in a Region in which
// the service was initialized.
func serve[I, O any](d *DRS, s *wire.Service, operation string, fn func(*region, *I) (*O, error)) {
	wire.Handle(s, operation, func(c *wire.Call, in *I) (*O, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		r, ok := d.regions[c.Region]
		if !ok {
			return nil, uninitialized()
		}
		return fn(r, in)
	})
}

// InitializeService makes DRS usable in a Region; again is no error.
func (d *DRS) InitializeService(c *wire.Call, _ *sdk.InitializeServiceInput) (*sdk.InitializeServiceOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.regions[c.Region] == nil {
		d.regions[c.Region] = &region{
			name: c.Region, replication: map[string]*sdk.ReplicationConfigurationTemplate{},
			launching: map[string]*launchTemplate{}, servers: map[string]*server{},
			jobs: map[string]*job{}, instances: map[string]*recovered{},
		}
	}
	return nil, nil
}

// call is a call that DRS itself makes in a Region.
func (d *DRS) call(region string) *wire.Call {
	return &wire.Call{Context: context.Background(), World: d.world, Region: region, Service: "drs", Caller: "drs.amazonaws.com"}
}

// later runs fn under the lock after a while of AWS time.
func (d *DRS) later(after time.Duration, fn func()) {
	d.world.After(after, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		fn()
	})
}

// emit tells EventBridge about a server, outside the lock.
func (d *DRS) emit(region, detailType, arn, state string) {
	if d.o.Events == nil {
		return
	}
	d.world.After(0, func() {
		d.o.Events.Emit(region, "aws.drs", detailType, []string{arn}, map[string]any{"state": state})
	})
}

func (d *DRS) arn(region, kind, id string) string {
	return "arn:aws:drs:" + region + ":" + d.world.Account() + ":" + kind + "/" + id
}

// next is the place of a new thing in lists.
func (d *DRS) next() int {
	d.made++
	return d.made
}

// stamp is a time as DRS writes it: text, where other services have numbers.
func stamp(t time.Time) *string { return aws.String(t.UTC().Format("2006-01-02T15:04:05.000Z")) }

func clone[T any](v *T) *T {
	out := new(T)
	awsutil.Copy(out, v)
	return out
}

func uninitialized() error {
	return wire.Errorf(400, "UninitializedAccountException", "Account not initialized")
}

func notFound(kind, id string) error {
	return wire.Errorf(404, "ResourceNotFoundException", "%s %s not found.", kind, id)
}

func conflict(format string, args ...any) error {
	return wire.Errorf(409, "ConflictException", format, args...)
}

func invalid(format string, args ...any) error {
	return wire.Errorf(400, "ValidationException", format, args...)
}

func overQuota(format string, args ...any) error {
	return wire.Errorf(402, "ServiceQuotaExceededException", format, args...)
}

// page cuts a list in the order in which its things were made.
func page[T any](items []T, size *int64, token *string, key func(T) string) ([]T, *string, error) {
	const most = 1000
	return wire.Paginate(wire.Page{Token: token, Size: size, SizeName: "maxResults", Min: 1, Max: most, Default: most}, items, key)
}

// overlay lays what was given over what is there: nil changes nothing.
func overlay[T any](value **T, given *T) {
	if given != nil {
		*value = given
	}
}
