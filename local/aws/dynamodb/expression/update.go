package expression

import (
	"cmp"
	"math/big"
	"slices"
	"strings"
)

// Update is a parsed update expression.
type Update struct{ actions []action }

type action struct {
	verb  string // SET, REMOVE, ADD, DELETE
	path  Path
	value operand
}

// ParseUpdate parses an update expression; nil changes nothing.
func ParseUpdate(src *string, params *Params) (*Update, error) {
	if src == nil {
		return &Update{}, nil
	}
	p, err := newParser(*src, params)
	if err != nil {
		return nil, err
	}
	u := &Update{}
	seen := map[string]bool{}
	for p.peek().kind != tokenEnd {
		verb := strings.ToUpper(p.next().text)
		if !slices.Contains([]string{"SET", "REMOVE", "ADD", "DELETE"}, verb) {
			p.at--
			return nil, p.unexpected()
		}
		if seen[verb] {
			return nil, invalid(`The %q section can only be used once in an update expression;`, verb)
		}
		seen[verb] = true
		if err := u.section(p, verb); err != nil {
			return nil, err
		}
	}
	return u, u.overlap()
}

func (u *Update) section(p *parser, verb string) error {
	for {
		path, err := p.path()
		if err != nil {
			return err
		}
		a := action{verb: verb, path: path}
		switch verb {
		case "SET":
			if err = p.expect("="); err == nil {
				a.value, err = p.sum()
			}
		case "ADD", "DELETE":
			a.value, err = p.plain()
		}
		if err != nil {
			return err
		}
		u.actions = append(u.actions, a)
		if !p.accept(",") {
			return nil
		}
	}
}

// overlap refuses two actions on one path, or on a path and a part of it.
func (u *Update) overlap() error {
	for i, a := range u.actions {
		for _, b := range u.actions[i+1:] {
			short, long := a.path, b.path
			if len(short) > len(long) {
				short, long = long, short
			}
			if slices.Equal(short, long[:len(short)]) {
				return invalid("Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [%s], path two: [%s]", a.path, b.path)
			}
		}
	}
	return nil
}

// Attributes lists the top-level attributes that the update writes.
func (u *Update) Attributes() []string {
	names := make([]string, 0, len(u.actions))
	for _, a := range u.actions {
		names = append(names, a.path.Top())
	}
	return names
}

// Apply gives the item as the update leaves it. Every operand is read from the
// item as it was before.
func (u *Update) Apply(before Item) (Item, error) {
	after := Clone(before)
	if after == nil {
		after = Item{}
	}
	var removals []Path
	for _, a := range u.actions {
		var err error
		switch a.verb {
		case "SET":
			err = applySet(after, before, a)
		case "REMOVE":
			removals = append(removals, a.path)
		case "ADD":
			err = applyAdd(after, before, a)
		case "DELETE":
			err = applyDelete(after, before, a)
		}
		if err != nil {
			return nil, err
		}
	}
	// Highest list indexes first, so that one removal does not shift the next.
	slices.SortFunc(removals, func(a, b Path) int { return slices.CompareFunc(b, a, compareSteps) })
	for _, path := range removals {
		removePath(after, path)
	}
	return after, nil
}

func compareSteps(a, b step) int {
	return cmp.Or(cmp.Compare(a.index, b.index), strings.Compare(a.name, b.name))
}

func applySet(after, before Item, a action) error {
	v := a.value.value(before)
	if v == nil {
		return operandError(a.value)
	}
	return setPath(after, a.path, CloneValue(v))
}

func operandError(o operand) error {
	if s, isSum := o.(sum); isSum && s.left.value(nil) == nil && s.right.value(nil) == nil {
		return invalid("An operand in the update expression has an incorrect data type")
	}
	return invalid("The provided expression refers to an attribute that does not exist in the item")
}

func applyAdd(after, before Item, a action) error {
	current, v := a.path.value(before), a.value.value(before)
	kind := TypeOf(v)
	addable := slices.Contains([]string{"N", "SS", "NS", "BS"}, kind)
	if !addable || (current != nil && TypeOf(current) != kind) {
		return invalid("An operand in the update expression has an incorrect data type")
	}
	if kind == "N" {
		if current != nil {
			v = arithmetic("+", current, v)
		}
		return setPath(after, a.path, CloneValue(v))
	}
	return setPath(after, a.path, union(current, v))
}

func union(a, b *Value) *Value {
	if a == nil {
		return CloneValue(b)
	}
	return subset(&Value{SS: slices.Concat(a.SS, b.SS), NS: slices.Concat(a.NS, b.NS), BS: slices.Concat(a.BS, b.BS)}, map[string]bool{})
}

