package s3

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// lifecycleOf is a bucket's configuration; it has no rules when there is none.
func (k keeper) lifecycleOf(ctx context.Context, at cloud.At, item runbook.Item) (*sdk.GetBucketLifecycleConfigurationOutput, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetBucketLifecycleConfiguration, &sdk.GetBucketLifecycleConfigurationInput{Bucket: bucketOf(item)})
	if unset(err) {
		return &sdk.GetBucketLifecycleConfigurationOutput{}, nil
	}
	return out, err
}

// ruleOf finds the rule of an item: its part is the rule's id. -1 is none.
func ruleOf(item runbook.Item, rules []types.LifecycleRule) int {
	return slices.IndexFunc(rules, func(r types.LifecycleRule) bool { return aws.ToString(r.ID) == partOf(item) })
}

func (k keeper) readLifecycle(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	out, err := k.lifecycleOf(ctx, at, item)
	if err != nil {
		return runbook.ItemState{}, err
	}
	i := ruleOf(item, out.Rules)
	if i < 0 {
		return runbook.ItemState{}, nil
	}
	r := out.Rules[i]
	have := map[string]string{"status": string(r.Status), "prefix": lifecyclePrefix(r)}
	if len(r.Transitions) == 1 {
		have["days"], have["class"] = number(r.Transitions[0].Days), string(r.Transitions[0].StorageClass)
	}
	if r.NoncurrentVersionExpiration != nil {
		have["expire-noncurrent-days"] = number(r.NoncurrentVersionExpiration.NoncurrentDays)
	}
	return runbook.ItemState{Found: true, Have: have}, nil
}

func lifecyclePrefix(r types.LifecycleRule) string {
	switch {
	case r.Filter == nil:
		return aws.ToString(r.Prefix) //nolint:staticcheck // rules of the first version are still out there
	case r.Filter.Prefix != nil:
		return *r.Filter.Prefix
	case r.Filter.And != nil || r.Filter.Tag != nil || r.Filter.ObjectSizeGreaterThan != nil || r.Filter.ObjectSizeLessThan != nil:
		return "a narrower filter"
	default:
		return ""
	}
}

func number(n *int32) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(int(*n))
}

// writeLifecycle puts our rule among those of others.
func (k keeper) writeLifecycle(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	defer k.locks.lock(aws.ToString(bucketOf(item)))()
	is, err := k.lifecycleOf(ctx, at, item)
	if err != nil {
		return "", fmt.Errorf("lifecycle of bucket %s: %w", item.Name, err)
	}
	rule, err := lifecycleRule(item)
	if err != nil {
		return "", err
	}
	rules := slices.DeleteFunc(slices.Clone(is.Rules), func(r types.LifecycleRule) bool { return aws.ToString(r.ID) == partOf(item) })
	out, err := cloud.Call(ctx, at, k.clients(at.Region).PutBucketLifecycleConfiguration, &sdk.PutBucketLifecycleConfigurationInput{
		Bucket: bucketOf(item), LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: append(rules, rule)},
		// Left out, it would go back to AWS's default for the rules of others too.
		TransitionDefaultMinimumObjectSize: is.TransitionDefaultMinimumObjectSize,
	})
	if err != nil {
		return "", fmt.Errorf("lifecycle of bucket %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

func lifecycleRule(item runbook.Item) (types.LifecycleRule, error) {
	rule := types.LifecycleRule{
		ID: aws.String(partOf(item)), Status: types.ExpirationStatus(item.Want["status"]),
		Filter: &types.LifecycleRuleFilter{Prefix: aws.String(item.Want["prefix"])},
	}
	days := map[string]int32{}
	for _, name := range []string{"days", "expire-noncurrent-days"} {
		if text := item.Want[name]; text != "" {
			n, err := strconv.ParseInt(text, 10, 32)
			if err != nil {
				return rule, cloud.Errorf(cloud.Invalid, "lifecycle of bucket %s: %s: %w", item.Name, name, err)
			}
			days[name] = int32(n)
		}
	}
	if n, ok := days["days"]; ok {
		rule.Transitions = []types.Transition{{Days: aws.Int32(n), StorageClass: types.TransitionStorageClass(item.Want["class"])}}
	}
	if n, ok := days["expire-noncurrent-days"]; ok {
		rule.NoncurrentVersionExpiration = &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(n)}
	}
	return rule, nil
}
