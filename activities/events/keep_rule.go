package events

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/runbook"
)

// Properties of a rule.
const (
	pattern     = "pattern"
	state       = "state"
	target      = "target"      // ARN of what gets the events
	description = "description" // of somebody's rule; never wanted, and kept
	role        = "role"        // likewise
	schedule    = "schedule"    // likewise
	tag         = runbook.AtCreation + "tag/"
)

// targetID is ours among a rule's targets.
const targetID = "lifeline"

// read lists the rules whose names begin as the wanted ones do, and the targets
// of those that are there.
func (k keeper) read(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found := map[string]types.Rule{}
	in := &sdk.ListRulesInput{NamePrefix: aws.String(prefix(items)), Limit: aws.Int32(100)}
	for {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).ListRules, in)
		if err != nil {
			return nil, fmt.Errorf("list rules: %w", err)
		}
		for _, r := range out.Rules {
			found[aws.ToString(r.Name)] = r
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	return keep.Each(func(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
		r, ok := found[item.Name]
		if !ok {
			return runbook.ItemState{}, nil
		}
		return k.readOne(ctx, at, item, r)
	})(ctx, at, items)
}

// prefix is what all names begin with.
func prefix(items []runbook.Item) string {
	out := items[0].Name
	for _, item := range items {
		for !strings.HasPrefix(item.Name, out) {
			out = out[:len(out)-1]
		}
	}
	return out
}

func (k keeper) readOne(ctx context.Context, at cloud.At, item runbook.Item, r types.Rule) (runbook.ItemState, error) {
	have := map[string]string{
		state: string(r.State), description: aws.ToString(r.Description), role: aws.ToString(r.RoleArn), schedule: aws.ToString(r.ScheduleExpression),
	}
	if text := aws.ToString(r.EventPattern); text != "" {
		canonical, err := runbook.CanonicalDocument(text)
		if err != nil {
			return runbook.ItemState{}, fmt.Errorf("pattern: %w", err)
		}
		have[pattern] = canonical
	}
	in := &sdk.ListTargetsByRuleInput{Rule: aws.String(item.Name)}
	for {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).ListTargetsByRule, in)
		if err != nil {
			return runbook.ItemState{}, fmt.Errorf("targets: %w", err)
		}
		for _, t := range out.Targets {
			if aws.ToString(t.Arn) == item.Want[target] || aws.ToString(t.Id) == targetID && have[target] == "" {
				have[target] = aws.ToString(t.Arn)
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return runbook.ItemState{Found: true, Have: have, Out: map[string]string{"arn": aws.ToString(r.Arn)}}, nil
		}
	}
}

// write puts the rule, then its target: a rule without one matches and tells
// nobody.
func (k keeper) write(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	request := ""
	if !have.Found || have.Have[pattern] != item.Want[pattern] || have.Have[state] != item.Want[state] {
		in := &sdk.PutRuleInput{
			Name: aws.String(item.Name), EventPattern: aws.String(item.Want[pattern]), State: types.RuleState(item.Want[state]),
			Description: given(have.Have[description]), RoleArn: given(have.Have[role]), ScheduleExpression: given(have.Have[schedule]),
		}
		if !have.Found {
			in.Description, in.Tags = aws.String("Kept by Lifeline's setup"), tags(item)
		}
		out, err := cloud.Call(ctx, at, k.clients(at.Region).PutRule, in)
		if err != nil {
			return "", fmt.Errorf("rule %s: %w", item.Name, err)
		}
		request = cloud.RequestID(out.ResultMetadata)
	}
	if have.Have[target] == item.Want[target] {
		return request, nil
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).PutTargets, &sdk.PutTargetsInput{
		Rule: aws.String(item.Name), Targets: []types.Target{{Id: aws.String(targetID), Arn: aws.String(item.Want[target])}},
	})
	if err != nil {
		return "", fmt.Errorf("target of rule %s: %w", item.Name, err)
	}
	for _, f := range out.FailedEntries {
		// The answer is 200 all the same.
		return "", cloud.Errorf(cloud.Unknown, "target of rule %s: %s: %s", item.Name, aws.ToString(f.ErrorCode), aws.ToString(f.ErrorMessage))
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

func given(text string) *string {
	if text == "" {
		return nil
	}
	return aws.String(text)
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
