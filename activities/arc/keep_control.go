package arc

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	data "github.com/aws/aws-sdk-go-v2/service/route53recoverycluster/types"
	config "github.com/aws/aws-sdk-go-v2/service/route53recoverycontrolconfig"
	"github.com/aws/aws-sdk-go-v2/service/route53recoverycontrolconfig/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

const controlPrefix = "control/"

func (k kept) controls(ctx context.Context, at cloud.At, panel string) ([]types.RoutingControl, error) {
	var out []types.RoutingControl
	in := &config.ListRoutingControlsInput{ControlPanelArn: aws.String(panel)}
	for {
		page, err := cloud.Call(ctx, at, k.clients(at.Region).ListRoutingControls, in)
		if err != nil {
			return nil, err
		}
		out = append(out, page.RoutingControls...)
		if aws.ToString(page.NextToken) == "" {
			return out, nil
		}
		in.NextToken = page.NextToken
	}
}

func (k kept) readControls(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found := map[string]runbook.ItemState{}
	for _, panel := range distinct(items, "panel") {
		all, err := k.controls(ctx, at, panel)
		if err != nil {
			return nil, err
		}
		for _, c := range all {
			found[aws.ToString(c.Name)] = runbook.ItemState{
				Found: true, Busy: busy(c.Status), Have: map[string]string{"panel": aws.ToString(c.ControlPanelArn)},
				Out: map[string]string{"arn": aws.ToString(c.RoutingControlArn)},
			}
		}
	}
	states := pick(items, found)
	for i, item := range items {
		if states[i].Found { // a panel belongs to one cluster
			states[i].Have["cluster"] = item.Want["cluster"]
		}
	}
	return states, nil
}

// writeControl makes a control. It is off, as all new ones are: the safety
// rule's keeper turns them on together.
func (k kept) writeControl(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateRoutingControl, &config.CreateRoutingControlInput{
		ClusterArn: aws.String(item.Want["cluster"]), ControlPanelArn: aws.String(item.Want["panel"]),
		RoutingControlName: aws.String(item.Name), ClientToken: token(item),
	})
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// fixedOfRule is what AWS lets nobody change of a safety rule; of its controls
// the number stands for all.
func fixedOfRule() []string {
	return []string{"panel", "type", "threshold", "inverted", "controls"}
}

func (k kept) readRules(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found := map[string]types.AssertionRule{}
	for _, panel := range distinct(items, "panel") {
		in := &config.ListSafetyRulesInput{ControlPanelArn: aws.String(panel)}
		for {
			page, err := cloud.Call(ctx, at, k.clients(at.Region).ListSafetyRules, in)
			if err != nil {
				return nil, err
			}
			for _, r := range page.SafetyRules {
				if r.ASSERTION != nil {
					found[aws.ToString(r.ASSERTION.Name)] = *r.ASSERTION
				}
			}
			if aws.ToString(page.NextToken) == "" {
				break
			}
			in.NextToken = page.NextToken
		}
	}
	out := make([]runbook.ItemState, len(items))
	for i, item := range items {
		out[i] = runbook.ItemState{ID: item.ID()}
		if r, ok := found[item.Name]; ok {
			out[i] = ruleState(item, r)
		}
	}
	return out, nil
}

// ruleState is a rule in the words of items.
func ruleState(item runbook.Item, r types.AssertionRule) runbook.ItemState {
	have := map[string]string{
		"cluster": item.Want["cluster"], "panel": aws.ToString(r.ControlPanelArn), "wait-ms": strconv.Itoa(int(aws.ToInt32(r.WaitPeriodMs))),
		"controls": strconv.Itoa(len(r.AssertedControls)),
	}
	if c := r.RuleConfig; c != nil {
		have["type"], have["threshold"], have["inverted"] = string(c.Type), strconv.Itoa(int(aws.ToInt32(c.Threshold))), strconv.FormatBool(aws.ToBool(c.Inverted))
	}
	for key, arn := range item.Want {
		if strings.HasPrefix(key, controlPrefix) && slices.Contains(r.AssertedControls, arn) {
			have[key] = arn
		}
	}
	return runbook.ItemState{ID: item.ID(), Found: true, Busy: busy(r.Status), Have: have, Out: map[string]string{"arn": aws.ToString(r.SafetyRuleArn)}}
}

// asserted are the controls of a rule, by ARN.
func asserted(item runbook.Item) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(item.Want)) {
		if strings.HasPrefix(key, controlPrefix) {
			out = append(out, item.Want[key])
		}
	}
	return out
}

// writeRule makes the rule that keeps a Region on, or changes its wait. Before
// it makes one it lets every Region serve: new controls are off, and the rule
// would watch that.
func (k kept) writeRule(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	wait, err := strconv.ParseInt(item.Want["wait-ms"], 10, 32)
	if err != nil {
		return "", cloud.Errorf(cloud.Invalid, "wait of safety rule %q: %w", item.Name, err)
	}
	if have.Found {
		return k.updateRule(ctx, at, item, have, int32(wait))
	}
	if err := k.turnOn(ctx, at, item); err != nil {
		return "", fmt.Errorf("turn new routing controls on: %w", err)
	}
	threshold, err := strconv.ParseInt(item.Want["threshold"], 10, 32)
	if err != nil {
		return "", cloud.Errorf(cloud.Invalid, "threshold of safety rule %q: %w", item.Name, err)
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateSafetyRule, &config.CreateSafetyRuleInput{
		ClientToken: token(item), Tags: tags(item),
		AssertionRule: &types.NewAssertionRule{
			Name: aws.String(item.Name), ControlPanelArn: aws.String(item.Want["panel"]), AssertedControls: asserted(item), WaitPeriodMs: aws.Int32(int32(wait)),
			RuleConfig: &types.RuleConfig{
				Type: types.RuleType(item.Want["type"]), Threshold: aws.Int32(int32(threshold)), Inverted: aws.Bool(item.Want["inverted"] == "true"),
			},
		},
	})
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

func (k kept) updateRule(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState, wait int32) (string, error) {
	if slices.ContainsFunc(item.Difference(have), func(p runbook.Property) bool { return strings.HasPrefix(p.Name, controlPrefix) }) {
		return "", cloud.Errorf(cloud.Invalid, "safety rule %q asserts other routing controls, and AWS lets nobody change that: replace it by hand", item.Name)
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).UpdateSafetyRule, &config.UpdateSafetyRuleInput{
		AssertionRuleUpdate: &types.AssertionRuleUpdate{SafetyRuleArn: aws.String(have.Out["arn"]), Name: aws.String(item.Name), WaitPeriodMs: aws.Int32(wait)},
	})
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// turnOn lets every Region serve when all of them are off, which is how controls
// begin and what no runbook ever leaves behind. One that is off beside another
// that is on was evacuated: it stays off.
func (k kept) turnOn(ctx context.Context, at cloud.At, item runbook.Item) error {
	home, err := k.cluster(ctx, at, item.Want["cluster"])
	if err != nil {
		return err
	}
	var off, on []entry
	for _, arn := range asserted(item) {
		off = append(off, entry{arn, data.RoutingControlStateOff})
		on = append(on, entry{arn, data.RoutingControlStateOn})
	}
	c := cluster{Steps: k.steps, in: ControlSwitch{Endpoints: endpoints(home)}, order: endpoints(home)}
	if len(c.order) == 0 {
		return cloud.Errorf(cloud.NotYet, "the cluster has no endpoints")
	}
	allOff, _, err := c.read(ctx, off)
	if err != nil || !allOff {
		return err
	}
	_, err = c.update(ctx, on)
	return err
}
