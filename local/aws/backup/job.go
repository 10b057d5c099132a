package backup

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"
	"github.com/google/uuid"
)

const (
	retryStart = 10 * time.Minute // between attempts to begin in the start window
	retryDark  = time.Minute      // between looks whether a dark Region is back
)

// job is a backup job.
type job struct {
	region     *region
	sequence   int
	resource   Resource
	order      order
	firing     *firing // nil for a job on demand
	continuous bool    // it makes or prolongs a continuous recovery point
	hindrance  string  // why it has not begun yet
	api        *sdk.DescribeBackupJobOutput
}

// order is what a backup job was asked for.
type order struct {
	vault      string
	role       string
	lifecycle  *sdk.Lifecycle
	tags       map[string]*string
	options    map[string]*string
	start      time.Duration
	completion time.Duration
	copies     []*sdk.CopyAction
}

func (j *job) state() string { return *j.api.State }

// busy tells whether the job is at work on its resource.
func (j *job) busy() bool {
	return j.state() == sdk.JobStatePending || j.state() == sdk.JobStateRunning || j.state() == sdk.JobStateAborting
}

// alive tells whether the job has made something or still may.
func (j *job) alive() bool {
	return j.busy() || j.state() == sdk.JobStateCreated || j.state() == sdk.JobStateCompleted
}

// schedule starts the job of a rule for one resource; b.mu is held.
func (b *Backup) schedule(r *region, f firing, a assignment) {
	rule := f.rule
	b.begin(r, a.resource, &f, order{
		vault: *rule.TargetBackupVaultName, role: a.role, lifecycle: rule.Lifecycle, tags: rule.RecoveryPointTags,
		start: f.window(), completion: minutes(rule.CompletionWindowMinutes, defaultEnd), copies: rule.CopyActions,
		options: f.plan.options(a.resource.Type),
	})
}

// options are the plan's advanced settings for a type.
func (p *plan) options(kind string) map[string]*string {
	for _, s := range p.current().settings {
		if aws.StringValue(s.ResourceType) == kind {
			return s.BackupOptions
		}
	}
	return nil
}

// begin makes a job, which waits to start within its window; b.mu is held.
func (b *Backup) begin(r *region, res Resource, f *firing, o order) *job {
	now := b.world.Now()
	j := &job{region: r, sequence: b.count(), resource: res, order: o, firing: f}
	j.api = &sdk.DescribeBackupJobOutput{
		AccountId: aws.String(b.world.Account()), BackupJobId: aws.String(uuid.NewString()), BackupOptions: o.options,
		BackupVaultArn: aws.String(b.arn(r.name, "backup-vault", o.vault)), BackupVaultName: aws.String(o.vault),
		CreationDate: aws.Time(now), StartBy: aws.Time(now.Add(b.world.Wall(o.start))), IamRoleArn: aws.String(o.role),
		ResourceArn: aws.String(res.ARN), ResourceName: aws.String(res.Name), ResourceType: aws.String(res.Type),
		IsParent: aws.Bool(false), BytesTransferred: aws.Int64(0), CreatedBy: f.creator(),
	}
	if f != nil {
		j.api.InitiationDate = aws.Time(now)
	}
	r.jobs[*j.api.BackupJobId] = j
	b.enter(j, sdk.JobStateCreated, "")
	b.settle(b.options.Times.Begin/2, func() { b.try(j) })
	b.settle(o.start, func() { b.expire(j) })
	// The completion window counts from here too, not from when the work begins.
	b.settle(o.completion, func() { b.abort(j, "Backup job was stopped because it did not complete in its completion window.") })
	return j
}

// creator names the rule that made something; nil for what was made on demand.
func (f *firing) creator() *sdk.RecoveryPointCreator {
	if f == nil {
		return nil
	}
	return &sdk.RecoveryPointCreator{
		BackupPlanArn: aws.String(f.plan.arn), BackupPlanId: aws.String(f.plan.id),
		BackupPlanVersion: aws.String(f.plan.current().id), BackupRuleId: f.rule.RuleId,
	}
}

// try starts a job that waits, or tries again later.
func (b *Backup) try(j *job) {
	if j.state() == sdk.JobStateCreated && !b.start(j) {
		b.settle(retryStart, func() { b.try(j) })
	}
}

// start lets a job begin, or fail at once; false when something is in its way.
func (b *Backup) start(j *job) bool {
	if j.hindrance = b.hindered(j); j.hindrance != "" {
		return false
	}
	if why := b.hopeless(j); why != "" {
		b.enter(j, sdk.JobStateFailed, why)
		return true
	}
	b.enter(j, sdk.JobStatePending, "")
	b.settle(b.options.Times.Begin/2, func() { b.run(j) })
	return true
}

// hindered says what keeps a job from beginning for now.
func (b *Backup) hindered(j *job) string {
	if b.world.Dark(j.region.name) {
		return "Backup job failed because the service could not be reached."
	}
	for _, other := range j.region.jobs {
		if other != j && other.busy() && other.resource.ARN == j.resource.ARN {
			return "Backup job failed because there was a running job for the same resource."
		}
	}
	return ""
}

// hopeless says why a job can't succeed however long it waits.
func (b *Backup) hopeless(j *job) string {
	v := j.region.vaults[j.order.vault]
	if v == nil {
		return fmt.Sprintf("Backup job failed because backup vault %s does not exist.", *j.api.BackupVaultArn)
	}
	res, there := b.find(j.region.name, j.resource.ARN)
	if !there {
		return fmt.Sprintf("Backup job failed because the resource %s does not exist.", j.resource.ARN)
	}
	j.resource = res // as it is now, not as it was when the job was made
	if why := v.lock.rejects(j.order.lifecycle); why != "" {
		return "Backup job failed because " + why + "."
	}
	if why := b.shut(v); why != "" && j.region.managed(res.Type) {
		return "Backup job failed because " + why + "."
	}
	if res.Unfit == "" && j.firing != nil && j.region.continuous(res.ARN) == nil && maintained(res.Maintenance, j.firing.at) {
		return "Backup job failed because it was scheduled within one hour before or during the maintenance window " + res.Maintenance + "."
	}
	return res.Unfit
}

