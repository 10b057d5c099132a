package arc

import (
	"time"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// ControlSwitch names the two routing controls of a Region pair.
type ControlSwitch struct {
	runbook.Command
	// Endpoints are the cluster's five, from the plan: DescribeCluster is control plane.
	Endpoints []plan.ClusterEndpoint `json:"endpoints"`
	Off       string                 `json:"off"` // ARN of the control of the Region that is left
	On        string                 `json:"on"`  // ARN of the control of the Region that serves
	Timeout   time.Duration          `json:"timeout,omitempty"`
}
