package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"time"

	v1 "github.com/aws/aws-sdk-go/aws"
	"github.com/fxamacker/cbor/v2"
)

// documents is what JSON and CBOR have in common: maps, lists and scalars. They
// differ in how times and bytes are written.
type documents struct {
	shapes *shapes
	cbor   bool
}

// parse reads one document; an empty body is an empty map, as on AWS.
func (d documents) parse(raw []byte) (map[string]any, error) {
	var doc any
	switch {
	case len(bytes.TrimSpace(raw)) == 0:
		return map[string]any{}, nil
	case d.cbor:
		mode, err := cbor.DecOptions{
			DefaultMapType:  reflect.TypeFor[map[string]any](),
			MaxNestedLevels: maxDepth, TimeTag: cbor.DecTagOptional,
		}.DecMode()
		if err != nil {
			return nil, fmt.Errorf("cbor options: %w", err)
		}
		if err := mode.Unmarshal(raw, &doc); err != nil {
			return nil, fmt.Errorf("read CBOR: %w", err)
		}
	default:
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if err := dec.Decode(&doc); err != nil {
			return nil, fmt.Errorf("read JSON: %w", err)
		}
		if _, err := dec.Token(); !errors.Is(err, io.EOF) {
			return nil, errors.New("read JSON: more than one document")
		}
	}
	m, ok := doc.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the document is a %T, not a structure", doc)
	}
	return m, nil
}

// structure fills dst, a struct, from a document.
func (d documents) structure(dst reflect.Value, doc map[string]any) error {
	for _, m := range d.shapes.of(dst.Type()).bodyMembers() {
		raw, ok := doc[m.inDocument()]
		if !ok || raw == nil {
			continue
		}
		if err := d.value(dst.Field(m.index), raw, &m); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

func (d documents) value(dst reflect.Value, raw any, m *member) error {
	t := dst.Type()
	switch {
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct && t.Elem() != timeType():
		doc, ok := raw.(map[string]any)
		if !ok {
			return fmt.Errorf("got a %T, want a structure", raw)
		}
		dst.Set(reflect.New(t.Elem()))
		return d.structure(dst.Elem(), doc)
	case t.Kind() == reflect.Slice && t != bytesType():
		return d.list(dst, raw)
	case t == jsonValueType():
		return setJSONDocument(dst, raw)
	case t.Kind() == reflect.Map:
		return d.dictionary(dst, raw)
	default:
		return d.scalar(dst, raw, m)
	}
}

func (d documents) list(dst reflect.Value, raw any) error {
	items, ok := raw.([]any)
	if !ok {
		return fmt.Errorf("got a %T, want a list", raw)
	}
	out := reflect.MakeSlice(dst.Type(), 0, len(items))
	for i, item := range items {
		v := reflect.New(dst.Type().Elem()).Elem()
		if item != nil {
			if err := d.value(v, item, &member{}); err != nil {
				return fmt.Errorf("item %d: %w", i+1, err)
			}
		}
		out = reflect.Append(out, v)
	}
	dst.Set(out)
	return nil
}

func (d documents) dictionary(dst reflect.Value, raw any) error {
	doc, ok := raw.(map[string]any)
	if !ok {
		return fmt.Errorf("got a %T, want a map", raw)
	}
	out := reflect.MakeMap(dst.Type())
	for key, item := range doc {
		v := reflect.New(dst.Type().Elem()).Elem()
		if item != nil {
			if err := d.value(v, item, &member{}); err != nil {
				return fmt.Errorf("entry %q: %w", key, err)
			}
		}
		out.SetMapIndex(reflect.ValueOf(key), v)
	}
	dst.Set(out)
	return nil
}

// setJSONDocument takes a JSON value, which travels as text inside JSON.
func setJSONDocument(dst reflect.Value, raw any) error {
	text, ok := raw.(string)
	if !ok {
		return fmt.Errorf("got a %T, want JSON in a string", raw)
	}
	return setJSONValue(dst, []byte(text))
}

// scalar takes only the type that the model names, as AWS does: "5" is no number.
func (d documents) scalar(dst reflect.Value, raw any, m *member) error {
	switch dst.Interface().(type) {
	case *string:
		v, ok := raw.(string)
		if !ok {
			return fmt.Errorf("got a %T, want a string", raw)
		}
		dst.Set(reflect.ValueOf(&v))
	case *bool:
		v, ok := raw.(bool)
		if !ok {
			return fmt.Errorf("got a %T, want a boolean", raw)
		}
		dst.Set(reflect.ValueOf(&v))
	case *int64:
		v, err := integer(raw)
		if err != nil {
			return err
		}
		dst.Set(reflect.ValueOf(&v))
	case *float64:
		v, err := float(raw)
		if err != nil {
			return err
		}
		dst.Set(reflect.ValueOf(&v))
	case *time.Time:
		v, err := instant(raw, m)
		if err != nil {
			return err
		}
		dst.Set(reflect.ValueOf(&v))
	default:
		return d.bytes(dst, raw)
	}
	return nil
}

func (d documents) bytes(dst reflect.Value, raw any) error {
	var v []byte
	switch r := raw.(type) {
	case []byte:
		v = r
	case string:
		decoded, err := base64.StdEncoding.DecodeString(r)
		if err != nil || d.cbor {
			return errors.New("not bytes")
		}
		v = decoded
	default:
		return fmt.Errorf("got a %T, want bytes", raw)
	}
	if dst.Type() == bytesType() {
		dst.Set(reflect.ValueOf(v))
		return nil
	}
	return setStream(dst, v)
}

func integer(raw any) (int64, error) {
	switch v := raw.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		f, err := v.Float64()
		if err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return int64(f), nil
		}
	case int64:
		return v, nil
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v), nil
		}
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v), nil
		}
	}
	return 0, fmt.Errorf("%v is not an integer", raw)
}

