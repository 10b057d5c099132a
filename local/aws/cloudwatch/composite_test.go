package cloudwatch

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/cloudwatch"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/wire"
)

const west = "us-west-2"

func TestRule_HoldsAsWritten(t *testing.T) {
	t.Parallel()
	states := map[string]string{"red": "ALARM", "green": "OK", "grey": "INSUFFICIENT_DATA", "two words": "ALARM", "AND": "OK"}
	for text, want := range map[string]bool{
		`ALARM(red)`:                           true,
		`ALARM("red")`:                         true,
		`ALARM('two words')`:                   true,
		`OK("AND")`:                            true,
		`ALARM(green)`:                         false,
		`INSUFFICIENT_DATA(grey)`:              true,
		`TRUE`:                                 true,
		`FALSE`:                                false,
		`NOT ALARM(red)`:                       false,
		`NOT NOT ALARM(red)`:                   true,
		`ALARM(red) AND OK(green)`:             true,
		`ALARM(red) AND ALARM(green)`:          false,
		`ALARM(green) OR ALARM(red)`:           true,
		`ALARM(red) OR ALARM(red) AND FALSE`:   true,
		`(ALARM(red) OR ALARM(red)) AND FALSE`: false,
		`NOT ALARM(green) AND OK(green)`:       true,
		"ALARM( red )\n  AND (NOT (OK(grey) OR OK(red)))":    true,
		`ALARM(nothing) OR OK(nothing)`:                      false,
		`NOT (ALARM(red) AND (OK(green) OR ALARM(green)))`:   false,
		`INSUFFICIENT_DATA(red) OR INSUFFICIENT_DATA(green)`: false,
	} {
		r, err := parseRule(text)
		require.NoError(t, err, text)
		require.Equal(t, want, r.holds(func(name string) string { return states[name] }), text)
	}
}

func TestRule_Malformed(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, `ALARM`, `ALARM(`, `ALARM()`, `ALARM(red`, `ALARM("red)`, `ALARM(red) AND`, `AND ALARM(red)`, `ALARM(red) ALARM(green)`,
		`(ALARM(red)`, `ALARM(red))`, `NOT`, `alarm(red)`, `PANIC(red)`, `true`, strings.Repeat("(", 10_000) + "TRUE", strings.Repeat("NOT ", 10_000) + "TRUE",
	} {
		_, err := parseRule(text)
		require.Error(t, err, text)
	}
}

// panel is alarms of one Region whose states are set by hand.
type panel struct {
	*CloudWatch
	t *testing.T
	r *recorder
}

func newPanel(t *testing.T, names ...string) panel {
	t.Helper()
	r := &recorder{}
	c, _ := fast(t, Options{Actions: r})
	for _, name := range names {
		put(t, c, west, func(in *api.PutMetricAlarmInput) {
			in.AlarmName, in.AlarmActions, in.OKActions = &name, nil, nil
			in.TreatMissingData = aws.String("ignore") // so that states stay as they are set
		})
	}
	return panel{c, t, r}
}

func (p panel) combine(name, text string) error {
	_, err := p.putCompositeAlarm(&wire.Call{Region: west}, &api.PutCompositeAlarmInput{
		AlarmName: &name, AlarmRule: &text, AlarmActions: aws.StringSlice([]string{"arn:page-" + name}), OKActions: aws.StringSlice([]string{"arn:calm-" + name}),
	})
	return err
}

func (p panel) set(name, state string) {
	p.t.Helper()
	_, err := p.setAlarmState(&wire.Call{Region: west}, &api.SetAlarmStateInput{AlarmName: &name, StateValue: &state, StateReason: aws.String("test")})
	require.NoError(p.t, err)
}

func (p panel) state(name string) string {
	p.t.Helper()
	out, err := p.describeAlarms(&wire.Call{Region: west}, &api.DescribeAlarmsInput{
		AlarmNames: []*string{&name}, AlarmTypes: aws.StringSlice([]string{"CompositeAlarm", "MetricAlarm"}),
	})
	require.NoError(p.t, err)
	if len(out.CompositeAlarms) == 1 {
		return *out.CompositeAlarms[0].StateValue
	}
	require.Len(p.t, out.MetricAlarms, 1)
	return *out.MetricAlarms[0].StateValue
}

func (p panel) remove(names ...string) error {
	_, err := p.deleteAlarms(&wire.Call{Region: west}, &api.DeleteAlarmsInput{AlarmNames: aws.StringSlice(names)})
	return err
}

func refusal(t *testing.T, err error) string {
	t.Helper()
	var refused *wire.Error
	require.ErrorAs(t, err, &refused)
	return refused.Code
}

