package s3

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/runbook"
)

// statement is the prefix of statements among the properties of a bucket policy.
const statement = "statement/"

func (k keeper) policy(ctx context.Context, at cloud.At, item runbook.Item) (keep.Policy, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetBucketPolicy, &sdk.GetBucketPolicyInput{Bucket: bucketOf(item)})
	if unset(err) {
		return keep.Policy{}, nil
	}
	if err != nil {
		return keep.Policy{}, err
	}
	return keep.ParsePolicy(aws.ToString(out.Policy))
}

func (k keeper) readPolicy(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	policy, err := k.policy(ctx, at, item)
	if err != nil {
		return runbook.ItemState{}, err
	}
	state := runbook.ItemState{Have: map[string]string{}}
	for name, want := range item.Want {
		if strings.HasPrefix(name, statement) {
			have := policy.Statement(want)
			state.Have[name], state.Found = have, state.Found || have != ""
		}
	}
	return state, nil
}

// writePolicy puts our statements beside those of others.
func (k keeper) writePolicy(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	policy, err := k.policy(ctx, at, item)
	if err != nil {
		return "", fmt.Errorf("policy of bucket %s: %w", item.Name, err)
	}
	for _, name := range slices.Sorted(maps.Keys(item.Want)) {
		if !strings.HasPrefix(name, statement) {
			continue
		}
		if policy, err = policy.With(item.Want[name]); err != nil {
			return "", cloud.Errorf(cloud.Invalid, "policy of bucket %s: %w", item.Name, err)
		}
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).PutBucketPolicy, &sdk.PutBucketPolicyInput{Bucket: bucketOf(item), Policy: aws.String(policy.String())})
	if cloud.KindOf(err) == cloud.Denied {
		return "", cloud.Errorf(cloud.Denied, "policy of bucket %s: where the permission is not missing, the whole account blocks public access: "+
			"then lift that block, or switch traffic by ARC routing controls: %w", item.Name, err)
	}
	if err != nil {
		return "", fmt.Errorf("policy of bucket %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}
