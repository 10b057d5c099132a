package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"

	"lifeline/internal/runbook"
)

// untakenAfter is how long a run may lie there before nobody seems to play it: a
// worker that lives takes it within milliseconds.
const untakenAfter = 20 * time.Second

// errUntaken says that no worker took a run up.
var errUntaken = errors.New("no worker plays it")

// attended is for waiting on a run that changes nothing. It ends when no worker has
// taken the run up, so that nobody sits there without a word.
func (a *app) attended(ctx context.Context, c runs, at target) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-ctx.Done():
		case <-a.after(untakenAfter):
			if a.untaken(ctx, c, at) {
				cancel(errUntaken)
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}

// untouched is how long the history of a run is that nobody has played yet: that it
// was started, and that its first task was scheduled.
const untouched = 2

// untaken says that the first task of a run still waits for a worker. A later one may
// wait for a moment while all is well.
func (a *app) untaken(ctx context.Context, c runs, at target) bool {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	d, err := c.DescribeWorkflowExecution(ctx, at.workflow, at.run)
	if err != nil {
		return false // another failure, which is told where it matters
	}
	return d.GetWorkflowExecutionInfo().GetHistoryLength() <= untouched &&
		d.GetPendingWorkflowTask().GetState() == enums.PENDING_WORKFLOW_TASK_STATE_SCHEDULED
}

// unattended explains a run that nobody took up.
func (a *app) unattended(at target, name runbook.Name) error {
	return &trouble{
		code: exitUnreachable, err: fmt.Errorf("run %s was started, and after %s %w", at.run, untakenAfter, errUntaken),
		safe: "nothing was changed; the run ends by itself within ten minutes", next: a.startWorker(name),
	}
}
