package elb

import (
	"time"

	"lifeline/internal/plan"
)

// TargetsRef is one target group.
type TargetsRef struct {
	Region      plan.Region   `json:"region"`
	TargetGroup string        `json:"target_group"` // name or ARN
	Timeout     time.Duration `json:"timeout,omitempty"`
}

// Targets counts a target group's targets. Those that are neither healthy nor
// unhealthy (initial, draining, unused) count in Total only.
type Targets struct {
	Healthy   int `json:"healthy"`
	Unhealthy int `json:"unhealthy"`
	Total     int `json:"total"`
}
