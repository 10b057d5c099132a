package kinds

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/drs"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// proveServer judges one source server by what was read of all: it replicates
// closely, has points in time, and its last launch is no older than drills may be.
func proveServer(ctx workflow.Context, p plan.Plan, r plan.Resource, all []strength) []runbook.CheckResult {
	var out []runbook.CheckResult
	now := workflow.Now(ctx)
	for _, s := range all {
		id := r.Regions[s.region]["sourceServer"]
		if id == "" {
			continue
		}
		got, there := s.servers.ByID[id]
		read := saw(ctx, s.region, "%s is %s, lag %s, %d points up to %s, last launch %q at %s, job %q", id, got.State, span(got.Lag), got.Points, stamp(got.Newest), got.Launch, stamp(got.LaunchAt), got.Job)
		replicates := onData(r, "replication/"+r.Name, "the server replicates continuously, within the objective", "see why replication stalls: the agent, the network on port 1500, or the staging area")
		replicates.Command = "aws drs describe-source-servers --region " + string(s.region) + " --filters sourceServerIDs=" + id
		points := onData(r, "points/"+r.Name, "points in time exist to launch from", replicates.Fix)
		points.Command = "aws drs describe-recovery-snapshots --region " + string(s.region) + " --source-server-id " + id
		launch := onCompute(r.Name, "launch/"+r.Name, "the last launch succeeded and is no older than drills may be", "launch a drill of the server and see why it fails",
			"aws drs start-recovery --is-drill --region "+string(s.region)+" --source-servers sourceServerID="+id)
		job := onCompute(r.Name, "job/"+r.Name, "no job runs on the server", "wait until the job has ended: a server in a job can't be launched", "aws drs describe-jobs --region "+string(s.region))
		out = append(out,
			decide(ctx, replicates, s.serverErr, judgeReplication(got, there, p.ObjectivesOf(r).RPO.D()), read),
			decide(ctx, points, s.serverErr, judgePoints(got, there), read),
			decide(ctx, launch, s.serverErr, judgeLaunch(got, now, drillAge(p)), read),
			decide(ctx, job, s.serverErr, judgeJob(got), read))
	}
	return out
}

// drillAge is how old proof by a drill may be; zero when the plan does not say.
func drillAge(p plan.Plan) time.Duration {
	if p.Readiness == nil {
		return 0
	}
	return p.Readiness.DrillAge.D()
}

// judgeReplication is a gate of readiness. In a real outage every server stalls,
// and that holds nobody up then.
func judgeReplication(s drs.Server, there bool, rpo time.Duration) finding {
	switch {
	case !there:
		return red("Elastic Disaster Recovery does not know the server")
	case s.State != "CONTINUOUS":
		return red("replication is %s, not CONTINUOUS", s.State)
	case s.Lag < 0:
		return unknown("AWS names no lag, which does not mean none")
	case s.Lag > rpo:
		return red("the newest consistent point is %s old, %s is allowed", span(s.Lag), span(rpo))
	}
	return green("it replicates, %s behind", span(s.Lag))
}

func judgePoints(s drs.Server, there bool) finding {
	if !there || s.Points == 0 {
		return red("there is no point in time to launch from")
	}
	return green("%d points or more, up to %s", s.Points, stamp(s.Newest))
}

func judgeLaunch(s drs.Server, now time.Time, allowed time.Duration) finding {
	age := windowSince(s.LaunchAt, now)
	switch {
	case s.Launch == "" || s.LaunchAt.IsZero():
		return amber("it has never been launched: nobody knows whether it boots")
	case s.Launch == "FAILED":
		return red("the last launch failed, at %s", stamp(s.LaunchAt))
	case allowed > 0 && age > allowed:
		return amber("the last launch is %s old, %s is allowed", span(age), span(allowed))
	}
	return green("it was launched at %s: %s", stamp(s.LaunchAt), s.Launch)
}

func judgeJob(s drs.Server) finding {
	if s.Job != "" {
		return amber("job %s runs on it", s.Job)
	}
	return green("nothing runs on it")
}
