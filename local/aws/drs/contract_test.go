package drs_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"
	"github.com/stretchr/testify/require"

	sim "lifeline/local/aws/drs"
)

func TestContract_BeforeInitializeService_EverythingIsRefused(t *testing.T) {
	t.Parallel()
	l, ctx := bareLab(t, nil), t.Context()
	_, err := l.client[west].DescribeSourceServers(ctx, &drs.DescribeSourceServersInput{})
	require.Equal(t, "UninitializedAccountException", wireCode(t, err))
	var uninitialized *types.UninitializedAccountException
	require.ErrorAs(t, err, &uninitialized)
	_, err = l.client[west].StartRecovery(ctx, recovery(true, "s-0123456789abcdef0"))
	require.Equal(t, "UninitializedAccountException", wireCode(t, err))
	_, err = l.drs.Register(west, sim.Server{})
	require.Error(t, err)
	for range 2 {
		_, err = l.client[west].InitializeService(ctx, &drs.InitializeServiceInput{})
		require.NoError(t, err)
	}
	out, err := l.client[west].DescribeSourceServers(ctx, &drs.DescribeSourceServersInput{})
	require.NoError(t, err)
	require.Empty(t, out.Items)
	_, err = l.drs.Register(west, sim.Server{})
	require.ErrorContains(t, err, "no replication configuration template")
	_, err = l.client[east].DescribeJobs(ctx, &drs.DescribeJobsInput{})
	require.Equal(t, "UninitializedAccountException", wireCode(t, err), "it is one Region's")
}

func TestContract_ReplicationTemplate(t *testing.T) {
	t.Parallel()
	l, ctx := bareLab(t, nil), t.Context()
	c := l.client[west]
	_, err := c.InitializeService(ctx, &drs.InitializeServiceInput{})
	require.NoError(t, err)
	bad := l.template(west)
	bad.EbsEncryption = types.ReplicationConfigurationEbsEncryptionCustom
	_, err = c.CreateReplicationConfigurationTemplate(ctx, bad)
	require.Equal(t, "ValidationException", wireCode(t, err), "CUSTOM without a key")
	bad = l.template(west)
	bad.StagingAreaSubnetId = aws.String("subnet-00000000")
	_, err = c.CreateReplicationConfigurationTemplate(ctx, bad)
	require.Equal(t, "ValidationException", wireCode(t, err), "no such subnet")
	made, err := c.CreateReplicationConfigurationTemplate(ctx, l.template(west))
	require.NoError(t, err)
	require.Len(t, made.PitPolicy, 3)
	_, err = c.CreateReplicationConfigurationTemplate(ctx, l.template(west))
	require.Equal(t, "ServiceQuotaExceededException", wireCode(t, err))
	changed, err := c.UpdateReplicationConfigurationTemplate(ctx, &drs.UpdateReplicationConfigurationTemplateInput{
		ReplicationConfigurationTemplateID: made.ReplicationConfigurationTemplateID, BandwidthThrottling: 100,
		EbsEncryption: types.ReplicationConfigurationEbsEncryptionCustom, EbsEncryptionKeyArn: aws.String("arn:aws:kms:us-west-2:123456789012:key/1"),
	})
	require.NoError(t, err)
	require.Equal(t, "arn:aws:kms:us-west-2:123456789012:key/1", *changed.EbsEncryptionKeyArn)
	require.Equal(t, *made.StagingAreaSubnetId, *changed.StagingAreaSubnetId)
	found, err := c.DescribeReplicationConfigurationTemplates(ctx, &drs.DescribeReplicationConfigurationTemplatesInput{})
	require.NoError(t, err)
	require.Equal(t, int64(100), found.Items[0].BandwidthThrottling)
	_, err = c.DeleteReplicationConfigurationTemplate(ctx, &drs.DeleteReplicationConfigurationTemplateInput{ReplicationConfigurationTemplateID: made.ReplicationConfigurationTemplateID})
	require.NoError(t, err)
	_, err = c.DescribeReplicationConfigurationTemplates(ctx, &drs.DescribeReplicationConfigurationTemplatesInput{ReplicationConfigurationTemplateIDs: []string{*made.ReplicationConfigurationTemplateID}})
	require.Equal(t, "ResourceNotFoundException", wireCode(t, err))
}

