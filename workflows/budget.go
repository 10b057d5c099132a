package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/internal/runbook"
)

// holdBudget starts the timers of the RTO, counted from the failure. They act
// while the run goes on: 50 % tells people, 80 % escalates and takes the faster
// branch, 100 % records the breach and pages. None of them ends the run.
func (r *run) holdBudget(ctx workflow.Context) {
	workflow.Go(ctx, func(ctx workflow.Context) {
		// Only the timers end when clients are served; a page on its way goes out.
		timers, stop := workflow.WithCancel(ctx)
		r.stop = stop
		for _, t := range runbook.Thresholds(r.report.Clocks.Failure, r.report.Objective) {
			summary := fmt.Sprintf("RTO %d %% of %s", t.Percent, r.report.Objective)
			if err := sleep(timers, t.At.Sub(workflow.Now(ctx)), summary); err != nil || timers.Err() != nil {
				return
			}
			r.spend(ctx, t)
		}
	})
}

func (r *run) spend(ctx workflow.Context, t runbook.Threshold) {
	r.report.RTOState = t.State
	used := fmt.Sprintf("%d %% of the RTO (%s) is used up in %s", t.Percent, r.report.Objective, r.report.Phase)
	switch t.State {
	case runbook.RTOHalf:
		r.tell(ctx, "half of the RTO is gone", used)
	case runbook.RTOLate:
		r.faster = true
		r.tell(ctx, "RTO in danger", used+"; optional steps are skipped from here")
	case runbook.RTOBreached:
		r.tell(ctx, "RTO breached", used+"; the failover goes on")
	case runbook.RTOInside, runbook.RTOMet, runbook.RTOMissed:
	}
	r.publish(ctx)
}

// served stops the RTO: clients were served by the other Region at that moment.
func (r *run) served(ctx workflow.Context, at time.Time) {
	r.report.Clocks.Verified = at
	if r.stop != nil {
		r.stop()
	}
	r.report.RTOState = runbook.RTOMet
	if at.Sub(r.report.Clocks.Failure) > r.report.Objective {
		r.report.RTOState = runbook.RTOMissed
	}
	r.event(ctx, "budget", fmt.Sprintf("clients were served %s after the failure; the objective is %s", at.Sub(r.report.Clocks.Failure).Round(time.Millisecond), r.report.Objective))
	r.publish(ctx)
}
