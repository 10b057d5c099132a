package kinds

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/backup"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

const (
	// recentJobs is how far back a failed job still says something.
	recentJobs = 24 * time.Hour
	// oldestPoint is how far back points are looked for at least: what is older is
	// as good as none, and need not be listed.
	oldestPoint = 8 * 24 * time.Hour
)

// bankbook is what was read of the plan's vaults and jobs.
type bankbook struct {
	plan      plan.Plan
	now       time.Time
	regions   []plan.Region
	vaults    []backup.Vault
	jobs      []backup.Jobs
	vaultErrs []error
	jobErrs   []error
}

// proveBackups demands restorable points where they count: in the vault of the
// recovery Region. That jobs were completed proves nothing.
func proveBackups(ctx workflow.Context, p Player) []runbook.CheckResult {
	m := p.Move().Plan
	if m.Backup == nil {
		return nil
	}
	regions := m.TrafficRegions()
	n := len(regions)
	b := bankbook{
		plan: m, now: workflow.Now(ctx), regions: regions,
		vaults: make([]backup.Vault, n), jobs: make([]backup.Jobs, n), vaultErrs: make([]error, n), jobErrs: make([]error, n),
	}
	b.read(ctx, p)
	out := b.points(ctx)
	out = append(out, b.ended(ctx)...)
	out = append(out, b.locks(ctx)...)
	return append(out, b.restores(ctx)...)
}

// read asks for both vaults and for the jobs of both Regions.
func (b bankbook) read(ctx workflow.Context, p Player) {
	var a *backup.Ready
	var reads []func(workflow.Context)
	for i, region := range b.regions {
		reads = append(reads,
			func(ctx workflow.Context) {
				b.vaultErrs[i] = look(ctx, p, reading{
					name: "DescribeVault", resource: b.plan.Backup.Vault, region: region, activity: a.DescribeVault, out: &b.vaults[i],
					in: backup.VaultRef{Region: region, Vault: b.plan.Backup.Vault, Since: b.now.Add(-max(oldestPoint, 2*b.pointAge()))},
				})
			},
			func(ctx workflow.Context) {
				b.jobErrs[i] = look(ctx, p, reading{
					name: "DescribeJobs", resource: b.plan.Backup.Vault, region: region, activity: a.DescribeJobs, out: &b.jobs[i],
					in: backup.JobsRef{Region: region, Vault: b.plan.Backup.Vault, Since: b.now.Add(-recentJobs), Tests: b.now.Add(-max(recentJobs, b.restoreAge()))},
				})
			})
	}
	sideBySide(ctx, reads...)
}

func (b bankbook) pointAge() time.Duration {
	if b.plan.Readiness == nil {
		return 0
	}
	return b.plan.Readiness.PointAge.D()
}

func (b bankbook) restoreAge() time.Duration {
	if b.plan.Readiness == nil {
		return 0
	}
	return b.plan.Readiness.RestoreAge.D()
}

// onBackups is a check of this part.
func onBackups(resource, id, title, fix, command string) runbook.CheckResult {
	return runbook.CheckResult{ID: "backups/" + id, Subject: runbook.OnBackups, Title: title, Resource: resource, Fix: fix, Command: command}
}

// points judges the newest point of every resource that is selected by name, in
// the Region that would restore it.
func (b bankbook) points(ctx workflow.Context) []runbook.CheckResult {
	allowed := b.pointAge()
	if allowed == 0 {
		return nil
	}
	i := len(b.regions) - 1
	vault, region := b.vaults[i], b.regions[i]
	newest := withoutAccount(vault.Newest)
	s := Site{Plan: b.plan}
	due := b.firstDue(vault.Made)
	var out []runbook.CheckResult
	for _, r := range b.plan.Resources {
		arn := s.backupARN(r)
		if arn == "" || !s.backedUp(r) {
			continue
		}
		c := onBackups(r.Name, "point/"+r.Name, "a fresh point can be restored in "+string(region), "see why backups or their copies fail, and start one by hand",
			"aws backup list-copy-jobs --region "+string(b.regions[0])+" --by-state FAILED")
		at, found := newest[arn]
		out = append(out, decide(ctx, c, b.vaultErrs[i], judgePoint(at, found, b.now, due, allowed),
			saw(ctx, region, "vault %s, made %s, has %d points; the newest of %s is of %s", b.plan.Backup.Vault, stamp(vault.Made), vault.Points, r.Name, stamp(at))))
	}
	return out
}

// judgePoint is mild with a vault that is younger than its first backup.
func judgePoint(at time.Time, found bool, now, due time.Time, allowed time.Duration) finding {
	switch {
	case found:
		return within("the newest point", windowSince(at, now), allowed)
	case now.Before(due):
		return amber("first backup due at %s", stamp(due))
	}
	return red("there is no restorable point; the first was due at %s", stamp(due))
}

// firstDue is when the first backup must have arrived in a vault: the earliest
// schedule after it was made, with all the time that its windows give.
func (b bankbook) firstDue(made time.Time) time.Time {
	var due time.Time
	for _, rule := range b.plan.Backup.Rules {
		cron, err := plan.ParseCron(rule.Schedule)
		if err != nil {
			continue
		}
		if fires, ok := cron.Next(made); ok {
			if end := fires.Add(rule.Start.D() + rule.Complete.D()); due.IsZero() || end.Before(due) {
				due = end
			}
		}
	}
	if due.IsZero() { // AWS's template decides
		due = made.Add(b.pointAge())
	}
	return due
}

