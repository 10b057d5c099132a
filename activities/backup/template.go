package backup

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/backup"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// template says which of AWS's plan templates a plan takes over, and what its
// rules become: AWS writes them for its default vault and without a copy.
type template struct {
	Name    string            `json:"name"`
	Vault   string            `json:"vault"`
	CopyTo  string            `json:"copyTo"` // ARN of the vault in the recovery Region; may be empty
	MinDays int64             `json:"minDays"`
	MaxDays int64             `json:"maxDays"` // 0 is no bound
	Tags    map[string]string `json:"tags"`
}

// resolve gives the rules of the template that a plan names, as this plan has
// them; nil when it names none.
func (k keeper) resolve(ctx context.Context, at cloud.At, document string, own []rule) ([]rule, error) {
	if document == "" {
		return nil, nil
	}
	var t template
	if err := json.Unmarshal([]byte(document), &t); err != nil {
		return nil, cloud.Errorf(cloud.Invalid, "read template: %w", err)
	}
	id, err := k.templateID(ctx, at, t.Name)
	if err != nil {
		return nil, err
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetBackupPlanFromTemplate, &sdk.GetBackupPlanFromTemplateInput{BackupPlanTemplateId: aws.String(id)})
	if err != nil {
		return nil, fmt.Errorf("backup plan template %s: %w", t.Name, err)
	}
	var rules []rule
	for _, r := range out.BackupPlanDocument.Rules {
		rules = append(rules, t.adapt(ruleFrom(r)))
	}
	return rules, t.fits(rules, own)
}

func (k keeper) templateID(ctx context.Context, at cloud.At, name string) (string, error) {
	var names []string
	in := &sdk.ListBackupPlanTemplatesInput{MaxResults: aws.Int32(1000)}
	for {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).ListBackupPlanTemplates, in)
		if err != nil {
			return "", fmt.Errorf("list backup plan templates: %w", err)
		}
		for _, t := range out.BackupPlanTemplatesList {
			if aws.ToString(t.BackupPlanTemplateName) == name {
				return aws.ToString(t.BackupPlanTemplateId), nil
			}
			names = append(names, aws.ToString(t.BackupPlanTemplateName))
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			slices.Sort(names)
			return "", cloud.Errorf(cloud.Invalid, "AWS has no backup plan template %q; it has %s", name, strings.Join(names, ", "))
		}
	}
}

// adapt brings a template's rule into the plan's vaults. The copy stays as long
// as the original; cold points can't be copied, so it is never cold.
func (t template) adapt(r rule) rule {
	r.Vault, r.Tags = t.Vault, t.Tags
	if t.CopyTo != "" {
		c := copyAction{To: t.CopyTo}
		if r.Lifecycle != nil {
			c.Lifecycle = &lifecycle{Delete: r.Lifecycle.Delete}
		}
		r.Copies = []copyAction{c}
	}
	return r
}

// fits refuses a template that would harm the plan it is merged into. Its own
// rules may meet each other: AWS made them so that the longer retention wins.
func (t template) fits(rules, own []rule) error {
	for _, r := range rules {
		if slices.ContainsFunc(own, func(o rule) bool { return o.Name == r.Name }) {
			return cloud.Errorf(cloud.Invalid, "the template %s has a rule %q like the plan: only one of them can be kept", t.Name, r.Name)
		}
		keep := int64(1 << 40) // for ever
		if r.Lifecycle != nil && r.Lifecycle.Delete > 0 {
			keep = r.Lifecycle.Delete
		}
		if keep < t.MinDays || (t.MaxDays > 0 && keep > t.MaxDays) {
			return cloud.Errorf(cloud.Invalid, "rule %q of the template %s keeps backups for %d days, and the vault lock allows %d to %d: each of its jobs would fail",
				r.Name, t.Name, keep, t.MinDays, t.MaxDays)
		}
	}
	for _, o := range plan.Overlaps(windows(append(slices.Clone(rules), own...))) {
		if slices.ContainsFunc(own, func(r rule) bool { return r.Name == o.First || r.Name == o.Second }) {
			return cloud.Errorf(cloud.Invalid, "with the template %s, %s: AWS would keep the backup of the rule with the longer retention only", t.Name, o)
		}
	}
	return nil
}

// windows are the start windows of rules, but for schedules that can't be read:
// AWS judges these.
func windows(rules []rule) []plan.StartWindow {
	var out []plan.StartWindow
	for _, r := range rules {
		if c, err := plan.ParseCron(r.Schedule); err == nil {
			out = append(out, plan.StartWindow{Rule: r.Name, Schedule: c, Open: time.Duration(r.Start) * time.Minute})
		}
	}
	return out
}
