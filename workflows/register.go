package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Names that histories hold: never renamed.
const (
	FailoverName   = "Failover"
	SwitchoverName = "Switchover"
	FailbackName   = "Failback"
	SetupName      = "Setup"
	SetupAreaName  = "SetupArea"
	ReadinessName  = "Readiness"
)

// Register puts every runbook into a worker's registry.
func Register(r worker.WorkflowRegistry) {
	r.RegisterWorkflowWithOptions(Failover, workflow.RegisterOptions{Name: FailoverName})
	r.RegisterWorkflowWithOptions(Switchover, workflow.RegisterOptions{Name: SwitchoverName})
	r.RegisterWorkflowWithOptions(Failback, workflow.RegisterOptions{Name: FailbackName})
}

// RegisterSetup puts the runbooks that build and prove into a registry. They
// run on a queue of their own; see temporal.SetupQueue.
func RegisterSetup(r worker.WorkflowRegistry) {
	r.RegisterWorkflowWithOptions(Setup, workflow.RegisterOptions{Name: SetupName})
	r.RegisterWorkflowWithOptions(SetupArea, workflow.RegisterOptions{Name: SetupAreaName})
	r.RegisterWorkflowWithOptions(Readiness, workflow.RegisterOptions{Name: ReadinessName})
}
