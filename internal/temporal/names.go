package temporal

import (
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Queue is the task queue of the steps that run in a Region. Workers of one
// Region never poll another's: a shared queue would hand emergency steps to sick
// workers, which keep them until a timeout.
func Queue(region plan.Region) string { return "lifeline-" + string(region) }

// ObserverQueue is the task queue of one observer: evidence must come from the
// vantage point that was asked.
func ObserverQueue(name string) string { return "lifeline-observer-" + name }

// WorkflowID is the lock of an application: only one run that moves Regions can
// have it at a time.
func WorkflowID(application string) string { return "lifeline/" + application }

// SetupQueue is polled by workers that may build: their AWS role is wider than
// that of the workers that an emergency depends on, which never poll it.
const SetupQueue = "lifeline-setup"

// IDOf is the id of a runbook's run, so that there is one at a time. Those that
// move a Region share the application's lock; the others have one each.
func IDOf(application string, name runbook.Name) string {
	if name == runbook.Setup || name == runbook.Readiness {
		return WorkflowID(application) + "/" + string(name)
	}
	return WorkflowID(application)
}
