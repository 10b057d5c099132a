package sns

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/sns"

	"lifeline/local/aws/wire"
)

// LogProtocol delivers inside this process: to Options.Log. AWS has no such thing.
const LogProtocol = "log"

// confirmed protocols need no confirmation by the receiver.
func confirmed(protocol string) bool {
	return slices.Contains([]string{LogProtocol, "sqs", "lambda", "sms", "application", "firehose"}, protocol)
}

// Subscribe adds a receiver, or gives the one that exists. Receivers at an http
// or mail address have to confirm.
func (s *SNS) Subscribe(c *wire.Call, in *sdk.SubscribeInput) (*sdk.SubscribeOutput, error) {
	protocol, endpoint := *in.Protocol, aws.StringValue(in.Endpoint)
	switch {
	case !confirmed(protocol) && !slices.Contains([]string{"http", "https", "email", "email-json"}, protocol):
		return nil, invalid("Amazon SNS does not support this protocol string: %s", protocol)
	case endpoint == "":
		return nil, invalid("Endpoint")
	case strings.HasPrefix(protocol, "http") && !strings.HasPrefix(endpoint, protocol+"://"):
		return nil, invalid("Endpoint must match the specified protocol")
	case protocol == "lambda" && functionRegion(endpoint) == "":
		return nil, invalid("Lambda endpoint ARN")
	case strings.HasPrefix(protocol, "email") && !strings.Contains(endpoint, "@"):
		return nil, invalid("Email address")
	}
	if err := checkAttributes(aws.StringValueMap(in.Attributes)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(c.Region, in.TopicArn)
	if err != nil {
		return nil, err
	}
	for _, sub := range t.subscriptions {
		if sub.protocol == protocol && sub.endpoint == endpoint {
			return &sdk.SubscribeOutput{SubscriptionArn: sub.shown(in.ReturnSubscriptionArn)}, nil
		}
	}
	sub := &subscription{
		arn: t.arn + ":" + uuid(s.world.NewID("")+s.world.NewID("")), protocol: protocol, endpoint: endpoint,
		attributes: aws.StringValueMap(in.Attributes),
	}
	t.subscriptions = append(t.subscriptions, sub)
	if !confirmed(protocol) {
		sub.token = s.world.NewID("") + s.world.NewID("")
		s.world.After(0, func() { s.askConfirmation(t.arn, sub) })
	}
	return &sdk.SubscribeOutput{SubscriptionArn: sub.shown(in.ReturnSubscriptionArn)}, nil
}

// uuid gives 32 hex digits the shape of a UUID.
func uuid(hex string) string {
	return strings.Join([]string{hex[:8], hex[8:12], hex[12:16], hex[16:20], hex[20:32]}, "-")
}

// shown is the ARN as answers carry it: unconfirmed subscriptions hide theirs.
func (s *subscription) shown(always *bool) *string {
	if s.token != "" && !aws.BoolValue(always) {
		return aws.String("pending confirmation")
	}
	return aws.String(s.arn)
}

// ConfirmSubscription confirms by the token that the receiver was sent.
func (s *SNS) ConfirmSubscription(c *wire.Call, in *sdk.ConfirmSubscriptionInput) (*sdk.ConfirmSubscriptionOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(c.Region, in.TopicArn)
	if err != nil {
		return nil, err
	}
	for _, sub := range t.subscriptions {
		if sub.token != "" && sub.token == *in.Token {
			sub.token = ""
			return &sdk.ConfirmSubscriptionOutput{SubscriptionArn: aws.String(sub.arn)}, nil
		}
	}
	return nil, invalid("Token")
}

// subscription finds a subscription by its ARN; s.mu is held.
func (s *SNS) subscription(region string, arn *string) (*topic, *subscription, error) {
	for _, t := range s.topics {
		for _, sub := range t.subscriptions {
			if t.region == region && sub.arn == aws.StringValue(arn) {
				return t, sub, nil
			}
		}
	}
	if !strings.HasPrefix(aws.StringValue(arn), "arn:") {
		return nil, nil, invalid("SubscriptionArn Reason: An ARN must have at least 6 elements, not %d", strings.Count(aws.StringValue(arn), ":")+1)
	}
	return nil, nil, notFound("Subscription")
}

// Unsubscribe removes a receiver; one that isn't there is removed already.
func (s *SNS) Unsubscribe(c *wire.Call, in *sdk.UnsubscribeInput) (*sdk.UnsubscribeOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, sub, err := s.subscription(c.Region, in.SubscriptionArn)
	if err != nil {
		var refused *wire.Error
		if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
			return nil, nil
		}
		return nil, err
	}
	t.subscriptions = slices.DeleteFunc(t.subscriptions, func(o *subscription) bool { return o == sub })
	return nil, nil
}

func (s *SNS) describe(t *topic, sub *subscription) *sdk.Subscription {
	shown := "PendingConfirmation"
	if sub.token == "" {
		shown = sub.arn
	}
	return &sdk.Subscription{
		TopicArn: aws.String(t.arn), SubscriptionArn: aws.String(shown), Protocol: aws.String(sub.protocol),
		Endpoint: aws.String(sub.endpoint), Owner: aws.String(s.world.Account()),
	}
}

// ListSubscriptions lists the Region's receivers.
func (s *SNS) ListSubscriptions(c *wire.Call, in *sdk.ListSubscriptionsInput) (*sdk.ListSubscriptionsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*sdk.Subscription
	for _, t := range s.topics {
		for _, sub := range t.subscriptions {
			if t.region == c.Region {
				found = append(found, s.describe(t, sub))
			}
		}
	}
	found, next, err := page(found, in.NextToken)
	return &sdk.ListSubscriptionsOutput{Subscriptions: found, NextToken: next}, err
}

// ListSubscriptionsByTopic lists a topic's receivers.
func (s *SNS) ListSubscriptionsByTopic(c *wire.Call, in *sdk.ListSubscriptionsByTopicInput) (*sdk.ListSubscriptionsByTopicOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(c.Region, in.TopicArn)
	if err != nil {
		return nil, err
	}
	var found []*sdk.Subscription
	for _, sub := range t.subscriptions {
		found = append(found, s.describe(t, sub))
	}
	found, next, err := page(found, in.NextToken)
	return &sdk.ListSubscriptionsByTopicOutput{Subscriptions: found, NextToken: next}, err
}

// GetSubscriptionAttributes tells about a receiver.
func (s *SNS) GetSubscriptionAttributes(c *wire.Call, in *sdk.GetSubscriptionAttributesInput) (*sdk.GetSubscriptionAttributesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, sub, err := s.subscription(c.Region, in.SubscriptionArn)
	if err != nil {
		return nil, err
	}
	pending := "false"
	if sub.token != "" {
		pending = "true"
	}
	out := map[string]string{
		"SubscriptionArn": sub.arn, "TopicArn": t.arn, "Owner": s.world.Account(), "Protocol": sub.protocol, "Endpoint": sub.endpoint,
		"PendingConfirmation": pending, "ConfirmationWasAuthenticated": "false", "RawMessageDelivery": "false",
	}
	for key, value := range sub.attributes {
		out[key] = value
	}
	return &sdk.GetSubscriptionAttributesOutput{Attributes: aws.StringMap(out)}, nil
}
