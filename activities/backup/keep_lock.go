package backup

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// Properties of a vault lock.
const (
	lockMode   = "mode"
	lockMin    = "min-days"
	lockMax    = "max-days"
	lockDate   = "date" // from when on nobody can change it; never wanted
	coolingOff = runbook.AtCreation + "cooling-off-days"

	governance = "governance"
	compliance = "compliance"
)

func (k keeper) readLocks(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found, err := k.vaults(ctx, at)
	if err != nil {
		return nil, err
	}
	states := make([]runbook.ItemState, len(items))
	for i, item := range items {
		states[i] = runbook.ItemState{ID: item.ID()}
		v, ok := found[item.Name]
		if !ok || !aws.ToBool(v.Locked) {
			continue
		}
		states[i].Found, states[i].Have = true, lockOf(v)
		if err := settled(item, states[i]); err != nil {
			return nil, err
		}
	}
	return states, nil
}

func lockOf(v types.BackupVaultListMember) map[string]string {
	have := map[string]string{lockMode: governance, lockMin: days(v.MinRetentionDays), lockMax: days(v.MaxRetentionDays)}
	if v.LockDate != nil {
		have[lockMode], have[lockDate] = compliance, v.LockDate.UTC().Format(time.RFC3339)
	}
	return have
}

func days(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

// settled refuses what nobody can bring about any more. It is told before
// anything is tried, so that a preview tells it too.
func settled(item runbook.Item, have runbook.ItemState) error {
	if have.Have[lockDate] == "" || len(item.Difference(have)) == 0 {
		return nil
	}
	date, err := time.Parse(time.RFC3339, have.Have[lockDate])
	if err != nil {
		return fmt.Errorf("lock date of backup vault %s: %w", item.Name, err)
	}
	if time.Now().Before(date) && item.Want[lockMode] == compliance {
		return nil
	}
	if time.Now().Before(date) {
		return cloud.Errorf(cloud.Invalid,
			"backup vault %s in %s has a compliance lock that begins at %s, and the plan wants a weaker one: lift it by hand before then if that is meant, or bring the plan into line",
			item.Name, item.Region, have.Have[lockDate])
	}
	return cloud.Errorf(cloud.Invalid,
		"backup vault %s in %s is locked in compliance mode since %s (%s to %s days), and nobody can change that: bring the plan into line, or name another vault",
		item.Name, item.Region, have.Have[lockDate], have.Have[lockMin], have.Have[lockMax])
}

// writeLock locks the vault, or changes a lock that can still be changed. A
// compliance lock begins its cooling-off time anew.
func (k keeper) writeLock(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	in := &sdk.PutBackupVaultLockConfigurationInput{BackupVaultName: aws.String(item.Name)}
	wanted := map[string]**int64{lockMin: &in.MinRetentionDays, lockMax: &in.MaxRetentionDays}
	if item.Want[lockMode] == compliance {
		wanted[coolingOff] = &in.ChangeableForDays
	}
	for name, to := range wanted {
		n, err := strconv.ParseInt(item.Want[name], 10, 64)
		if err != nil {
			return "", cloud.Errorf(cloud.Invalid, "lock of backup vault %s: %s: %w", item.Name, name, err)
		}
		*to = &n
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).PutBackupVaultLockConfiguration, in)
	if err != nil {
		return "", fmt.Errorf("lock backup vault %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}
