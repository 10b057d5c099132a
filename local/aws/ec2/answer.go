package ec2

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awsutil"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// refuse is an EC2 error; all of them are 400 but for DryRunOperation.
func refuse(code, format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, code, format, args...)
}

// missing is EC2's answer to an id that doesn't exist.
func missing(kind, what, id string) error {
	return refuse("Invalid"+kind+".NotFound", "The %s '%s' does not exist", what, id)
}

// handle serves an operation, honouring the DryRun member that most have.
func handle[I, O any](s *wire.Service, operation string, fn func(*wire.Call, *I) (*O, error)) {
	wire.Handle(s, operation, func(c *wire.Call, in *I) (*O, error) {
		if dry := reflect.ValueOf(in).Elem().FieldByName("DryRun"); dry.IsValid() && !dry.IsNil() && dry.Elem().Bool() {
			return nil, wire.Errorf(http.StatusPreconditionFailed, "DryRunOperation",
				"Request would have succeeded, but DryRun flag is set.")
		}
		return fn(c, in)
	})
}

// store keeps things in the order in which they were made.
type store[T any] struct {
	order []string
	items map[string]*T
}

func (s *store[T]) put(id string, v *T) {
	if s.items == nil {
		s.items = map[string]*T{}
	}
	if _, ok := s.items[id]; !ok {
		s.order = append(s.order, id)
	}
	s.items[id] = v
}

func (s *store[T]) get(id *string) (*T, bool) {
	v, ok := s.items[aws.StringValue(id)]
	return v, ok
}

func (s *store[T]) drop(id string) {
	delete(s.items, id)
	s.order = slices.DeleteFunc(s.order, func(o string) bool { return o == id })
}

func (s *store[T]) all() []*T {
	out := make([]*T, 0, len(s.order))
	for _, id := range s.order {
		out = append(out, s.items[id])
	}
	return out
}

// named gives the things with these ids, all of them when there are none, and
// the first unknown id.
func (s *store[T]) named(ids []*string) (found []*T, unknown string) {
	if len(ids) == 0 {
		return s.all(), ""
	}
	for _, id := range ids {
		v, ok := s.get(id)
		if !ok {
			return nil, aws.StringValue(id)
		}
		if !slices.Contains(found, v) {
			found = append(found, v)
		}
	}
	return found, ""
}

// clone copies an API shape, so that it can leave the lock.
func clone[T any](v *T) *T {
	out := new(T)
	awsutil.Copy(out, v)
	return out
}

func clones[T any](vs []*T) []*T {
	out := make([]*T, 0, len(vs))
	for _, v := range vs {
		out = append(out, clone(v))
	}
	return out
}

// fields are the values of one thing by filter name.
type fields map[string][]string

// one is a single-valued field.
func one(v *string) []string {
	if v == nil {
		return nil
	}
	return []string{*v}
}

func flag(v *bool) []string { return []string{strconv.FormatBool(aws.BoolValue(v))} }

// choose keeps the things that satisfy every filter. Values of one filter are
// alternatives and may hold * and ?.
func choose[T any](filters []*sdk.Filter, items []*T, of func(*T) (fields, []*sdk.Tag)) ([]*T, error) {
	var out []*T
	for _, item := range items {
		f, tags := of(item)
		ok := true
		for _, filter := range filters {
			have, known := lookUp(f, tags, aws.StringValue(filter.Name))
			if !known {
				return nil, refuse("InvalidParameterValue", "The filter '%s' is invalid", aws.StringValue(filter.Name))
			}
			ok = ok && overlaps(filter.Values, have)
		}
		if ok {
			out = append(out, item)
		}
	}
	return out, nil
}

func lookUp(f fields, tags []*sdk.Tag, name string) (values []string, known bool) {
	key, byKey := strings.CutPrefix(name, "tag:")
	for _, t := range tags {
		switch {
		case name == "tag-key":
			values = append(values, aws.StringValue(t.Key))
		case byKey && aws.StringValue(t.Key) == key:
			values = append(values, aws.StringValue(t.Value))
		}
	}
	if byKey || name == "tag-key" {
		return values, true
	}
	values, known = f[name]
	return values, known
}

func overlaps(patterns []*string, values []string) bool {
	return slices.ContainsFunc(patterns, func(p *string) bool {
		// Brackets mean nothing to EC2; a slash does to path.Match only.
		pattern := strings.NewReplacer("[", `\[`, "/", "\x00").Replace(aws.StringValue(p))
		return slices.ContainsFunc(values, func(v string) bool {
			ok, err := path.Match(pattern, strings.ReplaceAll(v, "/", "\x00"))
			return err == nil && ok
		})
	})
}

// page cuts one page out of a list; the token is the offset of the next.
func page[T any](items []*T, limit *int64, token *string) ([]*T, *string, error) {
	start := 0
	if t := aws.StringValue(token); t != "" {
		raw, err := base64.StdEncoding.DecodeString(t)
		if err == nil {
			start, err = strconv.Atoi(string(raw))
		}
		if err != nil || start < 0 || start > len(items) {
			return nil, nil, refuse("InvalidNextToken", "The specified token is not valid")
		}
	}
	items = items[start:]
	n := int(aws.Int64Value(limit))
	if n <= 0 || n >= len(items) {
		return items, nil, nil
	}
	next := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%d", start+n))
	return items[:n], aws.String(next), nil
}
