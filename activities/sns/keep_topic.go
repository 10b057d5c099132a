package sns

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/runbook"
)

// Properties of a topic.
const (
	topicARN  = "arn"
	topicKey  = "key"                       // ARN of the key that encrypts it
	statement = "statement/"                // of its policy, by Sid
	tag       = runbook.AtCreation + "tag/" // by its key
)

// Attributes as SNS calls them.
const (
	keyAttribute    = "KmsMasterKeyId"
	policyAttribute = "Policy"
)

func (k keeper) readTopic(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	attributes, err := k.attributes(ctx, at, item)
	if cloud.KindOf(err) == cloud.NotFound {
		return runbook.ItemState{}, nil
	}
	if err != nil {
		return runbook.ItemState{}, err
	}
	policy, err := keep.ParsePolicy(attributes[policyAttribute])
	if err != nil {
		return runbook.ItemState{}, fmt.Errorf("policy of topic %s: %w", item.Name, err)
	}
	arn := attributes["TopicArn"]
	have := map[string]string{topicARN: arn, topicKey: attributes[keyAttribute]}
	for _, name := range statements(item) {
		have[name] = policy.Statement(item.Want[name])
	}
	return runbook.ItemState{Found: true, Have: have, Out: map[string]string{"arn": arn}}, nil
}

func (k keeper) attributes(ctx context.Context, at cloud.At, item runbook.Item) (map[string]string, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetTopicAttributes, &sdk.GetTopicAttributesInput{TopicArn: aws.String(item.Want[topicARN])})
	if err != nil {
		return nil, fmt.Errorf("topic %s: %w", item.Name, err)
	}
	return out.Attributes, nil
}

// writeTopic makes the topic with its key, so that nothing is ever stored without
// it, or changes what differs.
func (k keeper) writeTopic(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	request := ""
	if !have.Found {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateTopic, &sdk.CreateTopicInput{
			Name: aws.String(item.Name), Attributes: map[string]string{keyAttribute: item.Want[topicKey]}, Tags: tags(item),
		})
		if err != nil {
			return "", fmt.Errorf("create topic %s: %w", item.Name, err)
		}
		request = cloud.RequestID(out.ResultMetadata)
		have.Have = map[string]string{topicKey: item.Want[topicKey]}
	}
	if have.Have[topicKey] != item.Want[topicKey] {
		var err error
		if request, err = k.set(ctx, at, item, keyAttribute, item.Want[topicKey]); err != nil {
			return "", err
		}
	}
	if !slices.ContainsFunc(statements(item), func(name string) bool { return have.Have[name] != item.Want[name] }) {
		return request, nil
	}
	return k.allow(ctx, at, item)
}

// allow puts our statements into the topic's policy. The others stay, above all
// the one by which AWS lets the account in.
func (k keeper) allow(ctx context.Context, at cloud.At, item runbook.Item) (string, error) {
	attributes, err := k.attributes(ctx, at, item)
	if err != nil {
		return "", err
	}
	policy, err := keep.ParsePolicy(attributes[policyAttribute])
	if err != nil {
		return "", fmt.Errorf("policy of topic %s: %w", item.Name, err)
	}
	var texts []string
	for _, name := range statements(item) {
		texts = append(texts, item.Want[name])
	}
	if policy, err = policy.With(texts...); err != nil {
		return "", cloud.Errorf(cloud.Invalid, "policy of topic %s: %w", item.Name, err)
	}
	return k.set(ctx, at, item, policyAttribute, policy.String())
}

func (k keeper) set(ctx context.Context, at cloud.At, item runbook.Item, name, value string) (string, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).SetTopicAttributes, &sdk.SetTopicAttributesInput{
		TopicArn: aws.String(item.Want[topicARN]), AttributeName: aws.String(name), AttributeValue: aws.String(value),
	})
	if err != nil {
		return "", fmt.Errorf("%s of topic %s: %w", name, item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// statements are the properties of an item that are statements, sorted.
func statements(item runbook.Item) []string {
	names := slices.Sorted(maps.Keys(item.Want))
	return slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, statement) })
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
