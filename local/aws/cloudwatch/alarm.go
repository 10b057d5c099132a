package cloudwatch

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awsutil"
	api "github.com/aws/aws-sdk-go/service/cloudwatch"

	"lifeline/local/aws/wire"
)

// maxActions is how many actions an alarm may have per state.
const maxActions = 5

// An alarm looks back over a day at most, with periods of an hour or more over a week.
const (
	longest     = 24 * time.Hour
	longestWide = 7 * 24 * time.Hour
	wide        = time.Hour
)

// alarm is a metric alarm and when it is looked at next, or a composite alarm,
// which has a rule instead of a metric.
type alarm struct {
	api.MetricAlarm
	due  time.Time
	rule rule   // nil: a metric alarm
	text string // of the rule
	tags map[string]string
}

func (c *CloudWatch) putMetricAlarm(call *wire.Call, in *api.PutMetricAlarmInput) (*api.PutMetricAlarmOutput, error) {
	if err := checkAlarm(in); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, exists := c.region(call.Region).alarms[*in.AlarmName]; exists && old.rule != nil {
		return nil, wire.Errorf(400, "ValidationError", "A composite alarm with the name %s exists already.", *in.AlarmName)
	}
	a := &alarm{}
	awsutil.Copy(&a.MetricAlarm, in)
	c.keep(call.Region, a, in.Tags)
	return &api.PutMetricAlarmOutput{}, nil
}

// keep stores a new alarm, or a new configuration of one that exists: that keeps
// its state until the next evaluation, and its tags. c.mu is held.
func (c *CloudWatch) keep(region string, a *alarm, tags []*api.Tag) {
	now, r, name := c.world.Now(), c.region(region), *a.AlarmName
	a.AlarmArn = aws.String(c.alarmARN(region, name))
	a.AlarmConfigurationUpdatedTimestamp = &now
	if a.ActionsEnabled == nil {
		a.ActionsEnabled = aws.Bool(true)
	}
	what := "created"
	if old, exists := r.alarms[name]; exists {
		a.StateValue, a.StateReason, a.StateReasonData = old.StateValue, old.StateReason, old.StateReasonData
		a.StateUpdatedTimestamp, a.StateTransitionedTimestamp = old.StateUpdatedTimestamp, old.StateTransitionedTimestamp
		a.tags, what = old.tags, "updated"
	} else {
		a.StateValue = aws.String(api.StateValueInsufficientData)
		a.StateReason = aws.String("Unchecked: Initial alarm creation")
		a.StateUpdatedTimestamp, a.StateTransitionedTimestamp = &now, &now
		a.tags = tagsOf(tags)
	}
	r.alarms[name] = a
	r.remember(now, a, api.HistoryItemTypeConfigurationUpdate, fmt.Sprintf("Alarm %q %s", name, what), "{}")
}

