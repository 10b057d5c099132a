package runbook

import "lifeline/internal/plan"

// Names of the messages that a run understands.
const (
	UpdateDecide  = "decide"  // Decision in, Ballot out; the validator refuses what Judge refuses
	UpdateControl = "control" // Control in, Report out
	SignalDecide  = "decide"  // Decision; judged by the same function
	QueryStatus   = "status"  // Report out
)

// Input starts a runbook.
type Input struct {
	Plan  plan.Plan `json:"plan"`
	Start Start     `json:"start"`
}
