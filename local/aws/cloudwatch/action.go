package cloudwatch

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/cloudwatch"
)

// transition sets the state, writes it down and returns the actions to carry out
// once the lock is released: they may lead back into this service.
func (c *CloudWatch) transition(region string, a *alarm, state, why, data string) func() {
	now := c.world.Now()
	old := *a.StateValue
	a.StateUpdatedTimestamp = &now
	a.StateReason = &why
	a.StateReasonData = nil
	if data != "" {
		a.StateReasonData = &data
	}
	if old == state {
		return func() {}
	}
	a.StateValue = &state
	a.StateTransitionedTimestamp = &now
	r := c.region(region)
	r.remember(now, *a.AlarmName, api.HistoryItemTypeStateUpdate, fmt.Sprintf("Alarm updated from %s to %s", old, state), historyData(old, state, why))
	if !*a.ActionsEnabled {
		return func() {}
	}
	name, arns := *a.AlarmName, a.actionsFor(state)
	subject, message := c.notice(region, a, old, now)
	return func() {
		for _, arn := range arns {
			c.act(region, name, *arn, subject, message)
		}
	}
}

func (c *CloudWatch) act(region, name, arn, subject, message string) {
	err := errors.New("no action handler is configured")
	if c.actions != nil {
		err = c.actions.Act(region, arn, subject, message)
	}
	summary := fmt.Sprintf("Successfully executed action %s", arn)
	if err != nil {
		summary = fmt.Sprintf("Failed to execute action %s", arn)
		c.log.Warn("alarm action not carried out", "alarm", name, "action", arn, "error", err)
	}
	data, _ := json.Marshal(map[string]any{"actionState": map[bool]string{true: "Succeeded", false: "Failed"}[err == nil], "notificationResource": arn})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.region(region).remember(c.world.Now(), name, api.HistoryItemTypeAction, summary, string(data))
}

func (a *alarm) actionsFor(state string) []*string {
	switch state {
	case api.StateValueAlarm:
		return a.AlarmActions
	case api.StateValueOk:
		return a.OKActions
	default:
		return a.InsufficientDataActions
	}
}

// notice is the JSON that CloudWatch sends to SNS topics.
func (c *CloudWatch) notice(region string, a *alarm, old string, now time.Time) (subject, message string) {
	trigger := map[string]any{
		"EvaluationPeriods": a.EvaluationPeriods, "ComparisonOperator": a.ComparisonOperator, "Threshold": a.Threshold,
		"TreatMissingData": aws.StringValue(a.TreatMissingData),
	}
	if len(a.Metrics) == 0 {
		dims := []map[string]string{}
		for _, d := range a.metric().dimensions {
			dims = append(dims, map[string]string{"name": d.name, "value": d.value})
		}
		trigger["MetricName"], trigger["Namespace"], trigger["Dimensions"] = a.MetricName, a.Namespace, dims
		trigger["Statistic"], trigger["Period"], trigger["Unit"] = a.Statistic, a.Period, a.Unit
	}
	body, _ := json.Marshal(map[string]any{
		"AlarmName": a.AlarmName, "AlarmDescription": a.AlarmDescription, "AlarmArn": a.AlarmArn,
		"AWSAccountId": c.world.Account(), "Region": region,
		"NewStateValue": a.StateValue, "NewStateReason": a.StateReason, "OldStateValue": old,
		"StateChangeTime": now.UTC().Format("2006-01-02T15:04:05.000+0000"),
		"OKActions":       aws.StringValueSlice(a.OKActions), "AlarmActions": aws.StringValueSlice(a.AlarmActions),
		"InsufficientDataActions": aws.StringValueSlice(a.InsufficientDataActions), "Trigger": trigger,
	})
	return fmt.Sprintf("%s: %q in %s", *a.StateValue, *a.AlarmName, region), string(body)
}

func (r *regional) remember(at time.Time, name, kind, summary, data string) {
	r.history = append(r.history, &api.AlarmHistoryItem{
		AlarmName: &name, AlarmType: aws.String(api.AlarmTypeMetricAlarm), Timestamp: &at,
		HistoryItemType: &kind, HistorySummary: &summary, HistoryData: &data,
	})
	if len(r.history) > maxHistory {
		r.history = append([]*api.AlarmHistoryItem(nil), r.history[len(r.history)-maxHistory:]...)
	}
}

func historyData(old, state, why string) string {
	b, _ := json.Marshal(map[string]any{
		"version": "1.0", "type": "Update",
		"oldState": map[string]string{"stateValue": old},
		"newState": map[string]string{"stateValue": state, "stateReason": why},
	})
	return string(b)
}

// reasonData is the machine-readable half of an evaluation's reason.
func reasonData(a *alarm, points []*float64, now time.Time) string {
	recent := []float64{}
	for _, p := range points {
		if p != nil {
			recent = append(recent, *p)
		}
	}
	b, _ := json.Marshal(map[string]any{
		"version": "1.0", "queryDate": now.UTC().Format(time.RFC3339Nano), "period": a.seconds(),
		"recentDatapoints": recent, "threshold": *a.Threshold,
	})
	return string(b)
}
