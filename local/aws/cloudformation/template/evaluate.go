package template

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Unknown stands for a value that only deploying can tell, such as the id of a
// resource that doesn't exist yet. Whatever is made of it is unknown too.
type Unknown struct{}

// noValue removes the member that it is given to.
type noValue struct{}

// Scope answers what the names in a template mean.
type Scope struct {
	Template   *Template
	Parameters map[string]any // as Bind gives them
	Pseudo     map[string]any // "AWS::Region" and so on
	// Resource answers a Ref to a resource, Attribute a GetAtt.
	Resource  func(name string) (any, error)
	Attribute func(name, attribute string) (any, error)
	// Import answers the name of an export, Zones the zones of a Region.
	Import func(name string) (any, error)
	Zones  func(region string) []string
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Holds says whether a condition is true; the empty name always is.
func (s *Scope) Holds(name string) (bool, error) {
	if name == "" {
		return true, nil
	}
	for _, p := range s.Template.Conditions {
		if p.Key == name {
			return s.truth(p.Value)
		}
	}
	return false, fmt.Errorf("Template error: unresolved condition %s", name)
}

func (s *Scope) truth(n *Node) (bool, error) {
	if ref := n.Get("Condition"); ref != nil && len(n.Pairs) == 1 {
		return s.Holds(ref.Text())
	}
	name, arg := n.Function()
	switch name {
	case "Fn::Equals":
		values, err := s.list(arg)
		if err != nil {
			return false, err
		}
		return Same(values[0], values[1]), nil
	case "Fn::Not":
		is, err := s.truth(arg.Items[0])
		return !is, err
	case "Fn::And", "Fn::Or":
		for _, item := range arg.Items {
			is, err := s.truth(item)
			if err != nil || is == (name == "Fn::Or") {
				return is, err
			}
		}
		return name == "Fn::And", nil
	}
	return false, n.problem("Template error: every condition must be made of Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition")
}

// Value evaluates a node: nil, string, bool, number, []any, map[string]any or
// Unknown.
func (s *Scope) Value(n *Node) (any, error) {
	v, err := s.value(n)
	if _, none := v.(noValue); none {
		return nil, err
	}
	return v, err
}

func (s *Scope) value(n *Node) (any, error) {
	if n == nil {
		return nil, nil //nolint:nilnil // a template may hold null
	}
	if name, arg := n.Function(); name != "" {
		return s.call(n, name, arg)
	}
	switch n.Kind {
	case List:
		return s.list(n)
	case Mapping:
		out := map[string]any{}
		for _, p := range n.Pairs {
			v, err := s.value(p.Value)
			if err != nil {
				return nil, err
			}
			if _, none := v.(noValue); !none {
				out[p.Key] = v
			}
		}
		return out, nil
	default:
		return n.Value, nil
	}
}

func (s *Scope) list(n *Node) ([]any, error) {
	out := []any{}
	for _, item := range n.Items {
		v, err := s.value(item)
		if err != nil {
			return nil, err
		}
		if _, none := v.(noValue); !none {
			out = append(out, v)
		}
	}
	return out, nil
}

// call evaluates a function. Those that choose look at their arguments
// themselves; the others get them evaluated, and are unknown when one is.
func (s *Scope) call(n *Node, name string, arg *Node) (any, error) {
	switch name {
	case "Ref":
		return s.ref(arg.Text())
	case "Fn::If":
		is, err := s.Holds(arg.Items[0].Text())
		if err != nil {
			return nil, err
		}
		if is {
			return s.value(arg.Items[1])
		}
		return s.value(arg.Items[2])
	case "Fn::Sub":
		return s.sub(arg)
	}
	v, err := s.Value(arg)
	if err != nil {
		return nil, err
	}
	if HasUnknown(v) {
		return Unknown{}, nil
	}
	return s.apply(n, name, v)
}

func (s *Scope) apply(n *Node, name string, v any) (any, error) {
	items, _ := v.([]any)
	switch name {
	case "Fn::GetAtt":
		return s.Attribute(Text(items[0]), Text(items[1]))
	case "Fn::ImportValue":
		return s.Import(Text(v))
	case "Fn::Base64":
		return base64.StdEncoding.EncodeToString([]byte(Text(v))), nil
	case "Fn::GetAZs":
		region := Text(v)
		if region == "" {
			region = Text(s.Pseudo["AWS::Region"])
		}
		return anys(s.Zones(region)), nil
	case "Fn::Join":
		return s.join(n, items)
	case "Fn::Split":
		return anys(strings.Split(Text(items[1]), Text(items[0]))), nil
	case "Fn::Select":
		return s.pick(n, items)
	case "Fn::Cidr":
		return cidr(n, items)
	case "Fn::FindInMap":
		return s.find(n, items)
	}
	return nil, n.problem("Template error: %s is not supported", name)
}

func anys[T any](items []T) []any {
	out := make([]any, 0, len(items))
	for _, item := range items {
		out = append(out, item)
	}
	return out
}

func (s *Scope) ref(name string) (any, error) {
	if name == "AWS::NoValue" {
		return noValue{}, nil
	}
	if v, ok := s.Pseudo[name]; ok {
		return v, nil
	}
	if v, ok := s.Parameters[name]; ok {
		return v, nil
	}
	return s.Resource(name)
}

func (s *Scope) sub(arg *Node) (any, error) {
	text, local := arg.Text(), (*Node)(nil)
	if len(arg.Items) == 2 {
		text, local = arg.Items[0].Text(), arg.Items[1]
	}
	var out strings.Builder
	for _, part := range splitSub(text) {
		if !part.variable {
			out.WriteString(part.text)
			continue
		}
		v, err := s.variable(part.text, local)
		if err != nil {
			return nil, err
		}
		if HasUnknown(v) {
			return Unknown{}, nil
		}
		if items, many := v.([]any); many {
			v = joined(items, ",")
		}
		out.WriteString(Text(v))
	}
	return out.String(), nil
}

func (s *Scope) variable(name string, local *Node) (any, error) {
	if n := local.Get(name); n != nil {
		return s.Value(n)
	}
	if resource, attribute, ok := strings.Cut(name, "."); ok {
		return s.Attribute(resource, attribute)
	}
	return s.ref(name)
}

func (s *Scope) join(n *Node, items []any) (any, error) {
	list, ok := items[1].([]any)
	if !ok {
		return nil, n.problem("Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.")
	}
	return joined(list, Text(items[0])), nil
}

func joined(items []any, delimiter string) string {
	texts := make([]string, 0, len(items))
	for _, item := range items {
		texts = append(texts, Text(item))
	}
	return strings.Join(texts, delimiter)
}

func (s *Scope) pick(n *Node, items []any) (any, error) {
	list, ok := items[1].([]any)
	i, err := strconv.Atoi(Text(items[0]))
	switch {
	case !ok || err != nil:
		return nil, n.problem("Template error: Fn::Select requires a list argument with two elements: an integer index and a list")
	case i < 0 || i >= len(list):
		return nil, n.problem("Template error: Fn::Select cannot select nonexistent value at index %d", i)
	}
	return list[i], nil
}

func (s *Scope) find(n *Node, items []any) (any, error) {
	found := s.Template.Mappings.Get(Text(items[0])).Get(Text(items[1])).Get(Text(items[2]))
	if found == nil {
		return nil, n.problem("Template error: Unable to get mapping for %s::%s::%s", Text(items[0]), Text(items[1]), Text(items[2]))
	}
	return s.Value(found)
}