func float(raw any) (float64, error) {
	switch v := raw.(type) {
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return 0, fmt.Errorf("%s is not a number", v)
		}
		return f, nil
	case int64:
		return float64(v), nil
	case uint64:
		return float64(v), nil
	case float64:
		return v, nil
	case string:
		switch v {
		case "NaN":
			return math.NaN(), nil
		case "Infinity":
			return math.Inf(1), nil
		case "-Infinity":
			return math.Inf(-1), nil
		}
	}
	return 0, fmt.Errorf("%v is not a number", raw)
}

func instant(raw any, m *member) (time.Time, error) {
	switch v := raw.(type) {
	case time.Time:
		return v.UTC(), nil
	case string:
		return parseTime(firstOf(m.format, "iso8601"), v)
	default:
		f, err := float(raw)
		if err != nil {
			return time.Time{}, err
		}
		return unixTime(f), nil
	}
}

// build turns a struct into a document, without members that are not set.
func (d documents) build(src reflect.Value) map[string]any {
	doc := map[string]any{}
	for _, m := range d.shapes.of(src.Type()).bodyMembers() {
		if f := src.Field(m.index); !f.IsNil() {
			doc[m.inDocument()] = d.plain(f, &m)
		}
	}
	return doc
}

func (d documents) plain(src reflect.Value, m *member) any {
	if (src.Kind() == reflect.Pointer || src.Kind() == reflect.Interface) && src.IsNil() {
		return nil
	}
	switch v := src.Interface().(type) {
	case *time.Time:
		return d.time(*v, m)
	case []byte:
		if d.cbor {
			return v
		}
		return base64.StdEncoding.EncodeToString(v)
	case *float64:
		return d.number(*v)
	case v1.JSONValue:
		raw, err := json.Marshal(v)
		if err != nil {
			return "null" // a JSONValue holds what came from JSON
		}
		return string(raw)
	}
	switch src.Kind() {
	case reflect.Slice:
		items := make([]any, 0, src.Len())
		for i := range src.Len() {
			items = append(items, d.plain(src.Index(i), &member{}))
		}
		return items
	case reflect.Map:
		doc := map[string]any{}
		for _, key := range src.MapKeys() {
			doc[key.String()] = d.plain(src.MapIndex(key), &member{})
		}
		return doc
	case reflect.Pointer:
		if src.Elem().Kind() == reflect.Struct {
			return d.build(src.Elem())
		}
		return src.Elem().Interface()
	default:
		return src.Interface()
	}
}

// time is a number of seconds in JSON unless the model says otherwise, and tag 1
// in CBOR.
func (d documents) time(t time.Time, m *member) any {
	seconds := float64(t.UnixMilli()) / 1e3
	switch {
	case d.cbor:
		return cbor.Tag{Number: 1, Content: seconds}
	case m.format != "" && m.format != "unixTimestamp":
		return formatTime(m.format, t)
	default:
		return json.Number(formatTime("unixTimestamp", t))
	}
}

// number spells out what JSON has no numbers for.
func (d documents) number(f float64) any {
	switch {
	case d.cbor:
		return f
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	default:
		return f
	}
}

// write puts a document on the wire.
func (d documents) write(doc any) ([]byte, error) {
	if d.cbor {
		raw, err := cbor.Marshal(doc)
		if err != nil {
			return nil, fmt.Errorf("write CBOR: %w", err)
		}
		return raw, nil
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}
