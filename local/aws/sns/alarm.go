package sns

import (
	"fmt"
	"strings"
	"unicode"
)

const cloudWatch = "cloudwatch.amazonaws.com"

// Act publishes an alarm's notification, if its action is a topic. The topic has
// to be in the alarm's own Region, and its key, if any, one whose policy lets
// CloudWatch use it. The topic's own policy lets alarms of the account in.
func (s *SNS) Act(region, arn, subject, message string) error {
	if !strings.HasPrefix(arn, "arn:aws:sns:") {
		return fmt.Errorf("notify %s: no topic", arn)
	}
	if err := s.admitToKey(region, arn, cloudWatch); err != nil {
		return fmt.Errorf("notify %s: %w", arn, err)
	}
	if _, err := s.send(region, arn, alarmSubject(subject), message, cloudWatch); err != nil {
		return fmt.Errorf("notify %s: %w", arn, err)
	}
	return nil
}

// alarmSubject makes a subject that SNS takes: a page mustn't be lost for the
// long name of an alarm.
func alarmSubject(subject string) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, subject))
	return string(runes[:min(len(runes), longest)])
}
