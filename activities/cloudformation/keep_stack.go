package cloudformation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"lifeline/deploy/cloudformation"
	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// Properties of a stack.
const (
	status     = "status"     // "complete", or what AWS says
	body       = "template"   // hash of its text
	parameters = "parameters" // JSON object of those that the plan names
	protection = "protection" // against deletion
	file       = runbook.AtCreation + "template"
	role       = runbook.AtCreation + "role"
	tag        = runbook.AtCreation + "tag/"
)

// complete is a stack that stands and can be updated.
const complete = "complete"

// stacks are all stacks of a Region by name. Asked for by name, one that is
// missing makes AWS refuse the call with a code that means anything.
func (k keeper) stacks(ctx context.Context, at cloud.At) (map[string]types.Stack, error) {
	found := map[string]types.Stack{}
	in := &sdk.DescribeStacksInput{}
	for {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeStacks, in)
		if err != nil {
			return nil, fmt.Errorf("describe stacks: %w", err)
		}
		for _, s := range out.Stacks {
			if s.StackStatus != types.StackStatusDeleteComplete {
				found[aws.ToString(s.StackName)] = s
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return found, nil
		}
	}
}

func (k keeper) readStacks(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found, err := k.stacks(ctx, at)
	if err != nil {
		return nil, err
	}
	states := make([]runbook.ItemState, len(items))
	for i, item := range items {
		s, ok := found[item.Name]
		if !ok || s.StackStatus == types.StackStatusReviewInProgress {
			// Only a change set that nobody has carried out: no resource is there.
			states[i] = runbook.ItemState{ID: item.ID()}
			continue
		}
		if states[i], err = k.state(ctx, at, item, s); err != nil {
			return nil, fmt.Errorf("stack %s: %w", item.Name, err)
		}
	}
	return states, nil
}

