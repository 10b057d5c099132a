package events

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/eventbridge"

	"lifeline/local/aws/wire"
)

const maxTargets = 5 // of a rule

// PutTargets adds targets to a rule; one of the same id is replaced.
func (e *Events) PutTargets(c *wire.Call, in *sdk.PutTargetsInput) (*sdk.PutTargetsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.find(c, in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	next := slices.Clone(r.targets)
	for _, t := range in.Targets {
		if err := e.checkTarget(c.Region, t); err != nil {
			return nil, err
		}
		next = slices.DeleteFunc(next, func(o *sdk.Target) bool { return *o.Id == *t.Id })
		next = append(next, t)
	}
	if len(next) > maxTargets {
		return nil, refuse(sdk.ErrCodeLimitExceededException, "The requested resource exceeds the maximum number allowed.")
	}
	r.targets = next
	return &sdk.PutTargetsOutput{FailedEntryCount: aws.Int64(0), FailedEntries: []*sdk.PutTargetsResultEntry{}}, nil
}

func (e *Events) checkTarget(region string, t *sdk.Target) error {
	parts := strings.SplitN(*t.Arn, ":", 6)
	switch {
	case len(parts) < 6 || parts[0] != "arn":
		return wire.Invalid("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", *t.Arn)
	case parts[2] != "sns" && (parts[2] != "lambda" || !strings.HasPrefix(parts[5], "function:")):
		return wire.Invalid("Parameter %s is not valid. Reason: the simulated EventBridge delivers to SNS topics and Lambda functions.", *t.Arn)
	case parts[3] != region:
		return wire.Invalid("Parameter %s is not valid. Reason: the target must be in the Region of the rule.", *t.Arn)
	}
	return checkInput(t)
}

// checkInput refuses what can't be made of an event.
func checkInput(t *sdk.Target) error {
	given := 0
	for _, there := range []bool{t.Input != nil, t.InputPath != nil, t.InputTransformer != nil} {
		if there {
			given++
		}
	}
	switch {
	case given > 1:
		return wire.Invalid("Only one of Input, InputPath, or InputTransformer must be provided for target %s.", *t.Id)
	case t.Input != nil && !json.Valid([]byte(*t.Input)):
		return wire.Invalid("JSON syntax error in input for target %s", *t.Id)
	case t.InputPath != nil:
		return checkPath(*t.Id, *t.InputPath)
	case t.InputTransformer == nil:
		return nil
	}
	for _, path := range t.InputTransformer.InputPathsMap {
		if err := checkPath(*t.Id, aws.StringValue(path)); err != nil {
			return err
		}
	}
	return checkTemplate(t)
}

func checkPath(id, path string) error {
	if _, err := parsePath(path); err != nil {
		return wire.Invalid("Invalid JSONPath %s for target %s: %v", path, id, err)
	}
	return nil
}

func placeholder() *regexp.Regexp { return regexp.MustCompile(`<([A-Za-z0-9_.-]+)>`) }

// checkTemplate refuses a template that asks for what its paths don't give.
func checkTemplate(t *sdk.Target) error {
	for _, found := range placeholder().FindAllStringSubmatch(*t.InputTransformer.InputTemplate, -1) {
		_, given := t.InputTransformer.InputPathsMap[found[1]]
		if !given && !strings.HasPrefix(found[1], "aws.events.") {
			return wire.Invalid("InputTemplate for target %s contains the placeholder %s, which no path defines", *t.Id, found[1])
		}
	}
	return nil
}

// RemoveTargets takes targets off a rule.
func (e *Events) RemoveTargets(c *wire.Call, in *sdk.RemoveTargetsInput) (*sdk.RemoveTargetsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.find(c, in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	ids := aws.StringValueSlice(in.Ids)
	r.targets = slices.DeleteFunc(slices.Clone(r.targets), func(t *sdk.Target) bool { return slices.Contains(ids, *t.Id) })
	return &sdk.RemoveTargetsOutput{FailedEntryCount: aws.Int64(0), FailedEntries: []*sdk.RemoveTargetsResultEntry{}}, nil
}

// ListTargetsByRule lists a rule's targets.
func (e *Events) ListTargetsByRule(c *wire.Call, in *sdk.ListTargetsByRuleInput) (*sdk.ListTargetsByRuleOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.find(c, in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	// A target is never changed once it is stored, so that it can be given away.
	found, next, err := page(in.NextToken, in.Limit, r.targets, func(t *sdk.Target) string { return *t.Id })
	return &sdk.ListTargetsByRuleOutput{Targets: found, NextToken: next}, err
}

// ListRuleNamesByTarget lists the rules that deliver to a target.
func (e *Events) ListRuleNamesByTarget(c *wire.Call, in *sdk.ListRuleNamesByTargetInput) (*sdk.ListRuleNamesByTargetOutput, error) {
	if err := e.checkBus(c, in.EventBusName); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var names []string
	for at, r := range e.rules {
		if at.region == c.Region && slices.ContainsFunc(r.targets, func(t *sdk.Target) bool { return *t.Arn == *in.TargetArn }) {
			names = append(names, r.name)
		}
	}
	found, next, err := page(in.NextToken, in.Limit, names, func(name string) string { return name })
	return &sdk.ListRuleNamesByTargetOutput{RuleNames: aws.StringSlice(found), NextToken: next}, err
}
