package kinds

import (
	"fmt"
	"strconv"
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

// Types of items of tables.
const (
	dynamoTable   = "dynamodb-table"
	dynamoReplica = "dynamodb-replica"
	dynamoPITR    = "dynamodb-pitr"
)

// Items are the table as the application made it, a replica in every other
// Region that serves, and point-in-time recovery in each of them: it is a
// setting of the replica, not of the global table.
func (table) Items(s Site, r plan.Resource) []runbook.Item {
	home := s.Plan.Primary()
	name := r.Regions[home]["table"]
	given := databaseItem(r, dynamoTable, home, name, nil)
	given.Given, given.Why = true, "the application's table is made with the application, in the primary Region: setup replicates it and keeps its backups"
	out := append([]runbook.Item{given}, tableBackups(r, home, name, given.ID())...)
	for _, region := range s.Plan.TrafficRegions()[1:] {
		replica := after(databaseItem(r, dynamoReplica, region, name, map[string]string{
			"source": string(home), "consistency": "eventual", runbook.AtCreation + "key": s.keyARN(region),
		}), given.ID())
		if protectOf(r).Consistency == "strong" {
			replica.Want["consistency"], replica.Want["witness"] = "strong", string(s.witness())
		}
		out = append(out, replica)
		out = append(out, tableBackups(r, region, name, replica.ID())...)
	}
	return out
}

// tableBackups is point-in-time recovery of one replica.
func tableBackups(r plan.Resource, region plan.Region, table, needs string) []runbook.Item {
	days := protectOf(r).PITRDays
	if days == 0 {
		return nil
	}
	item := databaseItem(r, dynamoPITR, region, table, map[string]string{"enabled": "true", "days": strconv.Itoa(days)})
	item.AtLeast = []string{"days"}
	return []runbook.Item{after(item, needs)}
}

// leaseTable is the table of the write lease, which is Lifeline's own. The lease
// in it is not setup's: the application and the runbooks move it.
func leaseTable(s Site) []runbook.Item {
	l := s.Plan.Lease
	if l == nil {
		return nil
	}
	return []runbook.Item{{
		Area: runbook.AreaDatabases, Type: dynamoTable, Region: string(l.Region), Name: l.Table,
		Want: map[string]string{"key": "application", tagAtCreation: s.Plan.Application},
	}}
}

// protectOf is what a resource is protected by, nothing when the plan says nothing.
func protectOf(r plan.Resource) plan.Protect {
	if r.Protect == nil {
		return plan.Protect{}
	}
	return *r.Protect
}

// witness is the Region that carries no traffic; "" in a plan without one.
func (s Site) witness() plan.Region {
	for _, r := range s.Plan.Regions {
		if r.Role == plan.Witness {
			return r.Name
		}
	}
	return ""
}

// token makes the idempotency token of an await that writes a marker.
func token(ctx workflow.Context, s runbook.Step) string {
	return runbook.Token(Identity(ctx), s.Name, s.Resource, s.Region)
}
