package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// alarm is what an alarm says of itself.
type alarm struct {
	name, state, reason string
	region              string // by its ARN: notifications give the English name
}

// shape is what tells the deliveries apart.
type shape struct {
	Records    []events.SNSEventRecord `json:"Records"`
	Source     string                  `json:"source"`
	DetailType string                  `json:"detail-type"`
	// AlarmARN and AlarmData come when the function itself is an alarm's action.
	AlarmARN  string          `json:"alarmArn"`
	AlarmData json.RawMessage `json:"alarmData"`
	// Resources and Detail come from EventBridge.
	Resources []string        `json:"resources"`
	Detail    json.RawMessage `json:"detail"`
}

// alarmData is an alarm as CloudWatch tells it outside of SNS.
type alarmData struct {
	AlarmName string `json:"alarmName"`
	State     struct {
		Value  string `json:"value"`
		Reason string `json:"reason"`
	} `json:"state"`
}

// notification is the message that CloudWatch publishes to a topic.
type notification struct {
	AlarmName      string
	AlarmArn       string
	NewStateValue  string
	NewStateReason string
}

// parse reads an alarm out of a delivery: by SNS, by CloudWatch itself, or by
// EventBridge.
func parse(payload []byte) (alarm, error) {
	var s shape
	if err := json.Unmarshal(payload, &s); err != nil {
		return alarm{}, fmt.Errorf("read the delivery: %w", err)
	}
	switch {
	case len(s.Records) == 1:
		return delivered(s.Records[0])
	case len(s.Records) > 1:
		return alarm{}, fmt.Errorf("a delivery of %d records: SNS delivers one at a time", len(s.Records))
	case s.Source == "aws.cloudwatch" && s.AlarmData != nil:
		return told(s.AlarmARN, s.AlarmData)
	case s.Source == "aws.cloudwatch" && s.DetailType == "CloudWatch Alarm State Change" && s.Detail != nil && len(s.Resources) == 1:
		return told(s.Resources[0], s.Detail)
	default:
		return alarm{}, errors.New("a delivery that is no alarm's")
	}
}

// told reads an alarm that came without SNS.
func told(arn string, raw json.RawMessage) (alarm, error) {
	var d alarmData
	if err := json.Unmarshal(raw, &d); err != nil {
		return alarm{}, fmt.Errorf("read the alarm: %w", err)
	}
	return identified(arn, alarm{name: d.AlarmName, state: d.State.Value, reason: d.State.Reason})
}

func delivered(r events.SNSEventRecord) (alarm, error) {
	if r.EventSource != "aws:sns" {
		return alarm{}, fmt.Errorf("a record of %q, not of SNS", r.EventSource)
	}
	var n notification
	if err := json.Unmarshal([]byte(r.SNS.Message), &n); err != nil {
		return alarm{}, fmt.Errorf("message %s is no alarm's: %w", r.SNS.MessageID, err)
	}
	a, err := identified(n.AlarmArn, alarm{name: n.AlarmName, state: n.NewStateValue, reason: n.NewStateReason})
	if err != nil {
		return alarm{}, fmt.Errorf("message %s: %w", r.SNS.MessageID, err)
	}
	return a, nil
}

// identified checks that name and ARN are of one alarm, and that its state is one.
func identified(arn string, a alarm) (alarm, error) {
	const parts = 7 // arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME
	p := strings.SplitN(arn, ":", parts)
	if len(p) < parts || p[0] != "arn" || p[2] != "cloudwatch" || p[5] != "alarm" {
		return alarm{}, fmt.Errorf("%q is no alarm's ARN", arn)
	}
	if a.name == "" || p[6] != a.name {
		return alarm{}, fmt.Errorf("it calls itself %q, and its ARN is of %q", a.name, p[6])
	}
	if !slices.Contains([]string{"OK", "ALARM", "INSUFFICIENT_DATA"}, a.state) {
		return alarm{}, fmt.Errorf("alarm %s is in no state that CloudWatch has: %q", a.name, a.state)
	}
	a.region = p[3]
	return a, nil
}

// belongs refuses alarms that setup has not made for this application.
func (a alarm) belongs(application string) error {
	if !strings.HasPrefix(a.name, "lifeline-"+application+"-") {
		return fmt.Errorf("alarm %s is not of the application %s", a.name, application)
	}
	return nil
}
