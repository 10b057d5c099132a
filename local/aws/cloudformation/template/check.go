package template

import (
	"slices"
	"strings"
)

// Reference is one place where a template names something.
type Reference struct {
	// Kind is "Ref", "GetAtt", "Condition" or "Import".
	Kind      string
	Name      string // parameter, resource, pseudo parameter or condition
	Attribute string // of a GetAtt
	Node      *Node
}

// functions are the intrinsic functions that templates may use outside of
// conditions, and the least number of arguments of each; 0 = no list.
func functions() map[string]int {
	return map[string]int{
		"Ref": 0, "Fn::GetAtt": 2, "Fn::Sub": 0, "Fn::Join": 2, "Fn::Select": 2, "Fn::Split": 2, "Fn::GetAZs": 0,
		"Fn::If": 3, "Fn::ImportValue": 0, "Fn::FindInMap": 3, "Fn::Cidr": 2, "Fn::Base64": 0,
	}
}

// conditionFunctions are those that conditions are made of.
func conditionFunctions() map[string]int {
	return map[string]int{"Fn::Equals": 2, "Fn::And": 2, "Fn::Or": 2, "Fn::Not": 1, "Fn::FindInMap": 3, "Ref": 0, "Fn::Select": 2, "Fn::Join": 2, "Fn::Split": 2, "Fn::Sub": 0}
}

// References lists everything below a node that names something.
func (n *Node) References() []Reference {
	var out []Reference
	n.walk(func(at *Node) { out = append(out, at.reference()...) })
	return out
}

func (n *Node) walk(visit func(*Node)) {
	if n == nil {
		return
	}
	visit(n)
	for _, item := range n.Items {
		item.walk(visit)
	}
	for _, p := range n.Pairs {
		p.Value.walk(visit)
	}
}

func (n *Node) reference() []Reference {
	name, arg := n.Function()
	switch {
	case name == "Ref":
		return []Reference{{Kind: "Ref", Name: arg.Text(), Node: n}}
	case name == "Fn::GetAtt" && len(arg.Items) == 2:
		return []Reference{{Kind: "GetAtt", Name: arg.Items[0].Text(), Attribute: arg.Items[1].Text(), Node: n}}
	case name == "Fn::If" && len(arg.Items) == 3:
		return []Reference{{Kind: "Condition", Name: arg.Items[0].Text(), Node: n}}
	case name == "Fn::ImportValue":
		return []Reference{{Kind: "Import", Node: n}}
	case name == "Fn::Sub":
		return substitutions(n, arg)
	case n.Kind == Mapping && len(n.Pairs) == 1 && n.Pairs[0].Key == "Condition" && n.Pairs[0].Value.Kind == Scalar:
		return []Reference{{Kind: "Condition", Name: n.Pairs[0].Value.Text(), Node: n}}
	}
	return nil
}

func substitutions(n, arg *Node) []Reference {
	text, local := arg.Text(), (*Node)(nil)
	if len(arg.Items) == 2 {
		text, local = arg.Items[0].Text(), arg.Items[1]
	}
	var out []Reference
	for _, part := range splitSub(text) {
		if !part.variable || local.Get(part.text) != nil {
			continue
		}
		if resource, attribute, ok := strings.Cut(part.text, "."); ok {
			out = append(out, Reference{Kind: "GetAtt", Name: resource, Attribute: attribute, Node: n})
			continue
		}
		out = append(out, Reference{Kind: "Ref", Name: part.text, Node: n})
	}
	return out
}

// subPart is a piece of a Fn::Sub string.
type subPart struct {
	text     string
	variable bool
}

// splitSub cuts "a${B}c" into its pieces; ${!B} is the literal ${B}.
func splitSub(text string) []subPart {
	var out []subPart
	for {
		before, rest, ok := strings.Cut(text, "${")
		if before != "" {
			out = append(out, subPart{text: before})
		}
		if !ok {
			return out
		}
		name, after, closed := strings.Cut(rest, "}")
		switch {
		case !closed:
			return append(out, subPart{text: "${" + rest})
		case strings.HasPrefix(name, "!"):
			out = append(out, subPart{text: "${" + name[1:] + "}"})
		default:
			out = append(out, subPart{text: strings.TrimSpace(name), variable: true})
		}
		text = after
	}
}

