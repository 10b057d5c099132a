package backup

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"
	"github.com/google/uuid"
)

// restoreJob is a restore job.
type restoreJob struct {
	region   *region
	sequence int
	point    *point
	metadata map[string]string
	api      *sdk.DescribeRestoreJobOutput
}

func (j *restoreJob) state() string { return *j.api.Status }

// startRestore makes a restore job; b.mu is held.
func (b *Backup) startRestore(p *point, role *string, metadata map[string]string) *restoreJob {
	r := p.vault.region
	j := &restoreJob{region: r, sequence: b.count(), point: p, metadata: metadata}
	j.api = &sdk.DescribeRestoreJobOutput{
		AccountId: aws.String(b.world.Account()), BackupSizeInBytes: aws.Int64(p.resource.Size), CreationDate: aws.Time(b.world.Now()),
		IamRoleArn: role, RecoveryPointArn: aws.String(p.arn), RecoveryPointCreationDate: aws.Time(p.created),
		ResourceType: aws.String(p.resource.Type), RestoreJobId: aws.String(uuid.NewString()),
		ExpectedCompletionTimeMinutes: aws.Int64(int64(b.options.Times.Restore.Minutes())),
	}
	r.restores[*j.api.RestoreJobId] = j
	b.enterRestore(j, sdk.RestoreJobStatusPending, "")
	b.settle(b.options.Times.Begin, func() { b.runRestore(j) })
	return j
}

func (b *Backup) runRestore(j *restoreJob) {
	switch {
	case b.world.Dark(j.region.name):
		b.settle(retryDark, func() { b.runRestore(j) })
	case j.point.vault.points[j.point.arn] != j.point:
		b.enterRestore(j, sdk.RestoreJobStatusFailed, fmt.Sprintf("Restore job failed because the recovery point %s does not exist.", j.point.arn))
	default:
		b.enterRestore(j, sdk.RestoreJobStatusRunning, "")
		b.world.After(b.options.Times.Restore, func() { b.finishRestore(j) })
	}
}

// finishRestore asks the Restorer without the lock: what it makes may be backed
// up by us.
func (b *Backup) finishRestore(j *restoreJob) {
	if b.world.Dark(j.region.name) {
		b.world.After(retryDark, func() { b.finishRestore(j) })
		return
	}
	arn, err := b.restore(j)
	b.mu.Lock()
	defer b.release()
	if err != nil {
		b.enterRestore(j, sdk.RestoreJobStatusFailed, err.Error())
		return
	}
	j.api.CreatedResourceArn = aws.String(arn)
	j.point.restored = aws.Time(b.world.Now())
	b.enterRestore(j, sdk.RestoreJobStatusCompleted, "")
}

func (b *Backup) restore(j *restoreJob) (string, error) {
	res := j.point.resource
	if b.options.Restorer != nil {
		arn, err := b.options.Restorer.Restore(Restore{
			Region: j.region.name, RecoveryPoint: j.point.arn, Source: res, Metadata: j.metadata, Role: aws.StringValue(j.api.IamRoleArn),
		})
		if err != nil {
			return "", fmt.Errorf("restore %s from %s: %w", res.Type, j.point.arn, err)
		}
		return arn, nil
	}
	arn := b.restoredARN(j, res)
	if arn == "" {
		return "", fmt.Errorf("resource type %s cannot be restored here", res.Type)
	}
	return arn, nil
}

