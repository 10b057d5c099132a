package plan

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// decoder fills a plan from a syntax tree and remembers where every value and
// every key stood. It goes on after each problem, so that all are found.
type decoder struct {
	*source
	values map[string]Position
	keys   map[string]Position
	// broken holds the paths whose value is missing or unreadable: what follows
	// from that is not reported again.
	broken map[string]bool
}

func decode(s *source, root ast.Node) (Plan, *decoder) {
	d := &decoder{s, map[string]Position{}, map[string]Position{}, map[string]bool{}}
	var p Plan
	d.value("", root, reflect.ValueOf(&p).Elem())
	return p, d
}

// value decodes n into v, by v's type.
func (d *decoder) value(path string, n ast.Node, v reflect.Value) {
	d.values[path] = start(n)
	if _, null := n.(*ast.NullNode); null {
		d.wrong(path, n, "has no value", "give it one, or leave the key out")
		return
	}
	if v.Type() == reflect.TypeFor[Duration]() {
		d.duration(path, n, v)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(path, n, v.Elem())
	case reflect.Struct:
		d.object(path, n, v)
	case reflect.Map:
		d.table(path, n, v)
	case reflect.Slice:
		d.list(path, n, v)
	case reflect.Int:
		d.number(path, n, v)
	case reflect.String:
		d.text(path, n, v)
	case reflect.Bool:
		d.truth(path, n, v)
	default:
		d.wrong(path, n, fmt.Sprintf("can't be read: plans hold no %s", v.Type()), "")
	}
}

// object decodes a mapping with known keys.
func (d *decoder) object(path string, n ast.Node, v reflect.Value) {
	pairs, ok := d.pairs(path, n)
	if !ok {
		return
	}
	fields := fieldsOf(v.Type())
	for _, pair := range pairs {
		key := keyText(pair)
		i, known := fields[key]
		if !known {
			d.add(start(pair.Key), join(path, key), Error, fmt.Sprintf("unknown key %q%s", key, inside(path)),
				didYouMean(key, slices.Sorted(maps.Keys(fields))))
			continue
		}
		d.value(join(path, key), pair.Value, v.Field(i))
	}
	for i := range v.NumField() {
		key, required := fieldKey(v.Type().Field(i))
		at := join(path, key)
		if _, given := d.keys[at]; required && !given {
			d.add(d.locate(at), at, Error, fmt.Sprintf("%q is missing%s", key, inside(path)), "")
			d.broken[at] = true
		}
	}
}

// table decodes a mapping whose keys the plan chooses.
func (d *decoder) table(path string, n ast.Node, v reflect.Value) {
	pairs, ok := d.pairs(path, n)
	if !ok {
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(pairs)))
	for _, pair := range pairs {
		key := keyText(pair)
		elem := reflect.New(v.Type().Elem()).Elem()
		d.value(join(path, key), pair.Value, elem)
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), elem)
	}
}

// pairs are the entries of a mapping, each key once.
func (d *decoder) pairs(path string, n ast.Node) ([]*ast.MappingValueNode, bool) {
	var all []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		all = n.Values
	case *ast.MappingValueNode:
		all = []*ast.MappingValueNode{n}
	default:
		d.wrong(path, n, "must be a mapping, not "+kindOf(n), "write it as \"key: value\" lines, or {key: value}")
		return nil, false
	}
	if len(all) > maxItems {
		d.wrong(path, n, fmt.Sprintf("has %d keys, more than %d", len(all), maxItems), "")
		return nil, false
	}
	unique := make([]*ast.MappingValueNode, 0, len(all))
	for _, pair := range all {
		at := join(path, keyText(pair))
		if first, twice := d.keys[at]; twice {
			d.add(start(pair.Key), at, Error, fmt.Sprintf("key %q is given twice", keyText(pair)),
				fmt.Sprintf("the first one is on line %d", first.Line))
			continue
		}
		d.keys[at] = start(pair.Key)
		unique = append(unique, pair)
	}
	return unique, true
}

func (d *decoder) list(path string, n ast.Node, v reflect.Value) {
	sequence, ok := n.(*ast.SequenceNode)
	if !ok {
		d.wrong(path, n, "must be a list, not "+kindOf(n), "write it as \"- item\" lines, or [item, item]")
		return
	}
	if len(sequence.Values) > maxItems {
		d.wrong(path, n, fmt.Sprintf("has %d items, more than %d", len(sequence.Values), maxItems), "")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(sequence.Values), len(sequence.Values)))
	for i, item := range sequence.Values {
		d.value(element(path, i), item, v.Index(i))
	}
}

