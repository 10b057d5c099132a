package kinds

import (
	"fmt"
	"strconv"
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/cloudwatch"
	"lifeline/activities/rds"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// aurora is an Aurora global database: one Region writes, so taking over means
// promotion, and promotion without a fence means two truths.
type aurora struct{}

// Measure reads AuroraGlobalDBRPOLag in To. What was committed between the
// newest datapoint and ref is counted as lost too: the window is never too small.
func (aurora) Measure(ctx workflow.Context, p Player, r plan.Resource, ref time.Time) (runbook.Loss, error) {
	var a *cloudwatch.Steps
	m := p.Move()
	loss := runbook.Loss{Resource: r.Name, Objective: m.Plan.ObjectivesOf(r).RPO.D()}
	state, err := describeAurora(ctx, p, r)
	if err != nil {
		return loss, err
	}
	if state.WriterRegion == string(m.To) {
		loss.Known, loss.Evidence = true, "the writer is in "+string(m.To)+" already"
		return loss, nil
	}
	step := runbook.Step{Name: "MeasureAuroraLag", Resource: r.Name, Region: string(m.To), Plane: runbook.Data, Reversibility: runbook.Reversible, Budget: callBudget}
	var lag cloudwatch.Lag
	if err := p.Query(ctx, step, a.MeasureAuroraLag, cloudwatch.AuroraLag{Region: m.To, Cluster: r.Regions[m.To]["cluster"]}, &lag); err != nil {
		return loss, err
	}
	loss.Known, loss.At = lag.Found, lag.At
	loss.Evidence = "no datapoint of AuroraGlobalDBRPOLag"
	if lag.Found {
		behind := time.Duration(lag.Milliseconds * float64(time.Millisecond))
		loss.Window = max(behind, windowSince(lag.At.Add(-behind), ref))
		loss.Evidence = fmt.Sprintf("AuroraGlobalDBRPOLag was %.0f ms at %s", lag.Milliseconds, lag.At.UTC().Format(time.RFC3339))
	}
	return loss, nil
}

// Fence works through the plan's layers. Every layer but the lease calls the
// Region that is left, so it runs beside the stage.
func (aurora) Fence(ctx workflow.Context, p Player, r plan.Resource, report func(runbook.LayerResult)) error {
	for _, layer := range r.Fence {
		if layer == plan.FenceLease {
			if err := fenceLease(ctx, p, r, report); err != nil {
				return err
			}
			continue
		}
		p.Aside(ctx, func(ctx workflow.Context) { report(fenceLayer(ctx, p, r, layer)) })
	}
	return nil
}

func fenceLayer(ctx workflow.Context, p Player, r plan.Resource, layer plan.FenceLayer) runbook.LayerResult {
	out := runbook.LayerResult{Resource: r.Name, Layer: layer, Result: runbook.FenceUnconfirmed}
	switch layer {
	case plan.FenceAurora:
		out.Evidence = "FailoverGlobalCluster fences the old writer's storage, best effort"
	case plan.FenceCompute:
		out.Result, out.Evidence = fenceWriters(ctx, p, r, fenceCompute)
	case plan.FenceNetwork:
		out.Result, out.Evidence = fenceWriters(ctx, p, r, fenceNetwork)
	case plan.FenceLease: // handled in Fence
	}
	return out
}

// fenceWriters fences every service that depends on the resource. All of them
// must be fenced: one writer is enough to split the data.
func fenceWriters(ctx workflow.Context, p Player, r plan.Resource, one func(workflow.Context, Player, plan.Resource) (runbook.FenceResult, string)) (runbook.FenceResult, string) {
	result, evidence := runbook.FenceUnconfirmed, "no service depends on it"
	for _, s := range Writers(p.Move().Plan, r) {
		got, why := one(ctx, p, s)
		if got != runbook.FenceConfirmed {
			return got, why
		}
		result, evidence = got, why
	}
	return result, evidence
}

// NeedsPromotion reads where the writer is.
func (aurora) NeedsPromotion(ctx workflow.Context, p Player, r plan.Resource) (bool, error) {
	state, err := describeAurora(ctx, p, r)
	if err != nil {
		return false, err
	}
	target, err := successor(state, r, p.Move().To)
	return err == nil && !target.Writer, err
}

// successor is the member that takes over, if it can.
func successor(state rds.Aurora, r plan.Resource, to plan.Region) (rds.AuroraMember, error) {
	target, err := memberIn(state, r, to)
	if err == nil && target.Instances == 0 {
		err = fmt.Errorf("aurora cluster %q in %s has no instance: a headless secondary can't be promoted", r.Name, to)
	}
	return target, err
}

// Promote fails over to To, accepting the loss that was measured and approved.
// The call goes to To's Region; the promotion takes minutes and is watched.
func (aurora) Promote(ctx workflow.Context, p Player, r plan.Resource) error {
	var a *rds.Steps
	return moveWriter(ctx, p, r, writerMove{"FailoverAurora", a.FailoverAurora, p.Move().To})
}

// Switch changes the writer with both Regions' help. The call goes to the
// primary's Region (SwitchoverGlobalCluster, RPO 0).
func (aurora) Switch(ctx workflow.Context, p Player, r plan.Resource) error {
	var a *rds.Steps
	return moveWriter(ctx, p, r, writerMove{"SwitchoverAurora", a.SwitchoverAurora, p.Move().From})
}

// writerMove is one way to change the writer, and the Region whose RDS is called.
type writerMove struct {
	name     string
	activity any
	called   plan.Region
}

func moveWriter(ctx workflow.Context, p Player, r plan.Resource, by writerMove) error {
	var a *rds.Steps
	m := p.Move()
	state, err := describeAurora(ctx, p, r)
	if err != nil {
		return err
	}
	target, err := successor(state, r, m.To)
	if err != nil {
		return err
	}
	step := runbook.Step{Name: by.name, Resource: r.Name, Region: string(by.called), Plane: runbook.RegionalControl, Reversibility: runbook.OneWay, Budget: callBudget}
	err = p.Change(ctx, Change{Step: step, Activity: by.activity, Input: func(c runbook.Command) any {
		return rds.AuroraMove{Command: c, Region: by.called, GlobalCluster: r.Global["globalCluster"], TargetARN: target.ARN}
	}})
	if err != nil {
		return err
	}
	wait := runbook.Step{Name: "AwaitAuroraWriter", Resource: r.Name, Region: string(m.To), Plane: runbook.RegionalControl, Reversibility: runbook.Reversible, Budget: promotionBudget}
	return p.Await(ctx, wait, a.AwaitAuroraWriter, rds.AuroraAwait{Region: m.To, GlobalCluster: r.Global["globalCluster"], TargetARN: target.ARN}, nil)
}

// Reprotect waits until the origin's member is rebuilt and connected, and saves
// the only copy of the writes that were lost.
func (aurora) Reprotect(ctx workflow.Context, p Player, r plan.Resource) ([]string, error) {
	var a *rds.Steps
	m := p.Move()
	state, err := describeAurora(ctx, p, r)
	if err != nil {
		return nil, err
	}
	target, err := memberIn(state, r, m.To)
	if err != nil {
		return nil, err
	}
	wait := runbook.Step{Name: "AwaitAuroraSynchronized", Resource: r.Name, Region: string(m.From), Plane: runbook.RegionalControl, Reversibility: runbook.Reversible, Budget: rebuildBudget}
	if err := p.Await(ctx, wait, a.AwaitAuroraSynchronized, rds.AuroraAwait{Region: m.From, GlobalCluster: r.Global["globalCluster"], TargetARN: target.ARN}, nil); err != nil {
		return nil, err
	}
	var snap rds.Snapshot
	step := runbook.Step{Name: "PreserveLostWrites", Resource: r.Name, Region: string(m.To), Plane: runbook.RegionalControl, Reversibility: runbook.Reversible, Budget: promotionBudget}
	err = p.Change(ctx, Change{Step: step, Activity: a.PreserveLostWrites, Out: &snap, Input: func(c runbook.Command) any {
		return rds.SnapshotCopy{Command: c, Region: m.To, Cluster: r.Regions[m.To]["cluster"]}
	}})
	if err != nil || !snap.Found {
		return nil, err
	}
	return []string{fmt.Sprintf("reconcile %s: the writes that were lost are in snapshot %s (kept as %s)", r.Name, snap.Source, snap.Copy)}, nil
}

// Types of items of Aurora global databases.
const (
	auroraCluster  = "aurora-cluster"
	auroraDatabase = "aurora-global-database"
	auroraMember   = "aurora-member"
	auroraInstance = "aurora-instance"
	auroraBackups  = "aurora-backups"
)

// Items make a global database out of the application's cluster: a member in the
// recovery Region with an instance to promote, and backups on both sides. Which
// member writes is nobody's wish here: after a failover the same items are in
// place with the roles swapped.
func (aurora) Items(s Site, r plan.Resource) []runbook.Item {
	home, away := s.Plan.Primary(), s.recovery()
	cluster, global := rdsName(r.Regions[home]["cluster"]), rdsName(r.Global["globalCluster"])
	given := databaseItem(r, auroraCluster, home, cluster, nil)
	given.Given, given.Why = true, "the application's cluster is made with the application, in the primary Region: setup makes a global database of it"
	out := append([]runbook.Item{given}, clusterBackups(r, home, given.ID())...)
	if away == "" {
		return out
	}
	database := after(databaseItem(r, auroraDatabase, home, global, map[string]string{"source": s.arn("rds", home, "cluster:"+cluster)}), given.ID())
	name := rdsName(r.Regions[away]["cluster"])
	member := after(databaseItem(r, auroraMember, away, name, map[string]string{
		"global": global, runbook.AtCreation + "home": string(home), runbook.AtCreation + "key": s.keyARN(away), tagAtCreation: s.Plan.Application,
	}), database.ID())
	instance := after(databaseItem(r, auroraInstance, away, name, map[string]string{"global": global, tagAtCreation: s.Plan.Application}), member.ID())
	return append(append(out, database, member, instance), clusterBackups(r, away, member.ID())...)
}

// clusterBackups keep a cluster restorable to any second of the last days: both
// sides, since either may be the one that writes.
func clusterBackups(r plan.Resource, region plan.Region, needs string) []runbook.Item {
	days := protectOf(r).PITRDays
	if days == 0 {
		return nil
	}
	item := databaseItem(r, auroraBackups, region, rdsName(r.Regions[region]["cluster"]), map[string]string{"days": strconv.Itoa(days)})
	item.AtLeast = []string{"days"}
	return []runbook.Item{after(item, needs)}
}

// Writers are the services that write to a resource.
func Writers(p plan.Plan, r plan.Resource) []plan.Resource {
	var out []plan.Resource
	for _, s := range p.Resources {
		if s.Kind != plan.Service {
			continue
		}
		for _, d := range s.DependsOn {
			if d == r.Name {
				out = append(out, s)
			}
		}
	}
	return out
}

func describeAurora(ctx workflow.Context, p Player, r plan.Resource) (rds.Aurora, error) {
	var a *rds.Steps
	m := p.Move()
	step := runbook.Step{Name: "DescribeAurora", Resource: r.Name, Region: string(m.To), Plane: runbook.RegionalControl, Reversibility: runbook.Reversible, Budget: callBudget}
	in := rds.AuroraRef{Region: m.To, GlobalCluster: r.Global["globalCluster"]}
	if m.Class == runbook.Emergency {
		in.Suspect = m.From
	}
	var state rds.Aurora
	err := p.Query(ctx, step, a.DescribeAurora, in, &state)
	return state, err
}

func memberIn(state rds.Aurora, r plan.Resource, region plan.Region) (rds.AuroraMember, error) {
	for _, m := range state.Members {
		if m.Region == string(region) {
			return m, nil
		}
	}
	return rds.AuroraMember{}, fmt.Errorf("aurora global cluster %q has no member in %s", r.Name, region)
}
