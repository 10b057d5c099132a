package backup

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

func daily() rule {
	return rule{
		Name: "daily", Vault: "records", Schedule: "cron(0 2 ? * * *)", Zone: "Etc/UTC", Start: 60, Complete: 240,
		Lifecycle: &lifecycle{Delete: 35}, Copies: []copyAction{{To: "arn:there", Lifecycle: &lifecycle{Delete: 90}}},
		Tags: map[string]string{"dr:intent": "daily"},
	}
}

// answered is a rule as AWS gives it back after it has been sent.
func answered(r rule) types.BackupRule {
	in := r.input(nil)
	return types.BackupRule{
		RuleId: aws.String("some-id"), RuleName: in.RuleName, TargetBackupVaultName: in.TargetBackupVaultName,
		ScheduleExpression: in.ScheduleExpression, ScheduleExpressionTimezone: in.ScheduleExpressionTimezone,
		StartWindowMinutes: in.StartWindowMinutes, CompletionWindowMinutes: in.CompletionWindowMinutes,
		EnableContinuousBackup: in.EnableContinuousBackup, Lifecycle: in.Lifecycle, CopyActions: in.CopyActions, RecoveryPointTags: in.RecoveryPointTags,
	}
}

func TestRule_SentAndAnsweredIsTheSameText(t *testing.T) {
	t.Parallel()
	for _, r := range []rule{daily(), {Name: "bare", Zone: "Etc/UTC"}, {Name: "cold", Zone: "Etc/UTC", Continuous: true, Lifecycle: &lifecycle{Delete: 400, Cold: 30, Archive: true}}} {
		text := documentOf([]rule{r})
		require.Equal(t, text, documentOf([]rule{ruleFrom(answered(r))}))
		read, err := rulesOf(text)
		require.NoError(t, err)
		require.Equal(t, text, documentOf(read))
	}
}

func TestRule_WhatLifelineKnowsNothingOfStays(t *testing.T) {
	t.Parallel()
	before := answered(daily())
	before.IndexActions = []types.IndexAction{{ResourceTypes: []string{"S3"}}}
	require.Equal(t, before.IndexActions, daily().input([]types.BackupRule{before}).IndexActions)
	other := daily()
	other.Name = "weekly"
	require.Empty(t, other.input([]types.BackupRule{before}).IndexActions)
}

func TestApart_OrderOfAWSIsNoDifferenceAndAStrangersRuleIs(t *testing.T) {
	t.Parallel()
	weekly, stranger := daily(), daily()
	weekly.Name, stranger.Name = "weekly", "stranger"
	want := map[string]string{planRules: documentOf([]rule{weekly, daily()})}
	require.Equal(t, want[planRules], apart(want, []types.BackupRule{answered(daily()), answered(weekly)}, nil)[planRules])
	require.NotEqual(t, want[planRules], apart(want, []types.BackupRule{answered(weekly), answered(daily()), answered(stranger)}, nil)[planRules],
		"a rule that somebody added can swallow ours")
}

func TestApart_TemplateCountsWhenAllOfItIsThere(t *testing.T) {
	t.Parallel()
	monthly := daily()
	monthly.Name = "Monthly"
	want := map[string]string{planRules: documentOf([]rule{daily()}), planTemplate: `{"name":"x"}`}
	whole := apart(want, []types.BackupRule{answered(monthly), answered(daily())}, []rule{monthly})
	require.Equal(t, want, whole)
	require.Empty(t, apart(want, []types.BackupRule{answered(daily())}, []rule{monthly})[planTemplate])
	changed := monthly
	changed.Start = 480
	require.Empty(t, apart(want, []types.BackupRule{answered(changed), answered(daily())}, []rule{monthly})[planTemplate])
}

func TestTemplate_ItsOwnRulesMayMeetEachOther(t *testing.T) {
	t.Parallel()
	early, monthly := daily(), daily()
	early.Name, monthly.Name, monthly.Schedule = "DailyBackups", "Monthly", "cron(0 2 1 * ? *)"
	require.NoError(t, template{Name: "x"}.fits([]rule{early, monthly}, nil))
	require.Equal(t, cloud.Invalid, cloud.KindOf(template{Name: "x"}.fits([]rule{early}, []rule{daily()})), "but not the plan's")
}

func TestTemplate_RuleThatKeepsForEverDoesNotFitALock(t *testing.T) {
	t.Parallel()
	forever := daily()
	forever.Lifecycle = nil
	require.NoError(t, template{Name: "x"}.fits([]rule{forever}, nil))
	require.Error(t, template{Name: "x", MinDays: 7, MaxDays: 400}.fits([]rule{forever}, nil))
	require.ErrorContains(t, template{Name: "x", MinDays: 40}.fits([]rule{daily()}, nil), "keeps backups for 35 days")
}

func TestSettled_OnlyWhatNobodyCanChangeIsRefused(t *testing.T) {
	t.Parallel()
	item := runbook.Item{Type: "backup-vault-lock", Name: "records", Region: "us-west-2", Want: map[string]string{lockMode: compliance, lockMin: "7", lockMax: "400"}}
	lock := func(date time.Time, most string) runbook.ItemState {
		return runbook.ItemState{Found: true, Have: map[string]string{lockMode: compliance, lockMin: "7", lockMax: most, lockDate: date.Format(time.RFC3339)}}
	}
	past, soon := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	require.NoError(t, settled(item, lock(past, "400")), "it is as wanted")
	require.NoError(t, settled(item, lock(soon, "300")), "it can still be changed")
	require.ErrorContains(t, settled(item, lock(past, "300")), "nobody can change that")
	item.Want[lockMode] = governance
	require.ErrorContains(t, settled(item, lock(past, "400")), "nobody can change that")
}
