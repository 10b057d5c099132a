package backup_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/backup"
	"lifeline/local/aws/world"
)

func TestCopyJob_IntoTheOtherRegion(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	source := l.backUp(db, func(in *sdk.StartBackupJobInput) {
		in.Lifecycle, in.RecoveryPointTags = &types.Lifecycle{DeleteAfterDays: aws.Int64(90)}, map[string]string{"dr:intent": "daily"}
	})
	job := l.copy(*source.RecoveryPointArn)
	require.Equal(t, types.CopyJobStateCompleted, job.State)
	require.True(t, strings.HasPrefix(*job.DestinationRecoveryPointArn, "arn:aws:rds:us-west-2:123456789012:snapshot:awsbackup:copyjob-"))

	point, err := l.west.DescribeRecoveryPoint(t.Context(), &sdk.DescribeRecoveryPointInput{BackupVaultName: aws.String("dr"), RecoveryPointArn: job.DestinationRecoveryPointArn})
	require.NoError(t, err)
	require.Equal(t, vaultARN(east, "main"), *point.SourceBackupVaultArn)
	require.EqualValues(t, 90, *point.Lifecycle.DeleteAfterDays, "of its source")
	require.Equal(t, "arn:aws:kms:us-west-2:123456789012:key/c0ffee", *point.EncryptionKeyArn)
	tags, err := l.west.ListTags(t.Context(), &sdk.ListTagsInput{ResourceArn: job.DestinationRecoveryPointArn})
	require.NoError(t, err)
	require.Equal(t, "daily", tags.Tags["dr:intent"])
	there, err := l.west.ListRecoveryPointsByResource(t.Context(), &sdk.ListRecoveryPointsByResourceInput{ResourceArn: aws.String(db)})
	require.NoError(t, err)
	require.Len(t, there.RecoveryPoints, 1)
	list, err := l.east.ListCopyJobs(t.Context(), &sdk.ListCopyJobsInput{ByDestinationVaultArn: aws.String(vaultARN(west, "dr")), ByState: types.CopyJobStateCompleted})
	require.NoError(t, err)
	require.Len(t, list.CopyJobs, 1)
	require.Equal(t, 1, l.heard.metric("us-east-1 NumberOfCopyJobsCompleted main RDS"))
	require.Subset(t, l.heard.allEvents(), []string{
		"aws.backup Copy Job State Change CREATED us-east-1", "aws.backup Copy Job State Change RUNNING us-east-1",
		"aws.backup Copy Job State Change COMPLETED us-east-1", "aws.backup Recovery Point State Change COMPLETED us-west-2",
	})
}

func TestCopyJob_IntoAVaultWithAWSsKey_FailsUnlessFullyManaged(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vault(l.east, east, "main")
	_, err := l.west.CreateBackupVault(t.Context(), &sdk.CreateBackupVaultInput{BackupVaultName: aws.String("dr")}) // aws/backup
	require.NoError(t, err)
	job := l.copy(*l.backUp(db).RecoveryPointArn)
	require.Equal(t, types.CopyJobStateFailed, job.State)
	require.Equal(t, "Copy job failed because the destination Backup vault is encrypted with the default Backup service managed key. The contents of this vault "+
		"cannot be copied. Only the contents of a Backup vault encrypted by an AWS KMS key may be copied.", *job.StatusMessage)
	require.Empty(t, l.points(l.west, "dr"))
	require.Equal(t, 1, l.heard.metric("us-east-1 NumberOfCopyJobsFailed main RDS"))
	require.Equal(t, types.CopyJobStateCompleted, l.copy(*l.backUp(bucket).RecoveryPointArn).State, "S3 is fully managed")
}

func TestCopyJob_WhatAWSCannotCopy_Fails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		arn  string
		edit func(*backup.Resource)
		says string
	}{
		"Multi-AZ DB cluster":    {db, func(r *backup.Resource) { r.MultiAZCluster = true }, "Multi-AZ DB clusters"},
		"custom option group":    {db, func(r *backup.Resource) { r.CustomOptionGroup = "audit" }, "option group audit"},
		"DynamoDB, not advanced": {table, func(*backup.Resource) {}, "advanced features"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, setup{})
			l.vaults()
			l.estate.change(c.arn, c.edit)
			job := l.copy(*l.backUp(c.arn).RecoveryPointArn)
			require.Equal(t, types.CopyJobStateFailed, job.State)
			require.Contains(t, *job.StatusMessage, c.says)
		})
	}
}

