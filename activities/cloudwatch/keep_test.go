package cloudwatch

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// panel is a CloudWatch with alarms that people have worked on.
type panel struct {
	composites []types.CompositeAlarm
	asked      []int
	put        *sdk.PutCompositeAlarmInput
}

func (p *panel) DescribeAlarms(_ context.Context, in *sdk.DescribeAlarmsInput, _ ...func(*sdk.Options)) (*sdk.DescribeAlarmsOutput, error) {
	p.asked = append(p.asked, len(in.AlarmNames))
	return &sdk.DescribeAlarmsOutput{CompositeAlarms: p.composites}, nil
}

func (p *panel) PutMetricAlarm(context.Context, *sdk.PutMetricAlarmInput, ...func(*sdk.Options)) (*sdk.PutMetricAlarmOutput, error) {
	return &sdk.PutMetricAlarmOutput{}, nil
}

func (p *panel) PutCompositeAlarm(_ context.Context, in *sdk.PutCompositeAlarmInput, _ ...func(*sdk.Options)) (*sdk.PutCompositeAlarmOutput, error) {
	p.put = in
	return &sdk.PutCompositeAlarmOutput{}, nil
}

func kept(p *panel) keeper { return keeper{func(plan.Region) SetupAPI { return p }} }

func TestComposite_RuleChanged_KeepsWhatPeopleHaveSet(t *testing.T) {
	t.Parallel()
	p := &panel{composites: []types.CompositeAlarm{{
		AlarmName: aws.String("page"), AlarmRule: aws.String("TRUE"), ActionsEnabled: aws.Bool(true), AlarmActions: []string{"arn:theirs"}, InsufficientDataActions: []string{"arn:quiet"},
		ActionsSuppressor: aws.String("maintenance"), ActionsSuppressorWaitPeriod: aws.Int32(60), ActionsSuppressorExtensionPeriod: aws.Int32(120),
	}}}
	item := runbook.Item{Type: "cloudwatch-composite-alarm", Name: "page", Region: "us-west-2", Want: map[string]string{
		"rule": `ALARM("a")`, "actions": "true", "tells/ALARM": "arn:topic", tag + "lifeline:application": "app",
	}}
	states, err := kept(p).readComposites(t.Context(), keep.At("us-west-2"), []runbook.Item{item})
	require.NoError(t, err)
	require.Len(t, item.Difference(states[0]), 2, "the rule, and who is told")
	_, err = kept(p).writeComposite(t.Context(), keep.At("us-west-2"), item, states[0])
	require.NoError(t, err)
	require.Equal(t, []string{"arn:theirs", "arn:topic"}, p.put.AlarmActions)
	require.Equal(t, []string{"arn:quiet"}, p.put.InsufficientDataActions)
	require.Equal(t, "maintenance", *p.put.ActionsSuppressor)
	require.Equal(t, int32(60), *p.put.ActionsSuppressorWaitPeriod)
	require.Equal(t, int32(120), *p.put.ActionsSuppressorExtensionPeriod)
	require.Nil(t, p.put.Tags)
}

func TestDescribe_AsksForAHundredNamesWithEachCall(t *testing.T) {
	t.Parallel()
	p := &panel{}
	items := make([]runbook.Item, 250)
	for i := range items {
		items[i] = runbook.Item{Type: "cloudwatch-alarm", Name: "a" + number(int32(i)), Region: "us-west-2"}
	}
	states, err := kept(p).readMetricAlarms(t.Context(), keep.At("us-west-2"), items)
	require.NoError(t, err)
	require.Len(t, states, 250)
	require.Equal(t, []int{100, 100, 50}, p.asked)
}

func TestAlarmInput_WhatIsNoNumber_IsRefused(t *testing.T) {
	t.Parallel()
	good := map[string]string{"threshold": "1", "period": "60", "periods": "1", "datapoints": "1", "dimensions": "{}"}
	for name := range good {
		want := map[string]string{}
		for key, value := range good {
			want[key] = value
		}
		want[name] = "soon"
		_, err := alarmInput(runbook.Item{Name: "a", Want: want})
		require.Equal(t, cloud.Invalid, cloud.KindOf(err), name)
	}
}
