package cloudformation

import (
	"fmt"

	"lifeline/local/aws/cloudformation/template"
)

// zoneLetters are the availability zones that every simulated Region has.
const zoneLetters = "abc"

// foresight answers for resources that a deployment has yet to make or change: ok
// is false for one that stays as it is. It hears of every import.
type foresight struct {
	resource func(name, attribute string) (v any, ok bool)
	imported func(name string)
}

// scope gives names in a design their meaning in a stack as it is now.
func (c *CloudFormation) scope(s *stack, d *design, f foresight) *template.Scope {
	notify := []any{}
	for _, arn := range d.notify {
		notify = append(notify, arn)
	}
	look := func(name, attribute string) (any, error) {
		if f.resource != nil {
			if v, ok := f.resource(name, attribute); ok {
				return v, nil
			}
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		return s.lookUp(name, attribute)
	}
	return &template.Scope{
		Template: d.template, Parameters: d.values,
		Pseudo: map[string]any{
			"AWS::AccountId": c.world.Account(), "AWS::Partition": "aws", "AWS::Region": s.region, "AWS::URLSuffix": "amazonaws.com",
			"AWS::StackId": s.id, "AWS::StackName": s.name, "AWS::NotificationARNs": notify,
		},
		Resource:  func(name string) (any, error) { return look(name, "") },
		Attribute: look,
		Import: func(name string) (any, error) {
			if f.imported != nil {
				f.imported(name)
			}
			return c.importValue(s, name)
		},
		Zones: func(region string) []string {
			var out []string
			for _, letter := range zoneLetters {
				out = append(out, region+string(letter))
			}
			return out
		},
	}
}

// lookUp answers Ref (without an attribute) and GetAtt; c.mu is held.
func (s *stack) lookUp(name, attribute string) (any, error) {
	r := s.resource(name)
	if r == nil || r.left() {
		return nil, fmt.Errorf("Unresolved resource dependencies [%s] in the Resources block of the template", name) //nolint:staticcheck // AWS's words
	}
	if attribute == "" {
		return r.physical, nil
	}
	v, ok := r.attributes[attribute]
	if !ok {
		return nil, fmt.Errorf("Template error: resource %s does not support attribute type %s in Fn::GetAtt", name, attribute) //nolint:staticcheck // AWS's words
	}
	return v, nil
}

// importValue reads an export of another stack.
func (c *CloudFormation) importValue(s *stack, name string) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, other := range c.stacks {
		if other.region != s.region || other.gone() || other == s {
			continue
		}
		for _, o := range other.outputs {
			if o.export == name && name != "" {
				return o.value, nil
			}
		}
	}
	return nil, fmt.Errorf("No export named %s found", name) //nolint:staticcheck // AWS's words
}
