package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"lifeline/internal/runbook"
)

// stageKey is where a coroutine's context keeps the index of its stage, so that
// a step is recorded where it began, also when the run has moved on.
type stageKey struct{}

func (r *run) stageOf(ctx workflow.Context) int {
	if i, ok := ctx.Value(stageKey{}).(int); ok {
		return i
	}
	return r.at
}

// Aside runs fn beside the stages; gather waits for it.
//
// A counter and not a WaitGroup: that one panics when work is added between its
// last Done and the end of its Wait, which an order or a timer may do.
func (r *run) Aside(ctx workflow.Context, fn func(workflow.Context)) {
	stage := r.stageOf(ctx)
	r.aside[stage]++
	workflow.Go(workflow.WithValue(ctx, stageKey{}, stage), func(ctx workflow.Context) {
		defer func() { r.aside[stage]-- }()
		fn(ctx)
	})
}

// gather waits for what runs beside the named stages, or beside all of them.
// Naming them matters: room that was asked for in the surviving Region must not
// hold up a promotion.
func (r *run) gather(ctx workflow.Context, names ...runbook.Stage) error {
	return workflow.Await(ctx, func() bool {
		for i, s := range r.report.Stages {
			if r.aside[i] > 0 && (len(names) == 0 || slices.Contains(names, s.Name)) {
				return false
			}
		}
		return true
	})
}
