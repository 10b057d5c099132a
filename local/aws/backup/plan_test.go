package backup_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/stretchr/testify/require"
)

const daily = "cron(0 2 * * ? *)"

func (l *lab) create(rules ...types.BackupRuleInput) (*sdk.CreateBackupPlanOutput, error) {
	return l.east.CreateBackupPlan(l.t.Context(), &sdk.CreateBackupPlanInput{
		BackupPlan: &types.BackupPlanInput{BackupPlanName: aws.String("plan"), Rules: rules},
	})
}

func TestCreateBackupPlan_WrongRule_IsRefusedWithAWSsCode(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	edit := func(fn func(*types.BackupRuleInput)) types.BackupRuleInput { return rule("nightly", daily, 30, fn) }
	type lives = types.Lifecycle
	for name, in := range map[string]struct {
		rule types.BackupRuleInput
		code string
		says string
	}{
		"unknown vault":           {edit(func(r *types.BackupRuleInput) { r.TargetBackupVaultName = aws.String("nowhere") }), badValue, "does not exist"},
		"name with a blank":       {edit(func(r *types.BackupRuleInput) { r.RuleName = aws.String("a rule") }), badValue, ""},
		"five fields":             {edit(func(r *types.BackupRuleInput) { r.ScheduleExpression = aws.String("cron(0 2 * * ?)") }), badValue, "six"},
		"every half hour":         {edit(func(r *types.BackupRuleInput) { r.ScheduleExpression = aws.String("cron(0/30 * * * ? *)") }), badValue, "once an hour"},
		"rate of half an hour":    {edit(func(r *types.BackupRuleInput) { r.ScheduleExpression = aws.String("rate(30 minutes)") }), badValue, "once an hour"},
		"unknown time zone":       {edit(func(r *types.BackupRuleInput) { r.ScheduleExpressionTimezone = aws.String("Mars/Olympus") }), badValue, "time zone"},
		"start window too short":  {edit(func(r *types.BackupRuleInput) { r.StartWindowMinutes = aws.Int64(59) }), badValue, "start window"},
		"completion before start": {edit(func(r *types.BackupRuleInput) { r.CompletionWindowMinutes = aws.Int64(60) }), badValue, "completion window"},
		"completion, usual start": {edit(func(r *types.BackupRuleInput) { r.StartWindowMinutes, r.CompletionWindowMinutes = nil, aws.Int64(480) }), badValue, "completion window"},
		"too short in the cold": {edit(func(r *types.BackupRuleInput) {
			r.Lifecycle = &lives{MoveToColdStorageAfterDays: aws.Int64(30), DeleteAfterDays: aws.Int64(119)}
		}), badValue, "90 days apart"},
		"retention too long":   {edit(func(r *types.BackupRuleInput) { r.Lifecycle = &lives{DeleteAfterDays: aws.Int64(36501)} }), badValue, "36500"},
		"no retention":         {edit(func(r *types.BackupRuleInput) { r.Lifecycle = &lives{DeleteAfterDays: aws.Int64(0)} }), badValue, "less than 1"},
		"continuous, 36 days":  {edit(func(r *types.BackupRuleInput) { continuous(r); r.Lifecycle.DeleteAfterDays = aws.Int64(36) }), badValue, "35 days"},
		"continuous, for ever": {edit(func(r *types.BackupRuleInput) { continuous(r); r.Lifecycle = nil }), badValue, "35 days"},
		"continuous and cold":  {edit(func(r *types.BackupRuleInput) { continuous(r); r.Lifecycle.MoveToColdStorageAfterDays = aws.Int64(8) }), badValue, "MoveToColdStorageAfterDays is unavailable"},
		"copy to no vault": {edit(func(r *types.BackupRuleInput) {
			r.CopyActions = []types.CopyAction{{DestinationBackupVaultArn: aws.String("dr")}}
		}), badValue, "ARN"},
		"copy to itself": {edit(func(r *types.BackupRuleInput) {
			r.CopyActions = []types.CopyAction{{DestinationBackupVaultArn: aws.String(vaultARN(east, "main"))}}
		}), badValue, "own"},
		"copy too short in cold": {edit(func(r *types.BackupRuleInput) {
			copied(r)
			r.CopyActions[0].Lifecycle = &lives{MoveToColdStorageAfterDays: aws.Int64(1), DeleteAfterDays: aws.Int64(2)}
		}), badValue, "90 days apart"},
		"six copies": {edit(func(r *types.BackupRuleInput) {
			for range 6 {
				copied(r)
			}
		}), tooMany, ""},
		"tag that is AWS's":    {edit(func(r *types.BackupRuleInput) { r.RecoveryPointTags = map[string]string{"aws:x": "y"} }), badValue, ""},
		"schedule in the past": {edit(func(r *types.BackupRuleInput) { r.ScheduleExpression = aws.String("cron(0 2 * * ? 2020)") }), badValue, "no date to come"},
	} {
		_, err := l.create(in.rule)
		require.Error(t, err, name)
		require.Equal(t, in.code, code(t, err), name)
		require.ErrorContains(t, err, in.says, name)
	}
}

