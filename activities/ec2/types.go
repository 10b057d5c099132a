package ec2

import (
	"time"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// NetworkFence names the subnets that are cut off.
type NetworkFence struct {
	runbook.Command
	Region  plan.Region   `json:"region"`
	Subnets []string      `json:"subnets"` // of the Auto Scaling group that is fenced
	Timeout time.Duration `json:"timeout,omitempty"`
}
