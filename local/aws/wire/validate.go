package wire

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// violation is one broken constraint of the model.
type violation struct {
	path     string // API names joined with dots
	missing  bool
	value    string
	must     string // what AWS says about it
	location string
}

// validator checks a decoded input against the constraints that the model
// carries in tags: required, min, enum.
type validator struct {
	service    *Service
	violations []violation
}

// validate gives the refusal for an input, or nil. All violations are reported
// at once where the protocol has words for that.
func (s *Service) validate(p Protocol, in reflect.Value) *Error {
	v := validator{service: s}
	v.structure(in, "", "")
	if len(v.violations) == 0 {
		return nil
	}
	// A missing parameter is reported before a bad one: its code is another.
	slices.SortStableFunc(v.violations, func(a, b violation) int { return rank(a) - rank(b) })
	first := v.violations[0]
	kind := invalidParameter
	switch {
	case s.name == "s3" && first.location == "" && strings.Contains(first.path, "."):
		// S3 checks its bodies against a schema.
		return refuse(malformedBody, "The XML you provided was not well-formed or did not validate against our published schema")
	case first.missing:
		kind = missingParameter
	}
	return refuse(kind, "%s", v.message(p, first))
}

func rank(v violation) int {
	if v.missing {
		return 0
	}
	return 1
}

func (v *validator) message(p Protocol, first violation) string {
	switch {
	case (p == EC2 || v.service.name == "rds") && first.missing:
		return fmt.Sprintf("The request must contain the parameter %s", first.path)
	case p == EC2 || v.service.name == "rds":
		return fmt.Sprintf("Value (%s) for parameter %s is invalid. %s", first.value, first.path, first.must)
	case v.service.name == "sns":
		return fmt.Sprintf("Invalid parameter: %s Reason: %s", first.path, first.must)
	}
	parts := make([]string, 0, len(v.violations))
	for _, x := range v.violations {
		value := "null"
		if !x.missing {
			value = "'" + x.value + "'"
		}
		parts = append(parts, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", value, lowerFirst(x.path), x.must))
	}
	noun := "errors"
	if len(parts) == 1 {
		noun = "error"
	}
	return fmt.Sprintf("%d validation %s detected: %s", len(parts), noun, strings.Join(parts, "; "))
}

func lowerFirst(path string) string {
	parts := strings.Split(path, ".")
	for i, p := range parts {
		if p != "" {
			parts[i] = strings.ToLower(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, ".")
}

func (v *validator) structure(src reflect.Value, path, location string) {
	name := src.Type().Name()
	for _, m := range v.service.shapes.of(src.Type()).members {
		at := m.name
		if path != "" {
			at = path + "." + m.name
		}
		where := m.location
		if path != "" {
			where = location
		}
		v.member(src.Field(m.index), &m, place{path: at, location: where, key: name + "." + firstOf(m.wireName, m.name), other: name + "." + m.name})
	}
}

// place is where a value stands: for people, on the wire, and in the table of
// bounds. The table knows members by the model's names, which are the wire's in
// most protocols and the Go names in the others.
type place struct{ path, location, key, other string }

// item is the place of a list's item.
func (p place) item(i int) place {
	p.path = fmt.Sprintf("%s.%d.member", p.path, i+1)
	p.key, p.other = p.key+"[]", p.other+"[]"
	return p
}

// entry is the place of a map's value.
func (p place) entry(key string) place {
	p.path += "." + key + ".member"
	p.key, p.other = p.key+"{}", p.other+"{}"
	return p
}

func (v *validator) member(src reflect.Value, m *member, at place) {
	if src.IsNil() {
		if m.required {
			v.violations = append(v.violations, violation{path: at.path, missing: true, must: "Member must not be null", location: at.location})
		}
		return
	}
	if m.hasMin {
		v.within(src, bound{min: m.min, hasMin: true}, at)
	}
	v.value(src, m.enum, at)
}

// value checks a value and descends into whatever it holds.
func (v *validator) value(src reflect.Value, enum string, at place) {
	if (src.Kind() == reflect.Pointer || src.Kind() == reflect.Interface) && src.IsNil() {
		return
	}
	b, ok := v.service.bounds.byPath[strings.ToLower(at.key)]
	if !ok {
		b = v.service.bounds.byPath[strings.ToLower(at.other)]
	}
	v.within(src, b, at)
	switch {
	case src.Kind() == reflect.Pointer && src.Elem().Kind() == reflect.Struct && src.Type().Elem() != timeType():
		v.structure(src.Elem(), at.path, at.location)
	case src.Kind() == reflect.Slice && src.Type() != bytesType():
		for i := range src.Len() {
			v.value(src.Index(i), enum, at.item(i))
		}
	case src.Kind() == reflect.Map && src.Type() != jsonValueType():
		for _, key := range src.MapKeys() {
			v.value(src.MapIndex(key), "", at.entry(key.String()))
		}
	case src.Kind() == reflect.Pointer && src.Elem().Kind() == reflect.String && enum != "":
		v.enumeration(src.Elem().String(), enum, at)
	}
}

func (v *validator) enumeration(text, enum string, at place) {
	known := v.service.enums[enum]
	if len(known) == 0 || slices.Contains(known, text) {
		return
	}
	v.broken(at, text, fmt.Sprintf("Member must satisfy enum value set: [%s]", strings.Join(known, ", ")))
}

func (v *validator) broken(at place, value, must string) {
	v.violations = append(v.violations, violation{path: at.path, location: at.location, value: value, must: must})
}

// within checks size and pattern of one value.
func (v *validator) within(src reflect.Value, b bound, at place) {
	size, noun, value, ok := measure(src)
	if !ok {
		return
	}
	switch {
	case b.hasMin && size < float64(b.min):
		v.broken(at, value, fmt.Sprintf("Member must have %s greater than or equal to %d", noun, b.min))
	case b.hasMax && size > float64(b.max):
		v.broken(at, value, fmt.Sprintf("Member must have %s less than or equal to %d", noun, b.max))
	case b.pattern != "" && noun == "length" && !v.service.bounds.matches(b.pattern, value):
		v.broken(at, value, "Member must satisfy regular expression pattern: "+b.pattern)
	}
}

// measure gives what bounds apply to: the value of a number, the length of
// anything else. Streams have none here.
func measure(src reflect.Value) (size float64, noun, value string, ok bool) {
	switch x := src.Interface().(type) {
	case *string:
		return float64(utf8.RuneCountInString(*x)), "length", *x, true
	case *int64:
		return float64(*x), "value", strconv.FormatInt(*x, 10), true
	case *float64:
		return *x, "value", floatText(*x), true
	}
	if k := src.Kind(); k == reflect.Slice || k == reflect.Map {
		return float64(src.Len()), "size", "", true
	}
	return 0, "", "", false
}
