package cloudformation

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"

	"lifeline/local/aws/cloudformation/template"
)

// props are evaluated properties of a resource.
type props map[string]any

// text is a property as text; nil when it isn't there.
func (p props) text(name string) *string {
	v, ok := p[name]
	if !ok || v == nil {
		return nil
	}
	return aws.String(template.Text(v))
}

// texts is a list property as texts; nil when it isn't there.
func (p props) texts(name string) []*string {
	items, ok := p[name].([]any)
	if !ok {
		return nil
	}
	out := make([]*string, 0, len(items))
	for _, item := range items {
		out = append(out, aws.String(template.Text(item)))
	}
	return out
}

// objects are the items of a list of objects.
func (p props) objects(name string) []props {
	items, _ := p[name].([]any)
	var out []props
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// object is a property that is an object.
func (p props) object(name string) props {
	m, _ := p[name].(map[string]any)
	return m
}

// document is a JSON document given as an object or as text.
func (p props) document(name string) *string {
	if _, isText := p[name].(string); isText || p[name] == nil {
		return p.text(name)
	}
	raw, err := json.Marshal(p[name])
	if err != nil {
		return nil
	}
	return aws.String(string(raw))
}

// readDocument is a JSON document of a service as an object; IAM encodes its
// documents like URLs.
func readDocument(text *string) any {
	raw := aws.StringValue(text)
	if strings.HasPrefix(raw, "%7B") {
		if plain, err := url.QueryUnescape(raw); err == nil {
			raw = plain
		}
	}
	var out any
	if err := json.Unmarshal([]byte(raw), &out); err != nil {
		return raw
	}
	return out
}

// fill sets members of an input from properties: those named, or all. A name
// "Property:Member" sets a member that is called otherwise. Texts become numbers
// and truth values where the member is one.
func fill(input any, p props, names ...string) error {
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(p))
	}
	target := reflect.ValueOf(input).Elem()
	for _, name := range names {
		property, member, renamed := strings.Cut(name, ":")
		if !renamed {
			member = property
		}
		v, ok := p[property]
		if !ok || v == nil {
			continue
		}
		field := target.FieldByName(member)
		if !field.IsValid() {
			return fmt.Errorf("extraneous key [%s] is not permitted", property)
		}
		if err := assign(field, v); err != nil {
			return fmt.Errorf("#/%s: %w", property, err)
		}
	}
	return nil
}

func assign(field reflect.Value, v any) error {
	switch field.Kind() {
	case reflect.Pointer:
		made := reflect.New(field.Type().Elem())
		if err := assignValue(made.Elem(), v); err != nil {
			return err
		}
		field.Set(made)
		return nil
	case reflect.Slice:
		items, ok := v.([]any)
		if !ok {
			return fmt.Errorf("expected type: JSONArray, found: %T", v)
		}
		list := reflect.MakeSlice(field.Type(), len(items), len(items))
		for i, item := range items {
			if err := assign(list.Index(i), item); err != nil {
				return err
			}
		}
		field.Set(list)
		return nil
	default:
		return fmt.Errorf("members of type %s can't be set", field.Type())
	}
}

func assignValue(target reflect.Value, v any) error {
	if target.Kind() == reflect.Struct {
		m, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("expected type: JSONObject, found: %T", v)
		}
		return fill(target.Addr().Interface(), m)
	}
	text := template.Text(v)
	var err error
	switch target.Kind() { // the kinds of AWS's shapes
	case reflect.String:
		target.SetString(text)
	case reflect.Int64:
		var n int64
		n, err = strconv.ParseInt(text, 10, 64)
		target.SetInt(n)
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		target.SetBool(b)
	case reflect.Float64:
		var f float64
		f, err = strconv.ParseFloat(text, 64)
		target.SetFloat(f)
	default:
		return fmt.Errorf("members of type %s can't be set", target.Type())
	}
	if err != nil {
		return fmt.Errorf("expected type: %s, found: %s", target.Kind(), text)
	}
	return nil
}

// plain turns a shape into what templates hold: objects, lists and scalars, with
// members that aren't set left out.
func plain(shape any) props {
	m, _ := plainValue(reflect.ValueOf(shape)).(map[string]any)
	return m
}

func plainValue(v reflect.Value) any {
	switch v.Kind() { // the kinds of AWS's shapes
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		if t, ok := v.Interface().(*time.Time); ok {
			return t.UTC().Format(time.RFC3339)
		}
		return plainValue(v.Elem())
	case reflect.Struct:
		out := map[string]any{}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				if value := plainValue(v.Field(i)); value != nil {
					out[f.Name] = value
				}
			}
		}
		return out
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
		out := []any{}
		for i := range v.Len() {
			out = append(out, plainValue(v.Index(i)))
		}
		return out
	default:
		return v.Interface()
	}
}
