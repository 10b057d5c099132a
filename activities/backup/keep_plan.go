package backup

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// Properties of a backup plan. All rules of a plan are the item's: a rule that
// somebody adds can swallow the backups of the others.
const (
	planRules    = "rules"
	planTemplate = "template"
)

// readPlans finds plans by name, which AWS leaves to its users, and reads each.
func (k keeper) readPlans(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	ids, err := k.planIDs(ctx, at)
	if err != nil {
		return nil, err
	}
	states := make([]runbook.ItemState, len(items))
	for i, item := range items {
		if states[i], err = k.readPlan(ctx, at, item, ids[item.Name]); err != nil {
			return nil, fmt.Errorf("backup plan %s: %w", item.Name, err)
		}
	}
	return states, nil
}

// planIDs are the plans of a Region by name; of several that share one, the
// oldest counts, and it is the same one each time.
func (k keeper) planIDs(ctx context.Context, at cloud.At) (map[string]string, error) {
	all := []types.BackupPlansListMember{}
	in := &sdk.ListBackupPlansInput{MaxResults: aws.Int32(1000)}
	for {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).ListBackupPlans, in)
		if err != nil {
			return nil, fmt.Errorf("list backup plans: %w", err)
		}
		all = append(all, out.BackupPlansList...)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b types.BackupPlansListMember) int {
		return aws.ToTime(b.CreationDate).Compare(aws.ToTime(a.CreationDate))
	})
	ids := map[string]string{}
	for _, p := range all {
		ids[aws.ToString(p.BackupPlanName)] = aws.ToString(p.BackupPlanId)
	}
	return ids, nil
}

func (k keeper) readPlan(ctx context.Context, at cloud.At, item runbook.Item, id string) (runbook.ItemState, error) {
	state := runbook.ItemState{ID: item.ID()}
	own, err := rulesOf(item.Want[planRules])
	if err != nil {
		return state, cloud.Errorf(cloud.Invalid, "%w", err)
	}
	borrowed, err := k.resolve(ctx, at, item.Want[planTemplate], own)
	if err != nil || id == "" {
		return state, err
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetBackupPlan, &sdk.GetBackupPlanInput{BackupPlanId: aws.String(id)})
	if err != nil {
		return state, err
	}
	state.Found = true
	state.Out = map[string]string{"id": id, "arn": aws.ToString(out.BackupPlanArn)}
	state.Have = apart(item.Want, out.BackupPlan.Rules, borrowed)
	return state, nil
}

// apart tells the rules of the template from the plan's own. The template counts
// as there when all its rules are, just as they should be.
func apart(want map[string]string, rules []types.BackupRule, borrowed []rule) map[string]string {
	var own []rule
	there := 0
	for _, r := range rules {
		have := ruleFrom(r)
		i := slices.IndexFunc(borrowed, func(b rule) bool { return b.Name == have.Name })
		switch {
		case i < 0:
			own = append(own, have)
		case documentOf([]rule{have}) == documentOf([]rule{borrowed[i]}):
			there++
		}
	}
	out := map[string]string{planRules: ordered(want[planRules], own)}
	if there == len(borrowed) {
		out[planTemplate] = want[planTemplate]
	}
	return out
}

// ordered writes rules in the order in which they are wanted: AWS promises none.
func ordered(want string, have []rule) string {
	wanted, err := rulesOf(want)
	if err != nil {
		return documentOf(have)
	}
	place := func(r rule) int {
		if i := slices.IndexFunc(wanted, func(w rule) bool { return w.Name == r.Name }); i >= 0 {
			return i
		}
		return len(wanted)
	}
	slices.SortStableFunc(have, func(a, b rule) int { return place(a) - place(b) })
	return documentOf(have)
}

// writePlan makes the plan, or a new version of it.
func (k keeper) writePlan(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	own, err := rulesOf(item.Want[planRules])
	if err != nil {
		return "", cloud.Errorf(cloud.Invalid, "%w", err)
	}
	borrowed, err := k.resolve(ctx, at, item.Want[planTemplate], own)
	if err != nil {
		return "", fmt.Errorf("backup plan %s: %w", item.Name, err)
	}
	all := slices.Concat(borrowed, own)
	if have.Found {
		return k.updatePlan(ctx, at, item, have.Out["id"], all)
	}
	in := &types.BackupPlanInput{BackupPlanName: aws.String(item.Name)}
	for _, r := range all {
		in.Rules = append(in.Rules, r.input(nil))
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateBackupPlan, &sdk.CreateBackupPlanInput{
		BackupPlan: in, BackupPlanTags: tags(item), CreatorRequestId: token(item),
	})
	if err != nil {
		return "", fmt.Errorf("create backup plan %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// updatePlan sends a whole plan, since AWS takes no part of one: what is there
// beside the rules goes with it unchanged.
func (k keeper) updatePlan(ctx context.Context, at cloud.At, item runbook.Item, id string, rules []rule) (string, error) {
	now, err := cloud.Call(ctx, at, k.clients(at.Region).GetBackupPlan, &sdk.GetBackupPlanInput{BackupPlanId: aws.String(id)})
	if err != nil {
		return "", fmt.Errorf("read backup plan %s: %w", item.Name, err)
	}
	in := &types.BackupPlanInput{
		BackupPlanName: aws.String(item.Name), ScanSettings: now.BackupPlan.ScanSettings,
		AdvancedBackupSettings: slices.Concat(now.BackupPlan.AdvancedBackupSettings, missing(now)),
	}
	for _, r := range rules {
		in.Rules = append(in.Rules, r.input(now.BackupPlan.Rules))
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).UpdateBackupPlan, &sdk.UpdateBackupPlanInput{BackupPlanId: aws.String(id), BackupPlan: in})
	if err != nil {
		return "", fmt.Errorf("update backup plan %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// missing are advanced settings that AWS answered beside the plan and not in it.
func missing(now *sdk.GetBackupPlanOutput) []types.AdvancedBackupSetting {
	if len(now.BackupPlan.AdvancedBackupSettings) > 0 {
		return nil
	}
	return now.AdvancedBackupSettings
}
