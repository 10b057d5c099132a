package arc

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	config "github.com/aws/aws-sdk-go/service/route53recoverycontrolconfig"

	"lifeline/local/aws/wire"
)

// rule is a safety rule. An assertion looks at what its controls would be after
// a change; a gate looks at its controls before it lets targets change.
type rule struct {
	arn, name, panel string
	gate             bool
	controls         []string // asserted or gating
	targets          []string // gates only
	config           config.RuleConfig
	wait             time.Duration
	status           string
	changed          time.Time // last change of a control that the rule watches over
}

func (a *ARC) createSafetyRule(_ *wire.Call, in *config.CreateSafetyRuleInput) (*config.CreateSafetyRuleOutput, error) {
	r, err := draft(in)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if old, ok := repeated(a, in.ClientToken, a.rules); ok {
		assertion, gating := a.shown(old)
		return &config.CreateSafetyRuleOutput{AssertionRule: assertion, GatingRule: gating}, nil
	}
	if err := a.checkRule(r); err != nil {
		return nil, err
	}
	r.arn, r.status = r.panel+"/safetyrule/"+hex(16), config.StatusPending
	a.rules[r.arn] = r
	a.remember(r.arn, in.ClientToken, in.Tags)
	assertion, gating := a.shown(r)
	a.deploy(a.o.Deploy, func() { r.status = config.StatusDeployed })
	return &config.CreateSafetyRuleOutput{AssertionRule: assertion, GatingRule: gating}, nil
}

func draft(in *config.CreateSafetyRuleInput) (*rule, error) {
	switch {
	case (in.AssertionRule == nil) == (in.GatingRule == nil):
		return nil, invalid("Exactly one of AssertionRule and GatingRule must be given.")
	case in.AssertionRule != nil:
		n := in.AssertionRule
		return &rule{
			name: *n.Name, panel: *n.ControlPanelArn, controls: aws.StringValueSlice(n.AssertedControls),
			config: *n.RuleConfig, wait: time.Duration(*n.WaitPeriodMs) * time.Millisecond,
		}, nil
	default:
		n := in.GatingRule
		return &rule{
			name: *n.Name, panel: *n.ControlPanelArn, gate: true, controls: aws.StringValueSlice(n.GatingControls),
			targets: aws.StringValueSlice(n.TargetControls), config: *n.RuleConfig, wait: time.Duration(*n.WaitPeriodMs) * time.Millisecond,
		}, nil
	}
}

func (a *ARC) checkRule(r *rule) error {
	if err := checkName("Name", r.name); err != nil {
		return err
	}
	if _, err := a.panel(r.panel); err != nil {
		return err
	}
	if len(r.controls) == 0 || r.gate && len(r.targets) == 0 {
		return invalid("A safety rule must name at least one routing control of each kind.")
	}
	if t := *r.config.Threshold; *r.config.Type == config.RuleTypeAtleast && (t < 1 || t > int64(len(r.controls))) {
		return invalid("The threshold of an ATLEAST rule must be between 1 and the number of its routing controls, not %d.", t)
	}
	if r.wait < 0 {
		return invalid("WaitPeriodMs must not be negative.")
	}
	n := 0
	for _, other := range a.rules {
		if other.panel != r.panel {
			continue
		}
		n++
		if other.name == r.name {
			return conflict("A safety rule with the name %s already exists.", r.name)
		}
	}
	if n >= maxRules {
		return overQuota("The control panel has %d safety rules already.", maxRules)
	}
	for _, arn := range slices.Concat(r.controls, r.targets) {
		c, err := a.control(arn)
		if err != nil {
			return err
		}
		if *c.ControlPanelArn != r.panel {
			return invalid("Routing control %s is in another control panel than the safety rule.", arn)
		}
	}
	return nil
}

