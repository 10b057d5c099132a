package wire

import (
	"fmt"
	"io"
	"reflect"
	"slices"
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
	for _, m := range v.service.shapes.of(src.Type()).members {
		at := m.name
		if path != "" {
			at = path + "." + m.name
		}
		where := m.location
		if path != "" {
			where = location
		}
		v.member(src.Field(m.index), &m, at, where)
	}
}

func (v *validator) member(src reflect.Value, m *member, path, location string) {
	if src.IsNil() {
		if m.required {
			v.violations = append(v.violations, violation{path: path, missing: true, must: "Member must not be null", location: location})
		}
		return
	}
	v.minimum(src, m, path, location)
	v.value(src, m.enum, path, location)
}

// value descends into whatever a member holds.
func (v *validator) value(src reflect.Value, enum, path, location string) {
	switch {
	case !src.IsValid(), (src.Kind() == reflect.Pointer || src.Kind() == reflect.Interface) && src.IsNil():
	case src.Kind() == reflect.Pointer && src.Elem().Kind() == reflect.Struct && src.Type().Elem() != timeType():
		v.structure(src.Elem(), path, location)
	case src.Kind() == reflect.Slice && src.Type() != bytesType():
		for i := range src.Len() {
			v.value(src.Index(i), enum, fmt.Sprintf("%s.%d.member", path, i+1), location)
		}
	case src.Kind() == reflect.Map && src.Type() != jsonValueType():
		for _, key := range src.MapKeys() {
			v.value(src.MapIndex(key), "", path+"."+key.String()+".member", location)
		}
	case src.Kind() == reflect.Pointer && src.Elem().Kind() == reflect.String && enum != "":
		v.enumeration(src.Elem().String(), enum, path, location)
	}
}

func (v *validator) enumeration(text, enum, path, location string) {
	known := v.service.enums[enum]
	if len(known) == 0 || slices.Contains(known, text) {
		return
	}
	v.violations = append(v.violations, violation{
		path: path, value: text, location: location,
		must: fmt.Sprintf("Member must satisfy enum value set: [%s]", strings.Join(known, ", ")),
	})
}

func (v *validator) minimum(src reflect.Value, m *member, path, location string) {
	if !m.hasMin {
		return
	}
	var size int64
	value, must := "", "Member must have length greater than or equal to %d"
	switch x := src.Interface().(type) {
	case *string:
		size, value = int64(utf8.RuneCountInString(*x)), *x
	case *int64:
		size, value, must = *x, fmt.Sprint(*x), "Member must have value greater than or equal to %d"
	case *float64:
		size, value, must = int64(*x), fmt.Sprint(*x), "Member must have value greater than or equal to %d"
	case io.Reader:
		return
	default:
		if k := src.Kind(); k != reflect.Slice && k != reflect.Map {
			return
		}
		size = int64(src.Len())
	}
	if size < m.min {
		v.violations = append(v.violations, violation{path: path, value: value, location: location, must: fmt.Sprintf(must, m.min)})
	}
}