// Check lists everything wrong with the template that can be seen without
// parameters, in the order in which CloudFormation would report it.
func (t *Template) Check() []*Problem {
	var out []*Problem
	for _, section := range []struct {
		key     string
		allowed map[string]int
	}{{"Conditions", conditionFunctions()}, {"Resources", functions()}, {"Outputs", functions()}} {
		out = append(out, t.checkFunctions(t.Root.Get(section.key), section.allowed)...)
		out = append(out, t.checkReferences(section.key)...)
	}
	if len(out) == 0 {
		out = append(out, t.checkCycles()...)
	}
	return out
}

func (t *Template) checkFunctions(section *Node, allowed map[string]int) []*Problem {
	var out []*Problem
	section.walk(func(n *Node) {
		name, arg := n.Function()
		if name == "" {
			return
		}
		least, ok := allowed[name]
		switch {
		case !ok:
			out = append(out, n.problem("Template error: %s is not supported here", name))
		case least > 0 && len(arg.Items) < least:
			out = append(out, n.problem("Template error: every %s object requires a list of at least %d parameters", name, least))
		case name == "Fn::Sub" && arg.Kind == Mapping:
			out = append(out, n.problem("Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string"))
		}
	})
	return out
}

func (t *Template) checkReferences(section string) []*Problem {
	var out []*Problem
	for _, r := range t.Root.Get(section).References() {
		if p := t.checkReference(section, r); p != nil {
			out = append(out, p)
		}
	}
	for _, r := range t.Resources {
		if section == "Resources" {
			out = append(out, t.checkEntry(r.Condition, r.DependsOn, r.Node)...)
		}
	}
	return out
}

func (t *Template) checkReference(section string, r Reference) *Problem {
	switch r.Kind {
	case "Ref":
		if isPseudo(r.Name) || t.Parameter(r.Name) != nil || (section != "Conditions" && t.Resource(r.Name) != nil) {
			return nil
		}
		if section == "Conditions" {
			return r.Node.problem("Template format error: Unresolved dependencies [%s]. Cannot reference resources in the Conditions block of the template", r.Name)
		}
		return r.Node.problem("Template format error: Unresolved resource dependencies [%s] in the %s block of the template", r.Name, section)
	case "GetAtt":
		if t.Resource(r.Name) == nil {
			return r.Node.problem("Template error: instance of Fn::GetAtt references undefined resource %s", r.Name)
		}
	case "Condition":
		if !t.hasCondition(r.Name) {
			return r.Node.problem("Template format error: Unresolved condition dependency %s in the %s block of the template", r.Name, section)
		}
	}
	return nil
}

func (t *Template) checkEntry(condition string, dependsOn []string, at *Node) []*Problem {
	var out []*Problem
	if condition != "" && !t.hasCondition(condition) {
		out = append(out, at.problem("Template format error: Unresolved condition dependency %s in the Resources block of the template", condition))
	}
	for _, name := range dependsOn {
		if t.Resource(name) == nil {
			out = append(out, at.problem("Template format error: Unresolved resource dependencies [%s] in the Resources block of the template", name))
		}
	}
	return out
}

func (t *Template) hasCondition(name string) bool {
	return slices.ContainsFunc(t.Conditions, func(p Pair) bool { return p.Key == name })
}

func isPseudo(name string) bool {
	return slices.Contains([]string{
		"AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region",
		"AWS::StackId", "AWS::StackName", "AWS::URLSuffix",
	}, name)
}

// Dependencies are the resources that must exist before this one: those that its
// properties name and those in DependsOn, sorted.
func (t *Template) Dependencies(r *Resource) []string {
	names := map[string]bool{}
	for _, d := range r.DependsOn {
		names[d] = true
	}
	for _, ref := range r.Properties.References() {
		if (ref.Kind == "Ref" || ref.Kind == "GetAtt") && t.Resource(ref.Name) != nil {
			names[ref.Name] = true
		}
	}
	return sortedKeys(names)
}

// Order lists the resources so that each comes after those that it needs. Those
// of a cycle are missing.
func (t *Template) Order() []*Resource {
	var out []*Resource
	done := map[string]bool{}
	for range t.Resources {
		for _, r := range t.Resources {
			ready := !slices.ContainsFunc(t.Dependencies(r), func(d string) bool { return !done[d] })
			if !done[r.Name] && ready {
				done[r.Name] = true
				out = append(out, r)
			}
		}
	}
	return out
}

func (t *Template) checkCycles() []*Problem {
	left := map[string]bool{}
	for _, r := range t.Resources {
		left[r.Name] = true
	}
	for _, r := range t.Order() {
		delete(left, r.Name)
	}
	names := sortedKeys(left)
	if len(names) == 0 {
		return nil
	}
	return []*Problem{t.Resource(names[0]).Node.problem("Circular dependency between resources: [%s]", strings.Join(names, ", "))}
}
