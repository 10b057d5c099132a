package expression

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// Condition is a parsed condition, filter or key-condition expression.
type Condition struct{ root node }

// ParseCondition parses a condition expression; an empty source holds always.
func ParseCondition(src *string, params *Params) (*Condition, error) {
	if src == nil {
		return &Condition{}, nil
	}
	p, err := newParser(*src, params)
	if err != nil {
		return nil, err
	}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	return &Condition{root}, p.end()
}

// Holds tells whether the item satisfies the condition.
func (c *Condition) Holds(item Item) bool { return c.root == nil || c.root.holds(item) }

// Equality finds the value that the condition demands of an attribute in one
// of its AND-ed terms; nil when it demands none.
func (c *Condition) Equality(attribute string) *Value { return equality(c.root, attribute) }

func equality(n node, attribute string) *Value {
	switch n := n.(type) {
	case and:
		if v := equality(n.left, attribute); v != nil {
			return v
		}
		return equality(n.right, attribute)
	case comparison:
		path, isPath := n.left.(Path)
		value, isValue := n.right.(literal)
		if n.operator == "=" && isPath && isValue && path.String() == attribute {
			return value.v
		}
	}
	return nil
}

// Attributes lists the top-level attributes that the condition reads.
func (c *Condition) Attributes() []string {
	if c.root == nil {
		return nil
	}
	var names []string
	for _, o := range c.root.operands() {
		names = append(names, attributesOf(o)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func attributesOf(o operand) []string {
	switch o := o.(type) {
	case Path:
		return []string{o.Top()}
	case size:
		return []string{o.of.Top()}
	default:
		return nil
	}
}

type node interface {
	holds(item Item) bool
	operands() []operand
}

type (
	and        struct{ left, right node }
	or         struct{ left, right node }
	not        struct{ inner node }
	comparison struct {
		operator    string
		left, right operand
	}
	between struct{ subject, low, high operand }
	oneOf   struct {
		subject operand
		members []operand
	}
	function struct {
		name      string
		arguments []operand
	}
	size struct{ of Path }
)

func (n and) holds(item Item) bool { return n.left.holds(item) && n.right.holds(item) }
func (n or) holds(item Item) bool  { return n.left.holds(item) || n.right.holds(item) }
func (n not) holds(item Item) bool { return !n.inner.holds(item) }

func (n and) operands() []operand        { return append(n.left.operands(), n.right.operands()...) }
func (n or) operands() []operand         { return append(n.left.operands(), n.right.operands()...) }
func (n not) operands() []operand        { return n.inner.operands() }
func (n comparison) operands() []operand { return []operand{n.left, n.right} }
func (n between) operands() []operand    { return []operand{n.subject, n.low, n.high} }
func (n oneOf) operands() []operand      { return append([]operand{n.subject}, n.members...) }
func (n function) operands() []operand   { return n.arguments }

func (n comparison) holds(item Item) bool {
	left, right := n.left.value(item), n.right.value(item)
	switch n.operator {
	case "=":
		return left != nil && right != nil && Equal(left, right)
	case "<>":
		return left == nil || right == nil || !Equal(left, right)
	}
	order, ok := Compare(left, right)
	if !ok {
		return false
	}
	switch n.operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default:
		return order >= 0
	}
}

func (n between) holds(item Item) bool {
	v := n.subject.value(item)
	low, okLow := Compare(v, n.low.value(item))
	high, okHigh := Compare(v, n.high.value(item))
	return okLow && okHigh && low >= 0 && high <= 0
}

func (n oneOf) holds(item Item) bool {
	v := n.subject.value(item)
	return v != nil && slices.ContainsFunc(n.members, func(o operand) bool { return Equal(v, o.value(item)) })
}

func (n function) holds(item Item) bool {
	v := n.arguments[0].value(item)
	switch n.name {
	case "attribute_exists":
		return v != nil
	case "attribute_not_exists":
		return v == nil
	}
	argument := n.arguments[1].value(item)
	if v == nil || argument == nil {
		return false
	}
	switch n.name {
	case "attribute_type":
		return argument.S != nil && TypeOf(v) == *argument.S
	case "begins_with":
		return beginsWith(v, argument)
	default:
		return contains(v, argument)
	}
}

func beginsWith(v, prefix *Value) bool {
	if v.S != nil && prefix.S != nil {
		return strings.HasPrefix(*v.S, *prefix.S)
	}
	return v.B != nil && prefix.B != nil && bytes.HasPrefix(v.B, prefix.B)
}

func contains(v, part *Value) bool {
	switch {
	case v.S != nil && part.S != nil:
		return strings.Contains(*v.S, *part.S)
	case v.L != nil:
		return slices.ContainsFunc(v.L, func(member *Value) bool { return Equal(member, part) })
	case part.S != nil && v.SS != nil, part.N != nil && v.NS != nil, part.B != nil && v.BS != nil:
		one := &Value{}
		switch {
		case part.S != nil:
			one.SS = []*string{part.S}
		case part.N != nil:
			one.NS = []*string{part.N}
		default:
			one.BS = [][]byte{part.B}
		}
		return slices.Contains(setKeys(v), setKeys(one)[0])
	default:
		return false
	}
}

// value is the length of a string, binary, set, list or map.
func (s size) value(item Item) *Value {
	v := s.of.value(item)
	var n int
	switch TypeOf(v) {
	case "S":
		n = len(*v.S)
	case "B":
		n = len(v.B)
	case "SS", "NS", "BS", "L", "M":
		n = len(v.SS) + len(v.NS) + len(v.BS) + len(v.L) + len(v.M)
	default:
		return nil
	}
	text := strconv.Itoa(n)
	return &Value{N: &text}
}

func (p *parser) or() (node, error) {
	left, err := p.and()
	for err == nil && p.accept("OR") {
		var right node
		right, err = p.and()
		left = or{left, right}
	}
	return left, err
}

func (p *parser) and() (node, error) {
	left, err := p.not()
	for err == nil && p.accept("AND") {
		var right node
		right, err = p.not()
		left = and{left, right}
	}
	return left, err
}

func (p *parser) not() (node, error) {
	if p.accept("NOT") {
		inner, err := p.not()
		return not{inner}, err
	}
	if p.accept("(") {
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	}
	for name, arguments := range conditionFunctions() {
		if p.call(name) {
			return p.function(name, arguments)
		}
	}
	return p.comparison()
}

// conditionFunctions maps each function to its number of arguments.
func conditionFunctions() map[string]int {
	return map[string]int{"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2}
}

func (p *parser) function(name string, arguments int) (node, error) {
	f := function{name: name}
	for i := range arguments {
		if i > 0 {
			if err := p.expect(","); err != nil {
				return nil, invalid("Incorrect number of operands for operator or function; operator or function: %s", name)
			}
		}
		o, err := p.operand()
		if err != nil {
			return nil, err
		}
		f.arguments = append(f.arguments, o)
	}
	if _, isPath := f.arguments[0].(Path); !isPath {
		return nil, invalid("Operator or function requires a document path; operator or function: %s", name)
	}
	return f, p.expect(")")
}

func (p *parser) comparison() (node, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	switch {
	case p.accept("BETWEEN"):
		return p.between(left)
	case p.accept("IN"):
		return p.oneOf(left)
	}
	operator := p.peek()
	if operator.kind != tokenSymbol || !slices.Contains([]string{"=", "<>", "<", "<=", ">", ">="}, operator.text) {
		return nil, p.unexpected()
	}
	p.at++
	right, err := p.operand()
	return comparison{operator.text, left, right}, err
}

func (p *parser) between(subject operand) (node, error) {
	low, err := p.operand()
	if err != nil {
		return nil, err
	}
	if err := p.expect("AND"); err != nil {
		return nil, err
	}
	high, err := p.operand()
	return between{subject, low, high}, err
}

func (p *parser) oneOf(subject operand) (node, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	n := oneOf{subject: subject}
	for {
		member, err := p.operand()
		if err != nil {
			return nil, err
		}
		n.members = append(n.members, member)
		if !p.accept(",") {
			return n, p.expect(")")
		}
	}
}

// operand parses a path, a :value or size(path).
func (p *parser) operand() (operand, error) {
	if !p.call("size") {
		return p.plain()
	}
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	return size{path}, p.expect(")")
}
