package backup

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/runbook"
)

// Properties of a selection. AWS has no call that changes one.
const (
	selectionPlan       = "plan" // id of the plan that it belongs to
	selectionRole       = "role"
	selectionResources  = "resources"
	selectionConditions = "conditions"
)

// conditions are what a resource's tags must be, as items write it.
type conditions struct {
	Equal    []condition `json:"StringEquals,omitempty"`
	Like     []condition `json:"StringLike,omitempty"`
	NotEqual []condition `json:"StringNotEquals,omitempty"`
	NotLike  []condition `json:"StringNotLike,omitempty"`
}

type condition struct {
	Key   string `json:"ConditionKey"`
	Value string `json:"ConditionValue"`
}

// readSelections lists the selections of each plan once and looks into those that
// are wanted.
func (k keeper) readSelections(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	lists := map[string]map[string]string{} // plan -> name -> id
	for _, item := range items {
		id := item.Want[selectionPlan]
		if lists[id] != nil {
			continue
		}
		list, err := k.selectionIDs(ctx, at, id)
		if err != nil {
			return nil, err
		}
		lists[id] = list
	}
	return keep.Each(func(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
		id, ok := lists[item.Want[selectionPlan]][item.Name]
		if !ok {
			return runbook.ItemState{}, nil
		}
		have, err := k.readSelection(ctx, at, item, id)
		return runbook.ItemState{Found: true, Have: have, Out: map[string]string{"id": id}}, err
	})(ctx, at, items)
}

func (k keeper) selectionIDs(ctx context.Context, at cloud.At, planID string) (map[string]string, error) {
	ids := map[string]string{}
	in := &sdk.ListBackupSelectionsInput{BackupPlanId: aws.String(planID), MaxResults: aws.Int32(1000)}
	for {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).ListBackupSelections, in)
		if err != nil {
			return nil, fmt.Errorf("list selections of backup plan %s: %w", planID, err)
		}
		for _, s := range out.BackupSelectionsList {
			ids[aws.ToString(s.SelectionName)] = aws.ToString(s.SelectionId)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return ids, nil
		}
	}
}

func (k keeper) readSelection(ctx context.Context, at cloud.At, item runbook.Item, id string) (map[string]string, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetBackupSelection, &sdk.GetBackupSelectionInput{
		BackupPlanId: aws.String(item.Want[selectionPlan]), SelectionId: aws.String(id),
	})
	if err != nil {
		return nil, fmt.Errorf("selection %s: %w", item.Name, err)
	}
	have := map[string]string{
		selectionPlan: item.Want[selectionPlan], selectionRole: aws.ToString(out.BackupSelection.IamRoleArn),
		selectionResources: runbook.List(out.BackupSelection.Resources...),
	}
	if c := out.BackupSelection.Conditions; c != nil {
		have[selectionConditions] = runbook.Document(conditions{
			Equal: from(c.StringEquals), Like: from(c.StringLike), NotEqual: from(c.StringNotEquals), NotLike: from(c.StringNotLike),
		})
	}
	return have, nil
}

func from(list []types.ConditionParameter) []condition {
	var out []condition
	for _, c := range list {
		out = append(out, condition{aws.ToString(c.ConditionKey), aws.ToString(c.ConditionValue)})
	}
	slices.SortFunc(out, func(a, b condition) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value)) })
	return out
}

func into(list []condition) []types.ConditionParameter {
	var out []types.ConditionParameter
	for _, c := range list {
		out = append(out, types.ConditionParameter{ConditionKey: aws.String(c.Key), ConditionValue: aws.String(c.Value)})
	}
	return out
}

func (k keeper) writeSelection(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	selection := &types.BackupSelection{
		SelectionName: aws.String(item.Name), IamRoleArn: aws.String(item.Want[selectionRole]),
		Resources: lines(item.Want[selectionResources]),
	}
	if document := item.Want[selectionConditions]; document != "" {
		var c conditions
		if err := json.Unmarshal([]byte(document), &c); err != nil {
			return "", cloud.Errorf(cloud.Invalid, "conditions of selection %s: %w", item.Name, err)
		}
		selection.Conditions = &types.Conditions{
			StringEquals: into(c.Equal), StringLike: into(c.Like), StringNotEquals: into(c.NotEqual), StringNotLike: into(c.NotLike),
		}
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateBackupSelection, &sdk.CreateBackupSelectionInput{
		BackupPlanId: aws.String(item.Want[selectionPlan]), BackupSelection: selection, CreatorRequestId: token(item, item.Want[selectionPlan]),
	})
	if err != nil {
		return "", fmt.Errorf("select %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}
