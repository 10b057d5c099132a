package cloudwatch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws/awsutil"
	api "github.com/aws/aws-sdk-go/service/cloudwatch"

	"lifeline/local/aws/wire"
)

// Limits of composite alarms.
const (
	mostChildren = 100
	longestRule  = 10_240
	// mostLevels stops composite alarms that depend on each other in a circle,
	// which AWS allows, from changing each other for ever.
	mostLevels = 20
)

func (c *CloudWatch) putCompositeAlarm(call *wire.Call, in *api.PutCompositeAlarmInput) (*api.PutCompositeAlarmOutput, error) {
	for _, list := range [][]*string{in.AlarmActions, in.OKActions, in.InsufficientDataActions} {
		if len(list) > maxActions {
			return nil, invalid("The collection Actions must not have a size greater than %d.", maxActions)
		}
	}
	if in.ActionsSuppressor != nil {
		return nil, invalid("The parameter ActionsSuppressor is not supported here.")
	}
	c.mu.Lock()
	r := c.region(call.Region)
	parsed, err := c.checkRule(call.Region, r, in)
	if err != nil {
		c.mu.Unlock()
		return nil, err
	}
	a := &alarm{rule: parsed, text: *in.AlarmRule}
	a.AlarmName, a.AlarmDescription, a.ActionsEnabled = in.AlarmName, in.AlarmDescription, in.ActionsEnabled
	a.AlarmActions, a.OKActions, a.InsufficientDataActions = in.AlarmActions, in.OKActions, in.InsufficientDataActions
	c.keep(call.Region, a, in.Tags)
	fire := c.reckon(call.Region, a, 0)
	c.mu.Unlock()
	fire()
	return &api.PutCompositeAlarmOutput{}, nil
}

// checkRule reads a rule and finds its alarms, which must be of the same account
// and Region.
func (c *CloudWatch) checkRule(region string, r *regional, in *api.PutCompositeAlarmInput) (rule, error) {
	if old, exists := r.alarms[*in.AlarmName]; exists && old.rule == nil {
		return nil, wire.Errorf(400, "ValidationError", "A metric alarm with the name %s exists already.", *in.AlarmName)
	}
	parsed, err := parseRule(*in.AlarmRule)
	switch {
	case err != nil:
		return nil, wire.Errorf(400, "ValidationError", "Invalid AlarmRule: %v.", err)
	case len(*in.AlarmRule) > longestRule:
		return nil, wire.Errorf(400, "ValidationError", "AlarmRule must not be longer than %d characters.", longestRule)
	case len(parsed.names()) > mostChildren:
		return nil, wire.Errorf(400, "ValidationError", "AlarmRule must not have more than %d alarms.", mostChildren)
	}
	var unknown []string
	for _, name := range parsed.names() {
		known, ok := c.local(region, name)
		if !ok || (r.alarms[known] == nil && known != *in.AlarmName) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		return nil, wire.Errorf(400, "ValidationError", "Could not save the composite alarm as alarms [%s] in the alarm rule do not exist.", strings.Join(unknown, ", "))
	}
	return parsed, nil
}

// local is the name of an alarm that a rule refers to by name or ARN; false for
// an alarm of another account or Region.
func (c *CloudWatch) local(region, reference string) (string, bool) {
	if !strings.HasPrefix(reference, "arn:") {
		return reference, true
	}
	return strings.CutPrefix(reference, c.alarmARN(region, ""))
}

func (c *CloudWatch) alarmARN(region, name string) string {
	return fmt.Sprintf("arn:aws:cloudwatch:%s:%s:alarm:%s", region, c.world.Account(), name)
}

// reckon works a composite alarm's state out; c.mu is held, and what is returned
// runs without it. Only a new one can be without data.
func (c *CloudWatch) reckon(region string, a *alarm, level int) func() {
	r := c.region(region)
	holds := a.rule.holds(func(reference string) string {
		name, _ := c.local(region, reference)
		if child, ok := r.alarms[name]; ok {
			return *child.StateValue
		}
		return ""
	})
	state := api.StateValueOk
	if holds {
		state = api.StateValueAlarm
	}
	if state == *a.StateValue {
		return func() {}
	}
	why := fmt.Sprintf("%s transitioned to %s at %s", a.text, state, c.world.Now().UTC().Format("Monday 02 January, 2006 15:04:05 MST"))
	return c.transitionAt(region, a, change{state: state, why: why, level: level})
}

// parents are the composite alarms whose rule has an alarm.
func (c *CloudWatch) parents(region, name string) []*alarm {
	var out []*alarm
	for _, a := range c.region(region).alarms {
		if a.rule != nil && c.has(region, a, name) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(x, y *alarm) int { return strings.Compare(*x.AlarmName, *y.AlarmName) })
	return out
}

func (c *CloudWatch) has(region string, a *alarm, name string) bool {
	return slices.ContainsFunc(a.rule.names(), func(reference string) bool {
		known, _ := c.local(region, reference)
		return known == name
	})
}

// composite is a composite alarm as answers carry it.
func (a *alarm) composite() *api.CompositeAlarm {
	out := &api.CompositeAlarm{}
	awsutil.Copy(out, &api.CompositeAlarm{
		AlarmName: a.AlarmName, AlarmArn: a.AlarmArn, AlarmDescription: a.AlarmDescription, AlarmRule: &a.text, ActionsEnabled: a.ActionsEnabled,
		AlarmActions: a.AlarmActions, OKActions: a.OKActions, InsufficientDataActions: a.InsufficientDataActions,
		StateValue: a.StateValue, StateReason: a.StateReason, StateReasonData: a.StateReasonData,
		AlarmConfigurationUpdatedTimestamp: a.AlarmConfigurationUpdatedTimestamp,
		StateUpdatedTimestamp:              a.StateUpdatedTimestamp, StateTransitionedTimestamp: a.StateTransitionedTimestamp,
	})
	return out
}

// kind is the alarm's type by AWS's name.
func (a *alarm) kind() string {
	if a.rule != nil {
		return api.AlarmTypeCompositeAlarm
	}
	return api.AlarmTypeMetricAlarm
}

// inUse refuses to delete an alarm that a composite alarm needs, unless that one
// is deleted with it.
func (c *CloudWatch) inUse(region string, names []*string) error {
	composites := 0
	for _, name := range names {
		if a := c.region(region).alarms[*name]; a != nil && a.rule != nil {
			composites++
		}
		for _, parent := range c.parents(region, *name) {
			if !contains(names, *parent.AlarmName) {
				return wire.Errorf(400, "ValidationError", "Cannot delete %s as there are composite alarm(s) depending on it: %s.", *name, *parent.AlarmName)
			}
		}
	}
	if composites > 1 {
		return wire.Errorf(400, "ValidationError", "Only one composite alarm can be deleted at a time.")
	}
	return nil
}

// related picks the alarms that DescribeAlarms is asked for by kinship.
func (c *CloudWatch) related(region string, a *alarm, in *api.DescribeAlarmsInput) bool {
	if parent := in.ChildrenOfAlarmName; parent != nil {
		of := c.region(region).alarms[*parent]
		if of == nil || of.rule == nil || !c.has(region, of, *a.AlarmName) {
			return false
		}
	}
	return in.ParentsOfAlarmName == nil || (a.rule != nil && c.has(region, a, *in.ParentsOfAlarmName))
}
