package dlm

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dlm"
	"github.com/aws/aws-sdk-go-v2/service/dlm/types"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/runbook"
)

// Properties of a policy.
const (
	state     = "state"
	role      = "role"
	targets   = "targets" // tags as key=value, one a line
	schedules = "schedules"
)

// Tags of a policy. DLM gives policies no names, so a tag holds the item's.
const (
	named = "lifeline:policy"
	owner = "lifeline:application"
)

// read lists the policies of a Region once and looks into those that are wanted.
func (k keeper) read(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	list, err := cloud.Call(ctx, at, k.clients(at.Region).GetLifecyclePolicies, &sdk.GetLifecyclePoliciesInput{
		ResourceTypes: []types.ResourceTypeValues{types.ResourceTypeValuesVolume},
	})
	if err != nil {
		return nil, fmt.Errorf("list lifecycle policies: %w", err)
	}
	ids := map[string][]string{}
	for _, p := range list.Policies {
		ids[p.Tags[named]] = append(ids[p.Tags[named]], aws.ToString(p.PolicyId))
	}
	return keep.Each(func(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
		found := ids[item.Name]
		if len(found) == 0 {
			return runbook.ItemState{}, nil
		}
		if len(found) > 1 {
			// Two policies would snapshot each volume twice.
			return runbook.ItemState{}, cloud.Errorf(cloud.Invalid, "%d lifecycle policies bear the tag %s=%s (%s): delete all but one", len(found), named, item.Name, strings.Join(found, ", "))
		}
		return k.readOne(ctx, at, found[0])
	})(ctx, at, items)
}

func (k keeper) readOne(ctx context.Context, at cloud.At, id string) (runbook.ItemState, error) {
	p, err := k.policy(ctx, at, id)
	if err != nil {
		return runbook.ItemState{}, err
	}
	var tags []string
	for _, t := range p.PolicyDetails.TargetTags {
		tags = append(tags, aws.ToString(t.Key)+"="+aws.ToString(t.Value))
	}
	return runbook.ItemState{
		Found: true,
		Have: map[string]string{
			state: string(p.State), role: aws.ToString(p.ExecutionRoleArn),
			targets: runbook.List(tags...), schedules: documentOf(p.PolicyDetails.Schedules),
		},
		Out: map[string]string{"id": id, "arn": aws.ToString(p.PolicyArn)},
	}, nil
}

func (k keeper) policy(ctx context.Context, at cloud.At, id string) (*types.LifecyclePolicy, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetLifecyclePolicy, &sdk.GetLifecyclePolicyInput{PolicyId: aws.String(id)})
	if err != nil {
		return nil, fmt.Errorf("read lifecycle policy %s: %w", id, err)
	}
	if out.Policy.PolicyDetails == nil {
		return nil, cloud.Errorf(cloud.Invalid, "lifecycle policy %s is a default policy of AWS: it has no schedules", id)
	}
	return out.Policy, nil
}

// write makes the policy or changes it. DLM has no token for a creation; the tag
// finds a policy whose answer was lost.
func (k keeper) write(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	wanted, err := schedulesOf(item.Want[schedules])
	if err != nil {
		return "", cloud.Errorf(cloud.Invalid, "lifecycle policy %s: %w", item.Name, err)
	}
	if have.Found {
		return k.update(ctx, at, item, have.Out["id"], wanted)
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateLifecyclePolicy, &sdk.CreateLifecyclePolicyInput{
		Description: aws.String(description(item.Name)), ExecutionRoleArn: aws.String(item.Want[role]),
		State: types.SettablePolicyStateValues(item.Want[state]), PolicyDetails: details(item, wanted, nil),
		Tags: map[string]string{named: item.Name, owner: item.Want[runbook.AtCreation+"tag/"+owner]},
	})
	if err != nil {
		return "", fmt.Errorf("create lifecycle policy %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// update sends the whole policy: DLM replaces its details at once. What the item
// does not name goes along unchanged.
func (k keeper) update(ctx context.Context, at cloud.At, item runbook.Item, id string, wanted []schedule) (string, error) {
	now, err := k.policy(ctx, at, id)
	if err != nil {
		return "", err
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).UpdateLifecyclePolicy, &sdk.UpdateLifecyclePolicyInput{
		PolicyId: aws.String(id), ExecutionRoleArn: aws.String(item.Want[role]),
		State: types.SettablePolicyStateValues(item.Want[state]), PolicyDetails: details(item, wanted, now.PolicyDetails),
	})
	if err != nil {
		return "", fmt.Errorf("update lifecycle policy %s: %w", id, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

func details(item runbook.Item, wanted []schedule, now *types.PolicyDetails) *types.PolicyDetails {
	out := &types.PolicyDetails{}
	var before []types.Schedule
	if now != nil {
		out.Parameters, before = now.Parameters, now.Schedules
	}
	out.PolicyType = types.PolicyTypeValuesEbsSnapshotManagement
	out.ResourceTypes = []types.ResourceTypeValues{types.ResourceTypeValuesVolume}
	for _, word := range strings.Split(item.Want[targets], "\n") {
		key, value, _ := strings.Cut(word, "=")
		out.TargetTags = append(out.TargetTags, types.Tag{Key: aws.String(key), Value: aws.String(value)})
	}
	for _, s := range wanted {
		out.Schedules = append(out.Schedules, s.input(before))
	}
	return out
}

// description is what the console shows; AWS takes letters, digits, blanks,
// underscores and dashes, 500 at most.
func description(name string) string {
	const others = "[^0-9A-Za-z _-]"
	text := regexp.MustCompile(others).ReplaceAllString("Lifeline snapshots "+name, "-")
	return text[:min(len(text), 500)]
}