func TestComposite_FollowsItsChildrenAndActsOnce(t *testing.T) {
	t.Parallel()
	p := newPanel(t, "lag", "errors")
	p.set("lag", "OK")
	p.set("errors", "OK")
	require.NoError(t, p.combine("region", `ALARM(lag) AND ALARM("arn:aws:cloudwatch:us-west-2:123456789012:alarm:errors")`))
	require.NoError(t, p.combine("page", `ALARM(region) OR FALSE`))
	require.Equal(t, "OK", p.state("region"), "judged as soon as it is there")
	p.set("lag", "ALARM")
	require.Equal(t, "OK", p.state("region"))
	p.set("errors", "ALARM")
	require.Equal(t, "ALARM", p.state("region"))
	require.Equal(t, "ALARM", p.state("page"), "composites of composites follow too")
	p.set("errors", "INSUFFICIENT_DATA")
	require.Equal(t, "OK", p.state("page"), "a composite is never without data again")
	require.Equal(t, []string{
		`us-west-2 arn:calm-region OK: "region" in us-west-2`, `us-west-2 arn:calm-page OK: "page" in us-west-2`,
		`us-west-2 arn:page-region ALARM: "region" in us-west-2`, `us-west-2 arn:page-page ALARM: "page" in us-west-2`,
		`us-west-2 arn:calm-region OK: "region" in us-west-2`, `us-west-2 arn:calm-page OK: "page" in us-west-2`,
	}, p.r.seen())

	history, err := p.describeAlarmHistory(&wire.Call{Region: west}, &api.DescribeAlarmHistoryInput{
		AlarmTypes: aws.StringSlice([]string{"CompositeAlarm"}), HistoryItemType: aws.String("StateUpdate"),
	})
	require.NoError(t, err)
	require.Len(t, history.AlarmHistoryItems, 6)
	_, ok := p.Alarm(west, "region")
	require.False(t, ok, "no health check can watch a composite alarm")
}

func TestComposite_InACircle_ComesToRest(t *testing.T) {
	t.Parallel()
	p := newPanel(t, "lag")
	require.NoError(t, p.combine("a", `ALARM(lag)`))
	require.NoError(t, p.combine("b", `NOT ALARM(a)`))
	require.NoError(t, p.combine("a", `ALARM(b)`), "AWS allows it")
	p.set("lag", "ALARM")
	require.Equal(t, "ValidationError", refusal(t, p.remove("a")), "and then neither can be deleted")
	require.Equal(t, "ValidationError", refusal(t, p.remove("b")))
	require.NoError(t, p.combine("a", `FALSE`), "until one lets go")
	require.NoError(t, p.remove("b"))
}

func TestComposite_Refusals(t *testing.T) {
	t.Parallel()
	p := newPanel(t, "lag")
	for why, text := range map[string]string{
		"unknown alarm":   `ALARM(nothing)`,
		"another Region":  `ALARM("arn:aws:cloudwatch:us-east-1:123456789012:alarm:lag")`,
		"another account": `ALARM("arn:aws:cloudwatch:us-west-2:210987654321:alarm:lag")`,
		"no rule":         `ALARM(lag`,
		"too long":        `ALARM(lag)` + strings.Repeat(" ", 10_240),
	} {
		require.Equal(t, "ValidationError", refusal(t, p.combine("all", text)), why)
	}
	require.Equal(t, "ValidationError", refusal(t, p.combine("lag", "TRUE")), "the name of a metric alarm")
	require.NoError(t, p.combine("all", `ALARM(lag)`))
	require.Equal(t, "ValidationError", refusal(t, p.remove("lag")), "a child in use")
	require.NoError(t, p.remove("lag", "all"), "both at once")
}

func TestDescribeAlarms_TypesAndKin(t *testing.T) {
	t.Parallel()
	p := newPanel(t, "lag", "errors")
	require.NoError(t, p.combine("all", `ALARM(lag)`))
	names := func(in *api.DescribeAlarmsInput) []string {
		out, err := p.describeAlarms(&wire.Call{Region: west}, in)
		require.NoError(t, err)
		var got []string
		for _, a := range out.MetricAlarms {
			got = append(got, *a.AlarmName)
		}
		for _, a := range out.CompositeAlarms {
			got = append(got, *a.AlarmName)
		}
		return got
	}
	require.Equal(t, []string{"errors", "lag"}, names(&api.DescribeAlarmsInput{}), "without a type only metric alarms")
	require.Equal(t, []string{"all"}, names(&api.DescribeAlarmsInput{AlarmTypes: aws.StringSlice([]string{"CompositeAlarm"})}))
	require.Equal(t, []string{"lag"}, names(&api.DescribeAlarmsInput{ChildrenOfAlarmName: aws.String("all")}))
	require.Equal(t, []string{"all"}, names(&api.DescribeAlarmsInput{ParentsOfAlarmName: aws.String("lag")}))
	require.Empty(t, names(&api.DescribeAlarmsInput{ParentsOfAlarmName: aws.String("errors")}))
}
