package backup_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/backup"
	"lifeline/local/aws/world"
)

func TestStartBackupJob_Refusals(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	for name, c := range map[string]struct {
		edit func(*sdk.StartBackupJobInput)
		code string
	}{
		"unknown vault":    {func(in *sdk.StartBackupJobInput) { in.BackupVaultName = aws.String("nowhere") }, noSuch},
		"unknown resource": {func(in *sdk.StartBackupJobInput) { in.ResourceArn = aws.String(table + "-gone") }, noSuch},
		"unsupported resource": {func(in *sdk.StartBackupJobInput) {
			in.ResourceArn = aws.String("arn:aws:lambda:us-east-1:123456789012:function:f")
		}, badValue},
		"no role":            {func(in *sdk.StartBackupJobInput) { in.IamRoleArn = aws.String("role") }, badValue},
		"short start window": {func(in *sdk.StartBackupJobInput) { in.StartWindowMinutes = aws.Int64(59) }, badValue},
		"short completion":   {func(in *sdk.StartBackupJobInput) { in.CompleteWindowMinutes = aws.Int64(60) }, badValue},
		"short cold": {func(in *sdk.StartBackupJobInput) {
			in.Lifecycle = &types.Lifecycle{MoveToColdStorageAfterDays: aws.Int64(8), DeleteAfterDays: aws.Int64(97)}
		}, badValue},
		"unknown option": {func(in *sdk.StartBackupJobInput) { in.BackupOptions = map[string]string{"Turbo": "enabled"} }, badValue},
	} {
		in := &sdk.StartBackupJobInput{BackupVaultName: aws.String("main"), ResourceArn: aws.String(table), IamRoleArn: aws.String(role)}
		c.edit(in)
		_, err := l.east.StartBackupJob(t.Context(), in)
		require.Error(t, err, name)
		require.Equal(t, c.code, code(t, err), name)
	}
	_, err := l.east.DescribeBackupJob(t.Context(), &sdk.DescribeBackupJobInput{BackupJobId: aws.String("none")})
	require.Equal(t, noSuch, code(t, err))
}

func TestStartBackupJob_SameToken_IsTheSameJob(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	in := &sdk.StartBackupJobInput{BackupVaultName: aws.String("main"), ResourceArn: aws.String(table), IamRoleArn: aws.String(role), IdempotencyToken: aws.String("step-4")}
	one, err := l.east.StartBackupJob(t.Context(), in)
	require.NoError(t, err)
	two, err := l.east.StartBackupJob(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, *one.BackupJobId, *two.BackupJobId)
	l.ended(*one.BackupJobId)
	require.Len(t, l.jobs(), 1)
	in.ResourceArn = aws.String(db)
	_, err = l.east.StartBackupJob(t.Context(), in)
	require.Equal(t, badValue, code(t, err))
}

func TestBackupJob_StatesMetricsAndEvents(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	require.Equal(t, types.BackupJobStateCompleted, l.backUp(db).State)
	for _, state := range []string{"Created", "Pending", "Running", "Completed"} {
		require.Equal(t, 1, l.heard.metric("us-east-1 NumberOfBackupJobs"+state+" main RDS"), state)
	}
	require.Zero(t, l.heard.metric("us-east-1 NumberOfBackupJobsFailed main RDS"))
	require.Subset(t, l.heard.allEvents(), []string{
		"aws.backup Backup Job State Change CREATED us-east-1", "aws.backup Backup Job State Change PENDING us-east-1",
		"aws.backup Backup Job State Change RUNNING us-east-1", "aws.backup Backup Job State Change COMPLETED us-east-1",
		"aws.backup Recovery Point State Change COMPLETED us-east-1",
	})
}

func TestBackupJob_UnfitResource_Fails(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	l.estate.change(bucket, func(r *backup.Resource) { r.Unfit = "Versioning is not enabled on documents" })
	job := l.backUp(bucket)
	require.Equal(t, types.BackupJobStateFailed, job.State)
	require.Contains(t, *job.StatusMessage, "Versioning")
	require.Empty(t, l.points(l.east, "main"))
}

func TestStopBackupJob_RunningOrNot(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{times: backup.Times{Backup: 24 * time.Hour}})
	l.vaults()
	start := func(arn string) string {
		out, err := l.east.StartBackupJob(t.Context(), &sdk.StartBackupJobInput{BackupVaultName: aws.String("main"), ResourceArn: &arn, IamRoleArn: aws.String(role)})
		require.NoError(t, err)
		return *out.BackupJobId
	}
	id, database := start(table), start(db)
	_, err := l.east.StopBackupJob(t.Context(), &sdk.StopBackupJobInput{BackupJobId: &id})
	require.NoError(t, err)
	job := l.ended(id)
	require.Equal(t, types.BackupJobStateAborted, job.State)
	require.Contains(t, *job.StatusMessage, "stopped by user")
	_, err = l.east.StopBackupJob(t.Context(), &sdk.StopBackupJobInput{BackupJobId: &id})
	require.Equal(t, badAsk, code(t, err), "it has ended")
	_, err = l.east.StopBackupJob(t.Context(), &sdk.StopBackupJobInput{BackupJobId: &database})
	require.Equal(t, badAsk, code(t, err), "RDS can't")
}

