package keepers_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	awsrds "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/stretchr/testify/require"

	"lifeline/activities/dynamodb"
	"lifeline/activities/kms"
	"lifeline/activities/rds"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/local/aws/world"
)

// stored is a plan with every kind of database, and all that setup can keep of them.
func stored(t *testing.T) plan.Plan {
	t.Helper()
	p := example(t, objects)
	for i := range p.Resources {
		if k := p.Resources[i].Kind; k == plan.DynamoDBTable || k == plan.AuroraGlobal {
			p.Resources[i].Protect = &plan.Protect{PITRDays: 30}
		}
	}
	p.Resources = append(p.Resources,
		plan.Resource{
			Name: "consents", Kind: plan.DynamoDBTable, Tier: 1, Regions: map[plan.Region]plan.Identifiers{east: {"table": "consents"}, west: {"table": "consents"}},
			Protect: &plan.Protect{PITRDays: 7, Consistency: "strong"},
		},
		plan.Resource{
			Name: "ledger", Kind: plan.RDSInstance, Tier: 2, Regions: map[plan.Region]plan.Identifiers{east: {"instance": "ledger-use1"}, west: {"instance": "ledger-usw2"}},
			Protect: &plan.Protect{PITRDays: 14, MultiAZ: true, ReadReplica: true, AutomatedBackups: true, OptionGroup: "ledger-options"},
		})
	return p
}

// databases is a world with the application's databases in the primary Region.
func databases(t *testing.T, backupDays int32) *site {
	t.Helper()
	s := bare(t, 400, kms.Keepers, dynamodb.Keepers, rds.Keepers)
	for _, table := range []string{"patient-records", "consents"} {
		s.table(t, table)
	}
	home := awsrds.NewFromConfig(s.in(east))
	_, err := home.CreateDBCluster(t.Context(), &awsrds.CreateDBClusterInput{
		DBClusterIdentifier: aws.String("patient-billing-use1"), Engine: aws.String("aurora-postgresql"), EngineVersion: aws.String("15.10"), MasterUsername: aws.String("lifeline"),
		ManageMasterUserPassword: aws.Bool(true), StorageEncrypted: aws.Bool(true), BackupRetentionPeriod: aws.Int32(3),
	})
	require.NoError(t, err)
	_, err = home.CreateDBInstance(t.Context(), &awsrds.CreateDBInstanceInput{
		DBInstanceIdentifier: aws.String("patient-billing-use1-a"), DBClusterIdentifier: aws.String("patient-billing-use1"), Engine: aws.String("aurora-postgresql"), DBInstanceClass: aws.String("db.r6g.2xlarge"),
	})
	require.NoError(t, err)
	_, err = home.CreateDBInstance(t.Context(), &awsrds.CreateDBInstanceInput{
		DBInstanceIdentifier: aws.String("ledger-use1"), Engine: aws.String("mysql"), DBInstanceClass: aws.String("db.m6g.large"), AllocatedStorage: aws.Int32(100),
		MasterUsername: aws.String("lifeline"), ManageMasterUserPassword: aws.Bool(true), StorageEncrypted: aws.Bool(true), BackupRetentionPeriod: aws.Int32(backupDays),
	})
	require.NoError(t, err)
	_, err = awsrds.NewFromConfig(s.in(west)).CreateOptionGroup(t.Context(), &awsrds.CreateOptionGroupInput{
		OptionGroupName: aws.String("ledger-options"), EngineName: aws.String("mysql"), MajorEngineVersion: aws.String("8.0"), OptionGroupDescription: aws.String("as in us-east-1"),
	})
	require.NoError(t, err)
	return s
}

// table is the application's own, in the primary Region.
func (s *site) table(t *testing.T, name string) {
	t.Helper()
	api := ddb.NewFromConfig(s.in(east))
	_, err := api.CreateTable(t.Context(), &ddb.CreateTableInput{
		TableName: aws.String(name), BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: ddbtypes.ScalarAttributeTypeS}},
		KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: ddbtypes.KeyTypeHash}},
	})
	require.NoError(t, err)
	require.NoError(t, ddb.NewTableExistsWaiter(api, func(o *ddb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 20*time.Millisecond, 50*time.Millisecond
	}).
		Wait(t.Context(), &ddb.DescribeTableInput{TableName: aws.String(name)}, patience))
}