func TestCreateBackupPlan_Limits(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	var rules []types.BackupRuleInput
	for i := range 11 {
		rules = append(rules, rule(fmt.Sprint("rule-", i), daily, 30))
	}
	_, err := l.create(rules...)
	require.Equal(t, tooMany, code(t, err))
	_, err = l.create(rules[0], rules[0])
	require.Equal(t, badValue, code(t, err), "two rules of one name")
	_, err = l.create()
	require.Error(t, err)
	_, err = l.create(rules[:10]...)
	require.NoError(t, err)
	_, err = l.create(rules[:10]...)
	require.Equal(t, thereIs, code(t, err), "the same document again")
}

func TestCreateBackupPlan_SeveralWrongRules_AreAllNamed(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	_, err := l.create(rule("a", "cron(0 2 * * ?)", 30), rule("b", daily, 0))
	require.ErrorContains(t, err, "Error in some rules due to")
	require.ErrorContains(t, err, "six")
	require.ErrorContains(t, err, "less than 1")
}

func TestBackupPlan_VersionsUpdateAndDeletion(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	ctx := t.Context()
	l.vaults()
	id := l.plan("plan", []string{table}, rule("nightly", daily, 30))
	first, err := l.east.GetBackupPlan(ctx, &sdk.GetBackupPlanInput{BackupPlanId: &id})
	require.NoError(t, err)
	require.EqualValues(t, 10080, *first.BackupPlan.Rules[0].CompletionWindowMinutes)
	require.Equal(t, "Etc/UTC", *first.BackupPlan.Rules[0].ScheduleExpressionTimezone)

	updated, err := l.east.UpdateBackupPlan(ctx, &sdk.UpdateBackupPlanInput{BackupPlanId: &id, BackupPlan: &types.BackupPlanInput{
		BackupPlanName: aws.String("plan"), Rules: []types.BackupRuleInput{rule("nightly", daily, 60)},
	}})
	require.NoError(t, err)
	require.NotEqual(t, *first.VersionId, *updated.VersionId)
	versions, err := l.east.ListBackupPlanVersions(ctx, &sdk.ListBackupPlanVersionsInput{BackupPlanId: &id})
	require.NoError(t, err)
	require.Len(t, versions.BackupPlanVersionsList, 2)
	require.Equal(t, *updated.VersionId, *versions.BackupPlanVersionsList[0].VersionId)
	old, err := l.east.GetBackupPlan(ctx, &sdk.GetBackupPlanInput{BackupPlanId: &id, VersionId: first.VersionId})
	require.NoError(t, err)
	require.EqualValues(t, 30, *old.BackupPlan.Rules[0].Lifecycle.DeleteAfterDays)

	_, err = l.east.DeleteBackupPlan(ctx, &sdk.DeleteBackupPlanInput{BackupPlanId: &id})
	require.Equal(t, badAsk, code(t, err), "its selection is still there")
	selections, err := l.east.ListBackupSelections(ctx, &sdk.ListBackupSelectionsInput{BackupPlanId: &id})
	require.NoError(t, err)
	_, err = l.east.DeleteBackupSelection(ctx, &sdk.DeleteBackupSelectionInput{BackupPlanId: &id, SelectionId: selections.BackupSelectionsList[0].SelectionId})
	require.NoError(t, err)
	_, err = l.east.DeleteBackupPlan(ctx, &sdk.DeleteBackupPlanInput{BackupPlanId: &id})
	require.NoError(t, err)
	_, err = l.east.UpdateBackupPlan(ctx, &sdk.UpdateBackupPlanInput{BackupPlanId: &id, BackupPlan: &types.BackupPlanInput{
		BackupPlanName: aws.String("plan"), Rules: []types.BackupRuleInput{rule("nightly", daily, 60)},
	}})
	require.Equal(t, noSuch, code(t, err))
	alive, err := l.east.ListBackupPlans(ctx, &sdk.ListBackupPlansInput{})
	require.NoError(t, err)
	require.Empty(t, alive.BackupPlansList)
	all, err := l.east.ListBackupPlans(ctx, &sdk.ListBackupPlansInput{IncludeDeleted: aws.Bool(true)})
	require.NoError(t, err)
	require.NotNil(t, all.BackupPlansList[0].DeletionDate)
}