func checkAlarm(in *api.PutMetricAlarmInput) error {
	for _, list := range [][]*string{in.AlarmActions, in.OKActions, in.InsufficientDataActions} {
		if len(list) > maxActions {
			return invalid("The collection Actions must not have a size greater than %d.", maxActions)
		}
	}
	if n := in.DatapointsToAlarm; n != nil && *n > *in.EvaluationPeriods {
		return invalid("The parameter DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
	}
	switch aws.StringValue(in.TreatMissingData) {
	case "", "breaching", "notBreaching", "ignore", "missing":
	default:
		return invalid("The value %s for parameter TreatMissingData is invalid.", *in.TreatMissingData)
	}
	if in.Threshold == nil {
		return wire.Errorf(400, "MissingParameter", "The parameter Threshold is required: anomaly detection alarms are not supported.")
	}
	if len(in.Metrics) > 0 {
		return checkMathAlarm(in)
	}
	return checkMetricAlarm(in)
}

func checkMetricAlarm(in *api.PutMetricAlarmInput) error {
	switch {
	case in.MetricName == nil || in.Namespace == nil || in.Period == nil:
		return wire.Errorf(400, "MissingParameter", "MetricName, Namespace and Period must be specified when Metrics is not.")
	case (in.Statistic == nil) == (in.ExtendedStatistic == nil):
		return wire.Errorf(400, "InvalidParameterCombination", "Exactly one of Statistic and ExtendedStatistic must be specified.")
	}
	if in.ExtendedStatistic != nil {
		if _, ok := percentile(*in.ExtendedStatistic); !ok {
			return invalid("The value %s for parameter ExtendedStatistic is invalid.", *in.ExtendedStatistic)
		}
	}
	return checkSpan(*in.Period, *in.EvaluationPeriods)
}

func checkMathAlarm(in *api.PutMetricAlarmInput) error {
	if in.MetricName != nil || in.Namespace != nil || in.Period != nil || in.Statistic != nil || in.ExtendedStatistic != nil || len(in.Dimensions) > 0 {
		return wire.Errorf(400, "InvalidParameterCombination", "Metrics and the parameters of a single metric are mutually exclusive.")
	}
	if err := checkQueries(in.Metrics); err != nil {
		return err
	}
	if len(returned(in.Metrics)) != 1 {
		return wire.Errorf(400, "ValidationError", "Exactly one element of the metrics list should return data.")
	}
	return checkSpan(queryPeriod(in.Metrics), *in.EvaluationPeriods)
}

func checkSpan(period, periods int64) error {
	if err := checkPeriod(period); err != nil {
		return err
	}
	most := longest
	if time.Duration(period)*time.Second >= wide {
		most = longestWide
	}
	if time.Duration(period*periods)*time.Second > most {
		return wire.Errorf(400, "ValidationError", "Metrics cannot be checked across more than %v (EvaluationPeriods * Period must be <= %d).", most, int(most.Seconds()))
	}
	return nil
}

// returned are the ids of the queries that give data back.
func returned(queries []*api.MetricDataQuery) []string {
	var out []string
	for _, q := range queries {
		if q.ReturnData == nil || *q.ReturnData {
			out = append(out, *q.Id)
		}
	}
	return out
}

// queryPeriod is the longest period of the queries in seconds.
func queryPeriod(queries []*api.MetricDataQuery) int64 {
	var p int64 = 1
	for _, q := range queries {
		if q.MetricStat != nil {
			p = max(p, *q.MetricStat.Period)
		}
	}
	return p
}

// seconds is the alarm's period.
func (a *alarm) seconds() int64 {
	if len(a.Metrics) > 0 {
		return queryPeriod(a.Metrics)
	}
	return *a.Period
}

func (c *CloudWatch) setAlarmState(call *wire.Call, in *api.SetAlarmStateInput) (*api.SetAlarmStateOutput, error) {
	c.mu.Lock()
	a, ok := c.region(call.Region).alarms[*in.AlarmName]
	if !ok {
		c.mu.Unlock()
		return nil, noAlarm(*in.AlarmName)
	}
	fire := c.transition(call.Region, a, *in.StateValue, *in.StateReason, aws.StringValue(in.StateReasonData))
	c.mu.Unlock()
	fire()
	return &api.SetAlarmStateOutput{}, nil
}

func (c *CloudWatch) deleteAlarms(call *wire.Call, in *api.DeleteAlarmsInput) (*api.DeleteAlarmsOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.region(call.Region)
	for _, name := range in.AlarmNames {
		if _, ok := r.alarms[*name]; !ok {
			return nil, noAlarm(*name)
		}
	}
	if err := c.inUse(call.Region, in.AlarmNames); err != nil {
		return nil, err
	}
	for _, name := range in.AlarmNames {
		r.remember(c.world.Now(), r.alarms[*name], api.HistoryItemTypeConfigurationUpdate, fmt.Sprintf("Alarm %q deleted", *name), "{}")
		delete(r.alarms, *name)
	}
	return &api.DeleteAlarmsOutput{}, nil
}

func (c *CloudWatch) enableAlarmActions(call *wire.Call, in *api.EnableAlarmActionsInput) (*api.EnableAlarmActionsOutput, error) {
	c.switchActions(call.Region, in.AlarmNames, true)
	return &api.EnableAlarmActionsOutput{}, nil
}

func (c *CloudWatch) disableAlarmActions(call *wire.Call, in *api.DisableAlarmActionsInput) (*api.DisableAlarmActionsOutput, error) {
	c.switchActions(call.Region, in.AlarmNames, false)
	return &api.DisableAlarmActionsOutput{}, nil
}

// switchActions ignores names it does not know, as CloudWatch does.
func (c *CloudWatch) switchActions(region string, names []*string, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		if a, ok := c.region(region).alarms[*name]; ok {
			a.ActionsEnabled = aws.Bool(on)
		}
	}
}

func noAlarm(name string) *wire.Error {
	return wire.Errorf(404, "ResourceNotFound", "Could not find the alarm %s.", name)
}