func (k keeper) state(ctx context.Context, at cloud.At, item runbook.Item, s types.Stack) (runbook.ItemState, error) {
	state := runbook.ItemState{ID: item.ID(), Found: true, Out: map[string]string{"id": aws.ToString(s.StackId), "arn": aws.ToString(s.StackId)}}
	state.Have = map[string]string{
		status: word(s.StackStatus), protection: strconv.FormatBool(aws.ToBool(s.EnableTerminationProtection)), parameters: given(item, s.Parameters),
	}
	for _, o := range s.Outputs {
		state.Out["output/"+aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	if working(s.StackStatus) {
		state.Busy = string(s.StackStatus)
		return state, nil
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetTemplate, &sdk.GetTemplateInput{StackName: s.StackId, TemplateStage: types.TemplateStageOriginal})
	if err != nil {
		return state, fmt.Errorf("template: %w", err)
	}
	state.Have[body] = hashOf([]byte(aws.ToString(out.TemplateBody)))
	return state, nil
}

func working(s types.StackStatus) bool { return strings.HasSuffix(string(s), "_IN_PROGRESS") }

// word is a status as it is wanted: one that stands is complete however it came
// to be so.
func word(s types.StackStatus) string {
	switch s {
	case types.StackStatusCreateComplete, types.StackStatusUpdateComplete, types.StackStatusUpdateRollbackComplete,
		types.StackStatusImportComplete, types.StackStatusImportRollbackComplete:
		return complete
	default:
		return string(s)
	}
}

// given are the values of those parameters that are wanted.
func given(item runbook.Item, have []types.Parameter) string {
	var want map[string]string
	if json.Unmarshal([]byte(item.Want[parameters]), &want) != nil {
		return ""
	}
	out := map[string]string{}
	for _, p := range have {
		if _, wanted := want[aws.ToString(p.ParameterKey)]; wanted {
			out[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
		}
	}
	return runbook.Document(out)
}

func hashOf(text []byte) string {
	hash := sha256.Sum256(text)
	return hex.EncodeToString(hash[:])
}

// template is the text of an item's template.
func template(item runbook.Item) (string, error) {
	text, err := cloudformation.Templates.ReadFile(item.Want[file])
	if err == nil {
		return string(text), nil
	}
	var names []string
	if all, err := cloudformation.Templates.ReadDir("."); err == nil {
		for _, f := range all {
			names = append(names, f.Name())
		}
	}
	return "", cloud.Errorf(cloud.Invalid, "stack %s: there is no template %q; there are %s", item.Name, item.Want[file], strings.Join(names, ", "))
}

// writeStack makes or changes the stack, and then protects it: a change set can't.
func (k keeper) writeStack(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	text, err := template(item)
	if err != nil {
		return "", err
	}
	if have.Found && have.Have[status] != complete {
		return "", k.stuck(ctx, at, item, have.Have[status])
	}
	if !have.Found || have.Have[body] != item.Want[body] || have.Have[parameters] != item.Want[parameters] {
		request, err := k.deploy(ctx, at, item, have, text)
		if err != nil {
			return "", fmt.Errorf("stack %s: %w", item.Name, err)
		}
		if have.Have[protection] == item.Want[protection] {
			return request, nil
		}
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).UpdateTerminationProtection, &sdk.UpdateTerminationProtectionInput{
		StackName: aws.String(item.Name), EnableTerminationProtection: aws.Bool(item.Want[protection] == "true"),
	})
	if err != nil {
		return "", fmt.Errorf("protect stack %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// stuck says why nobody can update a stack, and what people can do.
func (k keeper) stuck(ctx context.Context, at cloud.At, item runbook.Item, now string) error {
	remedy := "mend the cause and bring the stack out of this state by hand"
	which := " --stack-name " + item.Name + " --region " + string(at.Region)
	switch types.StackStatus(now) { //nolint:exhaustive // the others have no single remedy
	case types.StackStatusRollbackComplete, types.StackStatusRollbackFailed, types.StackStatusCreateFailed, types.StackStatusDeleteFailed:
		// Nothing of it is in use, or its deletion was wanted by somebody.
		remedy = "mend the cause, then \"aws cloudformation delete-stack" + which + "\" and run setup again"
	case types.StackStatusUpdateRollbackFailed:
		remedy = "mend the cause, then \"aws cloudformation continue-update-rollback" + which + "\" and run setup again"
	}
	return cloud.Errorf(cloud.Invalid, "stack %s in %s is %s, and AWS updates no such stack: %s; %s", item.Name, at.Region, now, k.reason(ctx, at, item.Name), remedy)
}

// reason is the first failure in a stack's events since its last change began.
func (k keeper) reason(ctx context.Context, at cloud.At, stack string) string {
	why := "its events name no cause"
	in := &sdk.DescribeStackEventsInput{StackName: aws.String(stack)}
	for {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeStackEvents, in)
		if err != nil {
			return why // the state itself says enough
		}
		for _, e := range out.StackEvents { // newest first
			text := aws.ToString(e.ResourceStatusReason)
			own := aws.ToString(e.PhysicalResourceId) == aws.ToString(e.StackId)
			switch {
			case own && (e.ResourceStatus == types.ResourceStatusCreateInProgress || e.ResourceStatus == types.ResourceStatusUpdateInProgress):
				return why
			case !own && strings.HasSuffix(string(e.ResourceStatus), "_FAILED") && text != "" && !strings.Contains(text, "cancelled"):
				why = fmt.Sprintf("%s %s: %s", aws.ToString(e.LogicalResourceId), e.ResourceStatus, text)
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return why
		}
	}
}

// inputs are parameters as a change set takes them. Of an existing stack those that
// the plan leaves out keep their value, as far as the template still has them.
func (k keeper) inputs(ctx context.Context, at cloud.At, item runbook.Item, have []types.Parameter, text string) ([]types.Parameter, error) {
	var want map[string]string
	if err := json.Unmarshal([]byte(item.Want[parameters]), &want); err != nil {
		return nil, cloud.Errorf(cloud.Invalid, "parameters of stack %s: %w", item.Name, err)
	}
	var out []types.Parameter
	for _, name := range slices.Sorted(maps.Keys(want)) {
		out = append(out, types.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(want[name])})
	}
	if len(have) == 0 {
		return out, nil
	}
	summary, err := cloud.Call(ctx, at, k.clients(at.Region).GetTemplateSummary, &sdk.GetTemplateSummaryInput{TemplateBody: aws.String(text)})
	if err != nil {
		return nil, fmt.Errorf("summary of template %s: %w", item.Want[file], err)
	}
	for _, p := range have {
		name := aws.ToString(p.ParameterKey)
		_, wanted := want[name]
		if !wanted && slices.ContainsFunc(summary.Parameters, func(d types.ParameterDeclaration) bool { return aws.ToString(d.ParameterKey) == name }) {
			out = append(out, types.Parameter{ParameterKey: p.ParameterKey, UsePreviousValue: aws.Bool(true)})
		}
	}
	return out, nil
}

func tags(item runbook.Item) []types.Tag {
	var out []types.Tag
	for _, name := range slices.Sorted(maps.Keys(item.Want)) {
		if key, ok := strings.CutPrefix(name, tag); ok {
			out = append(out, types.Tag{Key: aws.String(key), Value: aws.String(item.Want[name])})
		}
	}
	return out
}