// kept are the items of databases, and the keys that they refer to.
func kept(t *testing.T, p plan.Plan) []runbook.Item {
	t.Helper()
	return slices.DeleteFunc(wanted(t, p, runbook.AreaAccess, runbook.AreaDatabases), func(i runbook.Item) bool {
		return i.Area == runbook.AreaAccess && i.Type != "kms-key"
	})
}

func TestDatabases_OnlyInThePrimary_GetCopiesAndBackups(t *testing.T) {
	t.Parallel()
	s := databases(t, 1)
	items := kept(t, stored(t))
	result := s.setup().converge(items, true)
	result.good(t)
	s.requireCopies(t, result)

	again := s.setup()
	again.converge(items, true).all(t, runbook.InPlace)
	require.Empty(t, again.changed(), "a second run changes nothing")
	require.LessOrEqual(t, len(again.calls()), 2*len(items))
}

// requireCopies looks at what was made, with the admin's eyes.
func (s *site) requireCopies(t *testing.T, result results) {
	t.Helper()
	away, home := awsrds.NewFromConfig(s.in(west)), awsrds.NewFromConfig(s.in(east))
	key := result["kms-key/us-west-2/alias/patient-records"].Out["arn"]

	clusters, err := away.DescribeDBClusters(t.Context(), &awsrds.DescribeDBClustersInput{DBClusterIdentifier: aws.String("patient-billing-usw2")})
	require.NoError(t, err)
	c := clusters.DBClusters[0]
	require.Equal(t, "15.10", aws.ToString(c.EngineVersion), "the writer's version")
	require.Equal(t, key, aws.ToString(c.KmsKeyId), "a key of its own Region")
	require.EqualValues(t, 30, aws.ToInt32(c.BackupRetentionPeriod))
	require.Len(t, c.DBClusterMembers, 1, "headless can't be promoted")
	instances, err := away.DescribeDBInstances(t.Context(), &awsrds.DescribeDBInstancesInput{DBInstanceIdentifier: c.DBClusterMembers[0].DBInstanceIdentifier})
	require.NoError(t, err)
	require.Equal(t, "db.r6g.2xlarge", aws.ToString(instances.DBInstances[0].DBInstanceClass), "as large as the writer")
	globals, err := home.DescribeGlobalClusters(t.Context(), &awsrds.DescribeGlobalClustersInput{})
	require.NoError(t, err)
	require.Len(t, globals.GlobalClusters, 1)
	require.Len(t, globals.GlobalClusters[0].GlobalClusterMembers, 2)

	replicas, err := away.DescribeDBInstances(t.Context(), &awsrds.DescribeDBInstancesInput{DBInstanceIdentifier: aws.String("ledger-usw2")})
	require.NoError(t, err)
	r := replicas.DBInstances[0]
	require.Equal(t, "arn:aws:rds:us-east-1:123456789012:db:ledger-use1", aws.ToString(r.ReadReplicaSourceDBInstanceIdentifier))
	require.Equal(t, key, aws.ToString(r.KmsKeyId))
	require.True(t, aws.ToBool(r.MultiAZ), "as available as its source, once it is promoted")
	require.EqualValues(t, 14, aws.ToInt32(r.BackupRetentionPeriod), "backups of its own, or it can't be restored after a promotion")
	backups, err := away.DescribeDBInstanceAutomatedBackups(t.Context(), &awsrds.DescribeDBInstanceAutomatedBackupsInput{DBInstanceIdentifier: aws.String("ledger-use1")})
	require.NoError(t, err)
	require.Len(t, backups.DBInstanceAutomatedBackups, 1)
	require.Equal(t, "replicating", aws.ToString(backups.DBInstanceAutomatedBackups[0].Status))

	for table, days := range map[string]int32{"patient-records": 30, "consents": 7} {
		for _, region := range []plan.Region{east, west} {
			got, err := ddb.NewFromConfig(s.in(region)).DescribeContinuousBackups(t.Context(), &ddb.DescribeContinuousBackupsInput{TableName: aws.String(table)})
			require.NoError(t, err)
			p := got.ContinuousBackupsDescription.PointInTimeRecoveryDescription
			require.Equal(t, ddbtypes.PointInTimeRecoveryStatusEnabled, p.PointInTimeRecoveryStatus, "%s in %s", table, region)
			require.Equal(t, days, aws.ToInt32(p.RecoveryPeriodInDays))
		}
	}
	consents, err := ddb.NewFromConfig(s.in(west)).DescribeTable(t.Context(), &ddb.DescribeTableInput{TableName: aws.String("consents")})
	require.NoError(t, err)
	require.Equal(t, ddbtypes.MultiRegionConsistencyStrong, consents.Table.MultiRegionConsistency)
	lease, err := ddb.NewFromConfig(s.in(witness)).DescribeTable(t.Context(), &ddb.DescribeTableInput{TableName: aws.String("lifeline-lease")})
	require.NoError(t, err)
	require.True(t, aws.ToBool(lease.Table.DeletionProtectionEnabled))
}

