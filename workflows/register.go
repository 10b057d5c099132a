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
)

// Register puts every runbook into a worker's registry.
func Register(r worker.WorkflowRegistry) {
	r.RegisterWorkflowWithOptions(Failover, workflow.RegisterOptions{Name: FailoverName})
	r.RegisterWorkflowWithOptions(Switchover, workflow.RegisterOptions{Name: SwitchoverName})
	r.RegisterWorkflowWithOptions(Failback, workflow.RegisterOptions{Name: FailbackName})
}
