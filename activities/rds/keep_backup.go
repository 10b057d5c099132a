package rds

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// readReplications finds replicated backups in the Region that receives them, by
// the instance that they are of. The Region's own instances have backups there
// too, which replicate nothing.
func (k kept) readReplications(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found := map[string]types.DBInstanceAutomatedBackup{}
	in := &sdk.DescribeDBInstanceAutomatedBackupsInput{}
	for {
		page, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeDBInstanceAutomatedBackups, in)
		if err != nil {
			return nil, err
		}
		for _, b := range page.DBInstanceAutomatedBackups {
			// Of an instance that was deleted and made again there are two: the one
			// that goes on counts.
			if old, twice := found[aws.ToString(b.DBInstanceArn)]; !twice || aws.ToString(old.Status) == "retained" {
				found[aws.ToString(b.DBInstanceArn)] = b
			}
		}
		if aws.ToString(page.Marker) == "" {
			break
		}
		in.Marker = page.Marker
	}
	out := make([]runbook.ItemState, len(items))
	for i, item := range items {
		out[i] = runbook.ItemState{ID: item.ID()}
		if b, ok := found[item.Want["source"]]; ok {
			out[i] = replicationState(item, b)
		}
	}
	return out, nil
}

func replicationState(item runbook.Item, b types.DBInstanceAutomatedBackup) runbook.ItemState {
	state := runbook.ItemState{
		ID: item.ID(), Found: true, Out: map[string]string{"arn": aws.ToString(b.DBInstanceAutomatedBackupsArn)},
		Have: map[string]string{"source": aws.ToString(b.DBInstanceArn), "status": aws.ToString(b.Status), "days": strconv.Itoa(int(aws.ToInt32(b.BackupRetentionPeriod)))},
	}
	if s := aws.ToString(b.Status); s == "pending" || s == "creating" {
		state.Busy = s
	}
	return state
}

// writeReplication begins to replicate an instance's backups into this Region,
// under a key of this Region when they are encrypted. What is retained of an
// instance that is gone stays as it is.
func (k kept) writeReplication(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	source, _, err := k.source(ctx, item.Want["source"])
	if err != nil {
		return "", err
	}
	days, err := strconv.ParseInt(item.Want["days"], 10, 32)
	if err != nil {
		return "", cloud.Errorf(cloud.Invalid, "days of replicated backups of %q: %w", item.Name, err)
	}
	in := &sdk.StartDBInstanceAutomatedBackupsReplicationInput{
		SourceDBInstanceArn: aws.String(item.Want["source"]), BackupRetentionPeriod: aws.Int32(int32(days)), Tags: tags(item),
	}
	if aws.ToBool(source.StorageEncrypted) {
		in.KmsKeyId = aws.String(item.Want[runbook.AtCreation+"key"])
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).StartDBInstanceAutomatedBackupsReplication, in)
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// readOptionGroup only looks: what is in a group is the application's.
func (k kept) readOptionGroup(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeOptionGroups, &sdk.DescribeOptionGroupsInput{OptionGroupName: aws.String(item.Name)})
	if cloud.KindOf(err) == cloud.NotFound {
		return runbook.ItemState{}, nil
	}
	if err != nil {
		return runbook.ItemState{}, err
	}
	for _, g := range out.OptionGroupsList {
		return runbook.ItemState{Found: true, Out: map[string]string{"arn": aws.ToString(g.OptionGroupArn)}}, nil
	}
	return runbook.ItemState{}, nil
}
