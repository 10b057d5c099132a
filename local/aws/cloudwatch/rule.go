package cloudwatch

import (
	"fmt"
	"slices"
	"strings"
)

// rule is a composite alarm's expression: true is ALARM. holds gets the state of
// an alarm by name.
type rule interface {
	holds(state func(name string) string) bool
	names() []string
}

type (
	constant  bool
	condition struct{ state, alarm string }
	negation  struct{ of rule }
	junction  struct {
		all         bool // AND, not OR
		left, right rule
	}
)

func (c constant) holds(func(string) string) bool { return bool(c) }
func (c constant) names() []string                { return nil }

func (c condition) holds(state func(string) string) bool { return state(c.alarm) == c.state }
func (c condition) names() []string                      { return []string{c.alarm} }

func (n negation) holds(state func(string) string) bool { return !n.of.holds(state) }
func (n negation) names() []string                      { return n.of.names() }

func (j junction) holds(state func(string) string) bool {
	if j.all {
		return j.left.holds(state) && j.right.holds(state)
	}
	return j.left.holds(state) || j.right.holds(state)
}

func (j junction) names() []string {
	all := append(j.left.names(), j.right.names()...)
	slices.Sort(all)
	return slices.Compact(all)
}

// ruleParser reads an alarm rule: OR binds less than AND, AND less than NOT.
type ruleParser struct {
	words []string
	at    int
	depth int
}

// deepest bounds nesting: a rule comes from outside.
const deepest = 100

func parseRule(text string) (rule, error) {
	words, err := ruleWords(text)
	if err != nil {
		return nil, err
	}
	p := &ruleParser{words: words}
	r, err := p.either()
	if err == nil && p.at < len(p.words) {
		err = fmt.Errorf("unexpected %s", p.words[p.at])
	}
	return r, err
}

// ruleWords cuts a rule into parentheses, words and quoted names. A quoted name
// keeps its opening quote, so that "AND" as a name is no operator.
func ruleWords(text string) ([]string, error) {
	var out []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		switch c := text[0]; c {
		case '(', ')':
			out, text = append(out, text[:1]), text[1:]
		case '"', '\'':
			name, rest, closed := strings.Cut(text[1:], string(c))
			if !closed {
				return nil, fmt.Errorf("unclosed quote at %s", text)
			}
			out, text = append(out, `"`+name), rest
		default:
			end := strings.IndexAny(text, " \t\r\n()")
			if end < 0 {
				end = len(text)
			}
			out, text = append(out, text[:end]), text[end:]
		}
	}
	return out, nil
}

func (p *ruleParser) peek() string {
	if p.at < len(p.words) {
		return p.words[p.at]
	}
	return ""
}

func (p *ruleParser) take(word string) bool {
	if p.peek() != word {
		return false
	}
	p.at++
	return true
}

func (p *ruleParser) either() (rule, error) {
	left, err := p.both()
	for err == nil && p.take("OR") {
		var right rule
		right, err = p.both()
		left = junction{left: left, right: right}
	}
	return left, err
}

func (p *ruleParser) both() (rule, error) {
	left, err := p.term()
	for err == nil && p.take("AND") {
		var right rule
		right, err = p.term()
		left = junction{all: true, left: left, right: right}
	}
	return left, err
}

func (p *ruleParser) term() (rule, error) {
	p.depth++
	defer func() { p.depth-- }()
	switch word := p.peek(); {
	case p.depth > deepest:
		return nil, fmt.Errorf("nested more than %d deep", deepest)
	case p.take("NOT"):
		of, err := p.term()
		return negation{of}, err
	case p.take("TRUE"), p.take("FALSE"):
		return constant(word == "TRUE"), nil
	case p.take("("):
		inner, err := p.either()
		if err == nil && !p.take(")") {
			err = fmt.Errorf("missing ) at %q", p.peek())
		}
		return inner, err
	default:
		return p.condition()
	}
}

func (p *ruleParser) condition() (rule, error) {
	state := p.peek()
	if !slices.Contains([]string{"ALARM", "OK", "INSUFFICIENT_DATA"}, state) {
		return nil, fmt.Errorf("expected a function or an operator, not %q", state)
	}
	p.at++
	if !p.take("(") {
		return nil, fmt.Errorf("missing ( after %s", state)
	}
	name := strings.TrimPrefix(p.peek(), `"`)
	if name == "" || p.peek() == "(" || p.peek() == ")" {
		return nil, fmt.Errorf("missing alarm in %s()", state)
	}
	p.at++
	if !p.take(")") {
		return nil, fmt.Errorf("missing ) after %s", name)
	}
	return condition{state: state, alarm: name}, nil
}
