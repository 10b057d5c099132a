package backup

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"
	"github.com/google/uuid"
)

// patience is how long AWS tries to begin a copy ("Copy job retry").
const patience = 2 * time.Hour

// copyJob is a copy job; it belongs to the Region it copies from.
type copyJob struct {
	region   *region
	sequence int
	point    *point
	order    copyOrder
	at       vaultPlace
	api      *sdk.CopyJob
}

// copyOrder is what a copy job was asked for.
type copyOrder struct {
	destination string // ARN of the vault
	role        string
	lifecycle   *sdk.Lifecycle // nil: the source's
	creator     *sdk.RecoveryPointCreator
}

func (c *copyJob) state() string { return *c.api.State }

// life is the lifecycle that the copy will have: what it doesn't say, or says to
// keep always, its source says.
func (c *copyJob) life() *sdk.Lifecycle {
	if c.order.lifecycle == nil {
		return c.point.lifecycle
	}
	if retention(c.order.lifecycle) == forEverDays && c.point.lifecycle != nil {
		out := *c.order.lifecycle
		out.DeleteAfterDays = c.point.lifecycle.DeleteAfterDays
		return &out
	}
	return c.order.lifecycle
}

// startCopy makes a copy job; b.mu is held.
func (b *Backup) startCopy(p *point, o copyOrder) *copyJob {
	r := p.vault.region
	at, _ := parseVaultARN(o.destination) // checked when it was ordered
	c := &copyJob{region: r, sequence: b.count(), point: p, order: o, at: at}
	c.api = &sdk.CopyJob{
		AccountId: aws.String(b.world.Account()), BackupSizeInBytes: aws.Int64(p.resource.Size), CopyJobId: aws.String(uuid.NewString()),
		CreatedBy: o.creator, CreationDate: aws.Time(b.world.Now()), DestinationBackupVaultArn: aws.String(o.destination),
		IamRoleArn: aws.String(o.role), IsParent: aws.Bool(false), ResourceArn: aws.String(p.resource.ARN),
		ResourceName: aws.String(p.resource.Name), ResourceType: aws.String(p.resource.Type),
		SourceBackupVaultArn: aws.String(p.vault.arn), SourceRecoveryPointArn: aws.String(p.arn),
	}
	r.copies[*c.api.CopyJobId] = c
	b.enterCopy(c, sdk.CopyJobStateCreated, "")
	b.settle(b.options.Times.Begin, func() { b.tryCopy(c, patience) })
	return c
}

// tryCopy begins a copy, or tries again while there is patience left.
func (b *Backup) tryCopy(c *copyJob, left time.Duration) {
	if why := b.cannotCopy(c); why != "" {
		b.enterCopy(c, sdk.CopyJobStateFailed, why)
		return
	}
	switch {
	case c.queued():
		b.settle(time.Minute, func() { b.tryCopy(c, left) })
	case !b.world.Reachable(c.region.name, c.at.region) && left <= 0:
		b.enterCopy(c, sdk.CopyJobStateFailed, fmt.Sprintf("Copy job failed because Region %s could not be reached.", c.at.region))
	case !b.world.Reachable(c.region.name, c.at.region):
		b.settle(retryStart, func() { b.tryCopy(c, left-retryStart) })
	default:
		b.enterCopy(c, sdk.CopyJobStateRunning, "")
		b.settle(b.options.Times.Copy, func() { b.finishCopy(c, patience) })
	}
}

// queued tells whether another copy of the resource to the same Region is at
// work: there is one at a time.
func (c *copyJob) queued() bool {
	for _, other := range c.region.copies {
		if other != c && other.state() == sdk.CopyJobStateRunning && other.at.region == c.at.region && other.point.resource.ARN == c.point.resource.ARN {
			return true
		}
	}
	return false
}

// finishCopy makes the recovery point of a copy.
func (b *Backup) finishCopy(c *copyJob, left time.Duration) {
	why := b.cannotCopy(c)
	switch {
	case why == "" && b.world.Reachable(c.region.name, c.at.region):
		p := b.deliver(c)
		c.api.DestinationRecoveryPointArn = aws.String(p.arn)
		b.enterCopy(c, sdk.CopyJobStateCompleted, "")
	case why == "" && left > 0:
		b.settle(retryStart, func() { b.finishCopy(c, left-retryStart) })
	case why == "":
		b.enterCopy(c, sdk.CopyJobStateFailed, fmt.Sprintf("Copy job failed because Region %s could not be reached.", c.at.region))
	default:
		b.enterCopy(c, sdk.CopyJobStateFailed, why)
	}
}

// deliver enters the copy into its vault. A copy is a snapshot, whatever its
// source is, and as old as its source.
func (b *Backup) deliver(c *copyJob) *point {
	v := b.in(c.at.region).vaults[c.at.name]
	p := b.newPoint(v, b.pointARN(v.region, c.point.resource, "copyjob-"+*c.api.CopyJobId), c.point.resource)
	p.status, p.source, p.role, p.creator = sdk.RecoveryPointStatusCompleted, c.point.vault.arn, c.order.role, c.order.creator
	p.created, p.born, p.lifecycle, p.key = c.point.created, c.point.born, c.life(), v.key
	if c.point.continuous {
		p.created, p.born = p.completed, b.calendar.now() // it is of now, however old its source
	}
	v.region.tag(p.arn, aws.StringMap(c.region.tags[c.point.arn]))
	b.age(p)
	b.pointChanged(p, "NumberOfRecoveryPointsCompleted")
	return p
}

