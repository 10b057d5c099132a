package sns

import (
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/sns"

	"lifeline/local/aws/events/pattern"
	"lifeline/local/aws/wire"
)

// Attributes of a subscription that filter.
const (
	filterPolicy = "FilterPolicy"
	filterScope  = "FilterPolicyScope"
	byBody       = "MessageBody"
)

// checkAttributes refuses what a subscription can't have, and filters by attributes
// of messages, which nobody sends here.
func checkAttributes(attributes map[string]string) error {
	for name := range attributes {
		if !slices.Contains([]string{filterPolicy, filterScope, "RawMessageDelivery", "DeliveryPolicy", "RedrivePolicy", "SubscriptionRoleArn"}, name) {
			return invalid("AttributeName")
		}
	}
	scope := attributes[filterScope]
	if scope != "" && scope != byBody && scope != "MessageAttributes" {
		return invalid("FilterPolicyScope: Invalid value [%s]. Please use either MessageBody or MessageAttributes", scope)
	}
	text := attributes[filterPolicy]
	if text == "" {
		return nil
	}
	if scope != byBody {
		return invalid("FilterPolicyScope Reason: the simulated SNS filters by MessageBody only")
	}
	if _, err := pattern.Parse(text); err != nil {
		return invalid("FilterPolicy: %v", err)
	}
	return nil
}

// wants says whether a message passes a subscription's filter. What is no JSON
// passes none.
func (s *subscription) wants(text string) bool {
	if s.attributes[filterPolicy] == "" {
		return true
	}
	filter, err := pattern.Parse(s.attributes[filterPolicy])
	if err != nil {
		return false
	}
	body, err := pattern.Decode(text)
	return err == nil && filter.Match(body)
}

// SetSubscriptionAttributes changes one attribute of a receiver.
func (s *SNS) SetSubscriptionAttributes(c *wire.Call, in *sdk.SetSubscriptionAttributesInput) (*sdk.SetSubscriptionAttributesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, sub, err := s.subscription(c.Region, in.SubscriptionArn)
	if err != nil {
		return nil, err
	}
	next := map[string]string{*in.AttributeName: aws.StringValue(in.AttributeValue)}
	for name, value := range sub.attributes {
		if name != *in.AttributeName {
			next[name] = value
		}
	}
	if err := checkAttributes(next); err != nil {
		return nil, err
	}
	sub.attributes = next
	return nil, nil
}