func TestBackupPlan_TemplatesAndJSON(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	ctx := t.Context()
	l.vaults()
	list, err := l.east.ListBackupPlanTemplates(ctx, &sdk.ListBackupPlanTemplatesInput{})
	require.NoError(t, err)
	require.Len(t, list.BackupPlanTemplatesList, 4)
	got, err := l.east.GetBackupPlanFromTemplate(ctx, &sdk.GetBackupPlanFromTemplateInput{BackupPlanTemplateId: list.BackupPlanTemplatesList[0].BackupPlanTemplateId})
	require.NoError(t, err)
	require.EqualValues(t, 35, *got.BackupPlanDocument.Rules[0].Lifecycle.DeleteAfterDays)
	_, err = l.east.GetBackupPlanFromTemplate(ctx, &sdk.GetBackupPlanFromTemplateInput{BackupPlanTemplateId: aws.String("none")})
	require.Equal(t, noSuch, code(t, err))

	id := l.plan("plan", []string{table}, rule("nightly", daily, 30, copied))
	exported, err := l.east.ExportBackupPlanTemplate(ctx, &sdk.ExportBackupPlanTemplateInput{BackupPlanId: &id})
	require.NoError(t, err)
	require.NotContains(t, *exported.BackupPlanTemplateJson, "null")
	read, err := l.east.GetBackupPlanFromJSON(ctx, &sdk.GetBackupPlanFromJSONInput{BackupPlanTemplateJson: exported.BackupPlanTemplateJson})
	require.NoError(t, err)
	require.Equal(t, "nightly", *read.BackupPlan.Rules[0].RuleName)
	require.Len(t, read.BackupPlan.Rules[0].CopyActions, 1)
	for _, text := range []string{"{", `{"BackupPlanName":"x","Rules":[],"More":1}`, `{"BackupPlanName":"x","Rules":[{"RuleName":"a","TargetBackupVaultName":"nowhere"}]}`} {
		_, err = l.east.GetBackupPlanFromJSON(ctx, &sdk.GetBackupPlanFromJSONInput{BackupPlanTemplateJson: &text})
		require.Equal(t, badValue, code(t, err), text)
	}
}

func TestListBackupPlans_PageByPage(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	for i := range 5 {
		l.plan(fmt.Sprint("plan-", i), []string{table}, rule("nightly", daily, 30+int64(i)))
	}
	var names []string
	pages := sdk.NewListBackupPlansPaginator(l.east, &sdk.ListBackupPlansInput{MaxResults: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.BackupPlansList), 2)
		for _, p := range page.BackupPlansList {
			names = append(names, *p.BackupPlanName)
		}
	}
	require.Equal(t, []string{"plan-4", "plan-3", "plan-2", "plan-1", "plan-0"}, names)
}

func TestCreateBackupSelection_Refusals(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{})
	l.vaults()
	id := l.plan("plan", []string{table}, rule("nightly", daily, 30))
	many := make([]string, 501)
	for i := range many {
		many[i] = fmt.Sprint("arn:aws:s3:::bucket-", i)
	}
	wild := make([]string, 31)
	for i := range wild {
		wild[i] = fmt.Sprint("arn:aws:s3:::bucket-", i, "*")
	}
	for name, in := range map[string]struct {
		selection types.BackupSelection
		code      string
	}{
		"nothing selected":   {types.BackupSelection{}, badValue},
		"no role":            {types.BackupSelection{IamRoleArn: aws.String("backup"), Resources: []string{"*"}}, badValue},
		"no ARN":             {types.BackupSelection{Resources: []string{"records"}}, badValue},
		"501 ARNs":           {types.BackupSelection{Resources: many}, tooMany},
		"31 wildcards":       {types.BackupSelection{Resources: wild}, tooMany},
		"condition on a key": {types.BackupSelection{Resources: []string{"*"}, Conditions: &types.Conditions{StringEquals: []types.ConditionParameter{{ConditionKey: aws.String("app"), ConditionValue: aws.String("x")}}}}, badValue},
		"the same name":      {types.BackupSelection{SelectionName: aws.String("all"), Resources: []string{"*"}}, thereIs},
	} {
		if in.selection.IamRoleArn == nil {
			in.selection.IamRoleArn = aws.String(role)
		}
		if in.selection.SelectionName == nil {
			in.selection.SelectionName = aws.String("more")
		}
		_, err := l.east.CreateBackupSelection(t.Context(), &sdk.CreateBackupSelectionInput{BackupPlanId: &id, BackupSelection: &in.selection})
		require.Error(t, err, name)
		require.Equal(t, in.code, code(t, err), name)
	}
	_, err := l.east.CreateBackupSelection(t.Context(), &sdk.CreateBackupSelectionInput{BackupPlanId: aws.String("none"), BackupSelection: &types.BackupSelection{
		SelectionName: aws.String("more"), IamRoleArn: aws.String(role), Resources: []string{"*"},
	}})
	require.Equal(t, noSuch, code(t, err))
}