func TestDatabases_LostAnswersAndThrottling_MakeNothingTwice(t *testing.T) {
	t.Parallel()
	s := databases(t, 1)
	items := kept(t, stored(t))
	run := s.setup()
	for _, op := range []string{"CreateGlobalCluster", "CreateDBCluster", "CreateDBInstance", "CreateDBInstanceReadReplica", "StartDBInstanceAutomatedBackupsReplication", "UpdateTable", "CreateTable", "ModifyDBCluster"} {
		run.suffer(world.Fault{Kind: world.LoseAnswer, Operation: op, Times: 1})
	}
	run.suffer(world.Fault{Kind: world.Throttle, Probability: 0.3})
	result := run.converge(items, true)
	result.good(t)
	s.requireCopies(t, result)
	quiet := s.setup()
	quiet.converge(items, true).all(t, runbook.InPlace)
	require.Empty(t, quiet.changed())
}

func TestDatabases_ChangedByHand_AreToldOrRepaired(t *testing.T) {
	t.Parallel()
	s := databases(t, 1)
	items := kept(t, stored(t))
	s.setup().converge(items, true).good(t)
	_, err := ddb.NewFromConfig(s.in(west)).UpdateContinuousBackups(t.Context(), &ddb.UpdateContinuousBackupsInput{
		TableName: aws.String("patient-records"), PointInTimeRecoverySpecification: &ddbtypes.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(false)},
	})
	require.NoError(t, err)
	_, err = awsrds.NewFromConfig(s.in(west)).ModifyDBCluster(t.Context(), &awsrds.ModifyDBClusterInput{DBClusterIdentifier: aws.String("patient-billing-usw2"), BackupRetentionPeriod: aws.Int32(1), ApplyImmediately: aws.Bool(true)})
	require.NoError(t, err)
	drifted := []string{"dynamodb-pitr/us-west-2/patient-records", "aurora-backups/us-west-2/patient-billing-usw2"}

	told := s.setup()
	seen := told.converge(items, false)
	for _, id := range drifted {
		require.Equal(t, runbook.Drifted, seen[id].Verdict, id)
	}
	require.Empty(t, told.changed())
	repaired := s.setup().converge(items, true)
	repaired.good(t)
	for _, id := range drifted {
		require.Equal(t, runbook.Changed, repaired[id].Verdict, id)
	}
}

func TestDatabases_AfterAFailover_NothingIsTakenBack(t *testing.T) {
	t.Parallel()
	s := databases(t, 1)
	items := kept(t, stored(t))
	s.setup().converge(items, true).good(t)
	away := awsrds.NewFromConfig(s.in(west))
	_, err := away.FailoverGlobalCluster(t.Context(), &awsrds.FailoverGlobalClusterInput{
		GlobalClusterIdentifier: aws.String("patient-billing"), TargetDbClusterIdentifier: aws.String("arn:aws:rds:us-west-2:123456789012:cluster:patient-billing-usw2"), AllowDataLoss: aws.Bool(true),
	})
	require.NoError(t, err)
	_, err = away.PromoteReadReplica(t.Context(), &awsrds.PromoteReadReplicaInput{DBInstanceIdentifier: aws.String("ledger-usw2"), BackupRetentionPeriod: aws.Int32(14)})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		out, err := away.DescribeGlobalClusters(t.Context(), &awsrds.DescribeGlobalClustersInput{})
		require.NoError(t, err)
		promoted, err := away.DescribeDBInstances(t.Context(), &awsrds.DescribeDBInstancesInput{DBInstanceIdentifier: aws.String("ledger-usw2")})
		require.NoError(t, err)
		_, writer := s.RDS.Writer("patient-billing")
		return out.GlobalClusters[0].FailoverState == nil && len(out.GlobalClusters[0].GlobalClusterMembers) == 2 && writer == string(west) &&
			aws.ToString(promoted.DBInstances[0].ReadReplicaSourceDBInstanceIdentifier) == ""
	}, patience, 50*time.Millisecond)

	run := s.setup()
	got := run.converge(items, true)
	require.Empty(t, run.changed(), "no second global database, no second replica")
	for id, r := range got {
		want := runbook.InPlace
		if id == "rds-read-replica/us-west-2/ledger-usw2" {
			want = runbook.Drifted // true: the promoted instance has no copy
		}
		require.Equal(t, want, r.Verdict, "%s: %s %v", id, r.Why, r.Changes)
	}
}

