package backup

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"

	"lifeline/internal/runbook"
)

// rule is a rule of a backup plan as items write it: AWS's names, and nothing for
// what is not set, so that two rules alike have one text.
type rule struct {
	Name       string            `json:"RuleName"`
	Vault      string            `json:"TargetBackupVaultName"`
	Schedule   string            `json:"ScheduleExpression"`
	Zone       string            `json:"ScheduleExpressionTimezone"`
	Start      int64             `json:"StartWindowMinutes"`
	Complete   int64             `json:"CompletionWindowMinutes"`
	Continuous bool              `json:"EnableContinuousBackup"`
	Lifecycle  *lifecycle        `json:"Lifecycle,omitempty"`
	Copies     []copyAction      `json:"CopyActions,omitempty"`
	Tags       map[string]string `json:"RecoveryPointTags,omitempty"`
}

type lifecycle struct {
	Delete int64 `json:"DeleteAfterDays,omitempty"`
	Cold   int64 `json:"MoveToColdStorageAfterDays,omitempty"`
	// Archive also moves volumes to cold storage; it follows a template only.
	Archive bool `json:"OptInToArchiveForSupportedResources,omitempty"`
}

type copyAction struct {
	To        string     `json:"DestinationBackupVaultArn"`
	Lifecycle *lifecycle `json:"Lifecycle,omitempty"`
}

// rulesOf reads a document of rules.
func rulesOf(document string) ([]rule, error) {
	var out []rule
	if err := json.Unmarshal([]byte(document), &out); err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	return out, nil
}

// documentOf is the canonical text of rules.
func documentOf(rules []rule) string {
	if rules == nil {
		rules = []rule{}
	}
	return runbook.Document(rules)
}

// ruleFrom reads a rule that AWS answered.
func ruleFrom(r types.BackupRule) rule {
	out := rule{
		Name: aws.ToString(r.RuleName), Vault: aws.ToString(r.TargetBackupVaultName),
		Schedule: aws.ToString(r.ScheduleExpression), Zone: aws.ToString(r.ScheduleExpressionTimezone),
		Start: aws.ToInt64(r.StartWindowMinutes), Complete: aws.ToInt64(r.CompletionWindowMinutes),
		Continuous: aws.ToBool(r.EnableContinuousBackup), Lifecycle: lifecycleFrom(r.Lifecycle), Tags: r.RecoveryPointTags,
	}
	if out.Zone == "" {
		out.Zone = "Etc/UTC"
	}
	for _, c := range r.CopyActions {
		out.Copies = append(out.Copies, copyAction{To: aws.ToString(c.DestinationBackupVaultArn), Lifecycle: lifecycleFrom(c.Lifecycle)})
	}
	return out
}

func lifecycleFrom(l *types.Lifecycle) *lifecycle {
	if l == nil {
		return nil
	}
	return &lifecycle{
		Delete: aws.ToInt64(l.DeleteAfterDays), Cold: aws.ToInt64(l.MoveToColdStorageAfterDays),
		Archive: aws.ToBool(l.OptInToArchiveForSupportedResources),
	}
}

// input is a rule to be sent. before is the rule of that name that is there:
// what Lifeline knows nothing of stays as it is.
func (r rule) input(before []types.BackupRule) types.BackupRuleInput {
	in := types.BackupRuleInput{
		RuleName: aws.String(r.Name), TargetBackupVaultName: aws.String(r.Vault),
		ScheduleExpression: aws.String(r.Schedule), ScheduleExpressionTimezone: aws.String(r.Zone),
		StartWindowMinutes: aws.Int64(r.Start), CompletionWindowMinutes: aws.Int64(r.Complete),
		EnableContinuousBackup: aws.Bool(r.Continuous), Lifecycle: r.Lifecycle.input(), RecoveryPointTags: r.Tags,
	}
	for _, c := range r.Copies {
		in.CopyActions = append(in.CopyActions, types.CopyAction{DestinationBackupVaultArn: aws.String(c.To), Lifecycle: c.Lifecycle.input()})
	}
	if i := slices.IndexFunc(before, func(b types.BackupRule) bool { return aws.ToString(b.RuleName) == r.Name }); i >= 0 {
		in.IndexActions, in.ScanActions = before[i].IndexActions, before[i].ScanActions
	}
	return in
}

func (l *lifecycle) input() *types.Lifecycle {
	if l == nil {
		return nil
	}
	out := &types.Lifecycle{}
	if l.Delete != 0 {
		out.DeleteAfterDays = aws.Int64(l.Delete)
	}
	if l.Cold != 0 {
		out.MoveToColdStorageAfterDays = aws.Int64(l.Cold)
	}
	if l.Archive {
		out.OptInToArchiveForSupportedResources = aws.Bool(true)
	}
	return out
}
