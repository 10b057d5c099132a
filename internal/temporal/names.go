package temporal

import "lifeline/internal/plan"

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
