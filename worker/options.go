package main

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"

	"lifeline/internal/plan"
	"lifeline/internal/temporal"
)

const (
	// stickyTimeout is how long Temporal waits for the worker that has a run in
	// its cache before any other worker gets the run's next task. After a kill
	// this is added to the RTO; the price of a shorter one is a replay, which
	// takes milliseconds.
	stickyTimeout = time.Second
	// stopTimeout is how long steps may take to end after SIGTERM; below the
	// 30 s after which orchestrators kill, above any single AWS call.
	stopTimeout = 10 * time.Second
	// buildPollers is how many tasks of setup are fetched at the same time.
	buildPollers = 10
)

// queue is one task queue that this process polls.
type queue struct {
	name string
	// observer queues carry only steps: a runbook must not depend on a process
	// that may stand anywhere.
	stepsOnly bool
	// builds is the queue of the runbooks that build and prove.
	builds bool
}

func queues(f flags) []queue {
	var out []queue
	if f.observer != "" {
		out = append(out, queue{name: temporal.ObserverQueue(f.observer), stepsOnly: true})
	}
	seen := map[string]bool{}
	for _, region := range append([]string{f.region}, f.also...) {
		if region != "" && !seen[region] {
			seen[region] = true
			out = append(out, queue{name: temporal.Queue(plan.Region(region))})
		}
	}
	if f.setup {
		out = append(out, queue{name: temporal.SetupQueue, builds: true})
	}
	return out
}

// options say how a worker polls; what a killed worker costs is decided here.
// Eager activities stay on: they save one round trip for each step. The workflow
// panic policy stays "block": a run that meets a bug waits for a mended worker
// instead of failing in the middle of a recovery.
func options(q queue, identity string, plans []plan.Plan, fatal func(error)) worker.Options {
	o := worker.Options{
		Identity:                     identity,
		Interceptors:                 []interceptor.WorkerInterceptor{temporal.NewWorkerInterceptor(), &guard{plans: plans}},
		StickyScheduleToStartTimeout: stickyTimeout,
		WorkerStopTimeout:            stopTimeout,
		DisableWorkflowWorker:        q.stepsOnly,
		DisableRegistrationAliasing:  true,
		// By default the SDK holds heartbeats back for up to 80 % of the timeout:
		// of a 2 s timeout 1.6 s, so that one late heartbeat would fail a step.
		MaxHeartbeatThrottleInterval:     temporal.HeartbeatEvery,
		DefaultHeartbeatThrottleInterval: temporal.HeartbeatEvery,
		OnFatalError:                     fatal,
	}
	if q.builds {
		// Setup asks for dozens of steps at the same moment: fetched two by two, the
		// last of them would begin seconds after the first.
		o.ActivityTaskPollerBehavior = worker.NewPollerBehaviorSimpleMaximum(worker.PollerBehaviorSimpleMaximumOptions{MaximumNumberOfPollers: buildPollers})
		o.WorkflowTaskPollerBehavior = worker.NewPollerBehaviorSimpleMaximum(worker.PollerBehaviorSimpleMaximumOptions{MaximumNumberOfPollers: buildPollers})
	}
	return o
}

// identity tells people in the Temporal UI which process did what.
func (s system) identity(f flags) string {
	host, err := s.host()
	if err != nil {
		host = "unknown-host"
	}
	place := f.region
	if place == "" {
		place = f.observer
	}
	if place == "" {
		place = "setup"
	}
	return fmt.Sprintf("lifeline@%s/%d@%s", place, s.pid, host)
}
