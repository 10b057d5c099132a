package backup

import (
	"net/http"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"

	"lifeline/local/aws/wire"
)

func (b *Backup) servePoints(s *wire.Service) {
	wire.Handle(s, "DescribeRecoveryPoint", b.describeRecoveryPoint)
	wire.Handle(s, "ListRecoveryPointsByBackupVault", b.listRecoveryPointsByBackupVault)
	wire.Handle(s, "ListRecoveryPointsByResource", b.listRecoveryPointsByResource)
	wire.Handle(s, "DeleteRecoveryPoint", b.deleteRecoveryPoint)
	wire.Handle(s, "UpdateRecoveryPointLifecycle", b.updateRecoveryPointLifecycle)
	wire.Handle(s, "GetRecoveryPointRestoreMetadata", b.getRecoveryPointRestoreMetadata)
	wire.Handle(s, "ListProtectedResources", b.listProtectedResources)
	wire.Handle(s, "ListProtectedResourcesByBackupVault", b.listProtectedResourcesByBackupVault)
	wire.Handle(s, "DescribeProtectedResource", b.describeProtectedResource)
}

// point finds a recovery point in a vault; b.mu is held.
func (r *region) point(vault, arn *string) (*point, error) {
	v, err := r.vault(vault)
	if err != nil {
		return nil, err
	}
	p, ok := v.points[aws.StringValue(arn)]
	if !ok {
		return nil, notFound("Cannot find recovery point %s in Backup vault %s", aws.StringValue(arn), v.name)
	}
	return p, nil
}

// all are the points of a Region that satisfy a condition.
func (r *region) all(keep func(*point) bool) []*point {
	var out []*point
	for _, v := range r.vaults {
		for _, p := range v.points {
			if keep(p) {
				out = append(out, p)
			}
		}
	}
	return out
}

func (b *Backup) describeRecoveryPoint(c *wire.Call, in *sdk.DescribeRecoveryPointInput) (*sdk.DescribeRecoveryPointOutput, error) {
	b.mu.Lock()
	defer b.release()
	p, err := b.in(c.Region).point(in.BackupVaultName, in.RecoveryPointArn)
	if err != nil {
		return nil, err
	}
	return p.describe(b), nil
}

func (b *Backup) listRecoveryPointsByBackupVault(c *wire.Call, in *sdk.ListRecoveryPointsByBackupVaultInput) (*sdk.ListRecoveryPointsByBackupVaultOutput, error) {
	b.mu.Lock()
	defer b.release()
	v, err := b.in(c.Region).vault(in.BackupVaultName)
	if err != nil {
		return nil, err
	}
	var all []*point
	for _, p := range v.points {
		var plan *string
		if p.creator != nil {
			plan = p.creator.BackupPlanId
		}
		if asked(in.ByResourceArn, &p.resource.ARN) && asked(in.ByResourceType, &p.resource.Type) && asked(in.ByBackupPlanId, plan) &&
			asked(in.ByParentRecoveryPointArn, nil) && within(in.ByCreatedAfter, in.ByCreatedBefore, &p.created) {
			all = append(all, p)
		}
	}
	page, next, err := pageOf(in.NextToken, in.MaxResults, all, func(p *point) string { return newest(p.sequence) })
	if err != nil {
		return nil, err
	}
	out := &sdk.ListRecoveryPointsByBackupVaultOutput{NextToken: next, RecoveryPoints: []*sdk.RecoveryPointByBackupVault{}}
	for _, p := range page {
		out.RecoveryPoints = append(out.RecoveryPoints, remake[sdk.RecoveryPointByBackupVault](p.describe(b)))
	}
	return out, nil
}

func (b *Backup) listRecoveryPointsByResource(c *wire.Call, in *sdk.ListRecoveryPointsByResourceInput) (*sdk.ListRecoveryPointsByResourceOutput, error) {
	b.mu.Lock()
	defer b.release()
	all := b.in(c.Region).all(func(p *point) bool { return p.resource.ARN == *in.ResourceArn })
	page, next, err := pageOf(in.NextToken, in.MaxResults, all, func(p *point) string { return newest(p.sequence) })
	if err != nil {
		return nil, err
	}
	out := &sdk.ListRecoveryPointsByResourceOutput{NextToken: next, RecoveryPoints: []*sdk.RecoveryPointByResource{}}
	for _, p := range page {
		one := remake[sdk.RecoveryPointByResource](p.describe(b))
		one.BackupSizeBytes = aws.Int64(p.resource.Size)
		out.RecoveryPoints = append(out.RecoveryPoints, one)
	}
	return out, nil
}

