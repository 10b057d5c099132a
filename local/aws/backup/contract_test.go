package backup_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/stretchr/testify/require"
)

// TestContract is what setup does with AWS Backup, by the SDK that does it.
func TestContract(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	ctx := t.Context()
	l.vaults()

	made, err := l.east.CreateBackupPlan(ctx, &sdk.CreateBackupPlanInput{
		BackupPlan: &types.BackupPlanInput{BackupPlanName: aws.String("gold"), Rules: []types.BackupRuleInput{
			rule("weekly-full", "cron(0 2 ? * SUN *)", 90, copied), rule("daily", "cron(0 2 ? * MON-SAT *)", 35, copied, continuous),
		}},
		BackupPlanTags: map[string]string{"app": "records"}, CreatorRequestId: aws.String("once"),
	})
	require.NoError(t, err)
	again, err := l.east.CreateBackupPlan(ctx, &sdk.CreateBackupPlanInput{
		BackupPlan: &types.BackupPlanInput{BackupPlanName: aws.String("gold"), Rules: []types.BackupRuleInput{
			rule("weekly-full", "cron(0 2 ? * SUN *)", 90, copied), rule("daily", "cron(0 2 ? * MON-SAT *)", 35, copied, continuous),
		}}, CreatorRequestId: aws.String("once"),
	})
	require.NoError(t, err)
	require.Equal(t, *made.BackupPlanId, *again.BackupPlanId)

	got, err := l.east.GetBackupPlan(ctx, &sdk.GetBackupPlanInput{BackupPlanId: made.BackupPlanId})
	require.NoError(t, err)
	require.Len(t, got.BackupPlan.Rules, 2)
	require.Equal(t, vaultARN(west, "dr"), *got.BackupPlan.Rules[0].CopyActions[0].DestinationBackupVaultArn)
	require.NotEmpty(t, *got.BackupPlan.Rules[1].RuleId)
	require.True(t, *got.BackupPlan.Rules[1].EnableContinuousBackup)
	tags, err := l.east.ListTags(ctx, &sdk.ListTagsInput{ResourceArn: made.BackupPlanArn})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"app": "records"}, tags.Tags)

	job := l.backUp(table, func(in *sdk.StartBackupJobInput) {
		in.RecoveryPointTags = map[string]string{"dr:intent": "daily"}
		in.Lifecycle = &types.Lifecycle{DeleteAfterDays: aws.Int64(30)}
	})
	require.Equal(t, types.BackupJobStateCompleted, job.State)
	require.EqualValues(t, 1<<20, *job.BackupSizeInBytes)

	// The recovery point's ARN travels percent-encoded in the path.
	point, err := l.east.DescribeRecoveryPoint(ctx, &sdk.DescribeRecoveryPointInput{BackupVaultName: aws.String("main"), RecoveryPointArn: job.RecoveryPointArn})
	require.NoError(t, err)
	require.Equal(t, types.RecoveryPointStatusCompleted, point.Status)
	require.Equal(t, table, *point.ResourceArn)
	require.WithinDuration(t, *point.CreationDate, *point.CalculatedLifecycle.DeleteAt, 30*24*time.Hour/7200+time.Second)
	tags, err = l.east.ListTags(ctx, &sdk.ListTagsInput{ResourceArn: job.RecoveryPointArn})
	require.NoError(t, err)
	require.Equal(t, "daily", tags.Tags["dr:intent"])

	protected, err := l.east.ListProtectedResources(ctx, &sdk.ListProtectedResourcesInput{})
	require.NoError(t, err)
	require.Len(t, protected.Results, 1)
	require.Equal(t, *job.RecoveryPointArn, *protected.Results[0].LastRecoveryPointArn)
	byResource, err := l.east.ListRecoveryPointsByResource(ctx, &sdk.ListRecoveryPointsByResourceInput{ResourceArn: aws.String(table)})
	require.NoError(t, err)
	require.Len(t, byResource.RecoveryPoints, 1)
}

func TestRegionSettings_ArePerRegion(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	ctx := t.Context()
	_, err := l.west.UpdateRegionSettings(ctx, &sdk.UpdateRegionSettingsInput{
		ResourceTypeOptInPreference: map[string]bool{"S3": true, "Aurora": false}, ResourceTypeManagementPreference: map[string]bool{"DynamoDB": true},
	})
	require.NoError(t, err)
	there, err := l.west.DescribeRegionSettings(ctx, &sdk.DescribeRegionSettingsInput{})
	require.NoError(t, err)
	require.True(t, there.ResourceTypeOptInPreference["S3"])
	require.False(t, there.ResourceTypeOptInPreference["Aurora"])
	require.True(t, there.ResourceTypeManagementPreference["DynamoDB"])
	here, err := l.east.DescribeRegionSettings(ctx, &sdk.DescribeRegionSettingsInput{})
	require.NoError(t, err)
	require.False(t, here.ResourceTypeOptInPreference["S3"])
	require.True(t, here.ResourceTypeOptInPreference["Aurora"])
	require.False(t, here.ResourceTypeManagementPreference["DynamoDB"])

	supported, err := l.east.GetSupportedResourceTypes(ctx, &sdk.GetSupportedResourceTypesInput{})
	require.NoError(t, err)
	require.Subset(t, supported.ResourceTypes, []string{"Aurora", "DynamoDB", "EBS", "EC2", "RDS", "S3"})
	_, err = l.east.UpdateRegionSettings(ctx, &sdk.UpdateRegionSettingsInput{ResourceTypeOptInPreference: map[string]bool{"Lambda": true}})
	require.Equal(t, badValue, code(t, err))
	_, err = l.east.UpdateRegionSettings(ctx, &sdk.UpdateRegionSettingsInput{ResourceTypeManagementPreference: map[string]bool{"RDS": true}})
	require.Equal(t, badValue, code(t, err))
}
