package kinds

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/cloudwatch"
	"lifeline/activities/rds"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Prove demands members in step in both Regions, each with an instance to promote,
// alike, and a lag within the objective. Which of them writes is not judged here.
func (aurora) Prove(ctx workflow.Context, p Player, r plan.Resource) []runbook.CheckResult {
	return beside(ctx,
		func(ctx workflow.Context) []runbook.CheckResult { return proveGlobal(ctx, p, r) },
		func(ctx workflow.Context) []runbook.CheckResult { return proveTwins(ctx, p, r) })
}

func proveGlobal(ctx workflow.Context, p Player, r plan.Resource) []runbook.CheckResult {
	m := p.Move()
	state, err := describeAurora(ctx, p, r)
	read := saw(ctx, m.To, "global database %s: %s", r.Global["globalCluster"], auroraWords(state))
	members := onData(r, "global/"+r.Name, "the global database has a member in step in every Region", "let setup add the member again, and wait until it is connected")
	headless := onData(r, "instances/"+r.Name, "every member has an instance: a headless one can't be promoted", "let setup make an instance in the member that has none")
	checks := []runbook.CheckResult{
		decide(ctx, members, err, judgeMembers(m.Plan, state), read),
		decide(ctx, headless, err, judgeInstances(m.Plan, state), read),
	}
	lag := onData(r, "lag/"+r.Name, "the secondary is behind by less than the objective", "see why replication lags: load on the writer, or a small secondary")
	lag.Command = lookAgain
	reader, ok := readerOf(m.Plan, state)
	if err != nil || !ok {
		return append(checks, decide(ctx, lag, err, unknown("no member follows the writer"), read))
	}
	var a *cloudwatch.Steps
	var got cloudwatch.Lag
	err = look(ctx, p, reading{
		name: "MeasureAuroraLag", resource: r.Name, region: reader, activity: a.MeasureAuroraLag,
		in: cloudwatch.AuroraLag{Region: reader, Cluster: r.Regions[reader]["cluster"]}, out: &got,
	})
	return append(checks, decide(ctx, lag, err, judgeAuroraLag(got, m.Plan.ObjectivesOf(r).RPO.D()),
		saw(ctx, reader, "AuroraGlobalDBRPOLag of %s: %s", r.Regions[reader]["cluster"], lagWords(got))))
}

func judgeMembers(p plan.Plan, state rds.Aurora) finding {
	var wrong []string
	if state.FailoverStatus != "" {
		wrong = append(wrong, "the writer is being moved: "+state.FailoverStatus)
	}
	if state.WriterRegion == "" {
		wrong = append(wrong, "no member writes")
	}
	for _, region := range p.TrafficRegions() {
		m, ok := memberOf(state, region)
		switch {
		case !ok:
			wrong = append(wrong, "there is no member in "+string(region))
		case !m.Writer && m.Sync != "connected":
			wrong = append(wrong, fmt.Sprintf("the member in %s is not connected (%s)", region, cmp.Or(m.Sync, "no state")))
		}
	}
	return redIf(wrong, green("the writer is in %s, and every other member follows it", state.WriterRegion))
}

func judgeInstances(p plan.Plan, state rds.Aurora) finding {
	all := []finding{green("every member can be promoted")}
	for _, region := range p.TrafficRegions() {
		switch m, ok := memberOf(state, region); {
		case !ok:
		case m.Instances < 0:
			all = append(all, unknown("%s did not say how many instances it has", region))
		case m.Instances == 0:
			all = append(all, red("the member in %s has no available instance", region))
		}
	}
	return worst(all...)
}

func memberOf(state rds.Aurora, region plan.Region) (rds.AuroraMember, bool) {
	i := slices.IndexFunc(state.Members, func(m rds.AuroraMember) bool { return m.Region == string(region) })
	if i < 0 {
		return rds.AuroraMember{}, false
	}
	return state.Members[i], true
}

// readerOf is the Region whose member follows, wherever the writer is now.
func readerOf(p plan.Plan, state rds.Aurora) (plan.Region, bool) {
	for _, region := range p.TrafficRegions() {
		if m, ok := memberOf(state, region); ok && !m.Writer {
			return region, true
		}
	}
	return "", false
}

func judgeAuroraLag(got cloudwatch.Lag, rpo time.Duration) finding {
	if !got.Found {
		return unknown("AWS has published no lag in the last minutes")
	}
	behind := time.Duration(got.Milliseconds * float64(time.Millisecond))
	if behind > rpo {
		return red("the secondary is %s behind, %s is allowed", span(behind), span(rpo))
	}
	return green("the secondary is %s behind, %s is allowed", span(behind), span(rpo))
}

