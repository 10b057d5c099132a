package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"

	"lifeline/internal/plan"
	"lifeline/internal/report"
	"lifeline/internal/runbook"
	"lifeline/internal/temporal"
)

const (
	// listed is how many earlier runs are looked through: refused and aborted
	// moves count among them.
	listed = 50
	// enoughMoves is how many real moves are read: years of drills.
	enoughMoves = 10
)

// showRegister shows every resource of the plan with what is wanted, what the
// configuration can do and what was measured.
func (a *app) showRegister(ctx context.Context, f statusFlags) error {
	if f.watch || f.run != "" || a.of != "" {
		return usage("starter status -f "+shellWord(a.planFile)+" --register", "--register is about the plan, not about one run: leave --watch, --run and --of out")
	}
	p, err := a.loadPlan()
	if err != nil {
		return err
	}
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	past, err := a.past(ctx, c, p)
	if err != nil {
		return a.explain("look for earlier runs of", lockOf(p, runbook.Failover), err)
	}
	r := runbook.NewRegister(p, past)
	if a.output == "json" {
		return a.json(r)
	}
	return report.RegisterText(a.out, r)
}

// past reads what earlier runs of the plan's application left in Temporal. It
// fails when runs can't be listed; a run that can't be read is noted.
func (a *app) past(ctx context.Context, c runs, p plan.Plan) (runbook.Past, error) {
	var past runbook.Past
	ctx, cancel := context.WithTimeout(ctx, updateTimeout)
	defer cancel()
	if err := a.pastRuns(ctx, c, &past, movesOf(p), func(r runbook.Report) bool {
		if !r.DryRun && (r.Status == runbook.Done || r.Status == runbook.Stopped) {
			past.Moves = append(past.Moves, r)
		}
		return len(past.Moves) < enoughMoves
	}); err != nil {
		return past, err
	}
	if err := a.pastRuns(ctx, c, &past, setupsOf(p), func(r runbook.Report) bool {
		if surveyed(r) {
			past.Setup = &r
		}
		return past.Setup == nil
	}); err != nil {
		return past, err
	}
	return past, a.lastProof(ctx, c, p, &past)
}

// surveyed says that a run of setup has looked at the whole estate.
func surveyed(r runbook.Report) bool {
	return r.Estate != nil && slices.ContainsFunc(r.Stages, func(s runbook.StageRecord) bool {
		return s.Name == runbook.Survey && s.State == runbook.Succeeded
	})
}

// movesOf are the runs that held the application's lock: previews have ids of
// their own.
func movesOf(p plan.Plan) string {
	return fmt.Sprintf("WorkflowId = '%s' AND ExecutionStatus != 'Running'", temporal.WorkflowID(p.Application))
}

// setupsOf are runs of setup, previews too: they look at the same estate.
func setupsOf(p plan.Plan) string {
	return fmt.Sprintf("WorkflowType = '%s' AND %s = '%s' AND ExecutionStatus != 'Running'",
		workflowName(runbook.Setup), temporal.LifelineApplication().GetName(), p.Application)
}

func proofsOf(p plan.Plan) string {
	return fmt.Sprintf("WorkflowType = '%s' AND %s = '%s' AND ExecutionStatus = 'Completed'",
		readinessName, temporal.LifelineApplication().GetName(), p.Application)
}

// pastRuns gives the reports of ended runs, the newest first, until more says
// that it has enough. A run that left no report is passed over.
func (a *app) pastRuns(ctx context.Context, c runs, past *runbook.Past, query string, more func(runbook.Report) bool) error {
	ended, err := endedRuns(ctx, c, query)
	if err != nil {
		return err
	}
	for _, at := range ended {
		r, err := a.result(ctx, c, at)
		switch {
		case errors.Is(err, errNoReport):
		case err != nil:
			past.Notes = append(past.Notes, err.Error())
		case !more(r):
			return nil
		}
	}
	return nil
}

// lastProof reads the newest proof of readiness.
func (a *app) lastProof(ctx context.Context, c runs, p plan.Plan, past *runbook.Past) error {
	proofs, err := endedRuns(ctx, c, proofsOf(p))
	if err != nil || len(proofs) == 0 {
		return err
	}
	var r runbook.ReadinessReport
	if err := c.GetWorkflow(ctx, proofs[0].workflow, proofs[0].run).Get(ctx, &r); err != nil {
		past.Notes = append(past.Notes, fmt.Sprintf("the proof of run %s: %v", proofs[0].run, err))
		return nil
	}
	past.Proof = &r
	return nil
}

// endedRuns lists ended runs, the one that ended last first. Visibility may lag
// behind by moments.
func endedRuns(ctx context.Context, c runs, query string) ([]target, error) {
	answer, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: query, PageSize: listed})
	if err != nil {
		return nil, fmt.Errorf("list earlier runs: %w", err)
	}
	all := answer.GetExecutions()
	slices.SortStableFunc(all, func(a, b *workflowpb.WorkflowExecutionInfo) int {
		return b.GetCloseTime().AsTime().Compare(a.GetCloseTime().AsTime())
	})
	var out []target
	for _, e := range all {
		if e.GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
			out = append(out, target{e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId()})
		}
	}
	return out, nil
}

// besideSetup is the register that stands beside a run of setup. What can't be
// read is noted in it: the run's own story is told anyway.
func (a *app) besideSetup(ctx context.Context, c runs, p plan.Plan, r runbook.Report) *runbook.Register {
	past, err := a.past(ctx, c, p)
	if err != nil {
		past.Notes = append(past.Notes, err.Error())
	}
	if surveyed(r) && (past.Setup == nil || r.Started.After(past.Setup.Started)) {
		past.Setup = &r
	}
	out := runbook.NewRegister(p, past)
	return &out
}
