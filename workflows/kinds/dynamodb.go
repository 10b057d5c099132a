package kinds

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/dynamodb"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// table is a DynamoDB global table (MREC): every Region writes, so nothing is
// promoted. Writes of the Region that is left which had not been replicated
// surface later and lose to newer ones.
type table struct{}

// Measure reads From's watermark in To's replica.
func (table) Measure(ctx workflow.Context, p Player, r plan.Resource, ref time.Time) (runbook.Loss, error) {
	var a *dynamodb.Steps
	m := p.Move()
	step := runbook.Step{Name: "MeasureTableLag", Resource: r.Name, Region: string(m.To), Plane: runbook.Data, Reversibility: runbook.Reversible, Budget: callBudget}
	var mark runbook.Watermark
	err := p.Query(ctx, step, a.MeasureTableLag, dynamodb.TableLag{Region: m.To, Of: m.From, Table: r.Regions[m.To]["table"]}, &mark)
	return lossByWatermark(m.Plan, r, mark, ref), err
}

func lossByWatermark(p plan.Plan, r plan.Resource, mark runbook.Watermark, ref time.Time) runbook.Loss {
	loss := runbook.Loss{Resource: r.Name, Objective: p.ObjectivesOf(r).RPO.D(), At: mark.Read, Known: mark.Found}
	if !mark.Found {
		loss.Evidence = "no watermark of the Region that is left"
		return loss
	}
	loss.Window = windowSince(mark.At, ref)
	loss.Evidence = fmt.Sprintf("newest watermark written at %s", mark.At.UTC().Format(time.RFC3339Nano))
	return loss
}

// Reprotect demands that every replica is active.
func (table) Reprotect(ctx workflow.Context, p Player, r plan.Resource) ([]string, error) {
	var a *dynamodb.Steps
	m := p.Move()
	step := runbook.Step{Name: "DescribeReplicas", Resource: r.Name, Region: string(m.From), Plane: runbook.RegionalControl, Reversibility: runbook.Reversible, Budget: callBudget}
	var reps dynamodb.Replicas
	if err := p.Query(ctx, step, a.DescribeReplicas, dynamodb.TableRef{Region: m.From, Table: r.Regions[m.From]["table"]}, &reps); err != nil {
		return nil, err
	}
	for _, region := range workflow.DeterministicKeys(reps.Status) {
		if status := reps.Status[region]; status != "ACTIVE" {
			return nil, fmt.Errorf("replica of table %q in %s is %s, not ACTIVE", r.Name, region, status)
		}
	}
	return nil, nil
}

// Catchup sends a marker through replication.
func (table) Catchup(ctx workflow.Context, p Player, r plan.Resource) error {
	var a *dynamodb.Steps
	m := p.Move()
	step := runbook.Step{Name: "AwaitTableCaughtUp", Resource: r.Name, Region: string(m.To), Plane: runbook.Data, Reversibility: runbook.Reversible, Budget: rebuildBudget}
	in := dynamodb.TableCaughtUp{From: m.From, To: m.To, Table: r.Regions[m.To]["table"]}
	in.Token = token(ctx, step)
	return p.Await(ctx, step, a.AwaitTableCaughtUp, in, nil)
}

// token makes the idempotency token of an await that writes a marker.
func token(ctx workflow.Context, s runbook.Step) string {
	return runbook.Token(Identity(ctx), s.Name, s.Resource, s.Region)
}
