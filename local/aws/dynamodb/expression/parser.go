package expression

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Params holds a request's placeholders. One Params serves all expressions of
// a request, so that Unused can name the placeholders that none of them used.
type Params struct {
	Names  map[string]*string
	Values map[string]*Value

	usedNames, usedValues map[string]bool
}

// NewParams holds the placeholders of one request.
func NewParams(names map[string]*string, values map[string]*Value) *Params {
	return &Params{Names: names, Values: values, usedNames: map[string]bool{}, usedValues: map[string]bool{}}
}

// Unused refuses placeholders that no expression used, as DynamoDB does.
func (p *Params) Unused() error {
	var names, values []string
	for name := range p.Names {
		if !p.usedNames[name] {
			names = append(names, name)
		}
	}
	for name := range p.Values {
		if !p.usedValues[name] {
			values = append(values, name)
		}
	}
	slices.Sort(names)
	slices.Sort(values)
	if len(names) > 0 {
		return invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", strings.Join(names, ", "))
	}
	if len(values) > 0 {
		return invalid("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", strings.Join(values, ", "))
	}
	return nil
}

type parser struct {
	tokens []token
	at     int
	params *Params
}

func newParser(src string, p *Params) (*parser, error) {
	tokens, err := lex(src)
	if err != nil {
		return nil, err
	}
	return &parser{tokens: tokens, params: p}, nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

// accept consumes the next token if it is this symbol or keyword.
func (p *parser) accept(text string) bool {
	if !p.peek().is(text) {
		return false
	}
	p.at++
	return true
}

func (p *parser) expect(text string) error {
	if p.accept(text) {
		return nil
	}
	return p.unexpected()
}

func (p *parser) end() error {
	if p.peek().kind == tokenEnd {
		return nil
	}
	return p.unexpected()
}

func (p *parser) unexpected() error {
	near := make([]string, 0, 3)
	for _, t := range p.tokens[max(p.at-1, 0):min(p.at+2, len(p.tokens))] {
		near = append(near, t.text)
	}
	return invalid("Syntax error; token: %q, near: %q", p.peek().text, strings.Join(near, " "))
}

// Path is a document path: an attribute name followed by map keys and list indexes.
type Path []step

type step struct {
	name  string
	index int // -1 for a name
}

// String writes the path as it would stand in an expression.
func (p Path) String() string {
	var b strings.Builder
	for i, s := range p {
		switch {
		case s.index >= 0:
			fmt.Fprintf(&b, "[%d]", s.index)
		case i > 0:
			b.WriteString("." + s.name)
		default:
			b.WriteString(s.name)
		}
	}
	return b.String()
}

// Top is the attribute that the path begins with.
func (p Path) Top() string { return p[0].name }

func (p *parser) path() (Path, error) {
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	path := Path{{name, -1}}
	for {
		switch {
		case p.accept("."):
			if name, err = p.name(); err != nil {
				return nil, err
			}
			path = append(path, step{name, -1})
		case p.accept("["):
			index, err := strconv.Atoi(p.peek().text)
			if err != nil || p.peek().kind != tokenIndex {
				return nil, p.unexpected()
			}
			p.at++
			if err := p.expect("]"); err != nil {
				return nil, err
			}
			path = append(path, step{"", index})
		default:
			return path, nil
		}
	}
}

func (p *parser) name() (string, error) {
	t := p.peek()
	switch t.kind {
	case tokenWord:
		if reserved(t.text) {
			return "", invalid("Attribute name is a reserved keyword; reserved keyword: %s", t.text)
		}
		p.at++
		return t.text, nil
	case tokenName:
		name, ok := p.params.Names[t.text]
		if !ok || name == nil {
			return "", invalid("An expression attribute name used in the document path is not defined; attribute name: %s", t.text)
		}
		p.params.usedNames[t.text] = true
		p.at++
		return *name, nil
	case tokenEnd, tokenValue, tokenIndex, tokenSymbol:
		return "", p.unexpected()
	}
	return "", p.unexpected()
}

// operand is what stands on one side of a comparison or of an assignment.
type operand interface {
	// value of the operand for an item; nil when the item has no such attribute.
	value(item Item) *Value
}

func (p Path) value(item Item) *Value {
	current := item[p[0].name]
	for _, s := range p[1:] {
		switch {
		case current == nil:
			return nil
		case s.index >= 0:
			if s.index >= len(current.L) {
				return nil
			}
			current = current.L[s.index]
		default:
			current = current.M[s.name]
		}
	}
	return current
}

type literal struct{ v *Value }

func (l literal) value(Item) *Value { return l.v }

// plain parses a path or a :value.
func (p *parser) plain() (operand, error) {
	t := p.peek()
	if t.kind != tokenValue {
		return p.path()
	}
	v, ok := p.params.Values[t.text]
	if !ok || TypeOf(v) == "" {
		return nil, invalid("An expression attribute value used in expression is not defined; attribute value: %s", t.text)
	}
	p.params.usedValues[t.text] = true
	p.at++
	return literal{v}, nil
}

// call tells whether the next tokens are `name (`, and consumes them.
func (p *parser) call(name string) bool {
	if p.peek().kind != tokenWord || p.peek().text != name || !p.tokens[p.at+1].is("(") {
		return false
	}
	p.at += 2
	return true
}