func (d *decoder) text(path string, n ast.Node, v reflect.Value) {
	switch n := n.(type) {
	case *ast.StringNode:
		d.line(path, n, n.Value, v)
	case *ast.LiteralNode:
		d.line(path, n, strings.TrimSuffix(n.Value.Value, "\n"), v)
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
		d.wrong(path, n, "must be text, not "+kindOf(n), "")
	default:
		d.wrong(path, n, "must be text, not "+kindOf(n), fmt.Sprintf("put it in quotes: %q", n.GetToken().Value))
	}
}

// line takes one line of visible text. Plan texts end up in records, request
// headers, task queue names and pages: a line break smuggled in by an escape
// would say there what nobody wrote here.
func (d *decoder) line(path string, n ast.Node, text string, v reflect.Value) {
	if strings.ContainsFunc(text, invisible) {
		d.wrong(path, n, fmt.Sprintf("holds a line break or an invisible character: %q", text), "")
		return
	}
	if len(text) > maxText {
		d.wrong(path, n, fmt.Sprintf("has %d bytes, more than %d", len(text), maxText), "")
		return
	}
	v.SetString(text)
}

func (d *decoder) number(path string, n ast.Node, v reflect.Value) {
	raw := n.GetToken()
	whole := raw.Type == token.IntegerType || raw.Type == token.StringType && matches(`^-?[0-9]+$`, raw.Value)
	if !whole {
		d.wrong(path, n, "must be a whole number, not "+kindOf(n), "")
		return
	}
	i, err := strconv.ParseInt(raw.Value, 10, 32)
	if err != nil { // the library itself reads a number that overflows as text
		d.wrong(path, n, fmt.Sprintf("must be a whole number up to %d", math.MaxInt32), "")
		return
	}
	v.SetInt(i)
}

func (d *decoder) truth(path string, n ast.Node, v reflect.Value) {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		d.wrong(path, n, "must be true or false, not "+kindOf(n), "")
		return
	}
	v.SetBool(b.Value)
}

func (d *decoder) duration(path string, n ast.Node, v reflect.Value) {
	switch n := n.(type) {
	case *ast.StringNode:
		t, err := time.ParseDuration(n.Value)
		if err != nil {
			d.wrong(path, n, fmt.Sprintf("must be a duration, not %q", n.Value),
				"write a number and a unit (ms, s, m, h), as in 500ms, 60s, 1h30m")
			return
		}
		if t < 0 {
			d.wrong(path, n, fmt.Sprintf("must not be negative, but is %s", n.Value), "")
			return
		}
		v.SetInt(int64(t))
	case *ast.IntegerNode, *ast.FloatNode:
		raw := n.GetToken().Value
		d.wrong(path, n, fmt.Sprintf("must be a duration, but %s has no unit", raw), fmt.Sprintf("%ss, if seconds are meant", raw))
	default:
		d.wrong(path, n, "must be a duration, not "+kindOf(n), "write a number and a unit (ms, s, m, h), as in 500ms, 60s, 1h30m")
	}
}

// wrong reports a value that can't be decoded.
func (d *decoder) wrong(path string, n ast.Node, what, hint string) {
	d.broken[path] = true
	at := start(n)
	if key, ok := d.keys[path]; ok && n.Type() == ast.NullType {
		at = key // an empty value has no place of its own
	}
	d.add(at, path, Error, fmt.Sprintf("%s %s", subject(path), what), hint)
}

// locate is where the value at the path stands, or the nearest thing around it.
func (d *decoder) locate(path string) Position {
	for at, here := path, true; ; at, here = parent(at), false {
		if key, ok := d.keys[at]; ok && !here {
			return key
		}
		if value, ok := d.values[at]; ok {
			return value
		}
		if at == "" {
			return Position{1, 1}
		}
	}
}

// isBroken is true when the path, or anything that it is part of, was already reported.
func (d *decoder) isBroken(path string) bool {
	for at := path; at != ""; at = parent(at) {
		if d.broken[at] {
			return true
		}
	}
	return d.broken[""]
}

// fieldsOf are a type's fields by their key in the file.
func fieldsOf(t reflect.Type) map[string]int {
	fields := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		key, _ := fieldKey(t.Field(i))
		fields[key] = i
	}
	return fields
}

// fieldKey is a field's key in the file, and whether the file must have it.
func fieldKey(f reflect.StructField) (key string, required bool) {
	key, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return key, !strings.Contains(options, "omitempty")
}

func keyText(pair *ast.MappingValueNode) string {
	if s, ok := pair.Key.(*ast.StringNode); ok {
		return s.Value
	}
	if k, ok := pair.Key.(*ast.MappingKeyNode); ok && k.Value != nil {
		return k.Value.GetToken().Value
	}
	return pair.Key.GetToken().Value
}

// kindOf names what stands in the file in the reader's words.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.BoolNode:
		return "a truth value"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "the number " + n.GetToken().Value
	default:
		return "this"
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func element(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

func inside(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

func subject(path string) string {
	if path == "" {
		return "a plan"
	}
	return path
}
