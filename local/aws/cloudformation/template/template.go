package template

import (
	"errors"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// yamlError is errors.As for the library's error, which is an interface.
func yamlError(err error, target *yaml.Error) bool { return errors.As(err, target) }

// Template is a template whose sections have been told apart.
type Template struct {
	Description string
	Root        *Node
	Parameters  []*Parameter
	Conditions  []Pair
	Mappings    *Node
	Resources   []*Resource
	Outputs     []*Output
}

// Resource is one entry of Resources.
type Resource struct {
	Name, Type          string
	Condition           string
	DeletionPolicy      string // "" = Delete
	UpdateReplacePolicy string // "" = Delete
	DependsOn           []string
	Properties          *Node // nil = none
	Node                *Node
}

// Output is one entry of Outputs.
type Output struct {
	Name, Description, Condition string
	Value, Export                *Node // Export is its Name; nil = not exported
	Node                         *Node
}

// Parse reads a template and checks everything about it that needs no parameter:
// sections, references, functions and cycles. The error is a *Problem, the first
// of those that Check gives.
func Parse(body string) (*Template, error) {
	t, err := Read(body)
	if err != nil {
		return nil, err
	}
	if problems := t.Check(); len(problems) > 0 {
		return nil, problems[0]
	}
	return t, nil
}

// Read reads a template without checking what it refers to.
func Read(body string) (*Template, error) {
	root, err := parseNodes(body)
	if err != nil {
		return nil, err
	}
	t := &Template{Root: root, Description: root.Get("Description").Text(), Mappings: root.Get("Mappings")}
	if err := t.sections(); err != nil {
		return nil, err
	}
	for _, p := range pairs(root.Get("Parameters")) {
		read, err := readParameter(p)
		if err != nil {
			return nil, err
		}
		t.Parameters = append(t.Parameters, read)
	}
	t.Conditions = pairs(root.Get("Conditions"))
	for _, p := range pairs(root.Get("Resources")) {
		r, err := readResource(p)
		if err != nil {
			return nil, err
		}
		t.Resources = append(t.Resources, r)
	}
	for _, p := range pairs(root.Get("Outputs")) {
		o, err := readOutput(p)
		if err != nil {
			return nil, err
		}
		t.Outputs = append(t.Outputs, o)
	}
	return t, nil
}

func pairs(n *Node) []Pair {
	if n == nil {
		return nil
	}
	return n.Pairs
}

func (t *Template) sections() error {
	known := []string{"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions", "Resources", "Outputs"}
	for _, p := range t.Root.Pairs {
		if !slices.Contains(known, p.Key) {
			return &Problem{p.Line, p.Column, "Invalid template property or properties [" + p.Key + "]"}
		}
		if p.Value.Kind != Mapping && !slices.Contains(known[:2], p.Key) {
			return p.Value.problem("Template format error: [/%s] 'expected object'", p.Key)
		}
	}
	if v := t.Root.Get("AWSTemplateFormatVersion"); v != nil && v.Text() != "2010-09-09" {
		return v.problem("Template format error: unsupported template version %q.", v.Text())
	}
	if resources := t.Root.Get("Resources"); resources == nil || len(resources.Pairs) == 0 {
		return t.Root.problem("Template format error: At least one Resources member must be defined.")
	}
	return nil
}

func readResource(p Pair) (*Resource, error) {
	known := []string{"Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy", "Metadata"}
	if p.Value.Kind != Mapping {
		return nil, p.Value.problem("Template format error: Every Resources object must be an object.")
	}
	for _, member := range p.Value.Pairs {
		if !slices.Contains(known, member.Key) {
			return nil, &Problem{member.Line, member.Column, "Invalid template resource property '" + member.Key + "'"}
		}
	}
	r := &Resource{
		Name: p.Key, Type: p.Value.Get("Type").Text(), Condition: p.Value.Get("Condition").Text(),
		DeletionPolicy: p.Value.Get("DeletionPolicy").Text(), UpdateReplacePolicy: p.Value.Get("UpdateReplacePolicy").Text(),
		Properties: p.Value.Get("Properties"), Node: p.Value,
	}
	if r.Type == "" {
		return nil, p.Value.problem("Template format error: [/Resources/%s] Every Resources object must contain a Type member.", r.Name)
	}
	if !alphanumeric(r.Name) {
		return nil, p.Value.problem("Template format error: Resource name %s is non alphanumeric.", r.Name)
	}
	for _, policy := range []string{r.DeletionPolicy, r.UpdateReplacePolicy} {
		if !slices.Contains([]string{"", "Delete", "Retain", "Snapshot", "RetainExceptOnCreate"}, policy) {
			return nil, p.Value.problem("Template format error: Unrecognized DeletionPolicy %s for resource %s", policy, r.Name)
		}
	}
	if d := p.Value.Get("DependsOn"); d != nil {
		for _, item := range append([]*Node{d}, d.Items...) {
			if name := item.Text(); name != "" {
				r.DependsOn = append(r.DependsOn, name)
			}
		}
	}
	return r, nil
}

func alphanumeric(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

func readOutput(p Pair) (*Output, error) {
	o := &Output{
		Name: p.Key, Description: p.Value.Get("Description").Text(), Condition: p.Value.Get("Condition").Text(),
		Value: p.Value.Get("Value"), Export: p.Value.Get("Export").Get("Name"), Node: p.Value,
	}
	switch {
	case o.Value == nil:
		return nil, p.Value.problem("Template format error: Every Outputs member must contain a Value object")
	case !alphanumeric(o.Name):
		return nil, p.Value.problem("Template format error: Output name %s is non alphanumeric.", o.Name)
	case o.Export == nil && p.Value.Get("Export") != nil:
		return nil, p.Value.problem("Template format error: Output %s is malformed: Export needs a Name.", o.Name)
	}
	return o, nil
}

// Resource finds one by its logical name; nil when there is none.
func (t *Template) Resource(name string) *Resource {
	for _, r := range t.Resources {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// Parameter finds one by name; nil when there is none.
func (t *Template) Parameter(name string) *Parameter {
	for _, p := range t.Parameters {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Capabilities are what a caller has to acknowledge for this template.
func (t *Template) Capabilities() []string {
	out := ""
	for _, r := range t.Resources {
		named := r.Properties.Get(map[string]string{
			"AWS::IAM::Role": "RoleName", "AWS::IAM::User": "UserName", "AWS::IAM::Group": "GroupName",
			"AWS::IAM::InstanceProfile": "InstanceProfileName", "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
		}[r.Type]) != nil
		switch {
		case !strings.HasPrefix(r.Type, "AWS::IAM::"):
		case named:
			return []string{"CAPABILITY_NAMED_IAM"}
		default:
			out = "CAPABILITY_IAM"
		}
	}
	if out == "" {
		return nil
	}
	return []string{out}
}
