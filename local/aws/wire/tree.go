package wire

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxDepth bounds nesting, so that a hostile body can't exhaust the stack.
const maxDepth = 64

// maxIndex bounds the list positions of a query request; AWS's lists are far
// shorter.
const maxIndex = 10_000

// node is a piece of a request in which everything is text: XML or a form.
type node struct {
	name     string
	text     string
	children []*node
}

func (n *node) child(name string) *node {
	if i := slices.IndexFunc(n.children, func(c *node) bool { return c.name == name }); i >= 0 {
		return n.children[i]
	}
	return nil
}

func (n *node) all(name string) []*node {
	var out []*node
	for _, c := range n.children {
		if c.name == name {
			out = append(out, c)
		}
	}
	return out
}

// numbered are the children with numbers for names, in the order of the numbers.
func (n *node) numbered() []*node {
	type item struct {
		at   int
		node *node
	}
	var items []item
	for _, c := range n.children {
		if at, err := strconv.Atoi(c.name); err == nil && at > 0 && at <= maxIndex {
			items = append(items, item{at, c})
		}
	}
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(a.at, b.at) })
	out := make([]*node, 0, len(items))
	for _, i := range items {
		out = append(out, i.node)
	}
	return out
}

// formTree hangs the dotted names of a form into a tree.
func formTree(form url.Values) (*node, error) {
	root := &node{}
	index := map[*node]map[string]*node{}
	for key, values := range form {
		parts := strings.Split(key, ".")
		if len(parts) > maxDepth {
			return nil, fmt.Errorf("parameter name of %d parts", len(parts))
		}
		at := root
		for _, part := range parts {
			if index[at] == nil {
				index[at] = map[string]*node{}
			}
			next := index[at][part]
			if next == nil {
				next = &node{name: part}
				index[at][part] = next
				at.children = append(at.children, next)
			}
			at = next
		}
		if len(values) > 0 {
			at.text = values[0]
		}
	}
	return root, nil
}

// xmlTree reads one XML document. Attributes become children, as AWS's shapes
// see them.
func xmlTree(r io.Reader) (*node, error) {
	d := xml.NewDecoder(r)
	var stack []*node
	var root *node
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read XML: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			n := elementNode(t)
			if len(stack) == maxDepth || (len(stack) == 0 && root != nil) {
				return nil, errors.New("read XML: nested too deeply or more than one root")
			}
			if len(stack) == 0 {
				root = n
			} else {
				top := stack[len(stack)-1]
				top.children = append(top.children, n)
			}
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text += string(t)
			}
		}
	}
	if root == nil {
		return nil, errors.New("read XML: no root element")
	}
	return root, nil
}

func elementNode(t xml.StartElement) *node {
	n := &node{name: t.Name.Local}
	for _, a := range t.Attr {
		if a.Name.Local != "xmlns" && a.Name.Space != "xmlns" {
			n.children = append(n.children, &node{name: a.Name.Local, text: a.Value})
		}
	}
	return n
}

// layout says where members stand in a tree: forms number what XML repeats.
type layout interface {
	// find gives the node of a member that is no list; nil when absent.
	find(parent *node, m *member) *node
	// list gives the items of a list member; false when absent.
	list(parent *node, m *member) ([]*node, bool)
	// items gives the items inside the node of a list without tags.
	items(list *node, m *member) []*node
	// entries gives the entries of a map member; false when absent.
	entries(parent *node, m *member) ([]*node, bool)
}

type xmlLayout struct{}

func (xmlLayout) find(parent *node, m *member) *node {
	name := m.onWire()
	if m.attribute {
		// encoding/xml resolves prefixes: xsi:type arrives as type.
		if _, local, ok := strings.Cut(name, ":"); ok {
			name = local
		}
	}
	return parent.child(name)
}

func (x xmlLayout) list(parent *node, m *member) ([]*node, bool) {
	if m.flattened {
		items := parent.all(m.onWire())
		return items, len(items) > 0
	}
	n := x.find(parent, m)
	if n == nil {
		return nil, false
	}
	return x.items(n, m), true
}

func (xmlLayout) items(list *node, m *member) []*node {
	return list.all(firstOf(m.listName, "member"))
}

func (x xmlLayout) entries(parent *node, m *member) ([]*node, bool) {
	if m.flattened {
		entries := parent.all(m.onWire())
		return entries, len(entries) > 0
	}
	n := x.find(parent, m)
	if n == nil {
		return nil, false
	}
	return n.all("entry"), true
}

// formLayout is that of query, and of ec2, whose lists are always flat.
type formLayout struct{ ec2 bool }

func (f formLayout) find(parent *node, m *member) *node { return parent.child(m.inQuery(f.ec2)) }

func (f formLayout) list(parent *node, m *member) ([]*node, bool) {
	n := f.find(parent, m)
	if n == nil {
		return nil, false
	}
	return f.items(n, m), true
}

func (f formLayout) items(list *node, m *member) []*node {
	if items := list.numbered(); len(items) > 0 || f.ec2 || m.flattened {
		return items
	}
	// AWS accepts the name from the model and the plain "member" alike.
	for _, name := range []string{m.listName, "member"} {
		if inner := list.child(name); inner != nil && name != "" {
			return inner.numbered()
		}
	}
	return nil
}

func (f formLayout) entries(parent *node, m *member) ([]*node, bool) {
	n := f.find(parent, m)
	if n == nil {
		return nil, false
	}
	if inner := n.child("entry"); inner != nil && !m.flattened {
		return inner.numbered(), true
	}
	return n.numbered(), true
}
