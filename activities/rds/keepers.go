package rds

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// SetupGlobalAPI is what setup calls of global databases.
type SetupGlobalAPI interface {
	DescribeGlobalClusters(context.Context, *sdk.DescribeGlobalClustersInput, ...func(*sdk.Options)) (*sdk.DescribeGlobalClustersOutput, error)
	CreateGlobalCluster(context.Context, *sdk.CreateGlobalClusterInput, ...func(*sdk.Options)) (*sdk.CreateGlobalClusterOutput, error)
	DescribeDBClusters(context.Context, *sdk.DescribeDBClustersInput, ...func(*sdk.Options)) (*sdk.DescribeDBClustersOutput, error)
	CreateDBCluster(context.Context, *sdk.CreateDBClusterInput, ...func(*sdk.Options)) (*sdk.CreateDBClusterOutput, error)
	ModifyDBCluster(context.Context, *sdk.ModifyDBClusterInput, ...func(*sdk.Options)) (*sdk.ModifyDBClusterOutput, error)
}

// SetupInstanceAPI is what setup calls of instances.
type SetupInstanceAPI interface {
	DescribeDBInstances(context.Context, *sdk.DescribeDBInstancesInput, ...func(*sdk.Options)) (*sdk.DescribeDBInstancesOutput, error)
	CreateDBInstance(context.Context, *sdk.CreateDBInstanceInput, ...func(*sdk.Options)) (*sdk.CreateDBInstanceOutput, error)
	ModifyDBInstance(context.Context, *sdk.ModifyDBInstanceInput, ...func(*sdk.Options)) (*sdk.ModifyDBInstanceOutput, error)
	CreateDBInstanceReadReplica(context.Context, *sdk.CreateDBInstanceReadReplicaInput, ...func(*sdk.Options)) (*sdk.CreateDBInstanceReadReplicaOutput, error)
}

// SetupBackupAPI is what setup calls of replicated backups and what they need.
type SetupBackupAPI interface {
	DescribeDBInstanceAutomatedBackups(context.Context, *sdk.DescribeDBInstanceAutomatedBackupsInput, ...func(*sdk.Options)) (*sdk.DescribeDBInstanceAutomatedBackupsOutput, error)
	StartDBInstanceAutomatedBackupsReplication(context.Context, *sdk.StartDBInstanceAutomatedBackupsReplicationInput, ...func(*sdk.Options)) (*sdk.StartDBInstanceAutomatedBackupsReplicationOutput, error)
	DescribeOptionGroups(context.Context, *sdk.DescribeOptionGroupsInput, ...func(*sdk.Options)) (*sdk.DescribeOptionGroupsOutput, error)
}

// SetupAPI is every operation of this package's keepers: their part of the IAM
// policy of setup.
type SetupAPI interface {
	SetupGlobalAPI
	SetupInstanceAPI
	SetupBackupAPI
}

// kept is what the keepers share.
type kept struct {
	clients func(plan.Region) SetupAPI
}

// copyBudget bounds the wait for a copy in another Region: a whole database has
// to travel.
const copyBudget = 2 * time.Hour

// Keepers keep global databases, replicas and backups.
func Keepers(c *cloud.Clients) []keep.Keeper {
	return keepers(kept{cloud.PerRegion(c, func(cfg aws.Config) SetupAPI { return sdk.NewFromConfig(cfg) })})
}

func keepers(k kept) []keep.Keeper {
	return []keep.Keeper{
		{Type: "aurora-cluster", Read: k.readClusters},
		{Type: "aurora-global-database", Read: k.readDatabases, Write: k.writeDatabase, Fixed: []string{"source"}},
		{Type: "aurora-member", Read: k.readMembers, Write: k.writeMember, Fixed: []string{"global"}, Budget: copyBudget},
		{Type: "aurora-instance", Read: k.readMemberInstances, Write: k.writeMemberInstance, Budget: copyBudget},
		{Type: "aurora-backups", Read: k.readClusterBackups, Write: k.writeClusterBackups},
		{Type: "rds-instance", Read: k.readInstances},
		{Type: "rds-settings", Read: k.readSettings, Write: k.writeSettings, Budget: copyBudget},
		{Type: "rds-read-replica", Read: k.readReplicas, Write: k.writeReplica, Fixed: []string{"peer"}, Budget: copyBudget},
		{Type: "rds-backup-replication", Read: k.readReplications, Write: k.writeReplication, Fixed: []string{"source", "days"}, Budget: copyBudget},
		{Type: "rds-option-group", Read: keep.Each(k.readOptionGroup)},
	}
}

// busy tells what RDS still works on. In the other states it does nothing by
// itself, and waiting would not help.
func busy(status *string) string {
	switch s := aws.ToString(status); {
	case s == "", s == "available", s == "stopped", s == "failed", s == "storage-full",
		strings.HasPrefix(s, "inaccessible-"), strings.HasPrefix(s, "incompatible-"):
		return ""
	default:
		return s
	}
}

// names are the names of items, for a filter.
func names(items []runbook.Item) []string {
	var out []string
	for _, item := range items {
		out = append(out, item.Name)
	}
	return out
}

// pick makes the states of items from what was read by name.
func pick[T any](items []runbook.Item, found map[string]T, state func(runbook.Item, T) runbook.ItemState) []runbook.ItemState {
	out := make([]runbook.ItemState, len(items))
	for i, item := range items {
		if one, ok := found[strings.ToLower(item.Name)]; ok {
			out[i] = state(item, one)
			out[i].Found = true
		}
		out[i].ID = item.ID()
	}
	return out
}

// tags are those that an item is born with.
func tags(item runbook.Item) []types.Tag {
	var out []types.Tag
	for key, value := range item.Want {
		if name, ok := strings.CutPrefix(key, runbook.AtCreation+"tag/"); ok {
			out = append(out, types.Tag{Key: aws.String(name), Value: aws.String(value)})
		}
	}
	return out
}

// own is a group that somebody made, nil for one of AWS's, which is the default
// everywhere. Groups are of one Region: a copy takes the group of the same name.
func own(group *string) *string {
	if name := aws.ToString(group); name == "" || strings.HasPrefix(name, "default") {
		return nil
	}
	return group
}
