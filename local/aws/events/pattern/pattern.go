package pattern

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Pattern is a pattern, taken apart.
type Pattern struct{ root *node }

// node is what a pattern wants of one object: of everything in it, and of one
// alternative of each $or.
type node struct {
	objects map[string]*node
	leaves  map[string][]test
	either  [][]*node
}

// test says whether one value of a field is wanted. There is none when the field
// is missing.
type test func(v any, there bool) bool

// Problem is what is wrong with a pattern, in AWS's words.
type Problem string

// Error is the text.
func (p Problem) Error() string { return string(p) }

// Parse reads a pattern.
func Parse(text string) (*Pattern, error) {
	doc, err := Decode(text)
	if err != nil {
		return nil, err
	}
	root, err := parseNode(doc, "")
	if err != nil {
		return nil, err
	}
	return &Pattern{root}, nil
}

// Decode reads a JSON object and keeps numbers as they are written: 300 and 3.0e2
// are the same to numeric tests alone, as on AWS.
func Decode(text string) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var doc any
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("not valid JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON document")
	}
	object, ok := doc.(map[string]any)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	return object, nil
}

func parseNode(doc map[string]any, path string) (*node, error) {
	if len(doc) == 0 {
		return nil, Problem(at(path) + "Empty objects are not allowed")
	}
	n := &node{objects: map[string]*node{}, leaves: map[string][]test{}}
	for name, want := range doc {
		if err := n.add(name, want, path+"."+name); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *node) add(name string, want any, path string) error {
	list, isList := want.([]any)
	object, isObject := want.(map[string]any)
	switch {
	case name == "$or" && isList:
		return n.addEither(list, path)
	case isObject:
		child, err := parseNode(object, path)
		n.objects[name] = child
		return err
	case isList && len(list) == 0:
		return Problem(at(path) + "Empty arrays are not allowed")
	case isList:
		tests, err := parseTests(list, path)
		n.leaves[name] = tests
		return err
	default:
		return fmt.Errorf("\"%s\" must be an object or an array", name)
	}
}

func (n *node) addEither(list []any, path string) error {
	const least = 2
	if len(list) < least {
		return Problem(fmt.Sprintf("%sThere must be at least %d objects in an $or relationship", at(path), least))
	}
	var ways []*node
	for _, item := range list {
		object, ok := item.(map[string]any)
		if !ok {
			return Problem(at(path) + "Only objects are allowed in an $or relationship")
		}
		way, err := parseNode(object, path)
		if err != nil {
			return err
		}
		ways = append(ways, way)
	}
	n.either = append(n.either, ways)
	return nil
}

func at(path string) string {
	if path == "" {
		return ""
	}
	return path[1:] + ": "
}

// Match says whether an event is wanted. Its numbers should be json.Number, as
// Decode leaves them.
func (p *Pattern) Match(event map[string]any) bool { return p.root.match(event) }

func (n *node) match(object map[string]any) bool {
	for name, tests := range n.leaves {
		if !wanted(tests, object[name]) {
			return false
		}
	}
	for name, child := range n.objects {
		if !child.within(object[name]) {
			return false
		}
	}
	for _, ways := range n.either {
		found := false
		for _, way := range ways {
			found = found || way.match(object)
		}
		if !found {
			return false
		}
	}
	return true
}

// within matches an object, or any object of a list. What is no object has no
// fields, which a pattern may ask for.
func (n *node) within(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return n.match(v)
	case []any:
		for _, item := range v {
			if n.within(item) {
				return true
			}
		}
		return false
	default:
		return n.match(nil)
	}
}

// wanted says whether any test wants any value of a field.
func wanted(tests []test, v any) bool {
	values := flat(v)
	for _, t := range tests {
		if len(values) == 0 && t(nil, false) {
			return true
		}
		for _, value := range values {
			if t(value, true) {
				return true
			}
		}
	}
	return false
}

// flat are the values of a field, which may be a list of lists.
func flat(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var out []any
		for _, item := range v {
			out = append(out, flat(item)...)
		}
		return out
	default:
		return []any{v}
	}
}
