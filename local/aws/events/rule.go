package events

import (
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/eventbridge"

	"lifeline/local/aws/events/pattern"
	"lifeline/local/aws/events/schedule"
	"lifeline/local/aws/wire"
)

const maxRules = 300 // on a bus

// rule is a rule with its targets.
type rule struct {
	region, name, arn string
	description, role string
	state             string
	pattern           string
	wants             *pattern.Pattern // nil without a pattern
	expression        string
	schedule          *schedule.Schedule // nil without an expression
	turn              int                // counts changes, so that a timer knows its own
	tags              map[string]string
	targets           []*sdk.Target
}

func (r *rule) enabled() bool { return r.state != sdk.RuleStateDisabled }

// find gives a rule by name; e.mu is held.
func (e *Events) find(c *wire.Call, onBus, name *string) (*rule, error) {
	if err := e.checkBus(c, onBus); err != nil {
		return nil, err
	}
	r, ok := e.rules[place{c.Region, aws.StringValue(name)}]
	if !ok {
		return nil, notFound("Rule %s does not exist on EventBus %s.", aws.StringValue(name), bus)
	}
	return r, nil
}

// PutRule makes a rule or changes all of it but targets and tags.
func (e *Events) PutRule(c *wire.Call, in *sdk.PutRuleInput) (*sdk.PutRuleOutput, error) {
	if err := e.checkBus(c, in.EventBusName); err != nil {
		return nil, err
	}
	next, err := e.parse(c.Region, in)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	at := place{c.Region, next.name}
	if old, ok := e.rules[at]; ok {
		next.targets, next.tags, next.turn = old.targets, old.tags, old.turn+1
		old.turn = next.turn // its timer isn't the new rule's
	} else if err := e.admit(c.Region, next, in.Tags); err != nil {
		return nil, err
	}
	e.rules[at] = next
	e.arm(next, e.world.Now())
	return &sdk.PutRuleOutput{RuleArn: aws.String(next.arn)}, nil
}

func (e *Events) parse(region string, in *sdk.PutRuleInput) (*rule, error) {
	r := &rule{
		region: region, name: *in.Name, arn: e.arn(region, "rule/"+*in.Name), description: aws.StringValue(in.Description),
		role: aws.StringValue(in.RoleArn), pattern: aws.StringValue(in.EventPattern), expression: aws.StringValue(in.ScheduleExpression),
		state: sdk.RuleStateEnabled, tags: map[string]string{},
	}
	if in.State != nil {
		r.state = *in.State
	}
	if r.pattern == "" && r.expression == "" {
		return nil, wire.Invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	}
	if r.pattern != "" {
		wants, err := parsePattern(r.pattern)
		if err != nil {
			return nil, err
		}
		r.wants = wants
	}
	if r.expression != "" {
		s, err := schedule.Parse(r.expression)
		if err != nil {
			return nil, wire.Invalid("Parameter ScheduleExpression is not valid.")
		}
		r.schedule = &s
	}
	return r, nil
}

func parsePattern(text string) (*pattern.Pattern, error) {
	p, err := pattern.Parse(text)
	if err != nil {
		return nil, refuse(sdk.ErrCodeInvalidEventPatternException, "Event pattern is not valid. Reason: %v", err)
	}
	return p, nil
}

// admit checks a rule that wasn't there.
func (e *Events) admit(region string, r *rule, tags []*sdk.Tag) error {
	count := 0
	for at := range e.rules {
		if at.region == region {
			count++
		}
	}
	if count >= maxRules {
		return refuse(sdk.ErrCodeLimitExceededException, "The requested resource exceeds the maximum number allowed.")
	}
	return setTags(r.tags, tags)
}

func optional(v string) *string {
	if v == "" {
		return nil
	}
	return aws.String(v)
}

// DescribeRule tells about a rule.
func (e *Events) DescribeRule(c *wire.Call, in *sdk.DescribeRuleInput) (*sdk.DescribeRuleOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.find(c, in.EventBusName, in.Name)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeRuleOutput{
		Name: aws.String(r.name), Arn: aws.String(r.arn), State: aws.String(r.state), EventBusName: aws.String(bus), CreatedBy: aws.String(e.world.Account()),
		Description: optional(r.description), RoleArn: optional(r.role), EventPattern: optional(r.pattern), ScheduleExpression: optional(r.expression),
	}, nil
}

