package cloudwatch

import (
	"sort"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awsutil"
	api "github.com/aws/aws-sdk-go/service/cloudwatch"

	"lifeline/local/aws/wire"
)

// maxHistory is how many history items a Region keeps.
const maxHistory = 5000

func (c *CloudWatch) describeAlarms(call *wire.Call, in *api.DescribeAlarmsInput) (*api.DescribeAlarmsOutput, error) {
	if len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil {
		return nil, wire.Errorf(400, "InvalidParameterCombination", "AlarmNames and AlarmNamePrefix are mutually exclusive.")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*alarm
	for _, a := range c.region(call.Region).alarms {
		if selected(a, in) && c.related(call.Region, a, in) {
			found = append(found, a)
		}
	}
	sort.Slice(found, func(i, j int) bool { return *found[i].AlarmName < *found[j].AlarmName })
	size := 50
	if in.MaxRecords != nil {
		size = min(int(*in.MaxRecords), 100)
	}
	from, to, next, err := page(len(found), size, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &api.DescribeAlarmsOutput{NextToken: next, MetricAlarms: []*api.MetricAlarm{}, CompositeAlarms: []*api.CompositeAlarm{}}
	for _, a := range found[from:to] {
		if a.rule != nil {
			out.CompositeAlarms = append(out.CompositeAlarms, a.composite())
			continue
		}
		out.MetricAlarms = append(out.MetricAlarms, a.copy())
	}
	return out, nil
}

func selected(a *alarm, in *api.DescribeAlarmsInput) bool {
	if len(in.AlarmNames) > 0 && !contains(in.AlarmNames, *a.AlarmName) {
		return false
	}
	// Without a type only metric alarms are meant, unless by kinship.
	types := in.AlarmTypes
	if len(types) == 0 && in.ParentsOfAlarmName == nil && in.ChildrenOfAlarmName == nil {
		types = []*string{aws.String(api.AlarmTypeMetricAlarm)}
	}
	if len(types) > 0 && !contains(types, a.kind()) {
		return false
	}
	if in.StateValue != nil && *in.StateValue != *a.StateValue {
		return false
	}
	if in.ActionPrefix != nil && !acts(a, *in.ActionPrefix) {
		return false
	}
	return strings.HasPrefix(*a.AlarmName, aws.StringValue(in.AlarmNamePrefix))
}

func acts(a *alarm, prefix string) bool {
	for _, list := range [][]*string{a.AlarmActions, a.OKActions, a.InsufficientDataActions} {
		for _, arn := range list {
			if strings.HasPrefix(*arn, prefix) {
				return true
			}
		}
	}
	return false
}

func contains(list []*string, s string) bool {
	for _, e := range list {
		if *e == s {
			return true
		}
	}
	return false
}

// copy lets callers read the alarm without the lock.
func (a *alarm) copy() *api.MetricAlarm {
	out := &api.MetricAlarm{}
	awsutil.Copy(out, &a.MetricAlarm)
	return out
}

func (c *CloudWatch) describeAlarmsForMetric(call *wire.Call, in *api.DescribeAlarmsForMetricInput) (*api.DescribeAlarmsForMetricOutput, error) {
	want := metricID{namespace: *in.Namespace, name: *in.MetricName, dimensions: fromAPI(in.Dimensions)}.key()
	c.mu.Lock()
	defer c.mu.Unlock()
	out := &api.DescribeAlarmsForMetricOutput{MetricAlarms: []*api.MetricAlarm{}}
	for _, a := range c.region(call.Region).alarms {
		switch {
		case a.rule != nil || len(a.Metrics) > 0 || a.metric().key() != want:
		case in.Statistic != nil && *in.Statistic != aws.StringValue(a.Statistic):
		case in.Period != nil && *in.Period != *a.Period:
		default:
			out.MetricAlarms = append(out.MetricAlarms, a.copy())
		}
	}
	sort.Slice(out.MetricAlarms, func(i, j int) bool { return *out.MetricAlarms[i].AlarmName < *out.MetricAlarms[j].AlarmName })
	return out, nil
}

func (a *alarm) metric() metricID {
	return metricID{namespace: *a.Namespace, name: *a.MetricName, dimensions: fromAPI(a.Dimensions)}
}

func (c *CloudWatch) describeAlarmHistory(call *wire.Call, in *api.DescribeAlarmHistoryInput) (*api.DescribeAlarmHistoryOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*api.AlarmHistoryItem
	for _, h := range c.region(call.Region).history {
		if told(h, in) {
			found = append(found, h)
		}
	}
	if aws.StringValue(in.ScanBy) != api.ScanByTimestampAscending {
		sort.SliceStable(found, func(i, j int) bool { return found[i].Timestamp.After(*found[j].Timestamp) })
	}
	size := 100
	if in.MaxRecords != nil {
		size = min(int(*in.MaxRecords), 100)
	}
	from, to, next, err := page(len(found), size, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &api.DescribeAlarmHistoryOutput{AlarmHistoryItems: found[from:to], NextToken: next}, nil
}

func told(h *api.AlarmHistoryItem, in *api.DescribeAlarmHistoryInput) bool {
	switch {
	case in.AlarmName != nil && *in.AlarmName != *h.AlarmName,
		in.HistoryItemType != nil && *in.HistoryItemType != *h.HistoryItemType,
		in.StartDate != nil && h.Timestamp.Before(*in.StartDate),
		in.EndDate != nil && h.Timestamp.After(*in.EndDate),
		len(in.AlarmTypes) == 0 && in.AlarmName == nil && *h.AlarmType != api.AlarmTypeMetricAlarm,
		len(in.AlarmTypes) > 0 && !contains(in.AlarmTypes, *h.AlarmType):
		return false
	default:
		return true
	}
}
