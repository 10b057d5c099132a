package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	v1 "github.com/aws/aws-sdk-go/aws"
)

// treeDecoder fills v1 shapes from text trees.
type treeDecoder struct {
	shapes *shapes
	layout layout
}

// structure fills dst, a struct, from the children of n.
func (d treeDecoder) structure(dst reflect.Value, n *node) error {
	for _, m := range d.shapes.of(dst.Type()).bodyMembers() {
		if err := d.member(dst.Field(m.index), n, &m); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

func (d treeDecoder) member(dst reflect.Value, parent *node, m *member) error {
	switch m.kind {
	case "list":
		items, ok := d.layout.list(parent, m)
		if !ok {
			return nil
		}
		return d.list(dst, items)
	case "map":
		entries, ok := d.layout.entries(parent, m)
		if !ok {
			return nil
		}
		return d.dictionary(dst, entries, m)
	default:
		n := d.layout.find(parent, m)
		if n == nil {
			return nil
		}
		return d.value(dst, n, m)
	}
}

// value fills dst from n alone: a structure, an element of a list, a scalar.
func (d treeDecoder) value(dst reflect.Value, n *node, m *member) error {
	t := dst.Type()
	switch {
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct && t.Elem() != timeType():
		dst.Set(reflect.New(t.Elem()))
		return d.structure(dst.Elem(), n)
	case t.Kind() == reflect.Slice && t != bytesType():
		return d.list(dst, d.layout.items(n, m))
	case t.Kind() == reflect.Map && t != jsonValueType():
		return d.dictionary(dst, n.all("entry"), m)
	default:
		return setText(dst, n.text, m, "iso8601")
	}
}

func (d treeDecoder) list(dst reflect.Value, items []*node) error {
	out := reflect.MakeSlice(dst.Type(), len(items), len(items))
	for i, item := range items {
		if err := d.value(out.Index(i), item, &member{}); err != nil {
			return fmt.Errorf("item %d: %w", i+1, err)
		}
	}
	dst.Set(out)
	return nil
}

func (d treeDecoder) dictionary(dst reflect.Value, entries []*node, m *member) error {
	out := reflect.MakeMap(dst.Type())
	for i, entry := range entries {
		key := entry.child(firstOf(m.keyName, "key"))
		value := entry.child(firstOf(m.valueName, "value"))
		if key == nil || value == nil {
			return fmt.Errorf("entry %d: key or value is missing", i+1)
		}
		v := reflect.New(dst.Type().Elem()).Elem()
		if err := d.value(v, value, &member{}); err != nil {
			return fmt.Errorf("entry %q: %w", key.text, err)
		}
		out.SetMapIndex(reflect.ValueOf(key.text), v)
	}
	dst.Set(out)
	return nil
}

func timeType() reflect.Type      { return reflect.TypeFor[time.Time]() }
func bytesType() reflect.Type     { return reflect.TypeFor[[]byte]() }
func jsonValueType() reflect.Type { return reflect.TypeFor[v1.JSONValue]() }

// setText parses text into a scalar: *string, *bool, *int64, *float64,
// *time.Time, []byte or a JSON value.
func setText(dst reflect.Value, text string, m *member, timeFormat string) error {
	switch dst.Interface().(type) {
	case *string:
		return setString(dst, text, m)
	case *bool:
		v, err := strconv.ParseBool(strings.TrimSpace(text))
		if err != nil {
			return fmt.Errorf("%q is not a boolean", text)
		}
		dst.Set(reflect.ValueOf(&v))
	case *int64:
		v, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not an integer", text)
		}
		dst.Set(reflect.ValueOf(&v))
	case *float64:
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", text)
		}
		dst.Set(reflect.ValueOf(&v))
	case *time.Time:
		v, err := parseTime(firstOf(m.format, timeFormat), strings.TrimSpace(text))
		if err != nil {
			return err
		}
		dst.Set(reflect.ValueOf(&v))
	case []byte:
		v, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil {
			return fmt.Errorf("not base64: %w", err)
		}
		dst.Set(reflect.ValueOf(v))
	case v1.JSONValue:
		return setJSONValue(dst, []byte(text))
	default:
		return setStream(dst, []byte(text))
	}
	return nil
}

func setString(dst reflect.Value, text string, m *member) error {
	if m.base64 {
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return fmt.Errorf("not base64: %w", err)
		}
		text = string(raw)
	}
	dst.Set(reflect.ValueOf(&text))
	return nil
}

func setJSONValue(dst reflect.Value, raw []byte) error {
	v := v1.JSONValue{}
	if err := json.Unmarshal(raw, &v); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	dst.Set(reflect.ValueOf(v))
	return nil
}

// setStream gives a streaming member its bytes.
func setStream(dst reflect.Value, raw []byte) error {
	switch dst.Type() {
	case reflect.TypeFor[io.ReadSeeker]():
		dst.Set(reflect.ValueOf(bytes.NewReader(raw)))
	case reflect.TypeFor[io.ReadCloser](), reflect.TypeFor[io.Reader]():
		dst.Set(reflect.ValueOf(io.NopCloser(bytes.NewReader(raw))))
	default:
		return fmt.Errorf("no way to decode a %s", dst.Type())
	}
	return nil
}

// formatTime writes a time as AWS does, to the millisecond.
func formatTime(format string, t time.Time) string {
	t = t.UTC().Truncate(time.Millisecond)
	switch format {
	case "rfc822":
		return t.Format("Mon, 02 Jan 2006 15:04:05 GMT")
	case "unixTimestamp":
		return strconv.FormatFloat(float64(t.UnixMilli())/1e3, 'f', -1, 64)
	default:
		return t.Format("2006-01-02T15:04:05.999Z")
	}
}

// parseTime reads a time in the format of the model, or in any other format that
// AWS writes: its services are as lenient.
func parseTime(format, text string) (time.Time, error) {
	if format == "unixTimestamp" {
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			return unixTime(v), nil
		}
	}
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z",
		"Mon, 2 Jan 2006 15:04:05 GMT", time.RFC1123Z, time.RFC850, time.ANSIC,
		"20060102T150405Z", "2006-01-02",
	} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		return unixTime(v), nil
	}
	return time.Time{}, fmt.Errorf("%q is not a time", text)
}

func unixTime(seconds float64) time.Time {
	const enough = 1 << 53 // milliseconds that a float64 still tells apart
	if seconds*1e3 > enough || seconds*1e3 < -enough || seconds != seconds {
		return time.Time{}
	}
	return time.UnixMilli(int64(seconds * 1e3)).UTC()
}