func TestCopyJob_OptionGroupAndAdvancedDynamoDB_MakeItWork(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	l.estate.change(db, func(r *backup.Resource) { r.CustomOptionGroup = "audit" })
	l.estate.groups[west+"/audit"] = true
	for _, c := range []*sdk.Client{l.east, l.west} {
		_, err := c.UpdateRegionSettings(t.Context(), &sdk.UpdateRegionSettingsInput{ResourceTypeManagementPreference: map[string]bool{"DynamoDB": true}})
		require.NoError(t, err)
	}
	for _, arn := range []string{db, table} {
		require.Equal(t, types.CopyJobStateCompleted, l.copy(*l.backUp(arn).RecoveryPointArn).State, arn)
	}
}

func TestCopyJob_LockedDestination_FailsWhatDoesNotConform(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	_, err := l.west.PutBackupVaultLockConfiguration(t.Context(), &sdk.PutBackupVaultLockConfigurationInput{BackupVaultName: aws.String("dr"), MinRetentionDays: aws.Int64(30), MaxRetentionDays: aws.Int64(60)})
	require.NoError(t, err)
	source := *l.backUp(db, func(in *sdk.StartBackupJobInput) { in.Lifecycle = &types.Lifecycle{DeleteAfterDays: aws.Int64(7)} }).RecoveryPointArn
	keep := func(days int64) func(*sdk.StartCopyJobInput) {
		return func(in *sdk.StartCopyJobInput) { in.Lifecycle = &types.Lifecycle{DeleteAfterDays: &days} }
	}
	require.Equal(t, types.CopyJobStateFailed, l.copy(source).State, "7 days, of its source")
	require.Equal(t, types.CopyJobStateFailed, l.copy(source, keep(61)).State)
	good := l.copy(source, keep(30))
	require.Equal(t, types.CopyJobStateCompleted, good.State)
	_, err = l.west.DeleteRecoveryPoint(t.Context(), &sdk.DeleteRecoveryPointInput{BackupVaultName: aws.String("dr"), RecoveryPointArn: good.DestinationRecoveryPointArn})
	require.Equal(t, badAsk, code(t, err))
}

func TestCopyJob_UnreachableDestination_WaitsAndThenFails(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{compression: hourIn100ms})
	l.vaults()
	source := *l.backUp(db).RecoveryPointArn
	cut := l.world.Inject(world.Fault{Kind: world.Partition, Region: east, Peer: west})
	started := time.Now()
	job := l.copy(source)
	require.Equal(t, types.CopyJobStateFailed, job.State)
	require.Contains(t, *job.StatusMessage, "could not be reached")
	require.GreaterOrEqual(t, time.Since(started), 2*time.Hour/hourIn100ms, "AWS tries for two hours")
	l.world.Remove(cut)
	require.Equal(t, types.CopyJobStateCompleted, l.copy(source).State)
}

