package kinds_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// stores is a plan with one database of each kind.
func stores(protect plan.Protect) plan.Plan {
	ids := func(key, east, west string) map[plan.Region]plan.Identifiers {
		return map[plan.Region]plan.Identifiers{"us-east-1": {key: east}, "us-west-2": {key: west}}
	}
	return plan.Plan{
		Application: "patient-records",
		Regions:     []plan.RegionSpec{{Name: "us-east-1", Role: plan.Primary}, {Name: "us-west-2", Role: plan.Recovery}, {Name: "us-east-2", Role: plan.Witness}},
		Setup:       &plan.Setup{Drift: plan.Repair, Key: "alias/patient-records"},
		Lease:       &plan.Lease{Region: "us-east-2", Table: "lease"},
		Resources: []plan.Resource{
			{Name: "records", Kind: plan.DynamoDBTable, Regions: ids("table", "records", "records"), Protect: &protect},
			{Name: "billing", Kind: plan.AuroraGlobal, Global: plan.Identifiers{"globalCluster": "Billing"}, Regions: ids("cluster", "billing-use1", "billing-usw2"), Protect: &protect},
			{Name: "ledger", Kind: plan.RDSInstance, Regions: ids("instance", "ledger-use1", "ledger-usw2"), Protect: &protect},
		},
	}
}

func TestDatabaseItems_WhatTheApplicationMade_IsGiven(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, stores(plan.Protect{PITRDays: 7}))
	for _, id := range []string{"dynamodb-table/us-east-1/records", "aurora-cluster/us-east-1/billing-use1", "rds-instance/us-east-1/ledger-use1"} {
		require.True(t, items[id].Given, id)
		require.NotEmpty(t, items[id].Why, id)
		require.Empty(t, items[id].Want, "%s: adopted as it is", id)
	}
	require.False(t, items["dynamodb-table/us-east-2/lease"].Given, "Lifeline's own")
}

func TestDatabaseItems_BackupsOnBothSides(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, stores(plan.Protect{PITRDays: 7, ReadReplica: true}))
	for _, id := range []string{
		"dynamodb-pitr/us-east-1/records", "dynamodb-pitr/us-west-2/records",
		"aurora-backups/us-east-1/billing-use1", "aurora-backups/us-west-2/billing-usw2",
	} {
		require.Equal(t, "7", items[id].Want["days"], id)
	}
	for _, id := range []string{"rds-settings/us-east-1/ledger-use1", "rds-settings/us-west-2/ledger-usw2"} {
		require.Equal(t, map[string]string{"backup-days": "7"}, items[id].Want, id)
	}
}

func TestDatabaseItems_NoDays_LeavesBackupsAlone(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, stores(plan.Protect{}))
	for _, kind := range []string{"dynamodb-pitr", "aurora-backups", "rds-settings", "rds-read-replica", "rds-backup-replication", "rds-option-group"} {
		require.Empty(t, items.of(kind), kind)
	}
	require.Contains(t, items, "dynamodb-replica/us-west-2/records", "what the kind stands for is made all the same")
	require.Contains(t, items, "aurora-instance/us-west-2/billing-usw2")
}

func TestDatabaseItems_WhoWrites_IsNobodysWish(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, stores(plan.Protect{PITRDays: 7, ReadReplica: true}))
	require.Equal(t, "billing", items["aurora-member/us-west-2/billing-usw2"].Want["global"], "a member, writer or not; RDS keeps names in lower case")
	require.Equal(t, "arn:aws:rds:us-east-1:123456789012:cluster:billing-use1", items["aurora-global-database/us-east-1/billing"].Want["source"])
	require.Equal(t, "arn:aws:rds:us-east-1:123456789012:db:ledger-use1", items["rds-read-replica/us-west-2/ledger-usw2"].Want["peer"])
	for id, item := range items {
		for property := range item.Want {
			require.NotContains(t, []string{"writer", "role", "primary"}, property, id)
		}
	}
}

func TestDatabaseItems_CopiesWaitForTheKeyOfTheirRegionAndForBackups(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, stores(plan.Protect{PITRDays: 7, MultiAZ: true, ReadReplica: true, AutomatedBackups: true, OptionGroup: "ledger"}))
	for _, id := range []string{"dynamodb-replica/us-west-2/records", "aurora-member/us-west-2/billing-usw2", "rds-read-replica/us-west-2/ledger-usw2", "rds-backup-replication/us-west-2/ledger-use1"} {
		require.Contains(t, items[id].Waits(), "kms-key/us-west-2/alias/patient-records", id)
	}
	for _, id := range []string{"rds-read-replica/us-west-2/ledger-usw2", "rds-backup-replication/us-west-2/ledger-use1"} {
		require.Contains(t, items[id].Waits(), "rds-settings/us-east-1/ledger-use1", id)
		require.Contains(t, items[id].Waits(), "rds-option-group/us-west-2/ledger", "AWS copies no option group")
	}
	require.True(t, items["rds-option-group/us-west-2/ledger"].Given)
	require.Equal(t, map[string]string{"backup-days": "7", "multi-az": "true"}, items["rds-settings/us-west-2/ledger-usw2"].Want)
}

func TestDatabaseItems_StrongConsistency_HasTheWitness(t *testing.T) {
	t.Parallel()
	replica := itemsOf(t, stores(plan.Protect{Consistency: "strong"}))["dynamodb-replica/us-west-2/records"]
	require.Equal(t, "strong", replica.Want["consistency"])
	require.Equal(t, "us-east-2", replica.Want["witness"])
	require.Equal(t, "us-east-1", replica.Want["source"])
}

func TestDatabaseItems_NothingWaitsForEver(t *testing.T) {
	t.Parallel()
	var items []runbook.Item
	for _, item := range itemsOf(t, stores(plan.Protect{PITRDays: 7, ReadReplica: true, AutomatedBackups: true})) {
		items = append(items, item)
	}
	waves, rest := runbook.Waves(items, nil)
	require.Empty(t, rest)
	require.Greater(t, len(waves), 3)
}
