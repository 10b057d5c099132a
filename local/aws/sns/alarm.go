package sns

import (
	"fmt"
	"net/http"
	"strings"
	"unicode"

	sdk "github.com/aws/aws-sdk-go/service/sns"
)

// awsKey is the alias of the key that AWS keeps for SNS in every account. Its
// policy can't be changed, and it lets no service in.
const awsKey = "alias/aws/sns"

// Act publishes an alarm's notification, if its action is a topic. The topic has
// to be in the alarm's own Region, and its key, if any, one that CloudWatch may
// use; the policies of other keys than AWS's aren't simulated and let it.
func (s *SNS) Act(region, arn, subject, message string) error {
	if !strings.HasPrefix(arn, "arn:aws:sns:") {
		return fmt.Errorf("notify %s: no topic", arn)
	}
	if err := s.admitAlarms(region, arn); err != nil {
		return fmt.Errorf("notify %s: %w", arn, err)
	}
	if _, err := s.send(region, arn, alarmSubject(subject), message, "cloudwatch.amazonaws.com"); err != nil {
		return fmt.Errorf("notify %s: %w", arn, err)
	}
	return nil
}

// admitAlarms says whether CloudWatch may use the key of a topic.
func (s *SNS) admitAlarms(region, arn string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(region, &arn)
	if err != nil {
		return err
	}
	if key := t.attributes["KmsMasterKeyId"]; key == awsKey || strings.HasSuffix(key, ":"+awsKey) {
		return refuse(http.StatusBadRequest, sdk.ErrCodeKMSAccessDeniedException,
			"cloudwatch.amazonaws.com is not authorized to perform kms:GenerateDataKey on %s: an AWS managed key's policy can't allow it", key)
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
