package dynamodb

import (
	"time"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// TableRef is one table replica.
type TableRef struct {
	Region  plan.Region   `json:"region"`
	Table   string        `json:"table"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Replicas is the state of a global table's replicas as one Region tells it.
type Replicas struct {
	Status map[string]string `json:"status"` // by Region: ACTIVE, CREATING, ...
}

// TableLag asks for the watermark of Region Of as Region's replica holds it.
type TableLag struct {
	Region  plan.Region   `json:"region"`
	Of      plan.Region   `json:"of"`
	Table   string        `json:"table"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// TableWatermark says where a worker leaves its Region's mark.
type TableWatermark struct {
	Region  plan.Region   `json:"region"`
	Table   string        `json:"table"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// TableCaughtUp waits until a marker written in From now is in To.
type TableCaughtUp struct {
	runbook.Command
	From     plan.Region   `json:"from"`
	To       plan.Region   `json:"to"`
	Table    string        `json:"table"`
	Interval time.Duration `json:"interval,omitempty"` // between two looks; 0 is the default
	Timeout  time.Duration `json:"timeout,omitempty"`
}

// LeaseRef names one application's write lease.
type LeaseRef struct {
	Region      plan.Region   `json:"region"` // where the lease table is: the witness
	Table       string        `json:"table"`
	Application string        `json:"application"`
	Timeout     time.Duration `json:"timeout,omitempty"`
}

// Lease is the write lease as it was read.
type Lease struct {
	Holder  string        `json:"holder"` // Region
	Epoch   int64         `json:"epoch"`
	Renewed time.Time     `json:"renewed"`
	TTL     time.Duration `json:"ttl"`
}

// LeaseFence moves the write lease from one Region to another.
type LeaseFence struct {
	runbook.Command
	Region      plan.Region `json:"region"` // where the lease table is: the witness
	Table       string      `json:"table"`
	Application string      `json:"application"`
	From        plan.Region `json:"from"`
	To          plan.Region `json:"to"`
	// TTL counts when the lease item does not exist yet, or names none.
	TTL     time.Duration `json:"ttl"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// LeaseResult is what a moved lease allows.
type LeaseResult struct {
	runbook.Outcome
	Epoch int64 `json:"epoch"`
	// FreeAt is the moment from which From cannot write any more: its last
	// renewal has lapsed, whether it heard of the new epoch or not.
	FreeAt time.Time `json:"free_at"`
}