func (b *Backup) deleteRecoveryPoint(c *wire.Call, in *sdk.DeleteRecoveryPointInput) (*sdk.DeleteRecoveryPointOutput, error) {
	b.mu.Lock()
	defer b.release()
	r := b.in(c.Region)
	p, err := r.point(in.BackupVaultName, in.RecoveryPointArn)
	switch {
	case err != nil:
		return nil, err
	case p.vault.lock != nil:
		return nil, refused("Backup vault %s is locked: its recovery points cannot be deleted", p.vault.name)
	case p.status == sdk.RecoveryPointStatusDeleting || r.inUse(p):
		return nil, wire.Errorf(http.StatusBadRequest, sdk.ErrCodeInvalidResourceStateException,
			"AWS Backup is already performing an action on recovery point %s", p.arn)
	}
	b.remove(p)
	return &sdk.DeleteRecoveryPointOutput{}, nil
}

// inUse tells whether a job is reading a point.
func (r *region) inUse(p *point) bool {
	for _, c := range r.copies {
		if c.point == p && c.state() == sdk.CopyJobStateRunning {
			return true
		}
	}
	for _, j := range r.restores {
		if j.point == p && j.state() == sdk.RestoreJobStatusRunning {
			return true
		}
	}
	return false
}

func (b *Backup) updateRecoveryPointLifecycle(c *wire.Call, in *sdk.UpdateRecoveryPointLifecycleInput) (*sdk.UpdateRecoveryPointLifecycleOutput, error) {
	b.mu.Lock()
	defer b.release()
	p, err := b.in(c.Region).point(in.BackupVaultName, in.RecoveryPointArn)
	if err != nil {
		return nil, err
	}
	if err := checkUpdate(p, in.Lifecycle); err != nil {
		return nil, err
	}
	p.lifecycle = in.Lifecycle
	b.age(p)
	return &sdk.UpdateRecoveryPointLifecycleOutput{
		BackupVaultArn: aws.String(p.vault.arn), RecoveryPointArn: aws.String(p.arn), Lifecycle: in.Lifecycle, CalculatedLifecycle: b.calculated(p),
	}, nil
}

func checkUpdate(p *point, life *sdk.Lifecycle) error {
	switch why := checkLifecycle(life, false); {
	case p.vault.lock != nil:
		return refused("Backup vault %s is locked: the lifecycle of its recovery points cannot be changed", p.vault.name)
	case p.continuous:
		return refused("The lifecycle of the continuous recovery point %s cannot be changed: its rule says it", p.arn)
	case why != "":
		return invalid("%s", why)
	case p.cold && (life == nil || aws.Int64Value(life.MoveToColdStorageAfterDays) != aws.Int64Value(p.lifecycle.MoveToColdStorageAfterDays)):
		return refused("MoveToColdStorageAfterDays of recovery point %s cannot be changed: it is in cold storage", p.arn)
	case p.status == sdk.RecoveryPointStatusDeleting:
		return refused("Recovery point %s is being deleted", p.arn)
	default:
		return nil
	}
}

func (b *Backup) getRecoveryPointRestoreMetadata(c *wire.Call, in *sdk.GetRecoveryPointRestoreMetadataInput) (*sdk.GetRecoveryPointRestoreMetadataOutput, error) {
	b.mu.Lock()
	defer b.release()
	p, err := b.in(c.Region).point(in.BackupVaultName, in.RecoveryPointArn)
	if err != nil {
		return nil, err
	}
	return &sdk.GetRecoveryPointRestoreMetadataOutput{
		BackupVaultArn: aws.String(p.vault.arn), RecoveryPointArn: aws.String(p.arn), ResourceType: aws.String(p.resource.Type), RestoreMetadata: p.metadata(),
	}, nil
}
