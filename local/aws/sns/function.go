package sns

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// functionRegion is the Region in a function's ARN; "" when it is none.
func functionRegion(arn string) string {
	const region, least = 3, 7 // arn:aws:lambda:REGION:ACCOUNT:function:NAME
	parts := strings.Split(arn, ":")
	if len(parts) < least || parts[2] != "lambda" || parts[5] != "function" {
		return ""
	}
	return parts[region]
}

// call runs a function with a message, as Lambda's event of SNS.
func (s *SNS) call(m *Message, sub *subscription) error {
	region := functionRegion(sub.endpoint)
	switch {
	case s.functions == nil:
		return errors.New("no Lambda")
	case region != m.Region && !s.world.Reachable(m.Region, region):
		return fmt.Errorf("region %s can't be reached from %s", region, m.Region)
	}
	notification := map[string]any{
		"Type": "Notification", "MessageId": m.ID, "TopicArn": m.Topic, "Subject": m.Subject, "Message": m.Text,
		"Timestamp": m.Published.UTC().Format("2006-01-02T15:04:05.000Z"), "MessageAttributes": map[string]any{},
	}
	event, err := json.Marshal(map[string]any{"Records": []any{map[string]any{
		"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": sub.arn, "Sns": notification,
	}}})
	if err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	if err := s.functions.Invoke(region, sub.endpoint, event); err != nil {
		return fmt.Errorf("call function: %w", err)
	}
	return nil
}
