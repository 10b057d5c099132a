package templates

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"lifeline/local/aws/cloudformation/template"
)

// value checks a piece of a template against a piece of a schema.
func (c *court) value(s *Schema, want *node, n *template.Node, at string) {
	want = s.resolve(want)
	if want == nil || n == nil {
		return
	}
	if name, _ := n.Function(); name != "" {
		c.function(s, want, n, at)
		return
	}
	switch n.Kind {
	case template.List:
		c.list(s, want, n, at)
	case template.Mapping:
		c.object(s, want, n, at)
	default:
		c.scalar(want, n, at)
	}
}

// function checks what can be known of a function's value: its branches, and
// whether it is a list.
func (c *court) function(s *Schema, want *node, n *template.Node, at string) {
	name, arg := n.Function()
	isList := false
	switch name {
	case "Fn::If":
		for _, branch := range arg.Items[1:] {
			c.value(s, want, branch, at)
		}
		return
	case "Ref":
		if arg.Text() == "AWS::NoValue" {
			return
		}
		if p := c.template.Parameter(arg.Text()); p != nil {
			isList = p.Type == "CommaDelimitedList" || strings.HasPrefix(p.Type, "List<")
		}
	case "Fn::Split", "Fn::GetAZs", "Fn::Cidr":
		isList = true
	case "Fn::FindInMap", "Fn::GetAtt", "Fn::Select":
		return // either
	}
	if isList && !want.is("array") && want.Type != nil {
		c.find(n, "%s: %s gives a list, not %v", at, name, want.Type)
	}
	if !isList && (want.is("array") || (want.is("object") && !want.is("string"))) {
		c.find(n, "%s: %s gives one value, not %v", at, name, want.Type)
	}
}

func (c *court) list(s *Schema, want *node, n *template.Node, at string) {
	if !want.is("array") {
		if want.Type != nil {
			c.find(n, "%s: a list, not %v", at, want.Type)
		}
		return
	}
	if want.MinItems != nil && len(n.Items) < *want.MinItems {
		c.find(n, "%s: needs at least %d items", at, *want.MinItems)
	}
	if want.MaxItems != nil && len(n.Items) > *want.MaxItems {
		c.find(n, "%s: takes at most %d items", at, *want.MaxItems)
	}
	for i, item := range n.Items {
		c.value(s, want.Items, item, fmt.Sprintf("%s[%d]", at, i))
	}
}

// object checks members. An object without declared members is free text, such
// as a policy.
func (c *court) object(s *Schema, want *node, n *template.Node, at string) {
	members, required := c.members(s, want)
	if !want.is("object") && want.Type != nil {
		c.find(n, "%s: an object, not %v", at, want.Type)
		return
	}
	if len(members) == 0 {
		return
	}
	for _, name := range required {
		if n.Get(name) == nil {
			c.find(n, "%s: needs the member %s", at, name)
		}
	}
	for _, p := range n.Pairs {
		member := members[p.Key]
		if member == nil {
			if open := want.AdditionalProperties; len(want.PatternProperties) == 0 && (open == nil || open == false) {
				c.find(&template.Node{Line: p.Line, Column: p.Column}, "%s: has no member %s", at, p.Key)
			}
			continue
		}
		c.value(s, member, p.Value, at+"."+p.Key)
	}
}

// members are those of an object and of its alternatives.
func (c *court) members(s *Schema, want *node) (members map[string]*node, required []string) {
	members = map[string]*node{}
	for name, member := range want.Properties {
		members[name] = member
	}
	for _, other := range slices.Concat(want.OneOf, want.AnyOf) {
		if other = s.resolve(other); other != nil {
			for name, member := range other.Properties {
				members[name] = member
			}
		}
	}
	return members, want.Required
}

// scalar checks one value as written. CloudFormation turns numbers and truth
// values into text and back, so each may stand for the other.
func (c *court) scalar(want *node, n *template.Node, at string) {
	text := n.Text()
	_, notNumber := strconv.ParseFloat(text, 64)
	_, notInteger := strconv.ParseInt(text, 10, 64)
	fits := map[string]bool{
		"string": true, "boolean": text == "true" || text == "false", "integer": notInteger == nil, "number": notNumber == nil,
	}
	known, fit := false, false
	for _, name := range []string{"string", "boolean", "integer", "number", "array", "object"} {
		known, fit = known || want.is(name), fit || (want.is(name) && fits[name])
	}
	if known && !fit {
		c.find(n, "%s: %q is not %v", at, text, want.Type)
		return
	}
	c.bounds(want, n, text, at)
}

func (c *court) bounds(want *node, n *template.Node, text, at string) {
	if len(want.Enum) > 0 && !slices.ContainsFunc(want.Enum, func(v any) bool { return template.Text(v) == text }) {
		c.find(n, "%s: %q is none of %v", at, text, want.Enum)
	}
	length := utf8.RuneCountInString(text)
	if (want.MinLength != nil && length < *want.MinLength) || (want.MaxLength != nil && length > *want.MaxLength) {
		c.find(n, "%s: %q is too short or too long", at, text)
	}
	if want.Pattern != "" {
		// Some patterns use what Go's engine doesn't know; those can't be judged.
		if re, err := regexp.Compile(want.Pattern); err == nil && !re.MatchString(text) {
			c.find(n, "%s: %q doesn't match %s", at, text, want.Pattern)
		}
	}
	if number, err := strconv.ParseFloat(text, 64); err == nil {
		if (want.Minimum != nil && number < *want.Minimum) || (want.Maximum != nil && number > *want.Maximum) {
			c.find(n, "%s: %s is out of bounds", at, text)
		}
	}
}
