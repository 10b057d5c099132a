package backup_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/stretchr/testify/require"
)

func TestCreateBackupVault_Again_IsTheSameForTheSameRequestOnly(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	in := &sdk.CreateBackupVaultInput{BackupVaultName: aws.String("main"), CreatorRequestId: aws.String("one"), BackupVaultTags: map[string]string{"app": "records"}}
	made, err := l.east.CreateBackupVault(t.Context(), in)
	require.NoError(t, err)
	again, err := l.east.CreateBackupVault(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, made.CreationDate, again.CreationDate)

	for _, token := range []*string{nil, aws.String("two")} {
		_, err = l.east.CreateBackupVault(t.Context(), &sdk.CreateBackupVaultInput{BackupVaultName: aws.String("main"), CreatorRequestId: token})
		var there *types.AlreadyExistsException
		require.ErrorAs(t, err, &there)
		require.Equal(t, vaultARN(east, "main"), *there.Arn)
		require.Equal(t, "one", *there.CreatorRequestId)
	}
	_, err = l.west.DescribeBackupVault(t.Context(), &sdk.DescribeBackupVaultInput{BackupVaultName: aws.String("main")})
	require.Equal(t, noSuch, code(t, err), "vaults are Regional")
	tags, err := l.east.ListTags(t.Context(), &sdk.ListTagsInput{ResourceArn: made.BackupVaultArn})
	require.NoError(t, err)
	require.Equal(t, "records", tags.Tags["app"])
}

func TestCreateBackupVault_Key(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	_, err := l.east.CreateBackupVault(t.Context(), &sdk.CreateBackupVaultInput{
		BackupVaultName: aws.String("abroad"), EncryptionKeyArn: aws.String("arn:aws:kms:us-west-2:123456789012:key/c0ffee"),
	})
	require.Equal(t, badValue, code(t, err), "a key of another Region")
	_, err = l.east.CreateBackupVault(t.Context(), &sdk.CreateBackupVaultInput{BackupVaultName: aws.String("a")})
	require.Equal(t, badValue, code(t, err), "a name of one letter")
	l.vault(l.east, east, "main")
	out, err := l.east.ListBackupVaults(t.Context(), &sdk.ListBackupVaultsInput{})
	require.NoError(t, err)
	require.Len(t, out.BackupVaultList, 1)
	require.Equal(t, "arn:aws:kms:us-east-1:123456789012:key/c0ffee", *out.BackupVaultList[0].EncryptionKeyArn)
}

func TestDeleteBackupVault_WithRecoveryPoints_IsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	job := l.backUp(table)
	_, err := l.east.DeleteBackupVault(t.Context(), &sdk.DeleteBackupVaultInput{BackupVaultName: aws.String("main")})
	require.Equal(t, badAsk, code(t, err))
	_, err = l.east.DeleteRecoveryPoint(t.Context(), &sdk.DeleteRecoveryPointInput{BackupVaultName: aws.String("main"), RecoveryPointArn: job.RecoveryPointArn})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err = l.east.DeleteBackupVault(t.Context(), &sdk.DeleteBackupVaultInput{BackupVaultName: aws.String("main")})
		return err == nil
	}, patience, tick)
}

func TestVault_PolicyAndNotifications(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	ctx, main := t.Context(), aws.String("main")
	l.vaults()
	_, err := l.east.GetBackupVaultAccessPolicy(ctx, &sdk.GetBackupVaultAccessPolicyInput{BackupVaultName: main})
	require.Equal(t, noSuch, code(t, err))
	_, err = l.east.PutBackupVaultAccessPolicy(ctx, &sdk.PutBackupVaultAccessPolicyInput{BackupVaultName: main, Policy: aws.String("{")})
	require.Equal(t, badValue, code(t, err))
	_, err = l.east.PutBackupVaultAccessPolicy(ctx, &sdk.PutBackupVaultAccessPolicyInput{BackupVaultName: main, Policy: aws.String(`{"Version":"2012-10-17"}`)})
	require.NoError(t, err)
	got, err := l.east.GetBackupVaultAccessPolicy(ctx, &sdk.GetBackupVaultAccessPolicyInput{BackupVaultName: main})
	require.NoError(t, err)
	require.JSONEq(t, `{"Version":"2012-10-17"}`, *got.Policy)

	topic := "arn:aws:sns:us-east-1:123456789012:ops"
	_, err = l.east.GetBackupVaultNotifications(ctx, &sdk.GetBackupVaultNotificationsInput{BackupVaultName: main})
	require.Equal(t, noSuch, code(t, err))
	_, err = l.east.PutBackupVaultNotifications(ctx, &sdk.PutBackupVaultNotificationsInput{
		BackupVaultName: main, SNSTopicArn: aws.String("arn:aws:sns:us-west-2:123456789012:ops"), BackupVaultEvents: []types.BackupVaultEvent{types.BackupVaultEventBackupJobCompleted},
	})
	require.Equal(t, badValue, code(t, err), "a topic of another Region")
	_, err = l.east.PutBackupVaultNotifications(ctx, &sdk.PutBackupVaultNotificationsInput{
		BackupVaultName: main, SNSTopicArn: &topic, BackupVaultEvents: []types.BackupVaultEvent{types.BackupVaultEventBackupJobCompleted, types.BackupVaultEventRecoveryPointIndexCompleted},
	})
	require.NoError(t, err)
	l.backUp(table)
	require.Eventually(t, func() bool { return len(l.heard.allMails()) == 1 }, patience, tick, "started isn't asked for")
	require.Contains(t, l.heard.allMails()[0], topic)
	require.Contains(t, l.heard.allMails()[0], "completed")
	_, err = l.east.DeleteBackupVaultNotifications(ctx, &sdk.DeleteBackupVaultNotificationsInput{BackupVaultName: main})
	require.NoError(t, err)
}