// expire ends a job that could not begin in its start window, up to its end.
func (b *Backup) expire(j *job) {
	if j.state() == sdk.JobStateCreated && !b.start(j) {
		b.enter(j, sdk.JobStateExpired, j.hindrance)
	}
}

func (b *Backup) run(j *job) {
	if j.state() != sdk.JobStatePending {
		return
	}
	if b.world.Dark(j.region.name) {
		b.settle(retryDark, func() { b.run(j) })
		return
	}
	j.api.ExpectedCompletionDate = aws.Time(b.world.Now().Add(b.world.Wall(b.options.Times.Backup)))
	b.enter(j, sdk.JobStateRunning, "")
	b.settle(b.options.Times.Backup, func() { b.finish(j) })
}

// finish makes the recovery point and then its copies.
func (b *Backup) finish(j *job) {
	if j.state() != sdk.JobStateRunning {
		return
	}
	if b.world.Dark(j.region.name) {
		b.settle(retryDark, func() { b.finish(j) })
		return
	}
	v := j.region.vaults[j.order.vault]
	if v == nil {
		b.enter(j, sdk.JobStateFailed, fmt.Sprintf("Backup job failed because backup vault %s does not exist.", *j.api.BackupVaultArn))
		return
	}
	p, note := b.take(j, v)
	j.api.RecoveryPointArn = aws.String(p.arn)
	j.api.BackupSizeInBytes, j.api.BytesTransferred = aws.Int64(p.resource.Size), aws.Int64(p.resource.Size)
	b.enter(j, sdk.JobStateCompleted, note)
	for _, action := range j.order.copies {
		b.startCopy(p, copyOrder{
			destination: *action.DestinationBackupVaultArn, role: j.order.role, lifecycle: action.Lifecycle, creator: j.api.CreatedBy,
		})
	}
}

// abort stops a job that is at work.
func (b *Backup) abort(j *job, why string) {
	if j.state() != sdk.JobStateRunning {
		return
	}
	b.stop(j, why)
}

func (b *Backup) stop(j *job, why string) {
	b.enter(j, sdk.JobStateAborting, "")
	b.settle(b.options.Times.Begin/2, func() { b.enter(j, sdk.JobStateAborted, why) })
}

// enter changes a job's state and tells everybody who is interested.
func (b *Backup) enter(j *job, state, message string) {
	a := j.api
	a.State, a.PercentDone = aws.String(state), aws.String("0.0")
	if message != "" {
		a.StatusMessage = aws.String(message)
	}
	vault := j.region.vaults[j.order.vault]
	switch state {
	case sdk.JobStateCreated:
		b.notify(vault, sdk.VaultEventBackupJobStarted, sentence("backup", "started", j.resource.ARN, *a.BackupJobId))
	case sdk.JobStateCompleted:
		a.PercentDone = aws.String("100.0")
		fallthrough
	case sdk.JobStateFailed, sdk.JobStateAborted, sdk.JobStateExpired:
		a.CompletionDate = aws.Time(b.world.Now())
		b.notify(vault, sdk.VaultEventBackupJobCompleted, sentence("backup", state, j.resource.ARN, *a.BackupJobId))
	}
	if state != sdk.JobStateAborting {
		b.publish(j.region.name, "NumberOfBackupJobs"+title(state), j.order.vault, j.resource.Type)
	}
	b.happened("backup-job", j.region.name, *a.BackupJobId, state)
	b.emit(j.region.name, "Backup Job State Change", points(a.RecoveryPointArn), jobDetail(a))
}

// points is the list of resources of an event.
func points(arn *string) []string {
	if arn == nil {
		return []string{}
	}
	return []string{*arn}
}

func jobDetail(a *sdk.DescribeBackupJobOutput) map[string]any {
	detail := map[string]any{
		"backupJobId": *a.BackupJobId, "backupVaultArn": *a.BackupVaultArn, "backupVaultName": *a.BackupVaultName,
		"bytesTransferred": fmt.Sprint(*a.BytesTransferred), "creationDate": stamp(*a.CreationDate), "iamRoleArn": *a.IamRoleArn,
		"resourceArn": *a.ResourceArn, "resourceType": *a.ResourceType, "state": *a.State, "startBy": stamp(*a.StartBy), "percentDone": 0,
	}
	if *a.State == sdk.JobStateCompleted {
		detail["percentDone"] = 100
	}
	if a.StatusMessage != nil {
		detail["statusMessage"] = fmt.Sprintf("%q", *a.StatusMessage)
	}
	if a.BackupSizeInBytes != nil {
		detail["backupSizeInBytes"] = fmt.Sprint(*a.BackupSizeInBytes)
	}
	if a.CompletionDate != nil {
		detail["completionDate"] = stamp(*a.CompletionDate)
	}
	if a.CreatedBy != nil {
		detail["createdBy"] = creatorDetail(a.CreatedBy)
	}
	return detail
}

func creatorDetail(c *sdk.RecoveryPointCreator) map[string]any {
	return map[string]any{
		"backupPlanId": *c.BackupPlanId, "backupPlanArn": *c.BackupPlanArn,
		"backupPlanVersion": *c.BackupPlanVersion, "backupPlanRuleId": *c.BackupRuleId,
	}
}
