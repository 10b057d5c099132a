package temporal

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"lifeline/internal/runbook"
)

// Past are the steps that read what earlier runs left in Temporal.
type Past struct{ Client client.Client }

// LastProofIn asks for the last proof of readiness of an application.
type LastProofIn struct {
	Application string `json:"application"`
}

// LastProof is that proof; Found is false before the first one.
type LastProof struct {
	Found  bool                    `json:"found"`
	Report runbook.ReadinessReport `json:"report,omitzero"`
}

// FindLastProof reads the newest finished proof of readiness. Visibility may lag
// by moments: the newest that it knows is the answer.
func (p *Past) FindLastProof(ctx context.Context, in LastProofIn) (LastProof, error) {
	runs, err := p.newest(ctx, fmt.Sprintf("WorkflowType = 'Readiness' AND ExecutionStatus = 'Completed' AND %s = '%s'",
		LifelineApplication().GetName(), in.Application))
	if err != nil || len(runs) == 0 {
		return LastProof{}, err
	}
	out := LastProof{Found: true}
	if err := p.Client.GetWorkflow(ctx, runs[0].id, runs[0].run).Get(ctx, &out.Report); err != nil {
		return LastProof{}, fmt.Errorf("read the proof of run %s: %w", runs[0].run, err)
	}
	return out, nil
}

// LastMoveIn asks for the last run of an application that moved a Region.
type LastMoveIn struct {
	Application string `json:"application"`
}

// LastMove is that run: a drill or the real thing, both prove the same.
type LastMove struct {
	Found   bool         `json:"found"`
	Runbook runbook.Name `json:"runbook,omitempty"`
	RunID   string       `json:"run_id,omitempty"`
	Ended   time.Time    `json:"ended,omitzero"`
}

// FindLastMove reads the newest run that moved a Region to its end. Previews have
// ids of their own and change nothing; a run that was refused or undone proves
// nothing.
func (p *Past) FindLastMove(ctx context.Context, in LastMoveIn) (LastMove, error) {
	runs, err := p.newest(ctx, fmt.Sprintf("WorkflowType IN ('Failover', 'Switchover', 'Failback') AND ExecutionStatus = 'Completed' AND WorkflowId = '%s'",
		WorkflowID(in.Application)))
	if err != nil {
		return LastMove{}, err
	}
	for _, r := range runs {
		var report runbook.Report
		if err := p.Client.GetWorkflow(ctx, r.id, r.run).Get(ctx, &report); err != nil {
			return LastMove{}, fmt.Errorf("read the report of run %s: %w", r.run, err)
		}
		if report.Status == runbook.Done && !report.DryRun {
			return LastMove{Found: true, Runbook: report.Runbook, RunID: r.run, Ended: r.ended}, nil
		}
	}
	return LastMove{}, nil
}

type pastRun struct {
	id, run string
	ended   time.Time
}

// newest lists runs by a visibility query, the one that closed last first.
func (p *Past) newest(ctx context.Context, query string) ([]pastRun, error) {
	out, err := p.Client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: query, PageSize: 10})
	if err != nil {
		return nil, fmt.Errorf("list earlier runs: %w", err)
	}
	var runs []pastRun
	for _, e := range out.GetExecutions() {
		runs = append(runs, pastRun{e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId(), e.GetCloseTime().AsTime()})
	}
	return runs, nil
}
