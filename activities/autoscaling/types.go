package autoscaling

import (
	"time"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// GroupRef is one Auto Scaling group.
type GroupRef struct {
	Region  plan.Region   `json:"region"`
	Group   string        `json:"group"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Group is an Auto Scaling group as it was read.
type Group struct {
	Min       int      `json:"min"`
	Max       int      `json:"max"`
	Desired   int      `json:"desired"`
	Instances int      `json:"instances"` // in any state
	InService int      `json:"in_service"`
	Suspended []string `json:"suspended,omitempty"` // processes
	Subnets   []string `json:"subnets,omitempty"`
}

// GroupStep changes one Auto Scaling group.
type GroupStep struct {
	runbook.Command
	Region  plan.Region   `json:"region"`
	Group   string        `json:"group"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// GroupScale grows one Auto Scaling group.
type GroupScale struct {
	runbook.Command
	Region  plan.Region   `json:"region"`
	Group   string        `json:"group"`
	Desired int           `json:"desired"` // at least; a larger group is left alone
	Timeout time.Duration `json:"timeout,omitempty"`
}