func TestContract_LaunchSettingsAndActions(t *testing.T) {
	t.Parallel()
	l, ctx := newLab(t, nil), t.Context()
	c := l.client[west]
	made, err := c.CreateLaunchConfigurationTemplate(ctx, &drs.CreateLaunchConfigurationTemplateInput{
		CopyTags: aws.Bool(true), PostLaunchEnabled: aws.Bool(true), TargetInstanceTypeRightSizingMethod: types.TargetInstanceTypeRightSizingMethodNone,
	})
	require.NoError(t, err)
	template := made.LaunchConfigurationTemplate.LaunchConfigurationTemplateID
	action := &drs.PutLaunchActionInput{
		ResourceId: template, ActionId: aws.String("11111111-2222-4333-8444-555555555555"), ActionCode: aws.String("AWS-RunShellScript"),
		ActionVersion: aws.String("1"), Active: aws.Bool(true), Optional: aws.Bool(false), Order: aws.Int32(1001),
		Name: aws.String("check"), Description: aws.String("looks"), Category: types.LaunchActionCategoryValidation,
	}
	_, err = c.PutLaunchAction(ctx, action)
	require.NoError(t, err)
	id := l.register("app-1", "Amazon Linux 2023")
	inherited, err := c.ListLaunchActions(ctx, &drs.ListLaunchActionsInput{ResourceId: &id})
	require.NoError(t, err)
	require.Equal(t, "AWS-RunShellScript", *inherited.Items[0].ActionCode)
	settings, err := c.GetLaunchConfiguration(ctx, &drs.GetLaunchConfigurationInput{SourceServerID: &id})
	require.NoError(t, err)
	require.True(t, *settings.CopyTags)
	require.Regexp(t, "^lt-", *settings.Ec2LaunchTemplateID)
	changed, err := c.UpdateLaunchConfiguration(ctx, &drs.UpdateLaunchConfigurationInput{SourceServerID: &id, LaunchDisposition: types.LaunchDispositionStopped})
	require.NoError(t, err)
	require.Equal(t, types.LaunchDispositionStopped, changed.LaunchDisposition)
	require.Equal(t, types.TargetInstanceTypeRightSizingMethodNone, changed.TargetInstanceTypeRightSizingMethod)
	_, err = c.DeleteLaunchAction(ctx, &drs.DeleteLaunchActionInput{ResourceId: &id, ActionId: action.ActionId})
	require.NoError(t, err)
	_, err = c.DeleteLaunchAction(ctx, &drs.DeleteLaunchActionInput{ResourceId: &id, ActionId: action.ActionId})
	require.Equal(t, "ResourceNotFoundException", wireCode(t, err))

	replication, err := c.UpdateReplicationConfiguration(ctx, &drs.UpdateReplicationConfigurationInput{SourceServerID: &id, BandwidthThrottling: 5})
	require.NoError(t, err)
	require.Equal(t, int64(5), replication.BandwidthThrottling)
	require.Len(t, replication.ReplicatedDisks, 2)
}

func TestContract_ServersPagesAndTags(t *testing.T) {
	t.Parallel()
	l, ctx := newLab(t, nil), t.Context()
	c := l.client[west]
	var ids []string
	for i := range 5 {
		ids = append(ids, l.register(fmt.Sprintf("app-%d", i), "Amazon Linux 2023"))
	}
	var listed []string
	pages := drs.NewDescribeSourceServersPaginator(c, &drs.DescribeSourceServersInput{MaxResults: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		require.NoError(t, err)
		for _, s := range page.Items {
			listed = append(listed, *s.SourceServerID)
		}
	}
	require.Equal(t, ids, listed)
	s := l.server(west, ids[0])
	require.Equal(t, "app-0", *s.SourceProperties.IdentificationHints.Hostname)
	require.Equal(t, east, *s.SourceCloudProperties.OriginRegion)
	require.Equal(t, map[string]string{"app": "records"}, s.Tags)
	_, err := c.TagResource(ctx, &drs.TagResourceInput{ResourceArn: s.Arn, Tags: map[string]string{"tier": "1"}})
	require.NoError(t, err)
	_, err = c.UntagResource(ctx, &drs.UntagResourceInput{ResourceArn: s.Arn, TagKeys: []string{"app"}})
	require.NoError(t, err)
	tags, err := c.ListTagsForResource(ctx, &drs.ListTagsForResourceInput{ResourceArn: s.Arn})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"tier": "1"}, tags.Tags)
	_, err = c.DescribeSourceServers(ctx, &drs.DescribeSourceServersInput{Filters: &types.DescribeSourceServersRequestFilters{SourceServerIDs: []string{"app-0"}}})
	require.Equal(t, "ValidationException", wireCode(t, err), "the id is malformed")
}
