package kinds

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/dynamodb"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// onData is a check of one resource's data.
func onData(r plan.Resource, id, title, fix string) runbook.CheckResult {
	return runbook.CheckResult{ID: "data/" + id, Subject: runbook.OnData, Title: title, Resource: r.Name, Fix: fix, Command: mendBySetup}
}

// Prove demands an active replica in every Region that serves, and a fresh
// watermark of each Region in every other.
func (table) Prove(ctx workflow.Context, p Player, r plan.Resource) []runbook.CheckResult {
	return beside(ctx,
		func(ctx workflow.Context) []runbook.CheckResult { return one(proveReplicas(ctx, p, r)) },
		func(ctx workflow.Context) []runbook.CheckResult {
			return proveMarks(ctx, p, r, func(ctx workflow.Context, of, in plan.Region) (mark runbook.Watermark, err error) {
				var a *dynamodb.Steps
				err = look(ctx, p, reading{
					name: "MeasureTableLag", resource: r.Name, region: in, activity: a.MeasureTableLag,
					in: dynamodb.TableLag{Region: in, Of: of, Table: r.Regions[in]["table"]}, out: &mark,
				})
				return mark, err
			})
		})
}

func proveReplicas(ctx workflow.Context, p Player, r plan.Resource) runbook.CheckResult {
	var a *dynamodb.Steps
	var got dynamodb.Replicas
	m := p.Move()
	err := look(ctx, p, reading{
		name: "DescribeReplicas", resource: r.Name, region: m.To, activity: a.DescribeReplicas,
		in: dynamodb.TableRef{Region: m.To, Table: r.Regions[m.To]["table"]}, out: &got,
	})
	words := ""
	for _, region := range workflow.DeterministicKeys(got.Status) {
		words += fmt.Sprintf(" %s %s", region, got.Status[region])
	}
	c := onData(r, "replicas/"+r.Name, "the table has an active replica in every Region", "let setup make the replica again, or wait until it is active")
	return decide(ctx, c, err, judgeReplicas(m.Plan, got), saw(ctx, m.To, "replicas of %s:%s", r.Regions[m.To]["table"], words))
}

func judgeReplicas(p plan.Plan, got dynamodb.Replicas) finding {
	var wrong []string
	for _, region := range p.TrafficRegions() {
		switch status := got.Status[string(region)]; status {
		case "ACTIVE":
		case "":
			wrong = append(wrong, "there is no replica in "+string(region))
		default:
			wrong = append(wrong, fmt.Sprintf("the replica in %s is %s", region, status))
		}
	}
	return redIf(wrong, green("every replica is active"))
}

// proveMarks reads the watermark of each Region in every other one: the only
// measure of loss that works when the Region that wrote it is dark.
func proveMarks(ctx workflow.Context, p Player, r plan.Resource, read func(workflow.Context, plan.Region, plan.Region) (runbook.Watermark, error)) []runbook.CheckResult {
	var all []func(workflow.Context) []runbook.CheckResult
	rpo := p.Move().Plan.ObjectivesOf(r).RPO.D()
	for _, w := range waysOf(p.Move().Plan, r) {
		all = append(all, func(ctx workflow.Context) []runbook.CheckResult {
			mark, err := read(ctx, w.from, w.to)
			c := onData(r, "watermark/"+r.Name+"/"+string(w.from), fmt.Sprintf("what %s writes is in %s within the objective", w.from, w.to),
				fmt.Sprintf("run a worker in %s that leaves watermarks, and see why replication lags", w.from))
			c.Command = fmt.Sprintf("worker -f PLAN --region %s --watermarks", w.from)
			return one(decide(ctx, c, err, judgeMark(mark, rpo), saw(ctx, w.to, "watermark of %s in %s: %s", w.from, w.to, markWords(mark))))
		})
	}
	return beside(ctx, all...)
}

// waysOf are the directions in which a resource replicates.
func waysOf(p plan.Plan, r plan.Resource) []way {
	s := Site{Plan: p}
	if r.Kind == plan.S3Bucket {
		return s.ways(r)
	}
	from, to := p.Primary(), s.recovery()
	if to == "" {
		return nil
	}
	return []way{{from, to}, {to, from}}
}

func judgeMark(mark runbook.Watermark, rpo time.Duration) finding {
	if !mark.Found {
		return red("no watermark has arrived: the loss could not be measured")
	}
	return within("the newest watermark", windowSince(mark.At, mark.Read), rpo)
}

func markWords(mark runbook.Watermark) string {
	if !mark.Found {
		return "none"
	}
	return "written at " + mark.At.UTC().Format(time.RFC3339Nano)
}
