package cloudwatch

import (
	"time"

	"lifeline/internal/plan"
)

// AuroraLag asks how far the secondary Cluster is behind.
type AuroraLag struct {
	Region  plan.Region   `json:"region"` // of the secondary, which publishes the metric
	Cluster string        `json:"cluster"`
	Window  time.Duration `json:"window,omitempty"` // how far back to look; 0 is the default
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Lag is the datapoint that proves the most: everything committed before At less
// Milliseconds has arrived. Not found means unknown, never zero.
type Lag struct {
	Milliseconds float64   `json:"milliseconds"`
	At           time.Time `json:"at"`
	Found        bool      `json:"found"`
}
