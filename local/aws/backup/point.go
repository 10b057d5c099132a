package backup

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"
	"github.com/google/uuid"
)

// statusAvailable is a continuous point's; the shapes are older than it.
const statusAvailable = "AVAILABLE"

// point is a recovery point in a vault.
type point struct {
	arn        string
	vault      *vault
	sequence   int
	resource   Resource // as it was backed up
	continuous bool
	identity   string // of the rule that keeps a continuous point going
	role       string
	creator    *sdk.RecoveryPointCreator
	source     string // ARN of the vault it was copied from
	key        string
	status     string
	message    string
	created    time.Time // by the wall clock; of a copy, its source's
	born       time.Time // the same by AWS's calendar: the lifecycle counts from it
	completed  time.Time
	restored   *time.Time
	lifecycle  *sdk.Lifecycle
	cold       bool
	turn       int // of the lifecycle: timers of an earlier one do nothing
}

// take makes what a backup job has worked for. note says, with a job that is
// COMPLETED all the same, what was made instead of what was asked for.
func (b *Backup) take(j *job, v *vault) (p *point, note string) {
	if j.firing != nil && aws.BoolValue(j.firing.rule.EnableContinuousBackup) {
		if k, _ := kindOf(j.resource.Type); k.continuous {
			p, note = b.takeContinuous(j, v)
		}
	}
	if p == nil {
		p = b.newPoint(v, b.pointARN(j.region, j.resource, "job-"+*j.api.BackupJobId), j.resource)
		p.status = sdk.RecoveryPointStatusCompleted
	}
	p.role, p.creator, p.lifecycle, p.resource = j.order.role, j.api.CreatedBy, j.order.lifecycle, j.resource
	v.region.tag(p.arn, j.order.tags)
	b.age(p)
	b.pointChanged(p, "NumberOfRecoveryPointsCompleted")
	return p, note
}

// takeContinuous makes a resource's continuous point, or prolongs it when it is
// the rule's own. There is one a resource: for any other rule it is nil, and the
// job makes a snapshot.
func (b *Backup) takeContinuous(j *job, v *vault) (*point, string) {
	p := j.region.continuous(j.resource.ARN)
	switch {
	case p == nil:
		id := fmt.Sprintf("continuous:%s-%s", strings.ToLower(j.resource.Name), uuid.NewString()[:8])
		p = b.newPoint(v, b.arn(v.region.name, "recovery-point", id), j.resource)
		p.continuous, p.identity, p.status = true, j.firing.identity(), statusAvailable
	case p.identity != j.firing.identity():
		return nil, "A continuous backup of the resource exists already. A snapshot backup was created instead."
	default:
		p.born, p.completed = b.calendar.now(), b.world.Now()
	}
	j.continuous = true
	return p, ""
}

// newPoint enters a point into a vault; b.mu is held.
func (b *Backup) newPoint(v *vault, arn string, res Resource) *point {
	now := b.world.Now()
	p := &point{
		arn: arn, vault: v, sequence: b.count(), resource: res, created: now, born: b.calendar.now(), completed: now, key: res.Key,
	}
	if v.region.managed(res.Type) {
		p.key = v.key
	}
	v.points[arn] = p
	v.region.tags[arn] = map[string]string{}
	return p
}

// pointARN names a new snapshot as the service does that holds it.
func (b *Backup) pointARN(r *region, res Resource, job string) string {
	account := b.world.Account()
	switch {
	case r.managed(res.Type):
		return b.arn(r.name, "recovery-point", uuid.NewString())
	case res.Type == "EC2":
		return fmt.Sprintf("arn:aws:ec2:%s::image/%s", r.name, b.world.NewID("ami-"))
	case res.Type == "EBS":
		return fmt.Sprintf("arn:aws:ec2:%s::snapshot/%s", r.name, b.world.NewID("snap-"))
	case res.Type == "RDS" && !res.MultiAZCluster:
		return fmt.Sprintf("arn:aws:rds:%s:%s:snapshot:awsbackup:%s", r.name, account, job)
	case res.Type == "RDS", res.Type == "Aurora", res.Type == "DocumentDB", res.Type == "Neptune":
		return fmt.Sprintf("arn:aws:rds:%s:%s:cluster-snapshot:awsbackup:%s", r.name, account, job)
	case res.Type == "DynamoDB":
		return fmt.Sprintf("%s/backup/%014d-%s", res.ARN, b.world.Now().UnixMilli(), uuid.NewString()[:8])
	default:
		return b.arn(r.name, "recovery-point", uuid.NewString())
	}
}