func TestVaultLock_Refusals(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	for name, in := range map[string]sdk.PutBackupVaultLockConfigurationInput{
		"cooling off too short": {ChangeableForDays: aws.Int64(2)},
		"no retention at least": {MinRetentionDays: aws.Int64(0)},
		"retention too long":    {MaxRetentionDays: aws.Int64(36501)},
		"least above most":      {MinRetentionDays: aws.Int64(30), MaxRetentionDays: aws.Int64(7)},
	} {
		in.BackupVaultName = aws.String("main")
		_, err := l.east.PutBackupVaultLockConfiguration(t.Context(), &in)
		require.Equal(t, badValue, code(t, err), name)
	}
}

func (l *lab) lock(in sdk.PutBackupVaultLockConfigurationInput) *sdk.DescribeBackupVaultOutput {
	l.t.Helper()
	in.BackupVaultName = aws.String("main")
	_, err := l.east.PutBackupVaultLockConfiguration(l.t.Context(), &in)
	require.NoError(l.t, err)
	out, err := l.east.DescribeBackupVault(l.t.Context(), &sdk.DescribeBackupVaultInput{BackupVaultName: aws.String("main")})
	require.NoError(l.t, err)
	require.True(l.t, *out.Locked)
	return out
}

func TestVaultLock_Governance_ProtectsPointsAndCanBeTakenOff(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	ctx, main := t.Context(), aws.String("main")
	l.vaults()
	job := l.backUp(table)
	require.Nil(t, l.lock(sdk.PutBackupVaultLockConfigurationInput{MinRetentionDays: aws.Int64(7)}).LockDate)

	_, err := l.east.DeleteRecoveryPoint(ctx, &sdk.DeleteRecoveryPointInput{BackupVaultName: main, RecoveryPointArn: job.RecoveryPointArn})
	require.Equal(t, badAsk, code(t, err))
	_, err = l.east.UpdateRecoveryPointLifecycle(ctx, &sdk.UpdateRecoveryPointLifecycleInput{
		BackupVaultName: main, RecoveryPointArn: job.RecoveryPointArn, Lifecycle: &types.Lifecycle{DeleteAfterDays: aws.Int64(1)},
	})
	require.Equal(t, badAsk, code(t, err))

	_, err = l.east.DeleteBackupVaultLockConfiguration(ctx, &sdk.DeleteBackupVaultLockConfigurationInput{BackupVaultName: main})
	require.NoError(t, err)
	_, err = l.east.DeleteRecoveryPoint(ctx, &sdk.DeleteRecoveryPointInput{BackupVaultName: main, RecoveryPointArn: job.RecoveryPointArn})
	require.NoError(t, err)
}

func TestVaultLock_Compliance_CanBeTakenBackUntilItsDateOnly(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{compression: 3 * 24 * 3600}) // three days are a second
	main := aws.String("main")
	l.vaults()
	locked := l.lock(sdk.PutBackupVaultLockConfigurationInput{ChangeableForDays: aws.Int64(3), MinRetentionDays: aws.Int64(30)})
	require.WithinDuration(t, time.Now().Add(time.Second), *locked.LockDate, 2*time.Second)
	_, err := l.east.DeleteBackupVaultLockConfiguration(t.Context(), &sdk.DeleteBackupVaultLockConfigurationInput{BackupVaultName: main})
	require.NoError(t, err, "it is cooling off")

	locked = l.lock(sdk.PutBackupVaultLockConfigurationInput{ChangeableForDays: aws.Int64(3), MinRetentionDays: aws.Int64(30)})
	require.Eventually(t, func() bool { return time.Now().After(*locked.LockDate) }, patience, tick)
	_, err = l.east.DeleteBackupVaultLockConfiguration(t.Context(), &sdk.DeleteBackupVaultLockConfigurationInput{BackupVaultName: main})
	require.Equal(t, badAsk, code(t, err))
	_, err = l.east.PutBackupVaultLockConfiguration(t.Context(), &sdk.PutBackupVaultLockConfigurationInput{BackupVaultName: main, MinRetentionDays: aws.Int64(1)})
	require.Equal(t, badAsk, code(t, err), "nor be loosened")
}