func lagWords(got cloudwatch.Lag) string {
	if !got.Found {
		return "no datapoint"
	}
	return fmt.Sprintf("%.0f ms at %s", got.Milliseconds, stamp(got.At))
}

func auroraWords(state rds.Aurora) string {
	var out []string
	for _, m := range state.Members {
		role := "follows, " + m.Sync
		if m.Writer {
			role = "writes"
		}
		out = append(out, fmt.Sprintf("%s in %s %s, %d instances", m.ClusterID, m.Region, role, m.Instances))
	}
	return nothing(out)
}

// proveTwins compares the clusters of both Regions.
func proveTwins(ctx workflow.Context, p Player, r plan.Resource) []runbook.CheckResult {
	regions := p.Move().Plan.TrafficRegions()
	got, errs := make([]rds.Cluster, len(regions)), make([]error, len(regions))
	var a *rds.Ready
	var reads []func(workflow.Context)
	for i, region := range regions {
		reads = append(reads, func(ctx workflow.Context) {
			errs[i] = look(ctx, p, reading{
				name: "DescribeCluster", resource: r.Name, region: region, activity: a.DescribeCluster,
				in: rds.ClusterRef{Region: region, Cluster: r.Regions[region]["cluster"]}, out: &got[i],
			})
		})
	}
	sideBySide(ctx, reads...)
	var proofs []runbook.Proof
	for i, region := range regions {
		proofs = append(proofs, saw(ctx, region, "%s runs %s %s, parameter group %s with %d set", r.Regions[region]["cluster"], got[i].Engine, got[i].Version, got[i].Group, len(got[i].Parameters)))
	}
	version := onData(r, "version/"+r.Name, "both clusters run the same engine version", "upgrade the member that is behind: AWS fails over between equal versions only")
	version.Command = "aws rds modify-db-cluster --db-cluster-identifier CLUSTER --engine-version VERSION"
	groups := onData(r, "parameters/"+r.Name, "both clusters have the same parameters", "give both clusters parameter groups that say the same")
	groups.Command = "aws rds describe-db-cluster-parameters --source user --db-cluster-parameter-group-name GROUP"
	err := firstError(errs)
	checks := []runbook.CheckResult{
		decide(ctx, version, err, judgeVersions(got), proofs...),
		decide(ctx, groups, err, judgeParameters(got), proofs...),
	}
	if len(got) == 2 && err == nil && got[0].Engine != "aurora-postgresql" {
		return checks
	}
	rpo := onData(r, "rds-global-db-rpo/"+r.Name, "rds.global_db_rpo is left alone", "reset rds.global_db_rpo: with two Regions the new writer may block commits after a failover")
	rpo.Command = "aws rds reset-db-cluster-parameter-group --db-cluster-parameter-group-name GROUP --parameters ParameterName=rds.global_db_rpo,ApplyMethod=immediate"
	return append(checks, decide(ctx, rpo, err, judgeGlobalRPO(regions, got), proofs...))
}

func judgeVersions(got []rds.Cluster) finding {
	for _, c := range got[1:] {
		if c.Engine != got[0].Engine || c.Version != got[0].Version {
			return red("%s %s here, %s %s there", got[0].Engine, got[0].Version, c.Engine, c.Version)
		}
	}
	return green("%s %s", got[0].Engine, got[0].Version)
}

func judgeParameters(got []rds.Cluster) finding {
	var wrong []string
	for _, c := range got[1:] {
		names := append(workflow.DeterministicKeys(got[0].Parameters), workflow.DeterministicKeys(c.Parameters)...)
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			if a, b := got[0].Parameters[name], c.Parameters[name]; a != b {
				wrong = append(wrong, fmt.Sprintf("%s is %q in %s and %q in %s", name, a, got[0].Group, b, c.Group))
			}
		}
	}
	if len(wrong) > 0 {
		return amber("%s", some(wrong))
	}
	return green("nobody has set a parameter differently")
}

// judgeGlobalRPO is about PostgreSQL with two Regions: after a failover there is
// no secondary, and a writer that waits for one waits for ever.
func judgeGlobalRPO(regions []plan.Region, got []rds.Cluster) finding {
	var wrong []string
	for i, c := range got {
		if v := c.Parameters["rds.global_db_rpo"]; v != "" && v != "-1" {
			wrong = append(wrong, fmt.Sprintf("%s in %s sets it to %s", c.Group, regions[i], v))
		}
	}
	return redIf(wrong, green("it has AWS's default"))
}

func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
