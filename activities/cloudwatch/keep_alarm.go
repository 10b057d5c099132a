package cloudwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// Prefixes of properties with a name of their own.
const (
	tells = "tells/"                    // a topic that is told of a state
	told  = "told/"                     // all that are told of it; never wanted
	tag   = runbook.AtCreation + "tag/" // by its key
)

// namesPerCall is how many alarms DescribeAlarms takes by name.
const namesPerCall = 100

// describe reads alarms by name, a hundred with each call.
func (k keeper) describe(ctx context.Context, at cloud.At, items []runbook.Item, kind types.AlarmType, each func(*sdk.DescribeAlarmsOutput)) error {
	for part := range slices.Chunk(items, namesPerCall) {
		in := &sdk.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{kind}, MaxRecords: aws.Int32(namesPerCall)}
		for _, item := range part {
			in.AlarmNames = append(in.AlarmNames, item.Name)
		}
		for {
			out, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeAlarms, in)
			if err != nil {
				return fmt.Errorf("describe alarms: %w", err)
			}
			each(out)
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
		}
	}
	return nil
}

func (k keeper) readMetricAlarms(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found := map[string]types.MetricAlarm{}
	err := k.describe(ctx, at, items, types.AlarmTypeMetricAlarm, func(out *sdk.DescribeAlarmsOutput) {
		for _, a := range out.MetricAlarms {
			found[aws.ToString(a.AlarmName)] = a
		}
	})
	if err != nil {
		return nil, err
	}
	states := make([]runbook.ItemState, len(items))
	for i, item := range items {
		states[i] = runbook.ItemState{ID: item.ID()}
		if a, ok := found[item.Name]; ok {
			states[i].Found, states[i].Have = true, properties(a)
			states[i].Out = map[string]string{"arn": aws.ToString(a.AlarmArn), "state": string(a.StateValue)}
			actions{a.AlarmActions, a.OKActions, a.InsufficientDataActions}.into(states[i].Have, item)
		}
	}
	return states, nil
}

// properties are those of an alarm on one metric. One with expressions has none
// of them, and becomes one on a metric when it bears our name.
func properties(a types.MetricAlarm) map[string]string {
	dimensions := map[string]string{}
	for _, d := range a.Dimensions {
		dimensions[aws.ToString(d.Name)] = aws.ToString(d.Value)
	}
	periods := aws.ToInt32(a.EvaluationPeriods)
	datapoints := periods // what it is when nobody says
	if a.DatapointsToAlarm != nil {
		datapoints = *a.DatapointsToAlarm
	}
	missing := aws.ToString(a.TreatMissingData)
	if missing == "" {
		missing = "missing"
	}
	return map[string]string{
		"namespace": aws.ToString(a.Namespace), "metric": aws.ToString(a.MetricName), "dimensions": runbook.Document(dimensions),
		"statistic": string(a.Statistic), "period": number(aws.ToInt32(a.Period)), "periods": number(periods), "datapoints": number(datapoints),
		"comparison": string(a.ComparisonOperator), "threshold": strconv.FormatFloat(aws.ToFloat64(a.Threshold), 'f', -1, 64), "missing": missing,
		"actions": strconv.FormatBool(aws.ToBool(a.ActionsEnabled)), "description": aws.ToString(a.AlarmDescription),
	}
}

func number(n int32) string { return strconv.Itoa(int(n)) }

// actions are what is told of ALARM, OK and INSUFFICIENT_DATA.
type actions struct{ alarm, ok, insufficient []string }

func (a actions) lists() map[types.StateValue][]string {
	return map[types.StateValue][]string{types.StateValueAlarm: a.alarm, types.StateValueOk: a.ok, types.StateValueInsufficientData: a.insufficient}
}

// into says which of the wanted receivers are told, and remembers all: an alarm is
// written as a whole, and those of others stay.
func (a actions) into(have map[string]string, item runbook.Item) {
	for state, list := range a.lists() {
		have[told+string(state)] = strings.Join(list, "\n")
		if want := item.Want[tells+string(state)]; want != "" && slices.Contains(list, want) {
			have[tells+string(state)] = want
		}
	}
}

// receivers are those that are told of a state already, and the wanted one.
func receivers(item runbook.Item, have runbook.ItemState, state types.StateValue) []string {
	var out []string
	if list := have.Have[told+string(state)]; list != "" {
		out = strings.Split(list, "\n")
	}
	if want := item.Want[tells+string(state)]; want != "" && !slices.Contains(out, want) {
		out = append(out, want)
	}
	return out
}

// writeMetricAlarm puts the whole alarm; AWS keeps its state.
func (k keeper) writeMetricAlarm(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	in, err := alarmInput(item)
	if err != nil {
		return "", err
	}
	in.AlarmActions = receivers(item, have, types.StateValueAlarm)
	in.OKActions = receivers(item, have, types.StateValueOk)
	in.InsufficientDataActions = receivers(item, have, types.StateValueInsufficientData)
	if !have.Found {
		in.Tags = tags(item)
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).PutMetricAlarm, in)
	if err != nil {
		return "", fmt.Errorf("alarm %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

func alarmInput(item runbook.Item) (*sdk.PutMetricAlarmInput, error) {
	w := item.Want
	threshold, err := strconv.ParseFloat(w["threshold"], 64)
	if err != nil {
		return nil, cloud.Errorf(cloud.Invalid, "threshold of alarm %s: %w", item.Name, err)
	}
	in := &sdk.PutMetricAlarmInput{
		AlarmName: aws.String(item.Name), AlarmDescription: aws.String(w["description"]), ActionsEnabled: aws.Bool(w["actions"] == "true"),
		Namespace: aws.String(w["namespace"]), MetricName: aws.String(w["metric"]), Statistic: types.Statistic(w["statistic"]),
		ComparisonOperator: types.ComparisonOperator(w["comparison"]), Threshold: aws.Float64(threshold), TreatMissingData: aws.String(w["missing"]),
	}
	for name, to := range map[string]**int32{"period": &in.Period, "periods": &in.EvaluationPeriods, "datapoints": &in.DatapointsToAlarm} {
		n, err := strconv.ParseInt(w[name], 10, 32)
		if err != nil {
			return nil, cloud.Errorf(cloud.Invalid, "%s of alarm %s: %w", name, item.Name, err)
		}
		*to = aws.Int32(int32(n))
	}
	var dimensions map[string]string
	if err := json.Unmarshal([]byte(w["dimensions"]), &dimensions); err != nil {
		return nil, cloud.Errorf(cloud.Invalid, "dimensions of alarm %s: %w", item.Name, err)
	}
	for _, name := range slices.Sorted(maps.Keys(dimensions)) {
		in.Dimensions = append(in.Dimensions, types.Dimension{Name: aws.String(name), Value: aws.String(dimensions[name])})
	}
	return in, nil
}

func tags(item runbook.Item) []types.Tag {
	var out []types.Tag
	for _, name := range slices.Sorted(maps.Keys(item.Want)) {
		if key, ok := strings.CutPrefix(name, tag); ok {
			out = append(out, types.Tag{Key: aws.String(key), Value: aws.String(item.Want[name])})
		}
	}
	return out
}
