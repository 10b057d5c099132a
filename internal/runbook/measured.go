package runbook

import (
	"slices"
	"time"

	"lifeline/internal/plan"
)

// measure finds the newest measurement of each value. A kind that no runbook
// moves was never measured, whatever the application went through.
func measure(r plan.Resource, moves []Report) Measured {
	var out Measured
	spec, _ := r.Kind.Spec()
	if spec.Kept != "" {
		return out
	}
	for _, m := range moves {
		if m.DryRun || (m.Status != Done && m.Status != Stopped) {
			continue
		}
		first(&out.RTO, m, func() (time.Duration, bool) { return m.recovery(r.Name, spec.Promoted) })
		first(&out.RPO, m, func() (time.Duration, bool) { return m.loss(r.Name) })
		first(&out.Pause, m, func() (time.Duration, bool) { return m.pause(r.Name) })
	}
	return out
}

// first keeps what the newest run that measured it says.
func first(f **Figure, m Report, read func() (time.Duration, bool)) {
	if *f != nil {
		return
	}
	if value, ok := read(); ok {
		*f = &Figure{Value: plan.Duration(value), Runbook: m.Runbook, RunID: m.RunID, At: ended(m)}
	}
}

// recovery is how long after the failure a resource was back. A single writer is
// back when all promotions were done; one that sat in the other Region already
// needed none.
func (r Report) recovery(resource string, promoted bool) (time.Duration, bool) {
	back := r.Clocks.Verified
	if r.Runbook != Failover || r.Clocks.Failure.IsZero() || back.IsZero() {
		return 0, false
	}
	stage, steps := r.writer(Promote, resource)
	if promoted && stage.State != Succeeded {
		return 0, false
	}
	if len(steps) > 0 {
		back = later(back, steps[len(steps)-1].Ended)
	}
	return back.Sub(r.Clocks.Failure), true
}

// loss is the window of a failover; planned moves wait until everything has
// arrived, so what they measure at their beginning is no loss.
func (r Report) loss(resource string) (time.Duration, bool) {
	if r.Runbook != Failover {
		return 0, false
	}
	i := slices.IndexFunc(r.Losses, func(l Loss) bool { return l.Resource == resource && l.Known })
	if i < 0 {
		return 0, false
	}
	return r.Losses[i].Window, true
}

// pause is from the fence to the new writer.
func (r Report) pause(resource string) (time.Duration, bool) {
	if r.Runbook != Switchover && r.Runbook != Failback {
		return 0, false
	}
	moved, steps := r.writer(Switchdata, resource)
	fence, _ := r.writer(Fence, resource)
	if len(steps) == 0 || moved.State != Succeeded || fence.Started.IsZero() {
		return 0, false
	}
	return steps[len(steps)-1].Ended.Sub(fence.Started), true
}

// writer is a stage and its steps on one resource.
func (r Report) writer(name Stage, resource string) (StageRecord, []StepRecord) {
	i := slices.IndexFunc(r.Stages, func(s StageRecord) bool { return s.Name == name })
	if i < 0 {
		return StageRecord{}, nil
	}
	var steps []StepRecord
	for _, s := range r.Stages[i].Steps {
		if s.Resource == resource {
			steps = append(steps, s)
		}
	}
	return r.Stages[i], steps
}

// ended is when a run ended, or was last heard of.
func ended(r Report) time.Time {
	if r.Ended.IsZero() {
		return r.Now
	}
	return r.Ended
}
