package template

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Kind says what a node is.
type Kind int

// The kinds of nodes.
const (
	Scalar Kind = iota
	List
	Mapping
)

// Node is a value of a template and its place in the text. Short forms of
// functions have become long ones: !Ref A is the mapping {Ref: A}.
type Node struct {
	Kind         Kind
	Line, Column int
	Value        any // of a scalar: string, bool, a number type, or nil
	Items        []*Node
	Pairs        []Pair
}

// Pair is a member of a mapping.
type Pair struct {
	Key          string
	Line, Column int
	Value        *Node
}

// Problem is something wrong with a template, at its place.
type Problem struct {
	Line, Column int
	Message      string
}

// Error is the message, as AWS words it.
func (p *Problem) Error() string { return p.Message }

func (n *Node) problem(format string, args ...any) *Problem {
	return &Problem{Line: n.Line, Column: n.Column, Message: fmt.Sprintf(format, args...)}
}

// Get is a member of a mapping; nil when it isn't there.
func (n *Node) Get(key string) *Node {
	if n == nil || n.Kind != Mapping {
		return nil
	}
	for _, p := range n.Pairs {
		if p.Key == key {
			return p.Value
		}
	}
	return nil
}

// Text is a scalar as text; "" for anything else.
func (n *Node) Text() string {
	if n == nil || n.Kind != Scalar || n.Value == nil {
		return ""
	}
	return Text(n.Value)
}

// Text is a scalar as CloudFormation writes it.
func Text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// Function is the name and the argument of an intrinsic function; "" when the
// node is none. Condition counts only where a condition is expected.
func (n *Node) Function() (string, *Node) {
	if n == nil || n.Kind != Mapping || len(n.Pairs) != 1 {
		return "", nil
	}
	if p := n.Pairs[0]; p.Key == "Ref" || strings.HasPrefix(p.Key, "Fn::") {
		return p.Key, p.Value
	}
	return "", nil
}

// parseNodes reads YAML or JSON.
func parseNodes(body string) (*Node, error) {
	file, err := parser.ParseBytes([]byte(body), 0)
	if err != nil {
		line, column := positionOf(err)
		return nil, &Problem{Line: line, Column: column, Message: fmt.Sprintf(
			"Template format error: YAML not well-formed. (line %d, column %d)", line, column)}
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, &Problem{Line: 1, Column: 1, Message: "Template format error: unsupported structure."}
	}
	root, err := convert(file.Docs[0].Body)
	if err != nil {
		return nil, err
	}
	if root.Kind != Mapping {
		return nil, root.problem("Template format error: unsupported structure.")
	}
	return root, nil
}

func positionOf(err error) (line, column int) {
	var bad yaml.Error
	if yamlError(err, &bad) && bad.GetToken() != nil {
		return bad.GetToken().Position.Line, bad.GetToken().Position.Column
	}
	return 1, 1
}

func convert(n ast.Node) (*Node, error) {
	out := &Node{Line: 1, Column: 1}
	if tk := n.GetToken(); tk != nil {
		out.Line, out.Column = tk.Position.Line, tk.Position.Column
	}
	switch n := n.(type) {
	case *ast.TagNode:
		return function(out, n)
	case *ast.SequenceNode:
		out.Kind = List
		for _, v := range n.Values {
			item, err := convert(v)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, item)
		}
		return out, nil
	case *ast.MappingNode:
		return mapping(out, n.Values)
	case *ast.MappingValueNode:
		return mapping(out, []*ast.MappingValueNode{n})
	case *ast.AnchorNode, *ast.AliasNode:
		return nil, out.problem("Template format error: YAML aliases are not allowed in CloudFormation templates")
	case *ast.NullNode:
		return out, nil
	case *ast.LiteralNode:
		out.Value = n.Value.Value
		return out, nil
	case ast.ScalarNode:
		out.Value = n.GetValue()
		return out, nil
	default:
		return nil, out.problem("Template format error: YAML not well-formed. (line %d, column %d)", out.Line, out.Column)
	}
}

func mapping(out *Node, values []*ast.MappingValueNode) (*Node, error) {
	out.Kind = Mapping
	seen := map[string]bool{}
	for _, v := range values {
		position := v.Key.GetToken().Position
		key := v.Key.GetToken().Value
		if v.Key.IsMergeKey() {
			return nil, out.problem("Template format error: YAML merges are not allowed in CloudFormation templates")
		}
		if seen[key] {
			return nil, &Problem{position.Line, position.Column, fmt.Sprintf(
				"Template format error: duplicate key '%s' (line %d, column %d)", key, position.Line, position.Column)}
		}
		seen[key] = true
		value, err := convert(v.Value)
		if err != nil {
			return nil, err
		}
		out.Pairs = append(out.Pairs, Pair{key, position.Line, position.Column, value})
	}
	if len(out.Pairs) > 0 {
		out.Line, out.Column = out.Pairs[0].Line, out.Pairs[0].Column
	}
	return out, nil
}

// function gives a short form its long form.
func function(out *Node, n *ast.TagNode) (*Node, error) {
	name := strings.TrimPrefix(n.Start.Value, "!")
	arg := &Node{Line: out.Line, Column: out.Column}
	if n.Value != nil {
		var err error
		if arg, err = convert(n.Value); err != nil {
			return nil, err
		}
	}
	key := "Fn::" + name
	switch name {
	case "Ref", "Condition":
		key = name
	case "GetAtt":
		if resource, attribute, ok := strings.Cut(arg.Text(), "."); ok {
			arg = &Node{Kind: List, Line: arg.Line, Column: arg.Column, Items: []*Node{
				{Line: arg.Line, Column: arg.Column, Value: resource}, {Line: arg.Line, Column: arg.Column, Value: attribute},
			}}
		}
	}
	out.Kind = Mapping
	out.Pairs = []Pair{{key, out.Line, out.Column, arg}}
	return out, nil
}
