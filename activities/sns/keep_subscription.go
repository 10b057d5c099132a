package sns

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// Properties of a subscription. Topic, protocol and endpoint are what it is.
const (
	subTopic    = "topic"
	subProtocol = "protocol"
	subEndpoint = "endpoint"
	subFilter   = "filter"
	subScope    = "filter-scope"
)

// What SNS says in the place of a subscription's ARN.
const (
	pending = "PendingConfirmation"
	deleted = "Deleted"
)

// readSubscriptions lists the receivers of each topic once.
func (k keeper) readSubscriptions(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	byTopic := map[string][]types.Subscription{}
	states := make([]runbook.ItemState, len(items))
	for i, item := range items {
		states[i] = runbook.ItemState{ID: item.ID()}
		topic := item.Want[subTopic]
		all, known := byTopic[topic]
		if !known {
			var err error
			if all, err = k.subscriptions(ctx, at, topic); err != nil {
				return nil, err
			}
			byTopic[topic] = all
		}
		state, err := k.subscription(ctx, at, item, all)
		if err != nil {
			return nil, err
		}
		state.ID = item.ID()
		states[i] = state
	}
	return states, nil
}

func (k keeper) subscriptions(ctx context.Context, at cloud.At, topic string) ([]types.Subscription, error) {
	all := []types.Subscription{}
	in := &sdk.ListSubscriptionsByTopicInput{TopicArn: aws.String(topic)}
	for {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).ListSubscriptionsByTopic, in)
		if cloud.KindOf(err) == cloud.NotFound {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list subscriptions of %s: %w", topic, err)
		}
		all = append(all, out.Subscriptions...)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return all, nil
		}
	}
}

// subscription finds an item's receiver. One that has not confirmed yet is there:
// to ask it again would send it another mail at every run.
func (k keeper) subscription(ctx context.Context, at cloud.At, item runbook.Item, all []types.Subscription) (runbook.ItemState, error) {
	for _, s := range all {
		arn := aws.ToString(s.SubscriptionArn)
		if aws.ToString(s.Protocol) != item.Want[subProtocol] || aws.ToString(s.Endpoint) != item.Want[subEndpoint] || arn == deleted {
			continue
		}
		state := runbook.ItemState{Found: true, Have: map[string]string{
			subTopic: aws.ToString(s.TopicArn), subProtocol: aws.ToString(s.Protocol), subEndpoint: aws.ToString(s.Endpoint),
		}}
		if arn == pending {
			// Nothing of it can be read or changed before.
			state.Have[subFilter], state.Have[subScope] = item.Want[subFilter], item.Want[subScope]
			state.Out = map[string]string{"state": "waits until the receiver confirms"}
			return state, nil
		}
		state.Out = map[string]string{"state": "confirmed", "arn": arn}
		return state, k.readFilter(ctx, at, item, arn, state.Have)
	}
	return runbook.ItemState{}, nil
}

// readFilter costs a call, so only those pay it that want a filter.
func (k keeper) readFilter(ctx context.Context, at cloud.At, item runbook.Item, arn string, have map[string]string) error {
	if item.Want[subFilter] == "" {
		return nil
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetSubscriptionAttributes, &sdk.GetSubscriptionAttributesInput{SubscriptionArn: aws.String(arn)})
	if err != nil {
		return fmt.Errorf("subscription %s: %w", item.Name, err)
	}
	have[subScope] = out.Attributes["FilterPolicyScope"]
	if text := out.Attributes["FilterPolicy"]; text != "" {
		have[subFilter], err = runbook.CanonicalDocument(text)
	}
	return err
}

func (k keeper) writeSubscription(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	if have.Found {
		return k.filter(ctx, at, item, have)
	}
	in := &sdk.SubscribeInput{
		TopicArn: aws.String(item.Want[subTopic]), Protocol: aws.String(item.Want[subProtocol]), Endpoint: aws.String(item.Want[subEndpoint]),
	}
	if item.Want[subFilter] != "" {
		in.Attributes = map[string]string{"FilterPolicy": item.Want[subFilter], "FilterPolicyScope": item.Want[subScope]}
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).Subscribe, in)
	if err != nil {
		return "", fmt.Errorf("subscribe %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// filter changes which messages a receiver gets, the scope first: a filter is read
// by the scope that is in force.
func (k keeper) filter(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	request := ""
	for _, a := range []struct{ property, attribute string }{{subScope, "FilterPolicyScope"}, {subFilter, "FilterPolicy"}} {
		if have.Have[a.property] == item.Want[a.property] {
			continue
		}
		out, err := cloud.Call(ctx, at, k.clients(at.Region).SetSubscriptionAttributes, &sdk.SetSubscriptionAttributesInput{
			SubscriptionArn: aws.String(have.Out["arn"]), AttributeName: aws.String(a.attribute), AttributeValue: aws.String(item.Want[a.property]),
		})
		if err != nil {
			return "", fmt.Errorf("%s of subscription %s: %w", a.property, item.Name, err)
		}
		request = cloud.RequestID(out.ResultMetadata)
	}
	return request, nil
}