func TestBackupJob_CompletionWindow_AbortsWhatTakesTooLong(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{times: backup.Times{Backup: 24 * time.Hour}, compression: hourIn100ms})
	l.vaults()
	job := l.backUp(table, func(in *sdk.StartBackupJobInput) {
		in.StartWindowMinutes, in.CompleteWindowMinutes = aws.Int64(60), aws.Int64(120)
	})
	require.Equal(t, types.BackupJobStateAborted, job.State)
}

func TestBackupJob_DarkRegion_ExpiresUnstarted(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{compression: hourIn100ms})
	l.vaults()
	in := &sdk.StartBackupJobInput{BackupVaultName: aws.String("main"), ResourceArn: aws.String(table), IamRoleArn: aws.String(role), StartWindowMinutes: aws.Int64(600)}
	out, err := l.east.StartBackupJob(t.Context(), in)
	require.NoError(t, err)
	l.ended(*out.BackupJobId)

	expired := make(chan string, 16)
	t.Cleanup(l.world.Subscribe(func(e world.Event) {
		if e.Kind == "backup-job" && e.Detail["state"] == "EXPIRED" {
			expired <- e.ID
		}
	}))
	plan := l.plan("plan", []string{table}, rule("hourly", "cron(0 * * * ? *)", 30))
	dark := l.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	id := <-expired
	l.world.Remove(dark)
	job, err := l.east.DescribeBackupJob(t.Context(), &sdk.DescribeBackupJobInput{BackupJobId: &id})
	require.NoError(t, err)
	require.Equal(t, plan, *job.CreatedBy.BackupPlanId)
	require.Nil(t, job.RecoveryPointArn)
	l.reach(plan, 1) // and it goes on when the light is back
}

func TestRecoveryPoint_LifecycleUpdateAndDeletion(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	ctx, main := t.Context(), aws.String("main")
	l.vaults()
	arn := l.backUp(table).RecoveryPointArn
	_, err := l.east.UpdateRecoveryPointLifecycle(ctx, &sdk.UpdateRecoveryPointLifecycleInput{
		BackupVaultName: main, RecoveryPointArn: arn, Lifecycle: &types.Lifecycle{MoveToColdStorageAfterDays: aws.Int64(30), DeleteAfterDays: aws.Int64(60)},
	})
	require.Equal(t, badValue, code(t, err))
	out, err := l.east.UpdateRecoveryPointLifecycle(ctx, &sdk.UpdateRecoveryPointLifecycleInput{
		BackupVaultName: main, RecoveryPointArn: arn, Lifecycle: &types.Lifecycle{DeleteAfterDays: aws.Int64(365)},
	})
	require.NoError(t, err)
	require.NotNil(t, out.CalculatedLifecycle.DeleteAt)

	_, err = l.east.DeleteRecoveryPoint(ctx, &sdk.DeleteRecoveryPointInput{BackupVaultName: main, RecoveryPointArn: arn})
	require.NoError(t, err)
	_, err = l.east.DeleteRecoveryPoint(ctx, &sdk.DeleteRecoveryPointInput{BackupVaultName: main, RecoveryPointArn: arn})
	require.Contains(t, []string{"InvalidResourceStateException", noSuch}, code(t, err))
	require.Eventually(t, func() bool { return len(l.points(l.east, "main")) == 0 }, patience, tick)
	_, err = l.east.DescribeRecoveryPoint(ctx, &sdk.DescribeRecoveryPointInput{BackupVaultName: main, RecoveryPointArn: arn})
	require.Equal(t, noSuch, code(t, err))
	_, err = l.east.DescribeProtectedResource(ctx, &sdk.DescribeProtectedResourceInput{ResourceArn: aws.String(table)})
	require.Equal(t, noSuch, code(t, err))
}

// restored makes what it is asked for, or says why not.
type restored struct{ err error }

func (r restored) Restore(in backup.Restore) (string, error) {
	return "arn:aws:dynamodb:" + in.Region + ":123456789012:table/" + in.Metadata["targetTableName"], r.err
}