func TestDatabases_WithoutAutomatedBackups_WaitForTheMaintenanceWindow(t *testing.T) {
	t.Parallel()
	s := databases(t, 0)
	items := kept(t, stored(t))
	run := s.setup()
	got := run.converge(items, true)
	settings := got["rds-settings/us-east-1/ledger-use1"]
	require.Equal(t, runbook.Unkept, settings.Verdict)
	require.Contains(t, settings.Why, "turning them on restarts the instance: it waits for the maintenance window")
	home := awsrds.NewFromConfig(s.in(east))
	now, err := home.DescribeDBInstances(t.Context(), &awsrds.DescribeDBInstancesInput{DBInstanceIdentifier: aws.String("ledger-use1")})
	require.NoError(t, err)
	require.Zero(t, aws.ToInt32(now.DBInstances[0].BackupRetentionPeriod), "not now")
	require.EqualValues(t, 14, aws.ToInt32(now.DBInstances[0].PendingModifiedValues.BackupRetentionPeriod))

	again := s.setup()
	again.converge(items, true)
	require.NotContains(t, again.changed(), "rds:ModifyDBInstance", "it is put off once")

	// The window comes; a restart applies what is put off.
	_, err = home.RebootDBInstance(t.Context(), &awsrds.RebootDBInstanceInput{DBInstanceIdentifier: aws.String("ledger-use1")})
	require.NoError(t, err)
	s.setup().converge(items, true).good(t)
}

func TestDatabases_WhatOthersPutOff_IsNotAppliedForThem(t *testing.T) {
	t.Parallel()
	s := databases(t, 1)
	home := awsrds.NewFromConfig(s.in(east))
	require.NoError(t, awsrds.NewDBInstanceAvailableWaiter(home, func(o *awsrds.DBInstanceAvailableWaiterOptions) {
		o.MinDelay, o.MaxDelay = 20*time.Millisecond, 50*time.Millisecond
	}).
		Wait(t.Context(), &awsrds.DescribeDBInstancesInput{DBInstanceIdentifier: aws.String("ledger-use1")}, patience))
	_, err := home.ModifyDBInstance(t.Context(), &awsrds.ModifyDBInstanceInput{DBInstanceIdentifier: aws.String("ledger-use1"), DBInstanceClass: aws.String("db.m6g.4xlarge"), ApplyImmediately: aws.Bool(false)})
	require.NoError(t, err)
	got := s.setup().converge(kept(t, stored(t)), true)["rds-settings/us-east-1/ledger-use1"]
	require.Equal(t, runbook.Unkept, got.Verdict)
	require.Contains(t, got.Why, "somebody has put off (instance class)")
	now, err := home.DescribeDBInstances(t.Context(), &awsrds.DescribeDBInstancesInput{DBInstanceIdentifier: aws.String("ledger-use1")})
	require.NoError(t, err)
	require.Equal(t, "db.m6g.large", aws.ToString(now.DBInstances[0].DBInstanceClass))
}