// restoredARN is the name of what a restore job makes where nobody makes it;
// empty for a type whose names aren't known.
func (b *Backup) restoredARN(j *restoreJob, res Resource) string {
	region, account, meta := j.region.name, b.world.Account(), j.metadata
	switch res.Type {
	case "DynamoDB":
		return fmt.Sprintf("arn:aws:dynamodb:%s:%s:table/%s", region, account, meta["targetTableName"])
	case "RDS":
		return fmt.Sprintf("arn:aws:rds:%s:%s:db:%s", region, account, strings.ToLower(meta["DBInstanceIdentifier"]))
	case "Aurora", "DocumentDB", "Neptune":
		return fmt.Sprintf("arn:aws:rds:%s:%s:cluster:%s", region, account, strings.ToLower(meta["DBClusterIdentifier"]))
	case "S3":
		return "arn:aws:s3:::" + meta["DestinationBucketName"]
	case "EC2":
		return fmt.Sprintf("arn:aws:ec2:%s:%s:instance/%s", region, account, b.world.NewID("i-"))
	case "EBS":
		return fmt.Sprintf("arn:aws:ec2:%s:%s:volume/%s", region, account, b.world.NewID("vol-"))
	default:
		return ""
	}
}

// enterRestore changes a job's state and tells everybody who is interested.
func (b *Backup) enterRestore(j *restoreJob, state, message string) {
	a := j.api
	a.Status, a.PercentDone = aws.String(state), aws.String("0.00%")
	if message != "" {
		a.StatusMessage = aws.String(message)
	}
	switch state {
	case sdk.RestoreJobStatusPending:
		b.notify(j.point.vault, sdk.VaultEventRestoreJobStarted, sentence("restore", "started", j.point.resource.ARN, *a.RestoreJobId))
	case sdk.RestoreJobStatusCompleted, sdk.RestoreJobStatusFailed:
		a.CompletionDate = aws.Time(b.world.Now())
		if state == sdk.RestoreJobStatusCompleted {
			a.PercentDone = aws.String("100.00%")
		}
		b.notify(j.point.vault, sdk.VaultEventRestoreJobCompleted, sentence("restore", state, j.point.resource.ARN, *a.RestoreJobId))
	}
	b.publish(j.region.name, "NumberOfRestoreJobs"+title(state), j.point.vault.name, j.point.resource.Type)
	b.happened("restore-job", j.region.name, *a.RestoreJobId, state)
	b.emit(j.region.name, "Restore Job State Change", []string{j.point.arn}, j.detail())
}

func (j *restoreJob) detail() map[string]any {
	a := j.api
	detail := map[string]any{
		"restoreJobId": *a.RestoreJobId, "backupSizeInBytes": fmt.Sprint(*a.BackupSizeInBytes), "creationDate": stamp(*a.CreationDate),
		"iamRoleArn": aws.StringValue(a.IamRoleArn), "percentDone": 0, "resourceType": *a.ResourceType, "status": *a.Status,
		"backupVaultArn": j.point.vault.arn, "recoveryPointArn": *a.RecoveryPointArn, "sourceResourceArn": j.point.resource.ARN,
	}
	if a.StatusMessage != nil {
		detail["statusMessage"] = *a.StatusMessage
	}
	if a.CreatedResourceArn != nil {
		detail["createdResourceArn"] = *a.CreatedResourceArn
	}
	if a.CompletionDate != nil {
		detail["completionDate"] = stamp(*a.CompletionDate)
	}
	return detail
}

// lacking are the members of metadata without which a restore can't be meant. A
// continuous point may say when to restore to, but at most until now.
func (p *point) lacking(metadata map[string]string, now time.Time) string {
	k, _ := kindOf(p.resource.Type)
	for _, key := range k.restoring {
		if metadata[key] == "" {
			return fmt.Sprintf("Invalid restore metadata. %s is required to restore %s", key, k.name)
		}
	}
	at := metadata["RestoreTime"]
	if at == "" {
		return ""
	}
	date, err := time.Parse(time.RFC3339, at)
	switch {
	case !p.continuous:
		return "Invalid restore metadata. RestoreTime is for continuous recovery points only"
	case err != nil:
		return fmt.Sprintf("Invalid restore metadata. RestoreTime %s is no date", at)
	case date.After(now) || date.Before(p.created):
		return fmt.Sprintf("Invalid restore metadata. RestoreTime %s is outside the recovery point's time", at)
	default:
		return ""
	}
}
