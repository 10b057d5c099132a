package kinds

import (
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/drs"
	"lifeline/activities/dynamodb"
	"lifeline/activities/ec2"
	"lifeline/activities/rds"
	"lifeline/activities/s3"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	lifeline "lifeline/internal/temporal"
)

// proveProof asks how old the last drill is, and what no plan covers.
func proveProof(ctx workflow.Context, p Player) []runbook.CheckResult {
	return beside(ctx,
		func(ctx workflow.Context) []runbook.CheckResult { return proveDrill(ctx, p) },
		func(ctx workflow.Context) []runbook.CheckResult { return one(proveCovered(ctx, p)) })
}

func proveDrill(ctx workflow.Context, p Player) []runbook.CheckResult {
	m := p.Move().Plan
	allowed := drillAge(m)
	if allowed == 0 {
		return nil
	}
	var past *lifeline.Past
	var got lifeline.LastMove
	err := look(ctx, p, reading{
		name: "FindLastMove", resource: m.Application, activity: past.FindLastMove, in: lifeline.LastMoveIn{Application: m.Application}, out: &got,
	})
	c := runbook.CheckResult{
		ID: "proof/drill", Subject: runbook.OnProof, Title: "a Region has been left and come back to lately", Resource: m.Application,
		Fix: "switch over and fail back in a quiet hour", Command: "starter switchover -f PLAN --as NAME",
	}
	return one(decide(ctx, c, err, judgeDrill(got, workflow.Now(ctx), allowed), saw(ctx, "", "last run that moved a Region: %s %s, ended %s", got.Runbook, got.RunID, stamp(got.Ended))))
}

func judgeDrill(got lifeline.LastMove, now time.Time, allowed time.Duration) finding {
	age := windowSince(got.Ended, now)
	switch {
	case !got.Found:
		return amber("no run has ever moved a Region of this application")
	case age > allowed:
		return amber("the last run that moved a Region is %s old, %s is allowed", span(age), span(allowed))
	}
	return green("a %s ended %s ago", got.Runbook, span(age))
}

// stray is what an account has of one kind in one Region.
type stray struct {
	region plan.Region
	key    string // identifier of the plan's kinds: "table"
	names  []string
	err    error
}

// strays is how many of one kind and Region are named one by one, for the register.
const strays = 100

// proveCovered lists what the account has and the plan does not name: nobody
// would bring it back.
func proveCovered(ctx workflow.Context, p Player) runbook.CheckResult {
	m := p.Move().Plan
	var all []*stray
	var reads []func(workflow.Context)
	for _, region := range m.TrafficRegions() {
		lists, read := straysIn(p, region)
		all, reads = append(all, lists...), append(reads, read...)
	}
	sideBySide(ctx, reads...)
	known := covered(m)
	var open []string
	var proofs []runbook.Proof
	var err error
	for _, s := range all {
		if s.err != nil {
			err = s.err
		}
		proofs = append(proofs, saw(ctx, s.region, "%d of kind %s", len(s.names), s.key))
		bare := uncovered(known, *s)
		open = append(open, bare...)
		for _, name := range bare[:min(len(bare), strays)] {
			proofs = append(proofs, saw(ctx, s.region, "%s%s", runbook.InNoPlan, name))
		}
	}
	c := runbook.CheckResult{
		ID: "proof/uncovered", Subject: runbook.OnProof, Title: "a plan covers everything that holds data",
		Fix: "name it as a resource in the plan, or in another application's", Command: validatePlan,
	}
	return decide(ctx, c, err, judgeCovered(open), proofs...)
}

// straysIn are the lists of one Region and how they are read.
func straysIn(p Player, region plan.Region) (lists []*stray, reads []func(workflow.Context)) {
	list := func(key string, read func(workflow.Context, *stray)) {
		s := &stray{region: region, key: key}
		lists = append(lists, s)
		reads = append(reads, func(ctx workflow.Context) { read(ctx, s) })
	}
	list("table", func(ctx workflow.Context, s *stray) {
		var a *dynamodb.Ready
		var got dynamodb.All
		s.err = look(ctx, p, reading{name: "FindTables", region: region, activity: a.FindTables, in: dynamodb.AllRef{Region: region}, out: &got})
		s.names = got.Names
	})
	list("bucket", func(ctx workflow.Context, s *stray) {
		var a *s3.Ready
		var got s3.All
		s.err = look(ctx, p, reading{name: "FindBuckets", region: region, activity: a.FindBuckets, in: s3.AllRef{Region: region}, out: &got})
		s.names = got.Names
	})
	list("volume", func(ctx workflow.Context, s *stray) {
		var a *ec2.Ready
		var got ec2.All
		s.err = look(ctx, p, reading{name: "FindVolumes", region: region, activity: a.FindVolumes, in: ec2.AllRef{Region: region}, out: &got})
		s.names = got.Names
	})
	list("sourceServer", func(ctx workflow.Context, s *stray) {
		var a *drs.Ready
		var got drs.All
		s.err = look(ctx, p, reading{name: "FindServers", region: region, activity: a.FindServers, in: drs.AllRef{Region: region}, out: &got})
		s.names = got.Names
	})
	clusters := &stray{region: region, key: "cluster"}
	lists = append(lists, clusters)
	list("instance", func(ctx workflow.Context, s *stray) {
		var a *rds.Ready
		var got rds.Databases
		s.err = look(ctx, p, reading{name: "FindDatabases", region: region, activity: a.FindDatabases, in: rds.AllRef{Region: region}, out: &got})
		s.names, clusters.names = got.Instances, got.Clusters
	})
	return lists, reads
}

// covered is all that the plan names or setup keeps, as "region key name".
func covered(p plan.Plan) map[string]bool {
	out := map[string]bool{}
	add := func(region plan.Region, key, name string) { out[strayID(region, key, name)] = true }
	for _, r := range p.Resources {
		for _, region := range p.TrafficRegions() {
			for _, key := range workflow.DeterministicKeys(r.Regions[region]) {
				add(region, key, r.Regions[region][key])
			}
		}
	}
	if p.Lease != nil {
		add(p.Lease.Region, "table", p.Lease.Table)
	}
	for _, region := range p.TrafficRegions() {
		add(region, "bucket", p.Traffic.Switch.Buckets[region])
	}
	if p.Setup == nil {
		return out
	}
	items, err := Items(Site{Plan: p})
	if err != nil {
		return out // a valid plan has items; the estate's own check says what is wrong
	}
	for _, i := range items {
		switch i.Type {
		case dynamoTable, dynamoReplica:
			add(plan.Region(i.Region), "table", i.Name)
		case s3Bucket:
			add(plan.Region(i.Region), "bucket", i.Name)
		}
	}
	return out
}

// strayID is what a thing is known by. A bucket's name is one for all Regions.
func strayID(region plan.Region, key, name string) string {
	if key == "bucket" {
		region = ""
	}
	return strings.Join([]string{string(region), key, strings.ToLower(name)}, " ")
}

func uncovered(known map[string]bool, s stray) []string {
	var out []string
	for _, name := range s.names {
		if !known[strayID(s.region, s.key, name)] {
			out = append(out, s.key+" "+name+" in "+string(s.region))
		}
	}
	slices.Sort(out)
	return out
}

func judgeCovered(open []string) finding {
	if len(open) > 0 {
		return amber("no plan covers %s", some(open))
	}
	return green("the plan covers all of it")
}
