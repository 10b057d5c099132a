package pattern

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// null is what a JSON null of an event is turned into: unlike a missing field it
// is a value.
type null struct{}

// Normal prepares an event for matching: nulls become values.
func Normal(event map[string]any) map[string]any {
	out := make(map[string]any, len(event))
	for name, v := range event {
		out[name] = normal(v)
	}
	return out
}

func normal(v any) any {
	switch v := v.(type) {
	case nil:
		return null{}
	case map[string]any:
		return Normal(v)
	case []any:
		out := make([]any, 0, len(v))
		for _, item := range v {
			out = append(out, normal(item))
		}
		return out
	default:
		return v
	}
}

func parseTests(list []any, path string) ([]test, error) {
	var out []test
	for _, item := range list {
		t, err := parseTest(item)
		if err != nil {
			return nil, fmt.Errorf("%s%w", at(path), err)
		}
		out = append(out, t)
	}
	return out, nil
}

func parseTest(item any) (test, error) {
	switch item := item.(type) {
	case map[string]any:
		return parseOperator(item)
	case []any:
		return nil, Problem("Match value must be String, number, true, false, or null")
	default:
		return equal(item), nil
	}
}

// equal compares as text: numbers are the same only if they are written alike.
func equal(want any) test {
	if want == nil {
		want = null{}
	}
	return func(v any, there bool) bool { return there && v == want }
}

// parseOperator reads {"prefix": "a"} and its like.
func parseOperator(object map[string]any) (test, error) {
	if len(object) != 1 {
		return nil, Problem("Only one key allowed in match expression")
	}
	for name, arg := range object {
		switch name {
		case "exists":
			want, ok := arg.(bool)
			if !ok {
				return nil, errors.New("exists match pattern must be either true or false")
			}
			return func(_ any, there bool) bool { return there == want }, nil
		case "numeric":
			return parseNumeric(arg)
		case "anything-but":
			return parseNot(arg)
		default:
			return parseText(name, arg)
		}
	}
	return nil, errors.New("empty match expression")
}

// parseText reads the operators that compare text.
func parseText(name string, arg any) (test, error) {
	fold := false
	if object, ok := arg.(map[string]any); ok && (name == "prefix" || name == "suffix") && len(object) == 1 && object["equals-ignore-case"] != nil {
		arg, fold = object["equals-ignore-case"], true
	}
	compare := comparison(name)
	if compare == nil {
		return nil, Problem(fmt.Sprintf("Unrecognized match type %s", name))
	}
	want, ok := arg.(string)
	if !ok {
		return nil, fmt.Errorf("%s match pattern must be a string", name)
	}
	if name == "cidr" {
		return parseCIDR(want)
	}
	if !fold {
		return func(v any, _ bool) bool {
			text, ok := v.(string)
			return ok && compare(text, want)
		}, nil
	}
	want = strings.ToLower(want)
	return func(v any, _ bool) bool {
		text, ok := v.(string)
		return ok && compare(strings.ToLower(text), want)
	}, nil
}

func comparison(name string) func(text, want string) bool {
	switch name {
	case "prefix":
		return strings.HasPrefix
	case "suffix":
		return strings.HasSuffix
	case "equals-ignore-case":
		return strings.EqualFold
	case "wildcard":
		return wildcard
	case "cidr":
		return func(string, string) bool { return false } // parseCIDR's
	default:
		return nil
	}
}

// wildcard matches with * for any text; \* is a star.
func wildcard(text, want string) bool {
	parts := strings.Split(strings.ReplaceAll(want, `\*`, "\x00"), "*")
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], "\x00", "*")
	}
	if len(parts) == 1 {
		return text == parts[0]
	}
	last := len(parts) - 1
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok || !strings.HasSuffix(rest, parts[last]) {
		return false
	}
	rest = strings.TrimSuffix(rest, parts[last])
	for _, part := range parts[1:last] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return true
}

func parseCIDR(text string) (test, error) {
	within, err := netip.ParsePrefix(text)
	if err != nil {
		return nil, fmt.Errorf("malformed CIDR %q", text)
	}
	return func(v any, _ bool) bool {
		text, ok := v.(string)
		if !ok {
			return false
		}
		addr, err := netip.ParseAddr(text)
		return err == nil && within.Contains(addr)
	}, nil
}

// parseNot reads what must not match: a value, a list of them, or an operator.
func parseNot(arg any) (test, error) {
	var items []any
	switch arg := arg.(type) {
	case []any:
		items = arg
	case map[string]any:
		var err error
		if items, err = spread(arg); err != nil {
			return nil, err
		}
	default:
		items = []any{arg}
	}
	if len(items) == 0 {
		return nil, errors.New("anything-but list must not be empty")
	}
	var not []test
	for _, item := range items {
		t, err := parseTest(item)
		if err != nil {
			return nil, err
		}
		not = append(not, t)
	}
	return func(v any, there bool) bool {
		for _, t := range not {
			if t(v, there) {
				return false
			}
		}
		return there
	}, nil
}

// spread makes {"prefix": ["a", "b"]} the two operators that it means.
func spread(object map[string]any) ([]any, error) {
	var out []any
	for name, arg := range object {
		if comparison(name) == nil || name == "cidr" {
			return nil, Problem(fmt.Sprintf("Unsupported anything-but pattern: %s", name))
		}
		list, ok := arg.([]any)
		if !ok {
			list = []any{arg}
		}
		for _, item := range list {
			out = append(out, map[string]any{name: item})
		}
	}
	return out, nil
}

// parseNumeric reads ["=", 5] and [">", 0, "<=", 5].
func parseNumeric(arg any) (test, error) {
	list, ok := arg.([]any)
	if !ok || (len(list) != 2 && len(list) != 4) {
		return nil, errors.New("numeric match takes one comparison or a range")
	}
	var bounds []func(float64) bool
	for i := 0; i < len(list); i += 2 {
		sign, _ := list[i].(string)
		number, ok := list[i+1].(json.Number)
		limit, err := number.Float64()
		compare := comparing(sign, limit)
		if !ok || err != nil || compare == nil {
			return nil, Problem(fmt.Sprintf("Bad numeric expression: %v", list))
		}
		if len(list) == 4 && !strings.HasPrefix(sign, []string{">", "<"}[i/2]) {
			return nil, Problem(fmt.Sprintf("Bad numeric range operator: %s", sign))
		}
		bounds = append(bounds, compare)
	}
	return func(v any, _ bool) bool {
		number, ok := v.(json.Number)
		if !ok {
			return false
		}
		x, err := number.Float64()
		for _, in := range bounds {
			if err != nil || !in(x) {
				return false
			}
		}
		return true
	}, nil
}

func comparing(sign string, limit float64) func(float64) bool {
	switch sign {
	case "=":
		return func(x float64) bool { return x == limit }
	case "<":
		return func(x float64) bool { return x < limit }
	case "<=":
		return func(x float64) bool { return x <= limit }
	case ">":
		return func(x float64) bool { return x > limit }
	case ">=":
		return func(x float64) bool { return x >= limit }
	default:
		return nil
	}
}
