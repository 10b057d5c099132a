package app

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go/service/dynamodb"

	"lifeline/local/aws/world"
)

// Tables are replicated tables, reached from one Region in another (or the same).
type Tables interface {
	PutItem(from, region string, in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error)
	GetItem(from, region string, in *dynamodb.GetItemInput) (map[string]*dynamodb.AttributeValue, error)
	UpdateItem(from, region string, in *dynamodb.UpdateItemInput) (*dynamodb.UpdateItemOutput, error)
}

// Databases are single-writer databases, reached from one Region.
type Databases interface {
	Write(from, clusterID, key, value string) error
	Read(from, clusterID, key string) (value string, ok bool, err error)
	Writer(globalClusterID string) (clusterID, region string)
}

// Buckets are object stores, reached from inside their own Region.
type Buckets interface {
	PutObject(region, bucket, key string, body []byte) error
	GetObject(region, bucket, key string) (body []byte, ok bool, err error)
}

// Stores are what the application writes to. Buckets may be nil.
type Stores struct {
	Tables    Tables
	Databases Databases
	Buckets   Buckets
}

// Fleet is all instances of a world: those of one Region share what they have
// served, those of two Regions forward invoices to each other.
type Fleet struct {
	world  *world.World
	stores Stores
	logger *slog.Logger

	mu        sync.Mutex
	instances map[*Instance]struct{}
	served    map[site]*ledger
	newest    map[site]int64 // highest epoch seen by a Region's instances
}

// site is one application in one Region.
type site struct{ application, region string }

// NewFleet makes a fleet without instances.
func NewFleet(w *world.World, stores Stores, logger *slog.Logger) *Fleet {
	f := &Fleet{
		world: w, stores: stores, logger: logger,
		instances: map[*Instance]struct{}{}, served: map[site]*ledger{}, newest: map[site]int64{},
	}
	w.OnFault(f.faultsChanged)
	return f
}

// Boot starts an instance that runs until the context ends. It answers at once,
// and accepts invoices after it has read the lease. network says whether packets
// get from the machine to the stores and back; nil means always.
func (f *Fleet) Boot(ctx context.Context, c Config, network func() bool) *Instance {
	if network == nil {
		network = func() bool { return true }
	}
	i := &Instance{Config: c, fleet: f, network: network, logger: f.logger.With("app", c.Application, "region", c.Region)}
	i.routes()
	f.mu.Lock()
	f.instances[i] = struct{}{}
	if f.served[i.site()] == nil {
		f.served[i.site()] = &ledger{}
	}
	f.mu.Unlock()
	if !f.world.Dark(c.Region) {
		i.start()
	}
	context.AfterFunc(ctx, i.Stop)
	return i
}

// faultsChanged stops the instances of a Region that went dark and boots those
// of one that came back.
func (f *Fleet) faultsChanged() {
	f.mu.Lock()
	all := make([]*Instance, 0, len(f.instances))
	for i := range f.instances {
		all = append(all, i)
	}
	f.mu.Unlock()
	for _, i := range all {
		if f.world.Dark(i.Region) {
			i.halt()
		} else {
			i.start()
		}
	}
}

// peer finds an instance of the application in another Region that answers.
func (f *Fleet) peer(from site, region string) *Instance {
	if !f.world.Reachable(from.region, region) {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.instances {
		if i.site() == (site{from.application, region}) && i.running() {
			return i
		}
	}
	return nil
}

func (f *Fleet) ledger(s site) *ledger {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.served[s]
}

// advance remembers the highest epoch that a site has seen, and tells whether
// this one is not behind it.
func (f *Fleet) advance(s site, epoch int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if epoch < f.newest[s] {
		return false
	}
	f.newest[s] = epoch
	return true
}

// maxAcks bounds what a ledger remembers of one location.
const maxAcks = 200_000

// ledger is when a Region acknowledged writes, by the client's location.
type ledger struct {
	mu   sync.Mutex
	acks map[string][]time.Time
}

// Served is what a Region acknowledged to clients of one location.
type Served struct {
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	Count int       `json:"count"`
}

func (l *ledger) add(location string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.acks == nil {
		l.acks = map[string][]time.Time{}
	}
	acks := append(l.acks[location], at)
	l.acks[location] = acks[max(0, len(acks)-maxAcks):]
}

// since sums up what was acknowledged at or after a time.
func (l *ledger) since(start time.Time) map[string]Served {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]Served{}
	for location, acks := range l.acks {
		var s Served
		for _, at := range acks {
			if at.Before(start) {
				continue
			}
			if s.Count == 0 || at.Before(s.First) {
				s.First = at
			}
			if at.After(s.Last) {
				s.Last = at
			}
			s.Count++
		}
		if s.Count > 0 {
			out[location] = s
		}
	}
	return out
}
