package kinds

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/dynamodb"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// fenceLease raises the epoch in the witness Region. It is the only fence that
// works under a partition: writers that can't renew stop by themselves, so it
// is confirmed once the last renewal has lapsed, whether they heard of it or not.
func fenceLease(ctx workflow.Context, p Player, r plan.Resource, report func(runbook.LayerResult)) error {
	m := p.Move()
	if m.Plan.Lease == nil {
		report(runbook.LayerResult{Resource: r.Name, Layer: plan.FenceLease, Result: runbook.FenceUnconfirmed, Evidence: "the plan names no lease"})
		return nil
	}
	var a *dynamodb.Steps
	step := runbook.Step{Name: "FenceLease", Resource: r.Name, Region: string(m.Plan.Lease.Region), Plane: runbook.Data, Reversibility: runbook.Compensable, Budget: suspectBudget, BestEffort: true}
	back := step
	back.Name, back.BestEffort, back.Budget = "UnfenceLease", false, callBudget
	var out dynamodb.LeaseResult
	err := p.Change(ctx, Change{
		Step: step, Activity: a.FenceLease, Out: &out, Input: leaseInput(m, m.From, m.To),
		Undo: &Undo{Step: back, Activity: a.UnfenceLease, Input: leaseInput(m, m.To, m.From)},
	})
	if err != nil {
		return err
	}
	layer := runbook.LayerResult{
		Resource: r.Name, Layer: plan.FenceLease, Result: runbook.FenceConfirmed, FreeAt: out.FreeAt, Epoch: out.Epoch,
		Evidence: fmt.Sprintf("%s holds epoch %d; %s can't have written after %s", m.To, out.Epoch, m.From, out.FreeAt.UTC().Format("15:04:05.000")),
	}
	if out.Effect == "" || out.Effect == runbook.Would {
		layer.Result, layer.Evidence = runbook.FenceUnconfirmed, "the lease table in "+string(m.Plan.Lease.Region)+" did not answer"
	}
	report(layer)
	return nil
}

func leaseInput(m Move, from, to plan.Region) func(runbook.Command) any {
	return func(c runbook.Command) any {
		return dynamodb.LeaseFence{Command: c, Region: m.Plan.Lease.Region, Table: m.Plan.Lease.Table, Application: m.Plan.Application, From: from, To: to, TTL: m.Plan.Lease.TTL.D()}
	}
}

// ReadLease reads who holds the write lease now. An emergency does not wait long
// for a witness that has gone dark.
func ReadLease(ctx workflow.Context, p Player) (dynamodb.Lease, error) {
	var a *dynamodb.Steps
	m := p.Move()
	step := runbook.Step{Name: "DescribeLease", Region: string(m.Plan.Lease.Region), Plane: runbook.Data, Reversibility: runbook.Reversible, Budget: callBudget}
	if m.Class == runbook.Emergency {
		step.Budget = hurryBudget
	}
	var lease dynamodb.Lease
	err := p.Query(ctx, step, a.DescribeLease, dynamodb.LeaseRef{Region: m.Plan.Lease.Region, Table: m.Plan.Lease.Table, Application: m.Plan.Application}, &lease)
	return lease, err
}