// ListRules lists the Region's rules.
func (e *Events) ListRules(c *wire.Call, in *sdk.ListRulesInput) (*sdk.ListRulesOutput, error) {
	if err := e.checkBus(c, in.EventBusName); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []*sdk.Rule
	for at, r := range e.rules {
		if at.region == c.Region && strings.HasPrefix(at.name, aws.StringValue(in.NamePrefix)) {
			all = append(all, &sdk.Rule{
				Name: aws.String(r.name), Arn: aws.String(r.arn), State: aws.String(r.state), EventBusName: aws.String(bus),
				Description: optional(r.description), RoleArn: optional(r.role), EventPattern: optional(r.pattern), ScheduleExpression: optional(r.expression),
			})
		}
	}
	found, next, err := page(in.NextToken, in.Limit, all, func(r *sdk.Rule) string { return *r.Name })
	return &sdk.ListRulesOutput{Rules: found, NextToken: next}, err
}

// EnableRule puts a rule in force.
func (e *Events) EnableRule(c *wire.Call, in *sdk.EnableRuleInput) (*sdk.EnableRuleOutput, error) {
	return nil, e.toggle(c, in.EventBusName, in.Name, sdk.RuleStateEnabled)
}

// DisableRule takes a rule out of force.
func (e *Events) DisableRule(c *wire.Call, in *sdk.DisableRuleInput) (*sdk.DisableRuleOutput, error) {
	return nil, e.toggle(c, in.EventBusName, in.Name, sdk.RuleStateDisabled)
}

func (e *Events) toggle(c *wire.Call, onBus, name *string, state string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.find(c, onBus, name)
	if err != nil {
		return err
	}
	if r.state != state {
		r.state = state
		r.turn++
		e.arm(r, e.world.Now())
	}
	return nil
}

// DeleteRule removes a rule without targets; one that isn't there is deleted
// already.
func (e *Events) DeleteRule(c *wire.Call, in *sdk.DeleteRuleInput) (*sdk.DeleteRuleOutput, error) {
	if err := e.checkBus(c, in.EventBusName); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	at := place{c.Region, *in.Name}
	r, ok := e.rules[at]
	switch {
	case !ok:
		return nil, nil
	case len(r.targets) > 0:
		return nil, wire.Invalid("Rule can't be deleted since it has targets.")
	}
	r.turn++
	delete(e.rules, at)
	return nil, nil
}

const maxTags = 50

func setTags(have map[string]string, tags []*sdk.Tag) error {
	next := maps.Clone(have)
	for _, t := range tags {
		if strings.HasPrefix(*t.Key, "aws:") {
			return wire.Invalid("Tag keys that start with aws: are reserved")
		}
		next[*t.Key] = *t.Value
	}
	if len(next) > maxTags {
		return wire.Invalid("A rule has %d tags at most", maxTags)
	}
	maps.Copy(have, next)
	return nil
}

// tagged gives the rule of an ARN.
func (e *Events) tagged(c *wire.Call, arn *string) (*rule, error) {
	name, ok := strings.CutPrefix(aws.StringValue(arn), e.arn(c.Region, "rule/"))
	r := e.rules[place{c.Region, strings.TrimPrefix(name, bus+"/")}]
	if !ok || r == nil {
		return nil, notFound("Resource %s does not exist.", aws.StringValue(arn))
	}
	return r, nil
}

// TagResource adds tags to a rule or changes their values.
func (e *Events) TagResource(c *wire.Call, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.tagged(c, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return nil, setTags(r.tags, in.Tags)
}

// UntagResource takes tags off a rule.
func (e *Events) UntagResource(c *wire.Call, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.tagged(c, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(r.tags, *key)
	}
	return nil, nil
}

// ListTagsForResource lists a rule's tags.
func (e *Events) ListTagsForResource(c *wire.Call, in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.tagged(c, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListTagsForResourceOutput{Tags: []*sdk.Tag{}}
	for key, value := range r.tags {
		out.Tags = append(out.Tags, &sdk.Tag{Key: aws.String(key), Value: aws.String(value)})
	}
	return out, nil
}
