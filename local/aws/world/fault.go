package world

import (
	"slices"
	"time"
)

// FaultKind names a way in which the world can fail.
type FaultKind string

// The kinds of fault.
const (
	// Blackout makes a Region dark: control planes, data plane and replication,
	// and the global control planes that live there.
	Blackout FaultKind = "blackout"
	// Brownout answers calls with a server error (5xx).
	Brownout FaultKind = "brownout"
	// Throttle answers calls with the service's throttling error.
	Throttle FaultKind = "throttle"
	// Latency delays calls before they are applied.
	Latency FaultKind = "latency"
	// LoseAnswer applies the act and then drops the connection.
	LoseAnswer FaultKind = "lose-answer"
	// Hold applies the act and answers only after Latency.
	Hold FaultKind = "hold"
	// Deny refuses calls as an IAM policy would.
	Deny FaultKind = "deny"
	// Partition cuts Region from Peer in both directions; the outside world
	// still reaches both.
	Partition FaultKind = "partition"
)

// FaultKinds are all kinds, for validation.
func FaultKinds() []FaultKind {
	return []FaultKind{Blackout, Brownout, Throttle, Latency, LoseAnswer, Hold, Deny, Partition}
}

// Fault is one thing that is broken. Empty fields match anything.
type Fault struct {
	ID          string        `json:"id,omitempty"`
	Kind        FaultKind     `json:"kind"`
	Region      string        `json:"region,omitempty"`
	Peer        string        `json:"peer,omitempty"` // Partition only
	Service     string        `json:"service,omitempty"`
	Operation   string        `json:"operation,omitempty"`
	Caller      string        `json:"caller,omitempty"`
	Probability float64       `json:"probability,omitempty"` // 0 = always
	Latency     time.Duration `json:"latency,omitempty"`     // AWS time
	Times       int           `json:"times,omitempty"`       // 0 = until removed
}

// Target is a call or an act that a fault may hit.
type Target struct{ Region, Service, Operation, Caller string }

// Outage is one time in which a Region was dark. Ended is zero while it lasts.
type Outage struct {
	Region  string    `json:"region"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
}

// Inject puts a fault in force and returns its id, which is made when empty.
func (w *World) Inject(f Fault) string {
	if f.ID == "" {
		f.ID = w.NewID("fault-")
	}
	w.changeFaults(func() {
		w.faults = slices.DeleteFunc(w.faults, func(old *Fault) bool { return old.ID == f.ID })
		w.faults = append(w.faults, &f)
	})
	return f.ID
}

// Remove ends one fault; an unknown id is no error.
func (w *World) Remove(id string) {
	w.changeFaults(func() {
		w.faults = slices.DeleteFunc(w.faults, func(f *Fault) bool { return f.ID == id })
	})
}

// Heal removes every fault of the Region, partitions included.
func (w *World) Heal(region string) {
	w.changeFaults(func() {
		w.faults = slices.DeleteFunc(w.faults, func(f *Fault) bool {
			return f.Region == region || f.Peer == region
		})
	})
}

// Faults are the faults in force.
func (w *World) Faults() []Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]Fault, 0, len(w.faults))
	for _, f := range w.faults {
		out = append(out, *f)
	}
	return out
}

// OnFault registers fn, called after each change of faults on the goroutine of
// whoever changed them.
func (w *World) OnFault(fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sequence++
	w.watchers[w.sequence] = fn
}

// changeFaults runs change under the lock, keeps the outage record, and tells
// the watchers afterwards, in the order in which they registered.
func (w *World) changeFaults(change func()) {
	w.mu.Lock()
	change()
	w.recordOutages()
	watchers := make([]func(), 0, len(w.watchers))
	for id := range w.sequence + 1 {
		if fn, ok := w.watchers[id]; ok {
			watchers = append(watchers, fn)
		}
	}
	w.mu.Unlock()
	for _, fn := range watchers {
		fn()
	}
}

// recordOutages opens and closes outage records; w.mu is held.
func (w *World) recordOutages() {
	now := w.Now()
	for _, region := range w.regions {
		open := slices.IndexFunc(w.outages, func(o Outage) bool {
			return o.Region == region && o.Ended.IsZero()
		})
		switch dark := w.darkLocked(region); {
		case dark && open < 0:
			w.outages = append(w.outages, Outage{Region: region, Started: now})
		case !dark && open >= 0:
			w.outages[open].Ended = now
		}
	}
}

// Outages are all blackouts of this world, oldest first.
func (w *World) Outages() []Outage {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.outages)
}

// Dark says whether a Region is blacked out as a whole. A blackout that names a
// service, an operation or a caller doesn't make its Region dark.
func (w *World) Dark(region string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.darkLocked(region)
}

func (w *World) darkLocked(region string) bool {
	return slices.ContainsFunc(w.faults, func(f *Fault) bool {
		return f.Kind == Blackout && f.Region == region &&
			f.Service == "" && f.Operation == "" && f.Caller == ""
	})
}

// Reachable says whether packets get from one Region to another. "" is the
// internet, which is never dark and never partitioned.
func (w *World) Reachable(from, to string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.darkLocked(from) || w.darkLocked(to) {
		return false
	}
	return !slices.ContainsFunc(w.faults, func(f *Fault) bool {
		return f.Kind == Partition &&
			((f.Region == from && f.Peer == to) || (f.Region == to && f.Peer == from))
	})
}

// Home is the Region in which the control plane of a global service lives, by
// signing name; "" when the service is regional.
func (w *World) Home(signingName string) string {
	switch signingName {
	case "route53", "iam", "support", "trustedadvisor":
		return "us-east-1"
	case "route53-recovery-control-config":
		return "us-west-2"
	default:
		return ""
	}
}

// Strike says whether a fault of this kind hits the target now. It throws the
// dice of Probability and uses up one of Times.
func (w *World) Strike(kind FaultKind, t Target) (Fault, bool) {
	hit, struck, spent := w.strike(kind, t)
	if spent {
		// An exhausted fault is gone: whoever watches faults has to know.
		w.Remove(hit.ID)
	}
	return hit, struck
}

func (w *World) strike(kind FaultKind, t Target) (hit Fault, struck, spent bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.faults {
		if f.Kind != kind || !f.matches(t) || f.Times < 0 {
			continue
		}
		if f.Probability > 0 && w.dice.Float64() >= f.Probability {
			continue
		}
		if f.Times > 0 {
			f.Times--
			if f.Times == 0 {
				f.Times = -1 // used up; Remove follows outside the lock
				return *f, true, true
			}
		}
		return *f, true, false
	}
	return Fault{}, false, false
}

func (f *Fault) matches(t Target) bool {
	return matches(f.Region, t.Region) && matches(f.Service, t.Service) &&
		matches(f.Operation, t.Operation) && matches(f.Caller, t.Caller)
}

func matches(want, got string) bool { return want == "" || want == got }
