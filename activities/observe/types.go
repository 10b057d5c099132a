package observe

import (
	"time"

	"lifeline/internal/plan"
)

// ObserveInput is empty: an observer's sampler knows the plan it watches.
//
//nolint:revive // named like every step's input: recorded histories hold it
type ObserveInput struct{}

// Observation is what one observer saw of every Region.
type Observation struct {
	Observer string             `json:"observer"`
	At       time.Time          `json:"at"` // when it was asked
	Regions  map[string]Verdict `json:"regions"`
}

// Verdict is the newest run of equal looks at one Region.
type Verdict struct {
	Healthy bool `json:"healthy"`
	// Rounds is how many finished looks in a row agree; 0 before the first.
	Rounds int       `json:"rounds"`
	Since  time.Time `json:"since"` // start of the first look of this run
	Until  time.Time `json:"until"` // start of the newest finished look
	Detail string    `json:"detail"`
}

// TransactionInput asks for one business transaction as a client of Location.
type TransactionInput struct {
	Traffic  plan.Traffic  `json:"traffic"`
	Location plan.Location `json:"location"`
	// Want is the Region that must serve it; empty accepts any.
	Want    plan.Region   `json:"want,omitempty"`
	Timeout time.Duration `json:"timeout,omitempty"` // of each request; 0 is the default
}

// TransactionResult proves one acknowledged and read-back write.
type TransactionResult struct {
	Region  string    `json:"region"`  // that acknowledged it
	Address string    `json:"address"` // that was connected to
	ID      string    `json:"id"`
	At      time.Time `json:"at"` // when the acknowledgement arrived
}

// ServedInput asks one Region's application what it has served.
type ServedInput struct {
	Traffic  plan.Traffic  `json:"traffic"`
	Endpoint string        `json:"endpoint"` // the Region's own host name
	Since    time.Time     `json:"since"`    // First counts from here; zero is for ever
	Timeout  time.Duration `json:"timeout,omitempty"`
}

// Served is what one Region's application says of itself.
type Served struct {
	Region string `json:"region"`
	Mode   string `json:"mode"` // writer, forwarding or read-only
	Epoch  int64  `json:"epoch"`
	// First is the first acknowledged write of each location at or after Since.
	First map[string]time.Time `json:"first"`
	Count map[string]int64     `json:"count"`
}