// withoutAccount makes ARNs comparable with those that the plan gives, which knows
// no account.
func withoutAccount(all map[string]time.Time) map[string]time.Time {
	out := map[string]time.Time{}
	for _, arn := range workflow.DeterministicKeys(all) {
		parts := strings.SplitN(arn, ":", 6)
		if len(parts) == 6 {
			parts[4] = ""
		}
		out[strings.Join(parts, ":")] = all[arn]
	}
	return out
}

// ended judges the backup and copy jobs of the last day, where they are told: in
// the Region that they start from.
func (b bankbook) ended(ctx workflow.Context) []runbook.CheckResult {
	home := b.regions[0]
	jobs := onBackups("", "jobs", "no backup of the last day failed or expired", "read what AWS says of the job, mend it and start the backup again", "aws backup list-backup-jobs --region "+string(home)+" --by-state FAILED")
	copies := onBackups("", "copies", "no copy of the last day failed", "read what AWS says of the copy: a key, an option group, or the other vault's lock", "aws backup list-copy-jobs --region "+string(home)+" --by-state FAILED")
	return []runbook.CheckResult{
		decide(ctx, jobs, b.jobErrs[0], judgeJobs(b.jobs[0].Backups), saw(ctx, home, "%s", jobWords(b.jobs[0].Backups))),
		decide(ctx, copies, b.jobErrs[0], judgeJobs(b.jobs[0].Copies), saw(ctx, home, "%s", jobWords(b.jobs[0].Copies))),
	}
}

// judgeJobs is red when the last job of a resource failed, and amber when a later
// one made it good.
func judgeJobs(jobs []backup.Job) finding {
	all := []finding{green("nothing failed")}
	for i, j := range jobs {
		if !j.Failed() {
			continue
		}
		last := i+1 == len(jobs) || jobs[i+1].Resource != j.Resource
		words := fmt.Sprintf("%s of %s at %s: %s", j.State, j.Resource, stamp(j.At), j.Why)
		if last {
			all = append(all, red("%s", words))
		} else {
			all = append(all, amber("%s; a later one did better", words))
		}
	}
	return worst(all...)
}

func jobWords(jobs []backup.Job) string {
	var out []string
	for _, j := range jobs {
		out = append(out, j.Resource+" "+j.State)
	}
	return "jobs of the last day: " + nothing(out)
}

// locks compares the vaults' locks with the plan.
func (b bankbook) locks(ctx workflow.Context) []runbook.CheckResult {
	if b.plan.Backup.Lock == nil {
		return nil
	}
	var out []runbook.CheckResult
	for i, region := range b.regions {
		v := b.vaults[i]
		c := onBackups(b.plan.Backup.Vault, "lock/"+string(region), "the vault in "+string(region)+" is locked", "let setup lock the vault", mendBySetup)
		out = append(out, decide(ctx, c, b.vaultErrs[i], judgeLock(v, *b.plan.Backup.Lock, b.now),
			saw(ctx, region, "locked %t, %d to %d days, final at %s", v.Locked, v.MinDays, v.MaxDays, stamp(v.Final))))
	}
	return out
}

func judgeLock(v backup.Vault, want plan.VaultLock, now time.Time) finding {
	switch {
	case !v.Locked:
		return red("recovery points can be deleted before their time")
	case v.MinDays != want.MinDays || v.MaxDays != want.MaxDays:
		return amber("it holds %d to %d days, and the plan says %d to %d", v.MinDays, v.MaxDays, want.MinDays, want.MaxDays)
	case want.Mode == compliance && v.Final.IsZero():
		return amber("it can be taken back: the plan wants compliance mode")
	case want.Mode == compliance && now.Before(v.Final):
		return green("it is final from %s on", stamp(v.Final))
	}
	return green("points stay %d days at least", v.MinDays)
}

// restores wants a restore that succeeded, best from the recovery Region's copy:
// there it is that restores fail.
func (b bankbook) restores(ctx workflow.Context) []runbook.CheckResult {
	allowed := b.restoreAge()
	if allowed == 0 {
		return nil
	}
	i := len(b.regions) - 1
	c := onBackups("", "restore-test", "a restore has been tested in "+string(b.regions[i]), "restore a point there with that Region's role and key, and look at what came back",
		"aws backup start-restore-job --region "+string(b.regions[i])+" --recovery-point-arn ARN --metadata file://METADATA")
	f := judgeRestore(b.jobs[i].Restored, b.jobs[0].Restored, b.now, allowed)
	return one(decide(ctx, c, b.jobErrs[i], f,
		saw(ctx, b.regions[i], "last restore that succeeded: %s", stamp(b.jobs[i].Restored)), saw(ctx, b.regions[0], "last restore that succeeded: %s", stamp(b.jobs[0].Restored))))
}

func judgeRestore(there, here, now time.Time, allowed time.Duration) finding {
	switch age := windowSince(there, now); {
	case !there.IsZero() && age <= allowed:
		return green("the last succeeded %s ago", span(age))
	case !here.IsZero() && windowSince(here, now) <= allowed:
		return amber("only the Region that may be lost has restored anything in the last %s", span(allowed))
	}
	return amber("no restore succeeded in the last %s", span(allowed))
}