func TestStartCopyJob_Refusals(t *testing.T) {
	t.Parallel()
	l := quick(t)
	l.vaults()
	l.reach(l.plan("plan", []string{bucket}, rule("pitr", "cron(0 2 * * ? *)", 35, continuous)), 1)
	continuousPoint := l.points(l.east, "main")[0].RecoveryPointArn
	snapshot := l.backUp(db).RecoveryPointArn
	for name, c := range map[string]struct {
		edit func(*sdk.StartCopyJobInput)
		code string
	}{
		"continuous point": {func(in *sdk.StartCopyJobInput) { in.RecoveryPointArn = continuousPoint }, badAsk},
		"unknown point":    {func(in *sdk.StartCopyJobInput) { in.RecoveryPointArn = aws.String(table) }, noSuch},
		"unknown vault":    {func(in *sdk.StartCopyJobInput) { in.SourceBackupVaultName = aws.String("nowhere") }, noSuch},
		"malformed target": {func(in *sdk.StartCopyJobInput) { in.DestinationBackupVaultArn = aws.String("dr") }, badValue},
		"unknown target":   {func(in *sdk.StartCopyJobInput) { in.DestinationBackupVaultArn = aws.String(vaultARN(west, "nowhere")) }, noSuch},
		"its own vault":    {func(in *sdk.StartCopyJobInput) { in.DestinationBackupVaultArn = aws.String(vaultARN(east, "main")) }, badValue},
		"no role":          {func(in *sdk.StartCopyJobInput) { in.IamRoleArn = aws.String("role") }, badValue},
		"too short for cold": {func(in *sdk.StartCopyJobInput) {
			in.Lifecycle = &types.Lifecycle{MoveToColdStorageAfterDays: aws.Int64(8), DeleteAfterDays: aws.Int64(30)}
		}, badValue},
	} {
		in := &sdk.StartCopyJobInput{RecoveryPointArn: snapshot, SourceBackupVaultName: aws.String("main"), DestinationBackupVaultArn: aws.String(vaultARN(west, "dr")), IamRoleArn: aws.String(role)}
		c.edit(in)
		_, err := l.east.StartCopyJob(t.Context(), in)
		require.Error(t, err, name)
		require.Equal(t, c.code, code(t, err), name)
	}
	_, err := l.east.StartCopyJob(t.Context(), &sdk.StartCopyJobInput{
		RecoveryPointArn: continuousPoint, SourceBackupVaultName: aws.String("main"), DestinationBackupVaultArn: aws.String(vaultARN(west, "dr")), IamRoleArn: aws.String(role),
	})
	require.ErrorContains(t, err, "Copying a continuous backup is not supported")
	_, err = l.east.UpdateRecoveryPointLifecycle(t.Context(), &sdk.UpdateRecoveryPointLifecycleInput{
		BackupVaultName: aws.String("main"), RecoveryPointArn: continuousPoint, Lifecycle: &types.Lifecycle{DeleteAfterDays: aws.Int64(7)},
	})
	require.Equal(t, badAsk, code(t, err), "nor is a continuous point's lifecycle changed")

	foreign := "arn:aws:backup:us-west-2:999999999999:backup-vault:dr"
	job := l.copy(*snapshot, func(in *sdk.StartCopyJobInput) { in.DestinationBackupVaultArn = &foreign })
	require.Equal(t, types.CopyJobStateFailed, job.State)
	require.Contains(t, *job.StatusMessage, "member of the same organization")
}

func TestStartCopyJob_SameToken_IsTheSameJob(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	in := &sdk.StartCopyJobInput{
		RecoveryPointArn: l.backUp(db).RecoveryPointArn, SourceBackupVaultName: aws.String("main"),
		DestinationBackupVaultArn: aws.String(vaultARN(west, "dr")), IamRoleArn: aws.String(role), IdempotencyToken: aws.String("step-4"),
	}
	one, err := l.east.StartCopyJob(t.Context(), in)
	require.NoError(t, err)
	two, err := l.east.StartCopyJob(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, *one.CopyJobId, *two.CopyJobId)
}

func TestCopyJobs_OfOneResource_RunOneAfterTheOther(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{compression: hourIn100ms, times: backup.Times{Copy: time.Hour}})
	l.vaults()
	point := l.backUp(db).RecoveryPointArn
	for range 2 { // each with an input of its own: the SDK writes a token into it
		_, err := l.east.StartCopyJob(t.Context(), &sdk.StartCopyJobInput{
			RecoveryPointArn: point, SourceBackupVaultName: aws.String("main"), DestinationBackupVaultArn: aws.String(vaultARN(west, "dr")), IamRoleArn: aws.String(role),
		})
		require.NoError(t, err)
	}
	count := func(state types.CopyJobState) int {
		out, err := l.east.ListCopyJobs(t.Context(), &sdk.ListCopyJobsInput{ByState: state})
		require.NoError(t, err)
		return len(out.CopyJobs)
	}
	var most atomic.Int64 // at work together
	require.Eventually(t, func() bool {
		most.Store(max(most.Load(), int64(count(types.CopyJobStateRunning))))
		return count(types.CopyJobStateCompleted) == 2
	}, patience, tick)
	require.EqualValues(t, 1, most.Load())
}

func TestCopyAction_OfARule_CopiesEachBackup(t *testing.T) {
	t.Parallel()
	l := quick(t)
	l.vaults()
	plan := l.plan("plan", []string{db}, rule("nightly", "cron(0 2 * * ? *)", 30, copied, func(r *types.BackupRuleInput) {
		r.CopyActions[0].Lifecycle = &types.Lifecycle{DeleteAfterDays: aws.Int64(365)}
	}))
	l.reach(plan, 1)
	require.Eventually(t, func() bool { return len(l.points(l.west, "dr")) > 0 }, patience, tick)
	point := l.points(l.west, "dr")[0]
	require.EqualValues(t, 365, *point.Lifecycle.DeleteAfterDays)
	require.Equal(t, plan, *point.CreatedBy.BackupPlanId)
}
