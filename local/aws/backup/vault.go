package backup

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"

	"lifeline/local/aws/wire"
)

// vault is a backup vault in one Region.
type vault struct {
	region  *region
	name    string
	arn     string
	key     string
	creator *string
	created time.Time
	lock    *lock
	policy  *string
	topic   string
	events  []string
	points  map[string]*point // by ARN
}

func (b *Backup) serveVaults(s *wire.Service) {
	wire.Handle(s, "CreateBackupVault", b.createBackupVault)
	wire.Handle(s, "DescribeBackupVault", b.describeBackupVault)
	wire.Handle(s, "ListBackupVaults", b.listBackupVaults)
	wire.Handle(s, "DeleteBackupVault", b.deleteBackupVault)
	wire.Handle(s, "PutBackupVaultAccessPolicy", b.putBackupVaultAccessPolicy)
	wire.Handle(s, "GetBackupVaultAccessPolicy", b.getBackupVaultAccessPolicy)
	wire.Handle(s, "DeleteBackupVaultAccessPolicy", b.deleteBackupVaultAccessPolicy)
	wire.Handle(s, "PutBackupVaultNotifications", b.putBackupVaultNotifications)
	wire.Handle(s, "GetBackupVaultNotifications", b.getBackupVaultNotifications)
	wire.Handle(s, "DeleteBackupVaultNotifications", b.deleteBackupVaultNotifications)
	wire.Handle(s, "PutBackupVaultLockConfiguration", b.putBackupVaultLockConfiguration)
	wire.Handle(s, "DeleteBackupVaultLockConfiguration", b.deleteBackupVaultLockConfiguration)
}

// vault finds one by name; b.mu is held.
func (r *region) vault(name *string) (*vault, error) {
	v, ok := r.vaults[aws.StringValue(name)]
	if !ok {
		return nil, notFound("Backup Vault with name %s does not exist", aws.StringValue(name))
	}
	return v, nil
}

func (b *Backup) createBackupVault(c *wire.Call, in *sdk.CreateBackupVaultInput) (*sdk.CreateBackupVaultOutput, error) {
	if err := checkTags(in.BackupVaultTags); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.release()
	r := b.in(c.Region)
	v, there := r.vaults[*in.BackupVaultName]
	if there && (in.CreatorRequestId == nil || aws.StringValue(v.creator) != *in.CreatorRequestId) {
		return nil, exists(aws.String(v.arn), v.creator, "Backup vault with the same name already exists")
	}
	if !there {
		key, err := b.vaultKey(r.name, in.EncryptionKeyArn)
		if err != nil {
			return nil, err
		}
		v = &vault{
			region: r, name: *in.BackupVaultName, arn: b.arn(r.name, "backup-vault", *in.BackupVaultName), key: key,
			creator: in.CreatorRequestId, created: b.world.Now(), points: map[string]*point{},
		}
		r.vaults[v.name] = v
		r.tag(v.arn, in.BackupVaultTags)
		b.vaultChanged(v, "CREATED")
	}
	return &sdk.CreateBackupVaultOutput{BackupVaultArn: aws.String(v.arn), BackupVaultName: aws.String(v.name), CreationDate: aws.Time(v.created)}, nil
}

func (b *Backup) describeBackupVault(c *wire.Call, in *sdk.DescribeBackupVaultInput) (*sdk.DescribeBackupVaultOutput, error) {
	b.mu.Lock()
	defer b.release()
	v, err := b.in(c.Region).vault(in.BackupVaultName)
	if err != nil {
		return nil, err
	}
	return v.describe(), nil
}

func (v *vault) describe() *sdk.DescribeBackupVaultOutput {
	out := &sdk.DescribeBackupVaultOutput{
		BackupVaultArn: aws.String(v.arn), BackupVaultName: aws.String(v.name), CreationDate: aws.Time(v.created), CreatorRequestId: v.creator,
		EncryptionKeyArn: aws.String(v.key), NumberOfRecoveryPoints: aws.Int64(int64(len(v.points))),
		VaultType: aws.String(sdk.VaultTypeBackupVault), Locked: aws.Bool(v.lock != nil),
	}
	if v.lock != nil {
		out.MinRetentionDays, out.MaxRetentionDays, out.LockDate = v.lock.low, v.lock.high, v.lock.date
	}
	return out
}

func (b *Backup) listBackupVaults(c *wire.Call, in *sdk.ListBackupVaultsInput) (*sdk.ListBackupVaultsOutput, error) {
	b.mu.Lock()
	defer b.release()
	var all []*vault
	for _, v := range b.in(c.Region).vaults {
		// This account's are all plain vaults, and nobody shares one with it.
		if !aws.BoolValue(in.ByShared) && (in.ByVaultType == nil || *in.ByVaultType == sdk.VaultTypeBackupVault) {
			all = append(all, v)
		}
	}
	page, next, err := pageOf(in.NextToken, in.MaxResults, all, func(v *vault) string { return v.name })
	if err != nil {
		return nil, err
	}
	out := &sdk.ListBackupVaultsOutput{NextToken: next, BackupVaultList: []*sdk.VaultListMember{}}
	for _, v := range page {
		out.BackupVaultList = append(out.BackupVaultList, remake[sdk.VaultListMember](v.describe()))
	}
	return out, nil
}

func (b *Backup) deleteBackupVault(c *wire.Call, in *sdk.DeleteBackupVaultInput) (*sdk.DeleteBackupVaultOutput, error) {
	b.mu.Lock()
	defer b.release()
	r := b.in(c.Region)
	v, err := r.vault(in.BackupVaultName)
	if err != nil {
		return nil, err
	}
	if len(v.points) > 0 {
		return nil, refused("Backup vault cannot be deleted because it contains recovery points.")
	}
	delete(r.vaults, v.name)
	delete(r.tags, v.arn)
	b.vaultChanged(v, "DELETED")
	return &sdk.DeleteBackupVaultOutput{}, nil
}

func (b *Backup) vaultChanged(v *vault, state string) {
	detail := map[string]any{"backupVaultName": v.name, "state": state}
	if state == "MODIFIED" {
		detail["isLocked"] = fmt.Sprint(v.lock != nil)
	}
	b.emit(v.region.name, "Backup Vault State Change", []string{v.arn}, detail)
}