// cannotCopy says why a copy can't be made; empty when it can.
func (b *Backup) cannotCopy(c *copyJob) string {
	res := c.point.resource
	v := b.in(c.at.region).vaults[c.at.name]
	switch {
	case c.at.account != b.world.Account():
		return "Copy job failed. Both source and destination account must be a member of the same organization."
	case v == nil:
		return fmt.Sprintf("Copy job failed because the destination Backup vault %s does not exist.", c.order.destination)
	case c.point.vault.points[c.point.arn] != c.point || c.point.status == sdk.RecoveryPointStatusDeleting:
		return fmt.Sprintf("Copy job failed because the recovery point %s does not exist.", c.point.arn)
	case c.point.cold:
		return "Copy job failed because recovery points in cold storage cannot be copied."
	}
	if why := b.unsupported(c, res); why != "" {
		return why
	}
	if !v.region.managed(res.Type) && b.keyIsAWSs(v) {
		return "Copy job failed because the destination Backup vault is encrypted with the default Backup service managed key. " +
			"The contents of this vault cannot be copied. Only the contents of a Backup vault encrypted by an AWS KMS key may be copied."
	}
	for _, why := range []string{v.lock.rejects(c.life()), b.shut(v)} {
		if why != "" {
			return "Copy job failed because " + why + "."
		}
	}
	return ""
}

// unsupported says why a resource can't be copied as it is.
func (b *Backup) unsupported(c *copyJob, res Resource) string {
	abroad := c.at.region != c.region.name
	switch {
	case res.MultiAZCluster:
		return "Copy job failed because copies of Amazon RDS Multi-AZ DB clusters are not supported."
	case res.Type == "DynamoDB" && !c.region.settings.management["DynamoDB"]:
		return "Copy job failed because advanced features for Amazon DynamoDB backups are not enabled."
	case abroad && res.CustomOptionGroup != "" && (b.options.Groups == nil || !b.options.Groups.HasOptionGroup(c.at.region, res.CustomOptionGroup)):
		return fmt.Sprintf("Copy job failed because the option group %s does not exist in the destination Region %s.", res.CustomOptionGroup, c.at.region)
	default:
		return ""
	}
}

// enterCopy changes a job's state and tells everybody who is interested.
func (b *Backup) enterCopy(c *copyJob, state, message string) {
	a := c.api
	a.State = aws.String(state)
	if message != "" {
		a.StatusMessage = aws.String(message)
	}
	v := c.point.vault
	switch state {
	case sdk.CopyJobStateCreated:
		b.notify(v, sdk.VaultEventCopyJobStarted, sentence("copy", "started", *a.ResourceArn, *a.CopyJobId))
	case sdk.CopyJobStateCompleted:
		a.CompletionDate = aws.Time(b.world.Now())
		b.notify(v, sdk.VaultEventCopyJobSuccessful, sentence("copy", state, *a.ResourceArn, *a.CopyJobId))
	case sdk.CopyJobStateFailed:
		a.CompletionDate = aws.Time(b.world.Now())
		b.notify(v, sdk.VaultEventCopyJobFailed, sentence("copy", state, *a.ResourceArn, *a.CopyJobId))
	}
	b.publish(c.region.name, "NumberOfCopyJobs"+title(state), v.name, *a.ResourceType)
	b.happened("copy-job", c.region.name, *a.CopyJobId, state)
	b.emit(c.region.name, "Copy Job State Change", []string{c.point.arn}, copyDetail(a))
}

func copyDetail(a *sdk.CopyJob) map[string]any {
	detail := map[string]any{
		"copyJobId": *a.CopyJobId, "backupSizeInBytes": *a.BackupSizeInBytes, "creationDate": stamp(*a.CreationDate),
		"iamRoleArn": *a.IamRoleArn, "resourceArn": *a.ResourceArn, "resourceType": *a.ResourceType,
		"sourceBackupVaultArn": *a.SourceBackupVaultArn, "destinationBackupVaultArn": *a.DestinationBackupVaultArn,
		"destinationRecoveryPointArn": map[string]any{}, "state": *a.State,
	}
	if a.DestinationRecoveryPointArn != nil {
		detail["destinationRecoveryPointArn"] = *a.DestinationRecoveryPointArn
	}
	if a.StatusMessage != nil {
		detail["statusMessage"] = *a.StatusMessage
	}
	if a.CompletionDate != nil {
		detail["completionDate"] = stamp(*a.CompletionDate)
	}
	if a.CreatedBy != nil {
		detail["createdBy"] = creatorDetail(a.CreatedBy)
	}
	return detail
}
