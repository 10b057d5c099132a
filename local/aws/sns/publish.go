package sns

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/sns"

	"lifeline/local/aws/wire"
)

const (
	largest  = 262_144 // bytes of a message
	longest  = 100     // characters of a subject
	attempts = 3       // of a delivery
	pause    = 20 * time.Second
)

// Publish takes a message, keeps it in the log and sends it to the receivers.
func (s *SNS) Publish(c *wire.Call, in *sdk.PublishInput) (*sdk.PublishOutput, error) {
	if in.PhoneNumber != nil {
		return nil, invalid("PhoneNumber Reason: text messages are not simulated")
	}
	arn := in.TopicArn
	if arn == nil {
		arn = in.TargetArn
	}
	if arn == nil {
		return nil, invalid("TopicArn or TargetArn Reason: no value for required parameter")
	}
	text, err := content(in.Subject, *in.Message, in.MessageStructure)
	if err != nil {
		return nil, err
	}
	m, err := s.send(c.Region, *arn, aws.StringValue(in.Subject), text, c.Caller)
	if err != nil {
		return nil, err
	}
	return &sdk.PublishOutput{MessageId: aws.String(m)}, nil
}

// content checks a message and gives what the receivers get.
func content(subject *string, message string, structure *string) (string, error) {
	if err := checkMessage(aws.StringValue(subject), message, subject != nil); err != nil {
		return "", err
	}
	if aws.StringValue(structure) != "json" {
		return message, nil
	}
	var byProtocol map[string]string
	if json.Unmarshal([]byte(message), &byProtocol) != nil || byProtocol["default"] == "" {
		return "", invalid("Message Structure - No default entry in JSON message body")
	}
	return byProtocol["default"], nil
}

func checkMessage(subject, text string, hasSubject bool) error {
	switch {
	case text == "":
		return invalid("Empty message")
	case len(text) > largest:
		return invalid("Message too long")
	case hasSubject && (subject == "" || len([]rune(subject)) > longest || strings.ContainsFunc(subject, unicode.IsControl)):
		return invalid("Subject")
	}
	return nil
}

func (s *SNS) send(region, arn, subject, text, caller string) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(region, &arn)
	if err != nil {
		return "", err
	}
	if err := s.checkKey(t); err != nil {
		return "", err
	}
	m := &Message{
		ID: uuid(s.world.NewID("") + s.world.NewID("")), Topic: t.arn, Region: region, Subject: subject, Text: text,
		Published: s.world.Now(), Caller: caller,
	}
	s.messages = append(s.messages, m)
	for _, sub := range t.subscriptions {
		if sub.token == "" && sub.wants(text) {
			s.world.After(0, func() { s.deliver(m, sub, 1) })
		}
	}
	return m.ID, nil
}

// Messages are the messages of a topic, oldest first; "" means all topics.
func (s *SNS) Messages(topicARN string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Message
	for _, m := range s.messages {
		if topicARN == "" || m.Topic == topicARN {
			copied := *m
			copied.Delivered = slices.Clone(m.Delivered)
			out = append(out, copied)
		}
	}
	return out
}

// deliver sends a message to one receiver, and tries again later when that fails.
func (s *SNS) deliver(m *Message, sub *subscription, attempt int) {
	var err error
	switch {
	case s.world.Dark(m.Region):
		err = fmt.Errorf("region %s is dark", m.Region)
	case sub.protocol == LogProtocol:
		s.mu.Lock()
		copied := *m
		s.mu.Unlock()
		s.log(sub.endpoint, copied)
	case strings.HasPrefix(sub.protocol, "http"):
		err = s.post(sub.endpoint, "Notification", m.Topic, map[string]string{
			"Type": "Notification", "MessageId": m.ID, "TopicArn": m.Topic, "Subject": m.Subject, "Message": m.Text,
			"Timestamp": m.Published.UTC().Format("2006-01-02T15:04:05.000Z"),
		})
	case sub.protocol == "lambda":
		err = s.call(m, sub)
	default:
		s.world.Logger().Info("message not delivered: protocol is not simulated", "protocol", sub.protocol, "endpoint", sub.endpoint)
		return
	}
	if err != nil {
		s.world.Logger().Warn("message not delivered", "endpoint", sub.endpoint, "attempt", attempt, "error", err)
		if attempt < attempts {
			s.world.After(pause, func() { s.deliver(m, sub, attempt+1) })
		}
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m.Delivered = append(m.Delivered, sub.arn)
}

// askConfirmation sends a receiver the token that confirms it.
func (s *SNS) askConfirmation(topicARN string, sub *subscription) {
	if !strings.HasPrefix(sub.protocol, "http") {
		return
	}
	err := s.post(sub.endpoint, "SubscriptionConfirmation", topicARN, map[string]string{
		"Type": "SubscriptionConfirmation", "TopicArn": topicARN, "Token": sub.token,
		"Message":   "You have chosen to subscribe to the topic " + topicARN + ". To confirm the subscription, call ConfirmSubscription with this token.",
		"Timestamp": s.world.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
	})
	if err != nil {
		s.world.Logger().Warn("subscription not confirmed", "endpoint", sub.endpoint, "error", err)
	}
}

func (s *SNS) post(url, kind, topicARN string, body map[string]string) error {
	if !onThisMachine(url) {
		return fmt.Errorf("post to %s: the simulated SNS delivers on this machine only", url)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	// Nobody waits for a delivery; the client's time-out bounds it.
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("post to %s: %w", url, err)
	}
	req.Header.Set("Content-Type", "text/plain; charset=UTF-8")
	req.Header.Set("X-Amz-Sns-Message-Type", kind)
	req.Header.Set("X-Amz-Sns-Topic-Arn", topicARN)
	resp, err := s.client.Do(req)
	if err != nil {
		return fmt.Errorf("post to %s: %w", url, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("post to %s: status %d", url, resp.StatusCode)
	}
	return nil
}
