package kinds

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/dlm"
	"lifeline/activities/ec2"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Prove demands that the policy runs, a fresh snapshot of the volume, and a fresh
// copy in the other Region. What AWS Backup snapshots is proved with the backups.
func (volume) Prove(ctx workflow.Context, p Player, r plan.Resource) []runbook.CheckResult {
	if snapshotsBy(r) != byDLM {
		return nil
	}
	s := Site{Plan: p.Move().Plan}
	var out []runbook.CheckResult
	for _, region := range s.Plan.TrafficRegions() {
		if r.Regions[region]["volume"] != "" {
			out = append(out, s.proveVolume(ctx, p, r, region)...)
		}
	}
	return out
}

// proveVolume proves one volume where it lives.
func (s Site) proveVolume(ctx workflow.Context, p Player, r plan.Resource, region plan.Region) []runbook.CheckResult {
	group := s.snapshotGroup(*r.Protect.Snapshots)
	var a *dlm.Ready
	var policy dlm.Lifecycle
	err := look(ctx, p, reading{
		name: "DescribeLifecycle", resource: r.Name, region: region, activity: a.DescribeLifecycle,
		in: dlm.LifecycleRef{Region: region, TagKey: snapshotTag, TagValue: group}, out: &policy,
	})
	c := onData(r, "snapshot-policy/"+r.Name, "the snapshot policy runs", "see what AWS says of the policy, and let setup make it again")
	checks := one(decide(ctx, c, err, judgePolicy(policy), saw(ctx, region, "policy %s is %s, made %s", policy.ID, policy.State, stamp(policy.Made))))
	fresh := onData(r, "snapshots/"+r.Name, "the volume has a fresh snapshot", "see in Data Lifecycle Manager why the policy takes none")
	fresh.Command = "aws dlm get-lifecycle-policies --region " + string(region)
	all := []func(workflow.Context) []runbook.CheckResult{
		proveSnapshots(p, r, fresh, policy, ec2.SnapshotsRef{Region: region, Volume: r.Regions[region]["volume"]}),
	}
	if to := s.across(region); to != "" && r.Protect.Snapshots.CopyRetain > 0 {
		// A copy does not tell its volume; it carries the tags of the group.
		copied := fresh
		copied.ID, copied.Title = "data/snapshot-copies/"+r.Name, "the other Region has a fresh copy of a snapshot of the volume's group"
		copied.Fix = "see whether the policy's copy fails: a key that can't be used there fails silently"
		all = append(all, proveSnapshots(p, r, copied, policy, ec2.SnapshotsRef{Region: to, TagKey: snapshotTag, TagValue: group}))
	}
	return append(checks, beside(ctx, all...)...)
}

func judgePolicy(got dlm.Lifecycle) finding {
	if got.State != "ENABLED" {
		return red("policy %s is %s: %s", got.ID, got.State, got.Why)
	}
	return green("policy %s is enabled", got.ID)
}

func proveSnapshots(p Player, r plan.Resource, c runbook.CheckResult, policy dlm.Lifecycle, in ec2.SnapshotsRef) func(workflow.Context) []runbook.CheckResult {
	return func(ctx workflow.Context) []runbook.CheckResult {
		var a *ec2.Ready
		var got ec2.Snapshots
		err := look(ctx, p, reading{name: "DescribeSnapshots", resource: r.Name, region: in.Region, activity: a.DescribeSnapshots, in: in, out: &got})
		f := judgeSnapshots(got, policy.Made, workflow.Now(ctx), p.Move().Plan.ObjectivesOf(r).RPO.D())
		return one(decide(ctx, c, err, f, saw(ctx, in.Region, "%d finished snapshots, the newest of %s", got.Finished, stamp(got.Newest))))
	}
}

// judgeSnapshots lets a young policy have its first day: snapshots are taken once
// a day, and the first of them takes hours.
func judgeSnapshots(got ec2.Snapshots, made, now time.Time, rpo time.Duration) finding {
	due := made.Add(firstSnapshot)
	switch {
	case got.Finished > 0:
		return within("the newest", windowSince(got.Newest, now), rpo)
	case !made.IsZero() && now.Before(due):
		return amber("there is none yet: the first is due by %s", stamp(due))
	}
	return red("there is none")
}

// firstSnapshot is how long a new policy may take to its first snapshot.
const firstSnapshot = 36 * time.Hour
