package servicequotas

import (
	"time"

	"lifeline/internal/plan"
)

// HeadroomRef is the Region that must carry everything.
type HeadroomRef struct {
	Region  plan.Region   `json:"region"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Headroom is the quota of running On-Demand Standard instances (L-1216C47A)
// and what of it is used.
type Headroom struct {
	VCPULimit float64 `json:"vcpu_limit"`
	VCPUUsed  float64 `json:"vcpu_used"`
}