// subset keeps the members of a set that are not in seen, each once.
func subset(v *Value, seen map[string]bool) *Value {
	fresh := func(key string) bool {
		if seen[key] {
			return false
		}
		seen[key] = true
		return true
	}
	out := &Value{}
	for _, s := range v.SS {
		if fresh(*s) {
			out.SS = append(out.SS, s)
		}
	}
	for _, s := range v.NS {
		if fresh(canonicalNumber(*s)) {
			out.NS = append(out.NS, s)
		}
	}
	for _, b := range v.BS {
		if fresh(string(b)) {
			out.BS = append(out.BS, b)
		}
	}
	return out
}

func applyDelete(after, before Item, a action) error {
	current, v := a.path.value(before), a.value.value(before)
	if current == nil {
		return nil
	}
	kind := TypeOf(v)
	if kind != TypeOf(current) || (kind != "SS" && kind != "NS" && kind != "BS") {
		return invalid("An operand in the update expression has an incorrect data type")
	}
	gone := map[string]bool{}
	for _, key := range setKeys(v) {
		gone[key] = true
	}
	left := subset(current, gone)
	if TypeOf(left) == "" { // DynamoDB has no empty sets: the attribute goes
		removePath(after, a.path)
		return nil
	}
	return setPath(after, a.path, left)
}

func setPath(item Item, path Path, v *Value) error {
	if len(path) == 1 {
		item[path.Top()] = v
		return nil
	}
	parent := path[:len(path)-1].value(item)
	last := path[len(path)-1]
	switch {
	case last.index >= 0 && parent != nil && parent.L != nil:
		if last.index >= len(parent.L) {
			parent.L = append(parent.L, v)
		} else {
			parent.L[last.index] = v
		}
	case last.index < 0 && parent != nil && parent.M != nil:
		parent.M[last.name] = v
	default:
		return invalid("The document path provided in the update expression is invalid for update")
	}
	return nil
}

func removePath(item Item, path Path) {
	if len(path) == 1 {
		delete(item, path.Top())
		return
	}
	parent := path[:len(path)-1].value(item)
	last := path[len(path)-1]
	switch {
	case parent == nil:
	case last.index >= 0 && last.index < len(parent.L):
		parent.L = slices.Delete(parent.L, last.index, last.index+1)
	case last.index < 0:
		delete(parent.M, last.name)
	}
}

type (
	sum struct {
		operator    string
		left, right operand
	}
	ifNotExists struct {
		path     Path
		fallback operand
	}
	listAppend struct{ left, right operand }
)

func (s sum) value(item Item) *Value {
	return arithmetic(s.operator, s.left.value(item), s.right.value(item))
}

func (f ifNotExists) value(item Item) *Value {
	if v := f.path.value(item); v != nil {
		return v
	}
	return f.fallback.value(item)
}

func (l listAppend) value(item Item) *Value {
	left, right := l.left.value(item), l.right.value(item)
	if TypeOf(left) != "L" || TypeOf(right) != "L" {
		return nil
	}
	return &Value{L: slices.Concat(left.L, right.L)}
}

func arithmetic(operator string, left, right *Value) *Value {
	if TypeOf(left) != "N" || TypeOf(right) != "N" {
		return nil
	}
	x, errX := Number(*left.N)
	y, errY := Number(*right.N)
	if errX != nil || errY != nil {
		return nil
	}
	r := new(big.Rat)
	if operator == "-" {
		r.Sub(x, y)
	} else {
		r.Add(x, y)
	}
	text := FormatNumber(r)
	return &Value{N: &text}
}

func (p *parser) sum() (operand, error) {
	left, err := p.term()
	if err != nil {
		return nil, err
	}
	if operator := p.peek(); operator.is("+") || operator.is("-") {
		p.at++
		right, err := p.term()
		return sum{operator.text, left, right}, err
	}
	return left, nil
}

func (p *parser) term() (operand, error) {
	switch {
	case p.call("if_not_exists"):
		path, err := p.path()
		if err != nil {
			return nil, err
		}
		fallback, err := p.lastArgument()
		return ifNotExists{path, fallback}, err
	case p.call("list_append"):
		left, err := p.term()
		if err != nil {
			return nil, err
		}
		right, err := p.lastArgument()
		return listAppend{left, right}, err
	case p.accept("("):
		inner, err := p.sum()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	default:
		return p.plain()
	}
}

// lastArgument parses `, term )`.
func (p *parser) lastArgument() (operand, error) {
	if err := p.expect(","); err != nil {
		return nil, err
	}
	o, err := p.term()
	if err != nil {
		return nil, err
	}
	return o, p.expect(")")
}
