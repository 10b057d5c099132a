package backup

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// vaultKey is the ARN of the key of a vault. It stays what it was at creation.
const vaultKey = "key"

// vaults are all vaults of a Region by name: key and lock come with the list.
func (k keeper) vaults(ctx context.Context, at cloud.At) (map[string]types.BackupVaultListMember, error) {
	found := map[string]types.BackupVaultListMember{}
	in := &sdk.ListBackupVaultsInput{MaxResults: aws.Int32(1000)}
	for {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).ListBackupVaults, in)
		if err != nil {
			return nil, fmt.Errorf("list backup vaults: %w", err)
		}
		for _, v := range out.BackupVaultList {
			found[aws.ToString(v.BackupVaultName)] = v
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return found, nil
		}
	}
}

func (k keeper) readVaults(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found, err := k.vaults(ctx, at)
	if err != nil {
		return nil, err
	}
	states := make([]runbook.ItemState, len(items))
	for i, item := range items {
		states[i] = runbook.ItemState{ID: item.ID()}
		v, ok := found[item.Name]
		if !ok {
			continue
		}
		key := aws.ToString(v.EncryptionKeyArn)
		if err := k.suits(ctx, at, item, key); err != nil {
			return nil, err
		}
		states[i].Found, states[i].Have = true, map[string]string{vaultKey: key}
		states[i].Out = map[string]string{"arn": aws.ToString(v.BackupVaultArn)}
		if v.VaultState == types.VaultStateCreating {
			states[i].Busy = string(v.VaultState)
		}
	}
	return states, nil
}

// suits refuses a vault that was there before under AWS's own key: copies of
// volumes, instances and databases into it fail, each at night and by itself.
// Another customer key works; it is told as drift.
func (k keeper) suits(ctx context.Context, at cloud.At, item runbook.Item, key string) error {
	if key == item.Want[vaultKey] || key == "" {
		return nil
	}
	out, err := cloud.Call(ctx, at, k.keys(at.Region).DescribeKey, &kms.DescribeKeyInput{KeyId: aws.String(key)})
	if cloud.KindOf(err) == cloud.NotFound || cloud.KindOf(err) == cloud.Denied {
		return nil // it can't be told, and the drift is
	}
	if err != nil {
		return fmt.Errorf("key of backup vault %s: %w", item.Name, err)
	}
	if out.KeyMetadata != nil && out.KeyMetadata.KeyManager == kmstypes.KeyManagerTypeAws {
		return cloud.Errorf(cloud.Invalid,
			"backup vault %s in %s is encrypted with AWS's own key, which nobody can change: copies of volumes, instances and databases into it fail; name another vault in the plan",
			item.Name, at.Region)
	}
	return nil
}

func (k keeper) writeVault(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateBackupVault, &sdk.CreateBackupVaultInput{
		BackupVaultName: aws.String(item.Name), EncryptionKeyArn: aws.String(item.Want[vaultKey]),
		BackupVaultTags: tags(item), CreatorRequestId: token(item),
	})
	if err != nil {
		return "", fmt.Errorf("create backup vault %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}
