package dlm_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dlm"
	"github.com/aws/aws-sdk-go-v2/service/dlm/types"
	"github.com/stretchr/testify/require"
)

func TestContract_PolicyLife(t *testing.T) {
	t.Parallel()
	l, ctx := newLab(t, nil), t.Context()
	in := policyOf(hourly())
	in.State, in.Tags = types.SettablePolicyStateValuesDisabled, map[string]string{"app": "records"}
	id := l.create(in)
	require.True(t, strings.HasPrefix(id, "policy-"))
	got := l.policy(id)
	require.Equal(t, types.GettablePolicyStateValuesDisabled, got.State)
	require.Equal(t, "arn:aws:dlm:us-east-1:123456789012:policy/"+id, *got.PolicyArn)
	require.Equal(t, []string{"09:00"}, got.PolicyDetails.Schedules[0].CreateRule.Times, "the default is told")
	require.WithinDuration(t, l.world.Now(), *got.DateCreated, 60e9)

	_, err := l.client.UpdateLifecyclePolicy(ctx, &dlm.UpdateLifecyclePolicyInput{
		PolicyId: &id, State: types.SettablePolicyStateValuesEnabled, Description: aws.String("Changed"),
	})
	require.NoError(t, err)
	list, err := l.client.GetLifecyclePolicies(ctx, &dlm.GetLifecyclePoliciesInput{
		State: types.GettablePolicyStateValuesEnabled, TargetTags: []string{"backup=yes"}, ResourceTypes: []types.ResourceTypeValues{types.ResourceTypeValuesVolume},
	})
	require.NoError(t, err)
	require.Len(t, list.Policies, 1)
	require.Equal(t, "Changed", *list.Policies[0].Description)
	none, err := l.client.GetLifecyclePolicies(ctx, &dlm.GetLifecyclePoliciesInput{TargetTags: []string{"backup=no"}})
	require.NoError(t, err)
	require.Empty(t, none.Policies)

	_, err = l.client.TagResource(ctx, &dlm.TagResourceInput{ResourceArn: got.PolicyArn, Tags: map[string]string{"tier": "1"}})
	require.NoError(t, err)
	_, err = l.client.UntagResource(ctx, &dlm.UntagResourceInput{ResourceArn: got.PolicyArn, TagKeys: []string{"app"}})
	require.NoError(t, err)
	tags, err := l.client.ListTagsForResource(ctx, &dlm.ListTagsForResourceInput{ResourceArn: got.PolicyArn})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"tier": "1"}, tags.Tags)

	_, err = l.client.DeleteLifecyclePolicy(ctx, &dlm.DeleteLifecyclePolicyInput{PolicyId: &id})
	require.NoError(t, err)
	_, err = l.client.GetLifecyclePolicy(ctx, &dlm.GetLifecyclePolicyInput{PolicyId: &id})
	require.Equal(t, "ResourceNotFoundException", wireCode(t, err))
}

func TestCreateLifecyclePolicy_BadDetails_AreRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	change := func(f func(*types.Schedule)) *dlm.CreateLifecyclePolicyInput {
		s := hourly()
		f(&s)
		return policyOf(s)
	}
	copies := func(rules ...types.CrossRegionCopyRule) *dlm.CreateLifecyclePolicyInput {
		return change(func(s *types.Schedule) { s.CrossRegionCopyRules = rules })
	}
	to := func(region string) types.CrossRegionCopyRule {
		return types.CrossRegionCopyRule{Target: &region, Encrypted: aws.Bool(true)}
	}
	badARN, badDescription := policyOf(hourly()), policyOf(hourly())
	badARN.ExecutionRoleArn, badDescription.Description = aws.String("role"), aws.String("no dots.")
	for name, in := range map[string]*dlm.CreateLifecyclePolicyInput{
		"no schedule":       policyOf(),
		"five schedules":    policyOf(hourly(), hourly(), hourly(), hourly(), hourly()),
		"same name twice":   policyOf(hourly(), hourly()),
		"role is no ARN":    badARN,
		"odd description":   badDescription,
		"odd interval":      change(func(s *types.Schedule) { s.CreateRule.Interval = aws.Int32(5) }),
		"two times":         change(func(s *types.Schedule) { s.CreateRule.Times = []string{"01:00", "02:00"} }),
		"no time of day":    change(func(s *types.Schedule) { s.CreateRule.Times = []string{"25:00"} }),
		"cron and interval": change(func(s *types.Schedule) { s.CreateRule.CronExpression = aws.String("cron(0 2 ? * SUN *)") }),
		"bad cron": change(func(s *types.Schedule) {
			s.CreateRule = &types.CreateRule{CronExpression: aws.String("cron(0 2 * * * *)")}
		}),
		"count and age": change(func(s *types.Schedule) {
			s.RetainRule.Interval, s.RetainRule.IntervalUnit = aws.Int32(1), types.RetentionIntervalUnitValuesDays
		}),
		"count over thousand":  change(func(s *types.Schedule) { s.RetainRule.Count = aws.Int32(1001) }),
		"no retention":         change(func(s *types.Schedule) { s.RetainRule = nil }),
		"four copies":          copies(to(west), to(west), to(west), to(west)),
		"same target twice":    copies(to(west), to(west)),
		"copy to itself":       copies(to(east)),
		"copy to nowhere":      copies(to("eu-central-9")),
		"key but no encrypted": copies(types.CrossRegionCopyRule{Target: aws.String(west), Encrypted: aws.Bool(false), CmkArn: aws.String("arn:aws:kms:us-west-2:123456789012:key/1")}),
	} {
		_, err := l.client.CreateLifecyclePolicy(t.Context(), in)
		require.Error(t, err, name)
		require.Equal(t, "InvalidRequestException", wireCode(t, err), name)
	}
}

func TestCreateLifecyclePolicy_HundredAndOne_IsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	in := policyOf(hourly())
	in.State = types.SettablePolicyStateValuesDisabled
	for range 100 {
		l.create(in)
	}
	_, err := l.client.CreateLifecyclePolicy(t.Context(), in)
	require.Equal(t, "LimitExceededException", wireCode(t, err))
}
