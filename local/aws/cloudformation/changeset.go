package cloudformation

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/cloudformation"

	"lifeline/local/aws/cloudformation/template"
	"lifeline/local/aws/wire"
)

const (
	comparing = 3 * time.Second // how long a change set takes to be worked out
	// noChanges is the reason by which callers tell a change set that failed from
	// one that wasn't needed.
	noChanges = "The submitted information didn't contain changes. Submit different information to create a change set."
	// unknownValue stands for what only deploying can tell.
	unknownValue = "{{changeSet:KNOWN_AFTER_APPLY}}"
)

// changeSet is a change set; guarded by CloudFormation.mu.
type changeSet struct {
	id, name, kind, description string
	stack                       *stack
	design                      *design
	created                     time.Time
	status, reason              string
	execution                   string
	onFailure                   string
	changes                     []*change
}

// CreateChangeSet begins to work out what a deployment would change.
func (c *CloudFormation) CreateChangeSet(call *wire.Call, in *sdk.CreateChangeSetInput) (*sdk.CreateChangeSetOutput, error) {
	kind := cmp.Or(aws.StringValue(in.ChangeSetType), sdk.ChangeSetTypeUpdate)
	if !regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`).MatchString(aws.StringValue(in.ChangeSetName)) {
		return nil, invalid("1 validation error detected: Value '%s' at 'changeSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", aws.StringValue(in.ChangeSetName))
	}
	c.mu.Lock()
	previous, err := c.mayCompare(call.Region, in.StackName, kind, *in.ChangeSetName)
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	d, err := c.design(request{
		body: in.TemplateBody, url: in.TemplateURL, usePrevious: in.UsePreviousTemplate, parameters: in.Parameters, tags: in.Tags,
		capabilities: in.Capabilities, notify: in.NotificationARNs, role: in.RoleARN, previous: previous,
	})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.mayCompare(call.Region, in.StackName, kind, *in.ChangeSetName); err != nil {
		return nil, err // somebody was quicker
	}
	s, err := c.current(call.Region, in.StackName)
	if err != nil {
		s = c.open(call.Region, *in.StackName)
		c.enter(s, sdk.StackStatusReviewInProgress, "User Initiated")
	}
	set := &changeSet{
		id: c.arn(call.Region, "changeSet", *in.ChangeSetName), name: *in.ChangeSetName, kind: kind, description: aws.StringValue(in.Description),
		stack: s, design: d, created: c.world.Now(), status: sdk.ChangeSetStatusCreateInProgress, execution: sdk.ExecutionStatusUnavailable,
		onFailure: aws.StringValue(in.OnStackFailure),
	}
	c.changes = append(c.changes, set)
	c.world.After(comparing, func() { c.work(set) })
	return &sdk.CreateChangeSetOutput{Id: aws.String(set.id), StackId: aws.String(s.id)}, nil
}

// mayCompare refuses change sets that don't fit the state of the stack, and gives
// the design that the stack has; c.mu is held.
func (c *CloudFormation) mayCompare(region string, name *string, kind, set string) (*design, error) {
	s, err := c.current(region, name)
	switch {
	case kind == sdk.ChangeSetTypeImport:
		return nil, invalid("Importing resources is not simulated")
	case err != nil && kind == sdk.ChangeSetTypeCreate:
		return nil, checkStackName(aws.StringValue(name))
	case err != nil:
		return nil, err
	case kind == sdk.ChangeSetTypeCreate && s.status != sdk.StackStatusReviewInProgress:
		return nil, invalid("Stack [%s] already exists and cannot be created again with the changeSet [%s].", s.name, set)
	case kind == sdk.ChangeSetTypeUpdate:
		if err := s.updatable(); err != nil {
			return nil, err
		}
	}
	if other, err := c.findChangeSet(region, name, &set); err == nil && spent(other) == "" {
		return nil, refuse(sdk.ErrCodeAlreadyExistsException, "ChangeSet %s already exists", other.name)
	}
	return s.design, nil
}

// work compares, off the caller's call as on AWS.
func (c *CloudFormation) work(set *changeSet) {
	result, err := c.compare(set.stack, set.design)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		set.status, set.reason = sdk.ChangeSetStatusFailed, err.Error()
	case result.nothing():
		set.status, set.reason = sdk.ChangeSetStatusFailed, noChanges
	default:
		set.status, set.execution, set.changes = sdk.ChangeSetStatusCreateComplete, sdk.ExecutionStatusAvailable, result.changes
	}
}

// findChangeSet gives one by id, or by name and stack; c.mu is held.
func (c *CloudFormation) findChangeSet(region string, stackName, nameOrID *string) (*changeSet, error) {
	want := aws.StringValue(nameOrID)
	for _, set := range slices.Backward(c.changes) {
		s := set.stack
		named := set.name == want && stackName != nil && (s.name == *stackName || s.id == *stackName) && !s.gone()
		if s.region == region && (set.id == want || named) {
			return set, nil
		}
	}
	if stackName == nil && !strings.HasPrefix(want, "arn:") {
		return nil, invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
	}
	return nil, refuse(sdk.ErrCodeChangeSetNotFoundException, "ChangeSet [%s] does not exist", want)
}

// DescribeChangeSet tells what a change set would do.
func (c *CloudFormation) DescribeChangeSet(call *wire.Call, in *sdk.DescribeChangeSetInput) (*sdk.DescribeChangeSetOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	set, err := c.findChangeSet(call.Region, in.StackName, in.ChangeSetName)
	if err != nil {
		return nil, err
	}
	var all []*sdk.Change
	for _, ch := range set.changes {
		all = append(all, ch.describe(aws.BoolValue(in.IncludePropertyValues)))
	}
	found, next, err := page(all, in.NextToken)
	return &sdk.DescribeChangeSetOutput{
		ChangeSetId: aws.String(set.id), ChangeSetName: aws.String(set.name), StackId: aws.String(set.stack.id), StackName: aws.String(set.stack.name),
		Description: text(set.description), CreationTime: aws.Time(set.created), Status: aws.String(set.status), StatusReason: text(set.reason),
		ExecutionStatus: aws.String(set.execution), Parameters: set.design.parameters(), Tags: describeTags(set.design.tags),
		Capabilities: aws.StringSlice(set.design.capabilities), Changes: found, NextToken: next, OnStackFailure: text(set.onFailure),
		RollbackConfiguration: &sdk.RollbackConfiguration{}, IncludeNestedStacks: aws.Bool(false),
	}, err
}

func (c *change) describe(values bool) *sdk.Change {
	out := &sdk.ResourceChange{
		Action: aws.String(c.action), LogicalResourceId: aws.String(c.logical), PhysicalResourceId: text(c.physical), ResourceType: aws.String(c.kind),
		Replacement: text(c.replacement), PolicyAction: text(c.policy), Scope: aws.StringSlice(c.scope),
	}
	for _, d := range c.details {
		copied, target := *d, *d.Target
		copied.Target = &target
		if !values {
			target.BeforeValue, target.AfterValue, target.Path, target.AttributeChangeType = nil, nil, nil, nil
		}
		out.Details = append(out.Details, &copied)
	}
	if values && c.before != nil {
		out.BeforeContext = aws.String(contextOf(c.before))
	}
	if values && c.after != nil {
		out.AfterContext = aws.String(contextOf(c.after))
	}
	return &sdk.Change{Type: aws.String(sdk.ChangeTypeResource), ResourceChange: out}
}

func contextOf(p props) string { return shown(map[string]any{"Properties": map[string]any(p)}) }

// shown is a value as JSON, or as itself when it is a scalar.
func shown(v any) string {
	switch v.(type) {
	case []any, map[string]any:
		raw, err := json.Marshal(known(v))
		if err != nil {
			return ""
		}
		return string(raw)
	case template.Unknown:
		return unknownValue
	}
	return template.Text(v)
}

// known puts words where a value is not known yet.
func known(v any) any {
	switch v := v.(type) {
	case template.Unknown:
		return unknownValue
	case []any:
		out := []any{}
		for _, item := range v {
			out = append(out, known(item))
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key, item := range v {
			out[key] = known(item)
		}
		return out
	}
	return v
}

// ListChangeSets lists the change sets of a stack, newest first.
func (c *CloudFormation) ListChangeSets(call *wire.Call, in *sdk.ListChangeSetsInput) (*sdk.ListChangeSetsOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.current(call.Region, in.StackName)
	if err != nil {
		return nil, err
	}
	var all []*sdk.ChangeSetSummary
	for _, set := range slices.Backward(c.changes) {
		if set.stack == s && set.execution != sdk.ExecutionStatusExecuteComplete {
			all = append(all, &sdk.ChangeSetSummary{
				ChangeSetId: aws.String(set.id), ChangeSetName: aws.String(set.name), StackId: aws.String(s.id), StackName: aws.String(s.name),
				Description: text(set.description), CreationTime: aws.Time(set.created), Status: aws.String(set.status), StatusReason: text(set.reason),
				ExecutionStatus: aws.String(set.execution), IncludeNestedStacks: aws.Bool(false),
			})
		}
	}
	found, next, err := page(all, in.NextToken)
	return &sdk.ListChangeSetsOutput{Summaries: found, NextToken: next}, err
}

// ExecuteChangeSet begins to deploy what a change set describes; the stack's other
// change sets are gone with it, since they no longer tell the truth.
func (c *CloudFormation) ExecuteChangeSet(call *wire.Call, in *sdk.ExecuteChangeSetInput) (*sdk.ExecuteChangeSetOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	set, err := c.findChangeSet(call.Region, in.StackName, in.ChangeSetName)
	if err != nil {
		return nil, err
	}
	s := set.stack
	if set.status != sdk.ChangeSetStatusCreateComplete || set.execution != sdk.ExecutionStatusAvailable {
		return nil, refuse(sdk.ErrCodeInvalidChangeSetStatusException, "ChangeSet [%s] cannot be executed in its current status of [%s]", set.id, cmp.Or(spent(set), set.status))
	}
	status := sdk.StackStatusCreateInProgress
	if set.kind == sdk.ChangeSetTypeUpdate {
		if err := s.updatable(); err != nil {
			return nil, err
		}
		status = sdk.StackStatusUpdateInProgress
	}
	s.onFailure = cmp.Or(set.onFailure, sdk.OnFailureRollback)
	if aws.BoolValue(in.DisableRollback) {
		s.onFailure = sdk.OnFailureDoNothing
	}
	s.changeSet, s.token = set.id, aws.StringValue(in.ClientRequestToken)
	set.execution = sdk.ExecutionStatusExecuteComplete
	c.changes = slices.DeleteFunc(c.changes, func(o *changeSet) bool { return o.stack == s && o != set })
	c.launch(s, set.design, status)
	return nil, nil
}

// spent is the execution status of a change set that was executed.
func spent(set *changeSet) string {
	if set.execution == sdk.ExecutionStatusExecuteComplete {
		return set.execution
	}
	return ""
}

// DeleteChangeSet forgets a change set; one that doesn't exist is forgotten already.
func (c *CloudFormation) DeleteChangeSet(call *wire.Call, in *sdk.DeleteChangeSetInput) (*sdk.DeleteChangeSetOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	set, err := c.findChangeSet(call.Region, in.StackName, in.ChangeSetName)
	if err != nil {
		if code, _ := codeOf(err); code == sdk.ErrCodeChangeSetNotFoundException {
			return nil, nil
		}
		return nil, err
	}
	if set.status == sdk.ChangeSetStatusCreateInProgress {
		return nil, refuse(sdk.ErrCodeInvalidChangeSetStatusException, "ChangeSet [%s] cannot be deleted in its current status of [%s]", set.id, set.status)
	}
	c.changes = slices.DeleteFunc(c.changes, func(o *changeSet) bool { return o == set })
	return nil, nil
}
