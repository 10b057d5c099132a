package world

import (
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options describe a world. The zero value is usable: one account, Regions
// us-east-1 and us-west-2, real time, no log output.
type Options struct {
	Account     string
	Regions     []string
	Compression float64 // AWS seconds per wall second; 1 = real time
	Logger      *slog.Logger
	// LoopbackNet is the prefix of this world's addresses, such as "127.77.3".
	// Empty picks a /24 that no other world on this machine holds.
	LoopbackNet string
	// CallLog receives every call as one JSON line; nil keeps them in memory only.
	CallLog io.Writer
	// CallLogSize bounds the calls kept in memory; 0 means 100,000.
	CallLogSize int
}

// World is one simulated AWS: safe for concurrent use.
type World struct {
	account     string
	regions     []string
	compression atomic.Uint64 // bits of a float64
	logger      *slog.Logger
	calls       *callLog
	clock       *clock
	addresses   *addresses

	mu        sync.Mutex
	faults    []*Fault
	outages   []Outage
	watchers  map[int]func()
	listeners map[int]func(Event)
	policies  map[string][]string
	sequence  int
	dice      *rand.Rand
}

// New makes a world in which everything works.
func New(o Options) *World {
	w := &World{
		account:   orElse(o.Account, "123456789012"),
		regions:   slices.Clone(o.Regions),
		logger:    o.Logger,
		calls:     newCallLog(o.CallLogSize, o.CallLog),
		clock:     newClock(),
		addresses: &addresses{prefix: o.LoopbackNet},
		watchers:  map[int]func(){},
		listeners: map[int]func(Event){},
		policies:  map[string][]string{},
		dice:      rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0)),
	}
	if len(w.regions) == 0 {
		w.regions = []string{"us-east-1", "us-west-2"}
	}
	w.SetCompression(o.Compression)
	if w.logger == nil {
		w.logger = slog.New(slog.DiscardHandler)
	}
	return w
}

// Account is the twelve-digit account number.
func (w *World) Account() string { return w.account }

// Regions are the Regions that exist, in the order of the options.
func (w *World) Regions() []string { return slices.Clone(w.regions) }

// Logger is where services write what a person debugging the simulator reads.
func (w *World) Logger() *slog.Logger { return w.logger }

// Event is something that happened in a service and that others may wait for.
type Event struct {
	Time    time.Time         `json:"time"`
	Service string            `json:"service"`
	Kind    string            `json:"kind"`
	Region  string            `json:"region"`
	ID      string            `json:"id"`
	Detail  map[string]string `json:"detail,omitempty"`
}

// Publish tells every subscriber, on the caller's goroutine. Don't hold a lock
// that a subscriber might need.
func (w *World) Publish(e Event) {
	if e.Time.IsZero() {
		e.Time = w.Now()
	}
	w.mu.Lock()
	listeners := slices.Collect(maps.Values(w.listeners))
	w.mu.Unlock()
	for _, listen := range listeners {
		listen(e)
	}
}

// Subscribe calls fn for every event until cancel is called.
func (w *World) Subscribe(fn func(Event)) (cancel func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sequence++
	id := w.sequence
	w.listeners[id] = fn
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.listeners, id)
	}
}

// Close stops every timer, waits for the functions that are running, and gives
// the address range back.
func (w *World) Close() {
	w.clock.close()
	w.addresses.close()
}

func orElse(v, other string) string {
	if v == "" {
		return other
	}
	return v
}