func TestDatabases_ClusterOfAnotherGlobalDatabase_IsRefused(t *testing.T) {
	t.Parallel()
	s := databases(t, 1)
	home := awsrds.NewFromConfig(s.in(east))
	require.NoError(t, awsrds.NewDBClusterAvailableWaiter(home, func(o *awsrds.DBClusterAvailableWaiterOptions) {
		o.MinDelay, o.MaxDelay = 20*time.Millisecond, 50*time.Millisecond
	}).
		Wait(t.Context(), &awsrds.DescribeDBClustersInput{DBClusterIdentifier: aws.String("patient-billing-use1")}, patience))
	_, err := home.CreateGlobalCluster(t.Context(), &awsrds.CreateGlobalClusterInput{
		GlobalClusterIdentifier: aws.String("somebody-elses"), SourceDBClusterIdentifier: aws.String("arn:aws:rds:us-east-1:123456789012:cluster:patient-billing-use1"),
	})
	require.NoError(t, err)
	run := s.setup()
	got := run.converge(kept(t, stored(t)), true)
	require.Equal(t, runbook.Unkept, got["aurora-global-database/us-east-1/patient-billing"].Verdict)
	require.Contains(t, got["aurora-global-database/us-east-1/patient-billing"].Why, `is a member of global database "somebody-elses" already`)
	require.NotContains(t, run.changed(), "rds:CreateGlobalCluster")
}

func TestDatabases_StrongConsistencyOfAFullTable_IsRefused(t *testing.T) {
	t.Parallel()
	s := databases(t, 1)
	api := ddb.NewFromConfig(s.in(east))
	_, err := api.PutItem(t.Context(), &ddb.PutItemInput{TableName: aws.String("consents"), Item: map[string]ddbtypes.AttributeValue{"id": &ddbtypes.AttributeValueMemberS{Value: "1"}}})
	require.NoError(t, err)
	_, err = api.UpdateTimeToLive(t.Context(), &ddb.UpdateTimeToLiveInput{TableName: aws.String("consents"), TimeToLiveSpecification: &ddbtypes.TimeToLiveSpecification{AttributeName: aws.String("until"), Enabled: aws.Bool(true)}})
	require.NoError(t, err)
	run := s.setup()
	got := run.converge(slices.DeleteFunc(kept(t, stored(t)), func(i runbook.Item) bool { return i.Area == runbook.AreaDatabases && i.Resource != "consents" }), true)
	replica := got["dynamodb-replica/us-west-2/consents"]
	require.Equal(t, runbook.Unkept, replica.Verdict)
	require.Contains(t, replica.Why, "it holds items, and only an empty table can become one; it has time to live")
	require.NotContains(t, run.changed(), "dynamodb:UpdateTable")
}

func TestDatabases_NotThere_AreMissingAndNothingIsMade(t *testing.T) {
	t.Parallel()
	s := bare(t, 400, kms.Keepers, dynamodb.Keepers, rds.Keepers)
	run := s.setup()
	got := run.converge(kept(t, stored(t)), true)
	for _, id := range []string{
		"dynamodb-table/us-east-1/patient-records", "aurora-cluster/us-east-1/patient-billing-use1", "rds-instance/us-east-1/ledger-use1", "rds-option-group/us-west-2/ledger-options",
	} {
		require.Equal(t, runbook.Missing, got[id].Verdict, id)
		require.NotEmpty(t, got[id].Why, id)
	}
	require.NotContains(t, run.changed(), "dynamodb:UpdateTable")
	require.NotContains(t, run.changed(), "rds:CreateGlobalCluster")
}

func TestDatabases_TableUnderAKey_ReplicaIsEncryptedInKind(t *testing.T) {
	t.Parallel()
	s := bare(t, 400, kms.Keepers, dynamodb.Keepers, rds.Keepers)
	items := slices.DeleteFunc(kept(t, stored(t)), func(i runbook.Item) bool { return i.Area == runbook.AreaDatabases && i.Resource != "records" })
	keys := s.setup().converge(of(items, runbook.AreaAccess), true)
	s.table(t, "patient-records")
	home, away := ddb.NewFromConfig(s.in(east)), ddb.NewFromConfig(s.in(west))
	_, err := home.UpdateTable(t.Context(), &ddb.UpdateTableInput{TableName: aws.String("patient-records"), SSESpecification: &ddbtypes.SSESpecification{
		Enabled: aws.Bool(true), SSEType: ddbtypes.SSETypeKms, KMSMasterKeyId: aws.String(keys["kms-key/us-east-1/alias/patient-records"].Out["arn"]),
	}})
	require.NoError(t, err)
	s.setup().converge(items, true).good(t)
	got, err := away.DescribeTable(t.Context(), &ddb.DescribeTableInput{TableName: aws.String("patient-records")})
	require.NoError(t, err)
	require.Equal(t, keys["kms-key/us-west-2/alias/patient-records"].Out["arn"], aws.ToString(got.Table.SSEDescription.KMSMasterKeyArn))
}
