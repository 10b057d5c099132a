package cloudwatch

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/cloudwatch"
)

// change is a new state, why, the same for machines ("" for none), and through how
// many composite alarms it came.
type change struct {
	state, why, data string
	level            int
}

// transition is transitionAt for a change that came through no composite alarm.
func (c *CloudWatch) transition(region string, a *alarm, state, why, data string) func() {
	return c.transitionAt(region, a, change{state: state, why: why, data: data})
}

// transitionAt sets the state, writes it down and returns the actions to carry out
// once the lock is released: they may lead back into this service. Composite alarms
// that have this one in their rule follow at once.
func (c *CloudWatch) transitionAt(region string, a *alarm, to change) func() {
	now := c.world.Now()
	old := *a.StateValue
	a.StateUpdatedTimestamp = &now
	a.StateReason = &to.why
	a.StateReasonData = nil
	if to.data != "" {
		a.StateReasonData = &to.data
	}
	if old == to.state {
		return func() {}
	}
	a.StateValue = &to.state
	a.StateTransitionedTimestamp = &now
	c.region(region).remember(now, a, api.HistoryItemTypeStateUpdate,
		fmt.Sprintf("Alarm updated from %s to %s", old, to.state), historyData(old, to.state, to.why))
	own := c.consequences(region, a, old, now)
	var others []func()
	if to.level < mostLevels {
		for _, parent := range c.parents(region, *a.AlarmName) {
			others = append(others, c.reckon(region, parent, to.level+1))
		}
	}
	return func() {
		own()
		for _, fire := range others {
			fire()
		}
	}
}

// consequences are the actions of an alarm's new state.
func (c *CloudWatch) consequences(region string, a *alarm, old string, now time.Time) func() {
	if !*a.ActionsEnabled {
		return func() {}
	}
	arns := a.actionsFor(*a.StateValue)
	subject, message := c.notice(region, a, old, now)
	return func() {
		for _, arn := range arns {
			c.act(region, a, *arn, subject, message)
		}
	}
}

func (c *CloudWatch) act(region string, a *alarm, arn, subject, message string) {
	err := errors.New("no action handler is configured")
	if c.actions != nil {
		err = c.actions.Act(region, arn, subject, message)
	}
	summary := fmt.Sprintf("Successfully executed action %s", arn)
	if err != nil {
		summary = fmt.Sprintf("Failed to execute action %s", arn)
		c.log.Warn("alarm action not carried out", "alarm", *a.AlarmName, "action", arn, "error", err)
	}
	data, _ := json.Marshal(map[string]any{"actionState": map[bool]string{true: "Succeeded", false: "Failed"}[err == nil], "notificationResource": arn})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.region(region).remember(c.world.Now(), a, api.HistoryItemTypeAction, summary, string(data))
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
	notice := map[string]any{
		"AlarmName": a.AlarmName, "AlarmDescription": a.AlarmDescription, "AlarmArn": a.AlarmArn,
		"AWSAccountId": c.world.Account(), "Region": region,
		"NewStateValue": a.StateValue, "NewStateReason": a.StateReason, "OldStateValue": old,
		"StateChangeTime": now.UTC().Format("2006-01-02T15:04:05.000+0000"),
		"OKActions":       aws.StringValueSlice(a.OKActions), "AlarmActions": aws.StringValueSlice(a.AlarmActions),
		"InsufficientDataActions": aws.StringValueSlice(a.InsufficientDataActions),
	}
	if a.rule != nil {
		notice["AlarmRule"] = a.text
	} else {
		notice["Trigger"] = a.trigger()
	}
	body, _ := json.Marshal(notice)
	return fmt.Sprintf("%s: %q in %s", *a.StateValue, *a.AlarmName, region), string(body)
}

// trigger is what a metric alarm watches, in the words of its notification.
func (a *alarm) trigger() map[string]any {
	out := map[string]any{
		"EvaluationPeriods": a.EvaluationPeriods, "ComparisonOperator": a.ComparisonOperator, "Threshold": a.Threshold,
		"TreatMissingData": aws.StringValue(a.TreatMissingData),
	}
	if len(a.Metrics) > 0 {
		return out
	}
	dims := []map[string]string{}
	for _, d := range a.metric().dimensions {
		dims = append(dims, map[string]string{"name": d.name, "value": d.value})
	}
	out["MetricName"], out["Namespace"], out["Dimensions"] = a.MetricName, a.Namespace, dims
	out["Statistic"], out["Period"], out["Unit"] = a.Statistic, a.Period, a.Unit
	return out
}

func (r *regional) remember(at time.Time, a *alarm, kind, summary, data string) {
	r.history = append(r.history, &api.AlarmHistoryItem{
		AlarmName: aws.String(*a.AlarmName), AlarmType: aws.String(a.kind()), Timestamp: &at,
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
