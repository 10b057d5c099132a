package kinds

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/cloudwatch"
	"lifeline/activities/rds"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Prove demands what the plan protects the instance by: a replica that follows
// closely and has backups of its own, or replicated backups that are fresh.
func (instance) Prove(ctx workflow.Context, p Player, r plan.Resource) []runbook.CheckResult {
	var all []func(workflow.Context) []runbook.CheckResult
	if protectOf(r).ReadReplica {
		all = append(all, func(ctx workflow.Context) []runbook.CheckResult { return proveReplica(ctx, p, r) })
	}
	if protectOf(r).AutomatedBackups {
		all = append(all, func(ctx workflow.Context) []runbook.CheckResult { return one(proveCopied(ctx, p, r)) })
	}
	return beside(ctx, all...)
}

// couple are the two instances, and which of them follows.
type couple struct {
	source, replica       plan.Region
	atSource, atReplica   rds.Instance
	sourceErr, replicaErr error
}

// err is what stands in the way of a judgement of both.
func (c couple) err() error { return firstError([]error{c.sourceErr, c.replicaErr}) }

// coupleOf reads both instances. After a promotion the one that is at home may
// follow the other.
func coupleOf(ctx workflow.Context, p Player, r plan.Resource) couple {
	m := p.Move()
	c := couple{source: m.From, replica: m.To}
	read := func(region plan.Region, out *rds.Instance, err *error) func(workflow.Context) {
		var a *rds.Ready
		return func(ctx workflow.Context) {
			*err = look(ctx, p, reading{
				name: "DescribeInstance", resource: r.Name, region: region, activity: a.DescribeInstance,
				in: rds.InstanceRef{Region: region, Instance: rdsName(r.Regions[region]["instance"])}, out: out,
			})
		}
	}
	sideBySide(ctx, read(c.source, &c.atSource, &c.sourceErr), read(c.replica, &c.atReplica, &c.replicaErr))
	if c.atReplica.Follows == "" && c.atSource.Follows != "" {
		return couple{c.replica, c.source, c.atReplica, c.atSource, c.replicaErr, c.sourceErr}
	}
	return c
}

func proveReplica(ctx workflow.Context, p Player, r plan.Resource) []runbook.CheckResult {
	c := coupleOf(ctx, p, r)
	reads := []runbook.Proof{saw(ctx, c.source, "source %s", instanceWords(c.atSource)), saw(ctx, c.replica, "replica %s", instanceWords(c.atReplica))}
	follows := onData(r, "replica/"+r.Name, "a replica in the other Region follows the instance", "let setup make the replica again")
	version := onData(r, "version/"+r.Name, "instance and replica run the same engine version", "upgrade the replica first, then the source")
	version.Command = "aws rds modify-db-instance --db-instance-identifier INSTANCE --engine-version VERSION"
	keeps := onData(r, "replica-backups/"+r.Name, "the replica has backups of its own", "let setup switch them on: once it is promoted it must be restorable")
	checks := []runbook.CheckResult{
		decide(ctx, follows, c.replicaErr, judgeReplica(c.atReplica), reads[1]),
		decide(ctx, version, c.err(), judgeInstanceVersions(c), reads...),
		decide(ctx, keeps, c.replicaErr, judgeReplicaBackups(c.atReplica), reads[1]),
	}
	var a *cloudwatch.Ready
	var got cloudwatch.Metrics
	err := look(ctx, p, reading{
		name: "MeasureMetrics", resource: r.Name, region: c.replica, activity: a.MeasureMetrics, out: &got,
		in: cloudwatch.MetricsRef{Region: c.replica, Metrics: []cloudwatch.Metric{{
			Namespace: "AWS/RDS", Name: "ReplicaLag", Window: 10 * time.Minute,
			Dimensions: map[string]string{"DBInstanceIdentifier": rdsName(r.Regions[c.replica]["instance"])},
		}}},
	})
	var lag cloudwatch.Series
	if len(got.Series) == 1 {
		lag = got.Series[0]
	}
	behind := onData(r, "lag/"+r.Name, "the replica is behind by less than the objective", "see why the replica lags or has stopped to replicate")
	behind.Command = "aws rds describe-events --source-type db-instance --source-identifier " + rdsName(r.Regions[c.replica]["instance"])
	return append(checks, decide(ctx, behind, err, judgeReplicaLag(lag, p.Move().Plan.ObjectivesOf(r).RPO.D()), saw(ctx, c.replica, "%s", seriesWords("ReplicaLag in seconds", lag, lag.Latest))))
}