func (l *lab) restore(in *sdk.StartRestoreJobInput) *sdk.DescribeRestoreJobOutput {
	l.t.Helper()
	started, err := l.east.StartRestoreJob(l.t.Context(), in)
	require.NoError(l.t, err)
	var out *sdk.DescribeRestoreJobOutput
	require.Eventually(l.t, func() bool {
		out, err = l.east.DescribeRestoreJob(l.t.Context(), &sdk.DescribeRestoreJobInput{RestoreJobId: started.RestoreJobId})
		return err == nil && (out.Status == types.RestoreJobStatusCompleted || out.Status == types.RestoreJobStatusFailed)
	}, patience, tick)
	return out
}

func TestRestoreJob_MakesWhatItIsAskedFor(t *testing.T) {
	t.Parallel()
	for name, restorer := range map[string]backup.Restorer{"by a neighbour": restored{}, "alone": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, setup{restorer: restorer})
			l.vaults()
			arn := l.backUp(table).RecoveryPointArn
			in := &sdk.StartRestoreJobInput{RecoveryPointArn: arn, IamRoleArn: aws.String(role), Metadata: map[string]string{"targetTableName": "drill"}, IdempotencyToken: aws.String("t")}
			job := l.restore(in)
			require.Equal(t, types.RestoreJobStatusCompleted, job.Status)
			require.Equal(t, "arn:aws:dynamodb:us-east-1:123456789012:table/drill", *job.CreatedResourceArn)
			again, err := l.east.StartRestoreJob(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, *job.RestoreJobId, *again.RestoreJobId)
			list, err := l.east.ListRestoreJobs(t.Context(), &sdk.ListRestoreJobsInput{ByStatus: types.RestoreJobStatusCompleted})
			require.NoError(t, err)
			require.Len(t, list.RestoreJobs, 1)
			meta, err := l.east.GetRestoreJobMetadata(t.Context(), &sdk.GetRestoreJobMetadataInput{RestoreJobId: job.RestoreJobId})
			require.NoError(t, err)
			require.Equal(t, "drill", meta.Metadata["targetTableName"])
			about, err := l.east.DescribeProtectedResource(t.Context(), &sdk.DescribeProtectedResourceInput{ResourceArn: aws.String(table)})
			require.NoError(t, err)
			require.NotNil(t, about.LatestRestoreJobCreationDate)
			require.Equal(t, 1, l.heard.metric("us-east-1 NumberOfRestoreJobsCompleted main DynamoDB"))
		})
	}
}

func TestRestoreJob_NeighbourCannot_Fails(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{restorer: restored{errors.New("table drill exists")}})
	l.vaults()
	job := l.restore(&sdk.StartRestoreJobInput{RecoveryPointArn: l.backUp(table).RecoveryPointArn, IamRoleArn: aws.String(role), Metadata: map[string]string{"targetTableName": "drill"}})
	require.Equal(t, types.RestoreJobStatusFailed, job.Status)
	require.Contains(t, *job.StatusMessage, "table drill exists")
	require.Nil(t, job.CreatedResourceArn)
}

func TestStartRestoreJob_Refusals(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	point := l.backUp(db).RecoveryPointArn
	meta, err := l.east.GetRecoveryPointRestoreMetadata(t.Context(), &sdk.GetRecoveryPointRestoreMetadataInput{BackupVaultName: aws.String("main"), RecoveryPointArn: point})
	require.NoError(t, err)
	require.Equal(t, "postgres", meta.RestoreMetadata["Engine"])
	for name, c := range map[string]struct {
		in   sdk.StartRestoreJobInput
		code string
	}{
		"no such point":       {sdk.StartRestoreJobInput{RecoveryPointArn: aws.String(table), Metadata: map[string]string{}}, noSuch},
		"no name":             {sdk.StartRestoreJobInput{RecoveryPointArn: point, Metadata: map[string]string{}}, badValue},
		"another type":        {sdk.StartRestoreJobInput{RecoveryPointArn: point, ResourceType: aws.String("S3"), Metadata: map[string]string{"DBInstanceIdentifier": "drill"}}, badValue},
		"a time, no PITR":     {sdk.StartRestoreJobInput{RecoveryPointArn: point, Metadata: map[string]string{"DBInstanceIdentifier": "drill", "RestoreTime": "2026-11-26T00:00:00Z"}}, badValue},
		"a role that is none": {sdk.StartRestoreJobInput{RecoveryPointArn: point, IamRoleArn: aws.String("x"), Metadata: map[string]string{"DBInstanceIdentifier": "drill"}}, badValue},
	} {
		_, err := l.east.StartRestoreJob(t.Context(), &c.in)
		require.Error(t, err, name)
		require.Equal(t, c.code, code(t, err), name)
	}
}
