package s3

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// What AWS gives every new bucket is nobody's choice, so it counts as not set:
// a plan that only reports drift still gets its fresh buckets configured.

func (k keeper) readVersioning(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetBucketVersioning, &sdk.GetBucketVersioningInput{Bucket: bucketOf(item)})
	if unset(err) || err == nil && out.Status == "" {
		return runbook.ItemState{}, nil
	}
	if err != nil {
		return runbook.ItemState{}, err
	}
	return runbook.ItemState{Found: true, Have: map[string]string{"status": string(out.Status)}}, nil
}

func (k keeper) writeVersioning(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).PutBucketVersioning, &sdk.PutBucketVersioningInput{
		Bucket: bucketOf(item), VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatus(item.Want["status"])},
	})
	if err != nil {
		return "", fmt.Errorf("versioning of bucket %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// encryption is the one rule of a bucket, and nil when it has none.
func (k keeper) encryption(ctx context.Context, at cloud.At, item runbook.Item) (*types.ServerSideEncryptionRule, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetBucketEncryption, &sdk.GetBucketEncryptionInput{Bucket: bucketOf(item)})
	if unset(err) {
		return nil, nil
	}
	if err != nil || out.ServerSideEncryptionConfiguration == nil || len(out.ServerSideEncryptionConfiguration.Rules) == 0 {
		return nil, err
	}
	return &out.ServerSideEncryptionConfiguration.Rules[0], nil
}

func (k keeper) readEncryption(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	rule, err := k.encryption(ctx, at, item)
	if err != nil || rule == nil || rule.ApplyServerSideEncryptionByDefault == nil {
		return runbook.ItemState{}, err
	}
	algorithm := rule.ApplyServerSideEncryptionByDefault.SSEAlgorithm
	if algorithm == types.ServerSideEncryptionAwsKmsDsse {
		algorithm = types.ServerSideEncryptionAwsKms // twice is as good as once
	}
	return runbook.ItemState{
		Found: algorithm != types.ServerSideEncryptionAes256 || item.Want["algorithm"] == string(algorithm),
		Have: map[string]string{
			"algorithm": string(algorithm), "key": aws.ToString(rule.ApplyServerSideEncryptionByDefault.KMSMasterKeyID),
			"bucket-key": strconv.FormatBool(aws.ToBool(rule.BucketKeyEnabled)),
		},
	}, nil
}

// writeEncryption changes the default only: what else the rule says stays.
func (k keeper) writeEncryption(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	rule, err := k.encryption(ctx, at, item)
	if err != nil {
		return "", fmt.Errorf("encryption of bucket %s: %w", item.Name, err)
	}
	if rule == nil {
		rule = &types.ServerSideEncryptionRule{}
	}
	rule.ApplyServerSideEncryptionByDefault = &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryption(item.Want["algorithm"])}
	if key := item.Want["key"]; key != "" {
		rule.ApplyServerSideEncryptionByDefault.KMSMasterKeyID = aws.String(key)
	}
	rule.BucketKeyEnabled = aws.Bool(item.Want["bucket-key"] == "true")
	out, err := cloud.Call(ctx, at, k.clients(at.Region).PutBucketEncryption, &sdk.PutBucketEncryptionInput{
		Bucket:                            bucketOf(item),
		ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{*rule}},
	})
	if err != nil {
		return "", fmt.Errorf("encryption of bucket %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

func (k keeper) readAccess(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetPublicAccessBlock, &sdk.GetPublicAccessBlockInput{Bucket: bucketOf(item)})
	if unset(err) || err == nil && out.PublicAccessBlockConfiguration == nil {
		return runbook.ItemState{}, nil
	}
	if err != nil {
		return runbook.ItemState{}, err
	}
	b := out.PublicAccessBlockConfiguration
	have := map[string]string{
		"block-public-acls": flag(b.BlockPublicAcls), "ignore-public-acls": flag(b.IgnorePublicAcls),
		"block-public-policy": flag(b.BlockPublicPolicy), "restrict-public-buckets": flag(b.RestrictPublicBuckets),
	}
	fresh := have["block-public-acls"] == "true" && have["ignore-public-acls"] == "true" &&
		have["block-public-policy"] == "true" && have["restrict-public-buckets"] == "true"
	state := runbook.ItemState{Found: true, Have: have}
	state.Found = !fresh || len(item.Difference(state)) == 0
	return state, nil
}

func flag(b *bool) string { return strconv.FormatBool(aws.ToBool(b)) }

func (k keeper) writeAccess(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	on := func(name string) *bool { return aws.Bool(item.Want[name] == "true") }
	out, err := cloud.Call(ctx, at, k.clients(at.Region).PutPublicAccessBlock, &sdk.PutPublicAccessBlockInput{
		Bucket: bucketOf(item),
		PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: on("block-public-acls"), IgnorePublicAcls: on("ignore-public-acls"),
			BlockPublicPolicy: on("block-public-policy"), RestrictPublicBuckets: on("restrict-public-buckets"),
		},
	})
	if err != nil {
		return "", fmt.Errorf("public access of bucket %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

func (k keeper) readEvents(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetBucketNotificationConfiguration, &sdk.GetBucketNotificationConfigurationInput{Bucket: bucketOf(item)})
	if unset(err) || err == nil && out.EventBridgeConfiguration == nil {
		return runbook.ItemState{}, nil
	}
	if err != nil {
		return runbook.ItemState{}, err
	}
	return runbook.ItemState{Found: true, Have: map[string]string{"eventbridge": "true"}}, nil
}

// writeEvents adds EventBridge to whom else the bucket notifies. Their addresses
// are not tried again: one that is broken is no reason to lose ours.
func (k keeper) writeEvents(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	is, err := cloud.Call(ctx, at, k.clients(at.Region).GetBucketNotificationConfiguration, &sdk.GetBucketNotificationConfigurationInput{Bucket: bucketOf(item)})
	if err != nil {
		return "", fmt.Errorf("notifications of bucket %s: %w", item.Name, err)
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).PutBucketNotificationConfiguration, &sdk.PutBucketNotificationConfigurationInput{
		Bucket: bucketOf(item), SkipDestinationValidation: aws.Bool(true),
		NotificationConfiguration: &types.NotificationConfiguration{
			EventBridgeConfiguration: &types.EventBridgeConfiguration{}, LambdaFunctionConfigurations: is.LambdaFunctionConfigurations,
			QueueConfigurations: is.QueueConfigurations, TopicConfigurations: is.TopicConfigurations,
		},
	})
	if err != nil {
		return "", fmt.Errorf("notifications of bucket %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}
