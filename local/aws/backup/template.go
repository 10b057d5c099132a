package backup

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"
	"github.com/google/uuid"

	"lifeline/local/aws/wire"
)

// template is one of the plans that AWS offers to start from.
type template struct {
	id, name string
	plan     *sdk.Plan
}

func templates() []template {
	daily := templateRule("DailyBackups", usual, nil, 35)
	weekly := templateRule("WeeklyBackups", "cron(0 5 ? * 7 *)", nil, 90)
	year := templateRule("Monthly", "cron(0 5 1 * ? *)", aws.Int64(30), 365)
	five := templateRule("Monthly", "cron(0 5 1 * ? *)", aws.Int64(90), 1825)
	seven := templateRule("Monthly", "cron(0 5 1 * ? *)", aws.Int64(90), 2555)
	return []template{
		newTemplate("Daily-35day-Retention", daily),
		newTemplate("Daily-Monthly-1yr-Retention", daily, year),
		newTemplate("Daily-Weekly-Monthly-5yr-Retention", daily, weekly, five),
		newTemplate("Daily-Weekly-Monthly-7yr-Retention", daily, weekly, seven),
	}
}

func newTemplate(name string, rules ...*sdk.Rule) template {
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte("aws-backup-template/"+name)).String()
	return template{id: id, name: name, plan: &sdk.Plan{BackupPlanName: &name, Rules: rules}}
}

func templateRule(name, schedule string, cold *int64, keep int64) *sdk.Rule {
	return &sdk.Rule{
		RuleName: &name, RuleId: aws.String(uuid.NewSHA1(uuid.NameSpaceURL, []byte(name+schedule)).String()),
		TargetBackupVaultName: aws.String("Default"), ScheduleExpression: &schedule, ScheduleExpressionTimezone: aws.String("Etc/UTC"),
		StartWindowMinutes: aws.Int64(int64(defaultStart.Minutes())), CompletionWindowMinutes: aws.Int64(int64(defaultEnd.Minutes())),
		Lifecycle: &sdk.Lifecycle{MoveToColdStorageAfterDays: cold, DeleteAfterDays: &keep},
	}
}

func (b *Backup) listBackupPlanTemplates(_ *wire.Call, in *sdk.ListBackupPlanTemplatesInput) (*sdk.ListBackupPlanTemplatesOutput, error) {
	page, next, err := pageOf(in.NextToken, in.MaxResults, templates(), func(t template) string { return t.name })
	if err != nil {
		return nil, err
	}
	out := &sdk.ListBackupPlanTemplatesOutput{NextToken: next, BackupPlanTemplatesList: []*sdk.PlanTemplatesListMember{}}
	for _, t := range page {
		out.BackupPlanTemplatesList = append(out.BackupPlanTemplatesList, &sdk.PlanTemplatesListMember{
			BackupPlanTemplateId: aws.String(t.id), BackupPlanTemplateName: aws.String(t.name),
		})
	}
	return out, nil
}

func (b *Backup) getBackupPlanFromTemplate(_ *wire.Call, in *sdk.GetBackupPlanFromTemplateInput) (*sdk.GetBackupPlanFromTemplateOutput, error) {
	for _, t := range templates() {
		if t.id == *in.BackupPlanTemplateId {
			return &sdk.GetBackupPlanFromTemplateOutput{BackupPlanDocument: t.plan}, nil
		}
	}
	return nil, notFound("Cannot find Backup plan template with ID %s", *in.BackupPlanTemplateId)
}

func (b *Backup) getBackupPlanFromJSON(c *wire.Call, in *sdk.GetBackupPlanFromJSONInput) (*sdk.GetBackupPlanFromJSONOutput, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(*in.BackupPlanTemplateJson)))
	decoder.DisallowUnknownFields()
	var doc sdk.PlanInput
	if err := decoder.Decode(&doc); err != nil {
		return nil, invalid("Invalid JSON input: %v", err)
	}
	if doc.BackupPlanName == nil {
		return nil, missing("BackupPlanName is required")
	}
	for _, rule := range doc.Rules {
		if rule == nil || rule.RuleName == nil || rule.TargetBackupVaultName == nil {
			return nil, missing("RuleName and TargetBackupVaultName are required in every rule")
		}
	}
	b.mu.Lock()
	defer b.release()
	v, err := b.draft(b.in(c.Region), &doc)
	if err != nil {
		return nil, err
	}
	return &sdk.GetBackupPlanFromJSONOutput{BackupPlan: v.document}, nil
}

func (b *Backup) exportBackupPlanTemplate(c *wire.Call, in *sdk.ExportBackupPlanTemplateInput) (*sdk.ExportBackupPlanTemplateOutput, error) {
	b.mu.Lock()
	defer b.release()
	p, err := b.in(c.Region).livePlan(in.BackupPlanId)
	if err != nil {
		return nil, err
	}
	plain := &sdk.PlanInput{BackupPlanName: p.current().document.BackupPlanName, AdvancedBackupSettings: p.current().settings}
	for _, rule := range p.current().document.Rules {
		plain.Rules = append(plain.Rules, remake[sdk.RuleInput](rule)) // without the id
	}
	var doc any
	raw, err := json.Marshal(plain)
	if err == nil {
		err = json.Unmarshal(raw, &doc)
	}
	if err == nil {
		raw, err = json.Marshal(withoutNulls(doc))
	}
	if err != nil {
		return nil, fmt.Errorf("write down plan %s: %w", p.id, err)
	}
	return &sdk.ExportBackupPlanTemplateOutput{BackupPlanTemplateJson: aws.String(string(raw))}, nil
}

// withoutNulls drops members that aren't set.
func withoutNulls(doc any) any {
	switch v := doc.(type) {
	case map[string]any:
		for key, value := range v {
			if value == nil {
				delete(v, key)
				continue
			}
			v[key] = withoutNulls(value)
		}
	case []any:
		for i := range v {
			v[i] = withoutNulls(v[i])
		}
	}
	return doc
}