// shown is a rule as the API shows it: one of the two is nil.
func (a *ARC) shown(r *rule) (*config.AssertionRule, *config.GatingRule) {
	rc := r.config
	wait := r.wait.Milliseconds()
	name, status := r.name, r.status
	owner := a.world.Account()
	if !r.gate {
		return &config.AssertionRule{
			SafetyRuleArn: &r.arn, ControlPanelArn: &r.panel, Name: &name, Status: &status, Owner: &owner,
			AssertedControls: aws.StringSlice(r.controls), RuleConfig: &rc, WaitPeriodMs: &wait,
		}, nil
	}
	return nil, &config.GatingRule{
		SafetyRuleArn: &r.arn, ControlPanelArn: &r.panel, Name: &name, Status: &status, Owner: &owner,
		GatingControls: aws.StringSlice(r.controls), TargetControls: aws.StringSlice(r.targets), RuleConfig: &rc, WaitPeriodMs: &wait,
	}
}

func (a *ARC) rule(arn string) (*rule, error) {
	r, ok := a.rules[arn]
	if !ok {
		return nil, notFound("Safety rule", arn)
	}
	return r, nil
}

func (a *ARC) describeSafetyRule(_ *wire.Call, in *config.DescribeSafetyRuleInput) (*config.DescribeSafetyRuleOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, err := a.rule(*in.SafetyRuleArn)
	if err != nil {
		return nil, err
	}
	assertion, gating := a.shown(r)
	return &config.DescribeSafetyRuleOutput{AssertionRule: assertion, GatingRule: gating}, nil
}

func (a *ARC) listSafetyRules(_ *wire.Call, in *config.ListSafetyRulesInput) (*config.ListSafetyRulesOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, err := a.panel(*in.ControlPanelArn); err != nil {
		return nil, err
	}
	all, next, err := list(a, a.rules, func(r *rule) bool { return r.panel == *in.ControlPanelArn }, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &config.ListSafetyRulesOutput{NextToken: next, SafetyRules: []*config.Rule{}}
	for _, r := range all {
		assertion, gating := a.shown(r)
		out.SafetyRules = append(out.SafetyRules, &config.Rule{ASSERTION: assertion, GATING: gating})
	}
	return out, nil
}

func (a *ARC) updateSafetyRule(_ *wire.Call, in *config.UpdateSafetyRuleInput) (*config.UpdateSafetyRuleOutput, error) {
	arn, name, wait, gate := "", "", int64(0), in.GatingRuleUpdate != nil
	switch {
	case gate == (in.AssertionRuleUpdate != nil):
		return nil, invalid("Exactly one of AssertionRuleUpdate and GatingRuleUpdate must be given.")
	case gate:
		arn, name, wait = *in.GatingRuleUpdate.SafetyRuleArn, *in.GatingRuleUpdate.Name, *in.GatingRuleUpdate.WaitPeriodMs
	default:
		arn, name, wait = *in.AssertionRuleUpdate.SafetyRuleArn, *in.AssertionRuleUpdate.Name, *in.AssertionRuleUpdate.WaitPeriodMs
	}
	if err := checkName("Name", name); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	r, err := a.rule(arn)
	if err != nil {
		return nil, err
	}
	if r.gate != gate || wait < 0 {
		return nil, invalid("Safety rule %s is of the other kind, or the wait period is negative.", arn)
	}
	r.name, r.wait = name, time.Duration(wait)*time.Millisecond
	assertion, gating := a.shown(r)
	return &config.UpdateSafetyRuleOutput{AssertionRule: assertion, GatingRule: gating}, nil
}

func (a *ARC) deleteSafetyRule(_ *wire.Call, in *config.DeleteSafetyRuleInput) (*config.DeleteSafetyRuleOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, err := a.rule(*in.SafetyRuleArn)
	if err != nil {
		return nil, err
	}
	r.status = config.StatusPendingDeletion
	a.deploy(a.o.Deploy, func() {
		delete(a.rules, r.arn)
		a.forget(r.arn)
	})
	return &config.DeleteSafetyRuleOutput{}, nil
}
