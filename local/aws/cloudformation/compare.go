package cloudformation

import (
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/cloudformation"

	"lifeline/local/aws/cloudformation/template"
)

// comparison is how a stack differs from a design.
type comparison struct {
	changes []*change
	outputs bool // outputs differ
	tags    bool // the stack's own tags differ
}

func (c comparison) nothing() bool { return len(c.changes) == 0 && !c.outputs && !c.tags }

// change is what a deployment would do to one resource.
type change struct {
	action        string // Add, Modify or Remove
	logical, kind string
	physical      string
	replacement   string // of a Modify: True, False or Conditional
	policy        string // what becomes of the resource that goes
	scope         []string
	details       []*sdk.ResourceChangeDetail
	before, after props
}

// comparer works a comparison out, resource by resource in the order of their
// dependencies, so that it knows which values are yet to come.
type comparer struct {
	cf      *CloudFormation
	stack   *stack
	old     *design // nil for a stack without a template
	next    *design
	scope   *template.Scope
	planned map[string]*change
	live    map[string]*resource
}

// compare says what a deployment of a design would change.
func (c *CloudFormation) compare(s *stack, next *design) (comparison, error) {
	p := &comparer{cf: c, stack: s, next: next, planned: map[string]*change{}, live: map[string]*resource{}}
	c.mu.Lock()
	p.old = s.design
	for _, r := range s.live() {
		copied := *r
		p.live[r.logical] = &copied
	}
	p.scope = c.scope(s, next, foresight{resource: p.foresee})
	c.mu.Unlock()
	out := comparison{tags: p.old != nil && !maps.Equal(p.old.tags, next.tags)}
	wanted := map[string]bool{}
	for _, r := range next.template.Order() {
		is, err := p.scope.Holds(r.Condition)
		if err != nil {
			return out, fmt.Errorf("%w", err)
		}
		if !is {
			continue
		}
		wanted[r.Name] = true
		made, err := p.resource(r)
		if err != nil {
			return out, err
		}
		if made != nil {
			p.planned[r.Name] = made
			out.changes = append(out.changes, made)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.live)) {
		if !wanted[name] {
			out.changes = append(out.changes, removal(p.live[name]))
		}
	}
	differ, err := p.outputs()
	out.outputs = differ
	return out, err
}

// foresee answers for resources that will be other than they are.
func (p *comparer) foresee(name, attribute string) (any, bool) {
	planned, live := p.planned[name], p.live[name]
	switch {
	case live == nil:
		return template.Unknown{}, true
	case planned == nil:
		return nil, false
	case planned.replacement == sdk.ReplacementTrue || planned.replacement == sdk.ReplacementConditional:
		return template.Unknown{}, true
	case slices.Contains(p.cf.kinds[live.kind].volatile, attribute):
		return template.Unknown{}, true
	}
	return nil, false
}

func (p *comparer) resource(want *template.Resource) (*change, error) {
	v, err := p.scope.Value(want.Properties)
	if err != nil {
		return nil, fmt.Errorf("%w", err)
	}
	after, _ := v.(map[string]any)
	live := p.live[want.Name]
	if live == nil {
		return &change{action: sdk.ChangeActionAdd, logical: want.Name, kind: want.Type, after: after}, nil
	}
	if live.kind != want.Type {
		return nil, fmt.Errorf("Update of resource type is not permitted. The new template modifies resource type of the following resources: [%s]", want.Name) //nolint:staticcheck // AWS's words
	}
	out := &change{
		action: sdk.ChangeActionModify, logical: want.Name, kind: want.Type, physical: live.physical, replacement: sdk.ReplacementFalse,
		before: live.props, after: after,
	}
	for _, name := range changed(live.props, after) {
		out.details = append(out.details, p.detail(want, live, name, after[name]))
	}
	p.attributes(out, want, live)
	if len(out.details) == 0 {
		return nil, nil //nolint:nilnil // nothing changes
	}
	out.weigh(live)
	return out, nil
}

// weigh says from the details whether the resource is replaced.
func (c *change) weigh(live *resource) {
	for _, d := range c.details {
		if attribute := *d.Target.Attribute; !slices.Contains(c.scope, attribute) {
			c.scope = append(c.scope, attribute)
		}
		switch {
		case aws.StringValue(d.Target.RequiresRecreation) != sdk.RequiresRecreationAlways:
		case *d.Evaluation == sdk.EvaluationTypeStatic:
			c.replacement = sdk.ReplacementTrue
		case c.replacement == sdk.ReplacementFalse:
			c.replacement = sdk.ReplacementConditional
		}
	}
	if c.replacement == sdk.ReplacementTrue {
		c.policy = sdk.PolicyActionReplaceAndDelete
		if live.replacePolicy == "Retain" {
			c.policy = sdk.PolicyActionReplaceAndRetain
		}
	}
}

