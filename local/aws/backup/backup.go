package backup

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go/aws/awsutil"
	sdk "github.com/aws/aws-sdk-go/service/backup"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Times are how long things take, in AWS time. Zero means what is typical on AWS.
type Times struct {
	Begin   time.Duration // of any job until it runs; 1 min
	Backup  time.Duration // a backup job's work; 5 min
	Copy    time.Duration // a copy job's work; 10 min
	Restore time.Duration // a restore job's work; 15 min
	Delete  time.Duration // a recovery point DELETING; 1 min
}

func (t Times) withDefaults() Times {
	for _, d := range []struct {
		field   *time.Duration
		typical time.Duration
	}{
		{&t.Begin, time.Minute},
		{&t.Backup, 5 * time.Minute},
		{&t.Copy, 10 * time.Minute},
		{&t.Restore, 15 * time.Minute},
		{&t.Delete, time.Minute},
	} {
		if *d.field == 0 {
			*d.field = d.typical
		}
	}
	return t
}

// Options configure a Backup. Neighbours may be nil: no inventory is an account
// without resources, the others are then not told.
type Options struct {
	Times     Times
	Start     time.Time // where AWS's calendar begins; zero = the wall clock
	Inventory Inventory
	Restorer  Restorer
	Groups    OptionGroups
	Metrics   Metrics
	Events    Events
	Topics    Topics
	Keys      Keys  // nil: any well-formed ARN of the Region is a customer's key
	Roles     Roles // nil: every role lets AWS Backup in
}

// Backup is the service in all Regions of a world.
type Backup struct {
	world    *world.World
	options  Options
	calendar *calendar

	mu       sync.Mutex
	regions  map[string]*region
	sequence int
	outbox   []func() // what neighbours are told once the lock is gone
}

// region is the state of one Region.
type region struct {
	name     string
	settings settings
	vaults   map[string]*vault
	plans    map[string]*plan
	jobs     map[string]*job
	copies   map[string]*copyJob
	restores map[string]*restoreJob
	tags     map[string]map[string]string // by ARN of a vault, plan or recovery point
	tokens   map[string]token
}

// token is what an idempotency token was first used for.
type token struct{ id, request string }

// New makes a Backup without vaults and plans.
func New(w *world.World, o Options) *Backup {
	o.Times = o.Times.withDefaults()
	return &Backup{world: w, options: o, calendar: newCalendar(w, o.Start), regions: map[string]*region{}}
}

// Wire is the service's API.
func (b *Backup) Wire() *wire.Service {
	s := wire.NewService("backup", sdk.New(wire.V1Session()), wire.RESTJSON)
	s.AllowValues("VaultEvent", newerEvents()...)
	wire.Handle(s, "DescribeRegionSettings", b.describeRegionSettings)
	wire.Handle(s, "UpdateRegionSettings", b.updateRegionSettings)
	wire.Handle(s, "GetSupportedResourceTypes", b.getSupportedResourceTypes)
	wire.Handle(s, "TagResource", b.tagResource)
	wire.Handle(s, "UntagResource", b.untagResource)
	wire.Handle(s, "ListTags", b.listTags)
	b.serveVaults(s)
	b.servePlans(s)
	b.serveJobs(s)
	b.servePoints(s)
	return s
}

// in gives the state of a Region, made at first use; b.mu is held.
func (b *Backup) in(name string) *region {
	r, ok := b.regions[name]
	if !ok {
		r = &region{
			name: name, settings: newSettings(), vaults: map[string]*vault{}, plans: map[string]*plan{},
			jobs: map[string]*job{}, copies: map[string]*copyJob{}, restores: map[string]*restoreJob{},
			tags: map[string]map[string]string{}, tokens: map[string]token{},
		}
		b.regions[name] = r
	}
	return r
}

// release gives up the lock and then tells neighbours what has happened: they
// may call back.
func (b *Backup) release() {
	told := b.outbox
	b.outbox = nil
	b.mu.Unlock()
	for _, tell := range told {
		tell()
	}
}

// settle runs fn under the lock once d of AWS time has passed.
func (b *Backup) settle(d time.Duration, fn func()) {
	b.world.After(max(d, 0), func() {
		b.mu.Lock()
		defer b.release()
		fn()
	})
}

// count numbers what is made, so that lists have an order; b.mu is held.
func (b *Backup) count() int {
	b.sequence++
	return b.sequence
}

// newest is a list key that puts the youngest first.
func newest(sequence int) string { return fmt.Sprintf("%012d", 1_000_000_000_000-sequence-1) }

// oldest is a list key that puts the oldest first.
func oldest(sequence int) string { return fmt.Sprintf("%012d", sequence) }

func (b *Backup) arn(region, kind, id string) string {
	return fmt.Sprintf("arn:aws:backup:%s:%s:%s:%s", region, b.world.Account(), kind, id)
}

// pageOf gives one page as every list of AWS Backup does.
func pageOf[T any](token *string, size *int64, items []T, key func(T) string) ([]T, *string, error) {
	const most = 1000
	return wire.Paginate(wire.Page{Token: token, Size: size, SizeName: "maxResults", Min: 1, Max: most, Default: most}, items, key)
}

// remake copies what two shapes of the API have in common, deeply.
func remake[T any](v any) *T {
	out := new(T)
	awsutil.Copy(out, v)
	return out
}

func invalid(format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, sdk.ErrCodeInvalidParameterValueException, format, args...)
}

func missing(format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, sdk.ErrCodeMissingParameterValueException, format, args...)
}

func refused(format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, sdk.ErrCodeInvalidRequestException, format, args...)
}

func notFound(format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, sdk.ErrCodeResourceNotFoundException, format, args...)
}

func overLimit(format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, sdk.ErrCodeLimitExceededException, format, args...)
}

// exists refuses a second thing of the same name and says which is there.
func exists(arn, creator *string, format string, args ...any) *wire.Error {
	e := wire.Errorf(http.StatusBadRequest, sdk.ErrCodeAlreadyExistsException, format, args...)
	e.Detail = &sdk.AlreadyExistsException{Arn: arn, CreatorRequestId: creator}
	return e
}