func judgeReplica(i rds.Instance) finding {
	switch {
	case i.Follows == "":
		return red("the instance in the other Region replicates from nothing")
	case i.Status == "backing-up":
		return amber("it is backing up, and can't be promoted meanwhile")
	case i.Status != "available":
		return red("the replica is %s", i.Status)
	}
	return green("it replicates from %s", i.Follows)
}

func judgeInstanceVersions(c couple) finding {
	if c.atSource.Version != c.atReplica.Version {
		return amber("%s in %s, %s in %s", c.atSource.Version, c.source, c.atReplica.Version, c.replica)
	}
	return green("both run %s", c.atSource.Version)
}

func judgeReplicaBackups(i rds.Instance) finding {
	if i.BackupDays < 1 {
		return red("it keeps no backups")
	}
	return green("it keeps %d days", i.BackupDays)
}

// judgeReplicaLag knows -1: the replica does not replicate.
func judgeReplicaLag(lag cloudwatch.Series, rpo time.Duration) finding {
	behind := time.Duration(lag.Latest * float64(time.Second))
	switch {
	case !lag.Found:
		return unknown("AWS has published no lag in the last minutes")
	case lag.Latest < 0:
		return red("ReplicaLag is -1: the replica does not replicate")
	case behind > rpo:
		return red("the replica is %s behind, %s is allowed", span(behind), span(rpo))
	}
	return green("the replica is %s behind, %s is allowed", span(behind), span(rpo))
}

func instanceWords(i rds.Instance) string {
	out := []string{i.Status, i.Engine, i.Version, fmt.Sprintf("%d days of backups", i.BackupDays)}
	if i.Follows != "" {
		out = append(out, "follows "+i.Follows)
	}
	return strings.Join(out, ", ")
}

// proveCopied looks at the automated backups that the recovery Region keeps.
func proveCopied(ctx workflow.Context, p Player, r plan.Resource) runbook.CheckResult {
	var a *rds.Ready
	var got rds.CopiedBackups
	m := p.Move()
	err := look(ctx, p, reading{
		name: "DescribeCopiedBackups", resource: r.Name, region: m.To, activity: a.DescribeCopiedBackups,
		in: rds.InstanceRef{Region: m.To, Instance: rdsName(r.Regions[m.From]["instance"])}, out: &got,
	})
	c := onData(r, "replicated-backups/"+r.Name, "the recovery Region keeps fresh automated backups", "let setup start the replication of backups again")
	return decide(ctx, c, err, judgeCopied(got, workflow.Now(ctx), m.Plan.ObjectivesOf(r).RPO.D(), protectOf(r).ReadReplica),
		saw(ctx, m.To, "status %q, restorable up to %s", got.Status, stamp(got.Latest)))
}

// judgeCopied is milder where a replica is the first way out.
func judgeCopied(got rds.CopiedBackups, now time.Time, rpo time.Duration, second bool) finding {
	if !got.Found {
		return red("the recovery Region keeps no automated backups of it")
	}
	if !strings.EqualFold(got.Status, "replicating") {
		return red("replication of backups is %q", got.Status)
	}
	if got.Latest.IsZero() {
		return amber("the first backup has not arrived yet")
	}
	f := within("the newest restorable moment", windowSince(got.Latest, now), rpo)
	if f.grade == runbook.Red && second {
		f.grade = runbook.Amber
	}
	return f
}