// detail tells which property changes, and what changes it.
func (p *comparer) detail(want *template.Resource, live *resource, name string, after any) *sdk.ResourceChangeDetail {
	recreation, evaluation := sdk.RequiresRecreationNever, sdk.EvaluationTypeStatic
	if slices.Contains(p.cf.kinds[want.Type].fixed, name) {
		recreation = sdk.RequiresRecreationAlways
	}
	if template.HasUnknown(after) {
		evaluation = sdk.EvaluationTypeDynamic
	}
	source, entity := p.cause(want, name)
	out := &sdk.ResourceChangeDetail{
		ChangeSource: aws.String(source), CausingEntity: text(entity), Evaluation: aws.String(evaluation),
		Target: &sdk.ResourceTargetDefinition{
			Attribute: aws.String(sdk.ResourceAttributeProperties), Name: aws.String(name), RequiresRecreation: aws.String(recreation),
			Path: aws.String("/Properties/" + name), AttributeChangeType: aws.String(changeType(live.props[name], after)),
		},
	}
	if _, was := live.props[name]; was {
		out.Target.BeforeValue = aws.String(shown(live.props[name]))
	}
	if after != nil {
		out.Target.AfterValue = aws.String(shown(after))
	}
	return out
}

func changeType(before, after any) string {
	switch {
	case before == nil:
		return sdk.AttributeChangeTypeAdd
	case after == nil:
		return sdk.AttributeChangeTypeRemove
	default:
		return sdk.AttributeChangeTypeModify
	}
}

// cause is why a property changes: its text in the template, a parameter, or
// another resource.
func (p *comparer) cause(want *template.Resource, name string) (source, entity string) {
	now := want.Properties.Get(name)
	var before *template.Node
	if p.old != nil {
		if r := p.old.template.Resource(want.Name); r != nil {
			before = r.Properties.Get(name)
		}
	}
	if !template.SameText(before, now) {
		return sdk.ChangeSourceDirectModification, ""
	}
	for _, ref := range now.References() {
		coming := false
		if p.next.template.Resource(ref.Name) != nil {
			_, coming = p.foresee(ref.Name, ref.Attribute)
		}
		switch {
		case ref.Kind == "Ref" && p.next.template.Parameter(ref.Name) != nil:
			if !template.Same(p.old.values[ref.Name], p.next.values[ref.Name]) {
				return sdk.ChangeSourceParameterReference, ref.Name
			}
		case ref.Kind == "Ref" && coming:
			return sdk.ChangeSourceResourceReference, ref.Name
		case ref.Kind == "GetAtt" && coming:
			return sdk.ChangeSourceResourceAttribute, ref.Name + "." + ref.Attribute
		}
	}
	return sdk.ChangeSourceDirectModification, ""
}

// attributes adds what changes beside properties: policies, and the stack's tags.
func (p *comparer) attributes(c *change, want *template.Resource, live *resource) {
	add := func(attribute string) {
		c.details = append(c.details, &sdk.ResourceChangeDetail{
			ChangeSource: aws.String(sdk.ChangeSourceDirectModification), Evaluation: aws.String(sdk.EvaluationTypeStatic),
			Target: &sdk.ResourceTargetDefinition{Attribute: aws.String(attribute), RequiresRecreation: aws.String(sdk.RequiresRecreationNever)},
		})
	}
	if want.DeletionPolicy != live.deletionPolicy {
		add(sdk.ResourceAttributeDeletionPolicy)
	}
	if want.UpdateReplacePolicy != live.replacePolicy {
		add(sdk.ResourceAttributeUpdateReplacePolicy)
	}
	if !maps.Equal(p.cf.kinds[want.Type].tagsOf(p.next), live.tags) {
		add(sdk.ResourceAttributeTags)
	}
}

func removal(live *resource) *change {
	policy := sdk.PolicyActionDelete
	if live.deletionPolicy == "Retain" || live.deletionPolicy == "RetainExceptOnCreate" {
		policy = sdk.PolicyActionRetain
	}
	return &change{
		action: sdk.ChangeActionRemove, logical: live.logical, kind: live.kind, physical: live.physical, policy: policy, before: live.props,
	}
}

// outputs says whether outputs will differ.
func (p *comparer) outputs() (bool, error) {
	p.cf.mu.Lock()
	before := slices.Clone(p.stack.outputs)
	p.cf.mu.Unlock()
	var now []output
	for _, o := range p.next.template.Outputs {
		made, err := evaluateOutput(p.scope, o)
		if err != nil {
			return false, err
		}
		if made != nil {
			now = append(now, *made)
		}
	}
	return !slices.Equal(before, now), nil
}