// continuous is a resource's continuous point in the Region; nil for none.
func (r *region) continuous(resource string) *point {
	for _, v := range r.vaults {
		for _, p := range v.points {
			if p.continuous && p.resource.ARN == resource && p.status == statusAvailable {
				return p
			}
		}
	}
	return nil
}

func (p *point) describe(b *Backup) *sdk.DescribeRecoveryPointOutput {
	class := sdk.StorageClassWarm
	if p.cold {
		class = sdk.StorageClassCold
	}
	out := &sdk.DescribeRecoveryPointOutput{
		BackupSizeInBytes: aws.Int64(p.resource.Size), BackupVaultArn: aws.String(p.vault.arn), BackupVaultName: aws.String(p.vault.name),
		CompletionDate: aws.Time(p.completed), CreationDate: aws.Time(p.created), CreatedBy: p.creator, IamRoleArn: aws.String(p.role),
		IsEncrypted: aws.Bool(p.key != ""), IsParent: aws.Bool(false), LastRestoreTime: p.restored, Lifecycle: p.lifecycle,
		RecoveryPointArn: aws.String(p.arn), ResourceArn: aws.String(p.resource.ARN), ResourceName: aws.String(p.resource.Name),
		ResourceType: aws.String(p.resource.Type), Status: aws.String(p.status), StorageClass: aws.String(class),
		VaultType: aws.String(sdk.VaultTypeBackupVault), CalculatedLifecycle: b.calculated(p),
	}
	if p.key != "" {
		out.EncryptionKeyArn = aws.String(p.key)
	}
	if p.source != "" {
		out.SourceBackupVaultArn = aws.String(p.source)
	}
	if p.message != "" {
		out.StatusMessage = aws.String(p.message)
	}
	return remake[sdk.DescribeRecoveryPointOutput](out)
}

// pointChanged tells of a point's new status.
func (b *Backup) pointChanged(p *point, metric string) {
	region := p.vault.region.name
	b.publish(region, metric, p.vault.name, p.resource.Type)
	detail := map[string]any{
		"backupVaultName": p.vault.name, "backupVaultArn": p.vault.arn, "creationDate": stamp(p.created), "iamRoleArn": p.role,
		"resourceType": p.resource.Type, "resourceArn": p.resource.ARN, "status": p.status, "isEncrypted": fmt.Sprint(p.key != ""),
		"storageClass": *p.describe(b).StorageClass, "completionDate": stamp(p.completed),
	}
	if p.creator != nil {
		detail["createdBy"] = creatorDetail(p.creator)
	}
	if days := retention(p.lifecycle); days != forEverDays {
		detail["lifecycle"] = map[string]any{"deleteAfterDays": days}
		detail["calculatedLifeCycle"] = map[string]any{"deleteAt": stamp(*b.calculated(p).DeleteAt)}
	}
	b.emit(region, "Recovery Point State Change", []string{p.arn}, detail)
}

// metadata is how the resource was configured when it was backed up.
func (p *point) metadata() map[string]*string {
	out := map[string]*string{}
	for key, value := range p.resource.Metadata {
		out[key] = aws.String(value)
	}
	if tags, err := json.Marshal(p.resource.Tags); err == nil && len(p.resource.Tags) > 0 {
		out["aws:backup:source-resource-tags"] = aws.String(string(tags))
	}
	return out
}