func TestVaultLock_RetentionOutsideItsBounds_FailsBackupJobs(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	l.lock(sdk.PutBackupVaultLockConfigurationInput{MinRetentionDays: aws.Int64(7), MaxRetentionDays: aws.Int64(90)})
	keep := func(days *int64) func(*sdk.StartBackupJobInput) {
		return func(in *sdk.StartBackupJobInput) { in.Lifecycle = &types.Lifecycle{DeleteAfterDays: days} }
	}
	for _, days := range []*int64{aws.Int64(6), aws.Int64(91), nil} {
		job := l.backUp(table, keep(days))
		require.Equal(t, types.BackupJobStateFailed, job.State)
		require.Contains(t, *job.StatusMessage, "retention")
	}
	require.Equal(t, types.BackupJobStateCompleted, l.backUp(table, keep(aws.Int64(7))).State)
	require.Equal(t, 3, l.heard.metric("us-east-1 NumberOfBackupJobsFailed main DynamoDB"))
}

func TestTags_AreAddedAndTakenAway(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	arn := aws.String(vaultARN(east, "main"))
	_, err := l.east.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"a": "1", "b": "2"}})
	require.NoError(t, err)
	_, err = l.east.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: arn, TagKeyList: []string{"a"}})
	require.NoError(t, err)
	tags, err := l.east.ListTags(t.Context(), &sdk.ListTagsInput{ResourceArn: arn})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"b": "2"}, tags.Tags)
	_, err = l.east.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"aws:x": "1"}})
	require.Equal(t, badValue, code(t, err))
	_, err = l.east.ListTags(t.Context(), &sdk.ListTagsInput{ResourceArn: aws.String(vaultARN(east, "other"))})
	require.Equal(t, noSuch, code(t, err))
	require.True(t, slices.ContainsFunc(l.heard.allEvents(), func(e string) bool { return strings.HasPrefix(e, "aws.backup Backup Vault State Change CREATED") }))
}

// safe is a KMS whose customer keys can be broken, and an IAM with one role.
type safe struct{ broken atomic.Bool }

func (s *safe) Usable(region, ref string) (string, bool) {
	if ref == "alias/aws/backup" {
		return "arn:aws:kms:" + region + ":123456789012:key/aws", true
	}
	return ref, strings.HasSuffix(ref, "key/c0ffee") && !s.broken.Load()
}

func (*safe) Managed(_, ref string) bool { return strings.HasSuffix(ref, "key/aws") }

func (*safe) Trusts(arn, principal string) bool {
	return arn == role && principal == "backup.amazonaws.com"
}

func TestKeys_OfVaults_AreAskedOfKMS(t *testing.T) {
	t.Parallel()
	keys := &safe{}
	l := newLab(t, setup{keys: keys, roles: keys})
	l.vaults()
	_, err := l.east.CreateBackupVault(t.Context(), &sdk.CreateBackupVaultInput{
		BackupVaultName: aws.String("other"), EncryptionKeyArn: aws.String("arn:aws:kms:us-east-1:123456789012:key/gone"),
	})
	require.Equal(t, badValue, code(t, err))
	_, err = l.east.CreateBackupVault(t.Context(), &sdk.CreateBackupVaultInput{BackupVaultName: aws.String("usual")})
	require.NoError(t, err)
	usual, err := l.east.DescribeBackupVault(t.Context(), &sdk.DescribeBackupVaultInput{BackupVaultName: aws.String("usual")})
	require.NoError(t, err)
	require.Equal(t, "arn:aws:kms:us-east-1:123456789012:key/aws", *usual.EncryptionKeyArn)

	source := *l.backUp(db).RecoveryPointArn
	job := l.copy(source, func(in *sdk.StartCopyJobInput) { in.DestinationBackupVaultArn = aws.String(vaultARN(east, "usual")) })
	require.Contains(t, *job.StatusMessage, "default Backup service managed key")
	keys.broken.Store(true)
	job = l.copy(source)
	require.Equal(t, types.CopyJobStateFailed, job.State)
	require.Contains(t, *job.StatusMessage, "not accessible")
	require.Equal(t, types.BackupJobStateFailed, l.backUp(bucket).State, "S3's points are encrypted with the vault's key")
	require.Equal(t, types.BackupJobStateCompleted, l.backUp(db).State, "RDS's with the source's")
}

func TestRoles_ThatDoNotLetAWSBackupIn_AreRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{roles: &safe{}})
	l.vaults()
	id := l.plan("plan", []string{table}, rule("nightly", daily, 30))
	_, err := l.east.CreateBackupSelection(t.Context(), &sdk.CreateBackupSelectionInput{BackupPlanId: &id, BackupSelection: &types.BackupSelection{
		SelectionName: aws.String("more"), IamRoleArn: aws.String("arn:aws:iam::123456789012:role/nobody"), Resources: []string{"*"},
	}})
	require.Equal(t, badValue, code(t, err))
	require.ErrorContains(t, err, "cannot be assumed")
}
