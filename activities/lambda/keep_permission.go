package lambda

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// Properties of a permission. A statement of a function's policy can't be changed,
// so one that differs is another one: the item is there when any statement says
// what is wanted.
const (
	onFunction = "function"
	principal  = "principal"
	action     = "action"
	source     = "source"
)

// grant is a statement of a function's policy, as far as it matters here.
type grant struct {
	Sid       string
	Effect    string
	Principal json.RawMessage
	Action    string
	Condition map[string]map[string]string
}

func (k keeper) readPermission(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetPolicy, &sdk.GetPolicyInput{FunctionName: aws.String(item.Want[onFunction])})
	if cloud.KindOf(err) == cloud.NotFound {
		return runbook.ItemState{}, nil // no function, or nobody may call it
	}
	if err != nil {
		return runbook.ItemState{}, err
	}
	var policy struct{ Statement []grant }
	if err := json.Unmarshal([]byte(aws.ToString(out.Policy)), &policy); err != nil {
		return runbook.ItemState{}, fmt.Errorf("read policy of function %s: %w", item.Want[onFunction], err)
	}
	for _, g := range policy.Statement {
		if g.gives(item) {
			return runbook.ItemState{Found: true, Have: map[string]string{
				onFunction: item.Want[onFunction], principal: item.Want[principal], action: item.Want[action], source: item.Want[source],
			}, Out: map[string]string{"sid": g.Sid}}, nil
		}
	}
	return runbook.ItemState{}, nil
}

func (g grant) gives(item runbook.Item) bool {
	var by struct{ Service string }
	if json.Unmarshal(g.Principal, &by) != nil {
		return false // everybody, which is not what is wanted
	}
	return g.Effect == "Allow" && by.Service == item.Want[principal] && g.Action == item.Want[action] &&
		len(g.Condition) == 1 && (g.Condition["ArnLike"]["AWS:SourceArn"] == item.Want[source] || g.Condition["ArnEquals"]["AWS:SourceArn"] == item.Want[source])
}

// writePermission adds a statement whose id follows from what it says: asked for
// twice, it is there once.
func (k keeper) writePermission(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	hash := sha256.Sum256([]byte(item.Want[principal] + "\n" + item.Want[action] + "\n" + item.Want[source]))
	out, err := cloud.Call(ctx, at, k.clients(at.Region).AddPermission, &sdk.AddPermissionInput{
		FunctionName: aws.String(item.Want[onFunction]), StatementId: aws.String("lifeline-" + hex.EncodeToString(hash[:4])),
		Principal: aws.String(item.Want[principal]), Action: aws.String(item.Want[action]), SourceArn: aws.String(item.Want[source]),
	})
	if err != nil {
		return "", fmt.Errorf("permission %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}
