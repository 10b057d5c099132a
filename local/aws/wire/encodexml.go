package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// xmlEncoder writes v1 shapes as the XML of query, ec2 and rest-xml answers.
type xmlEncoder struct {
	shapes *shapes
	out    *bytes.Buffer
}

func (e xmlEncoder) open(name, attributes string) { e.out.WriteString("<" + name + attributes + ">") }
func (e xmlEncoder) shut(name string)             { e.out.WriteString("</" + name + ">") }

// text writes <name>text</name>.
func (e xmlEncoder) text(name, text string) {
	e.open(name, "")
	e.escape(text)
	e.shut(name)
}

func (e xmlEncoder) escape(text string) {
	// A bytes.Buffer takes every write.
	_ = xml.EscapeText(e.out, []byte(text))
}

// structure writes the body members of src that are set.
func (e xmlEncoder) structure(src reflect.Value) {
	for _, m := range e.shapes.of(src.Type()).bodyMembers() {
		f := src.Field(m.index)
		if m.attribute || f.IsNil() {
			continue
		}
		e.member(f, &m)
	}
}

func (e xmlEncoder) member(src reflect.Value, m *member) {
	name := m.onWire()
	switch {
	case src.Kind() == reflect.Slice && src.Type() != bytesType():
		e.list(src, name, m)
	case src.Kind() == reflect.Map && src.Type() != jsonValueType():
		e.dictionary(src, name, m)
	default:
		e.value(src, name, m)
	}
}

func (e xmlEncoder) value(src reflect.Value, name string, m *member) {
	if src.Kind() == reflect.Pointer && src.IsNil() {
		return
	}
	switch {
	case src.Kind() == reflect.Pointer && src.Elem().Kind() == reflect.Struct && src.Type().Elem() != timeType():
		e.open(name, e.attributes(src.Elem()))
		e.structure(src.Elem())
		e.shut(name)
	case src.Kind() == reflect.Slice && src.Type() != bytesType():
		e.open(name, "")
		e.items(src, m)
		e.shut(name)
	default:
		e.text(name, scalarText(src, m, "iso8601"))
	}
}

// attributes are the members that stand in the tag, such as S3's xsi:type.
func (e xmlEncoder) attributes(src reflect.Value) string {
	var out strings.Builder
	for _, m := range e.shapes.of(src.Type()).bodyMembers() {
		if f := src.Field(m.index); m.attribute && !f.IsNil() {
			var escaped bytes.Buffer
			_ = xml.EscapeText(&escaped, []byte(scalarText(f, &m, "iso8601")))
			if prefix, _, ok := strings.Cut(m.onWire(), ":"); ok {
				out.WriteString(` xmlns:` + prefix + `="http://www.w3.org/2001/XMLSchema-instance"`)
			}
			out.WriteString(` ` + m.onWire() + `="` + escaped.String() + `"`)
		}
	}
	return out.String()
}

func (e xmlEncoder) list(src reflect.Value, name string, m *member) {
	if m.flattened {
		for i := range src.Len() {
			e.value(src.Index(i), name, &member{})
		}
		return
	}
	e.open(name, "")
	e.items(src, m)
	e.shut(name)
}

func (e xmlEncoder) items(src reflect.Value, m *member) {
	for i := range src.Len() {
		e.value(src.Index(i), firstOf(m.listName, "member"), &member{})
	}
}

func (e xmlEncoder) dictionary(src reflect.Value, name string, m *member) {
	keys := make([]string, 0, src.Len())
	for _, k := range src.MapKeys() {
		keys = append(keys, k.String())
	}
	slices.Sort(keys)
	entry := "entry"
	if m.flattened {
		entry = name
	} else {
		e.open(name, "")
	}
	for _, k := range keys {
		e.open(entry, "")
		e.text(firstOf(m.keyName, "key"), k)
		e.value(src.MapIndex(reflect.ValueOf(k)), firstOf(m.valueName, "value"), &member{})
		e.shut(entry)
	}
	if !m.flattened {
		e.shut(name)
	}
}

// scalarText is a scalar as text, for XML, headers and query strings.
func scalarText(src reflect.Value, m *member, timeFormat string) string {
	switch v := src.Interface().(type) {
	case *string:
		if m.base64 {
			return base64.StdEncoding.EncodeToString([]byte(*v))
		}
		return *v
	case *bool:
		return strconv.FormatBool(*v)
	case *int64:
		return strconv.FormatInt(*v, 10)
	case *float64:
		return floatText(*v)
	case *time.Time:
		return formatTime(firstOf(m.format, timeFormat), *v)
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	default:
		return ""
	}
}

func floatText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	default:
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
}
