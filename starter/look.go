package main

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"lifeline/internal/runbook"
)

// sight is what could be learned about a run: its own report, or, when no worker
// answers, what Temporal itself knows.
type sight struct {
	report   *runbook.Report
	facts    serverFacts
	noWorker error // why there is no report
}

// why says why there is no report.
func (s sight) why() string {
	if s.told() {
		return "a worker answered, but could not tell where the run stands"
	}
	return "no worker answered"
}

// told reports whether a worker answered, though not with a report.
func (s sight) told() bool {
	var failed *serviceerror.QueryFailed
	return errors.As(s.noWorker, &failed)
}

// next is what helps when there is no report.
func (s sight) next() string {
	if s.told() {
		return "look at the run's history in the Temporal UI, and at the workers' logs"
	}
	return "see that a worker polls " + s.facts.Queue + ", then type the same command again"
}

// look learns about a run. A run that has ended needs no worker: its report is
// its result, or stands in the details of its error.
func (a *app) look(ctx context.Context, c runs, at target) (sight, error) {
	dctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	d, err := c.DescribeWorkflowExecution(dctx, at.workflow, at.run)
	if err != nil {
		return sight{}, a.explain("look at", at, err)
	}
	s := sight{facts: factsOf(d)}
	at.run = s.facts.RunID
	if !s.facts.Open {
		if r, err := a.result(dctx, c, at); err == nil {
			s.report = &r
			return s, nil
		}
	}
	r, err := a.query(ctx, c, at)
	if err != nil {
		s.noWorker = err
		// A silent worker is an answer too: the caller shows what Temporal knows.
		return s, nil
	}
	s.report = &r
	return s, nil
}

// query asks a worker for the live report.
func (a *app) query(ctx context.Context, c runs, at target) (runbook.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	value, err := c.QueryWorkflow(ctx, at.workflow, at.run, runbook.QueryStatus)
	if err != nil && ctx.Err() != nil {
		return runbook.Report{}, fmt.Errorf("no answer to the status query within %s: %w", queryTimeout, ctx.Err())
	}
	if err != nil {
		return runbook.Report{}, fmt.Errorf("ask run %s for its status: %w", at.run, err)
	}
	var r runbook.Report
	if err := value.Get(&r); err != nil {
		return runbook.Report{}, fmt.Errorf("read the status of run %s: %w", at.run, err)
	}
	return a.ownPlan(r), nil
}

// errNoReport says that a run ended without telling its story.
var errNoReport = errors.New("the run ended without a report")

// result waits for the end of a run and gives its report: a failed run carries
// it in the details of its error.
func (a *app) result(ctx context.Context, c runs, at target) (runbook.Report, error) {
	var r runbook.Report
	err := c.GetWorkflow(ctx, at.workflow, at.run).Get(ctx, &r)
	if err == nil {
		return a.ownPlan(r), nil
	}
	var closed *temporal.WorkflowExecutionError
	if !errors.As(err, &closed) {
		return runbook.Report{}, fmt.Errorf("wait for run %s: %w", at.run, err)
	}
	var told *temporal.ApplicationError
	if errors.As(err, &told) && told.HasDetails() {
		if derr := told.Details(&r); derr == nil && r.RunID != "" {
			return a.ownPlan(r), nil
		}
	}
	return runbook.Report{}, fmt.Errorf("%w: %w", errNoReport, err)
}
