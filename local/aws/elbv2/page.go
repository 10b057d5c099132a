package elbv2

import (
	"strconv"

	"github.com/aws/aws-sdk-go/aws"
)

// page cuts a page out of a list and copies it; the marker is an offset.
func page[T any](items []*T, size *int64, marker *string) ([]*T, *string, error) {
	const most = 400
	start := 0
	if m := aws.StringValue(marker); m != "" {
		n, err := strconv.Atoi(m)
		if err != nil || n < 0 || n > len(items) {
			return nil, nil, refuse("ValidationError", "Invalid value for Marker")
		}
		start = n
	}
	end := len(items)
	if n := int(aws.Int64Value(size)); n > 0 {
		end = min(end, start+min(n, most))
	}
	out := make([]*T, 0, end-start)
	for _, item := range items[start:end] {
		out = append(out, clone(item))
	}
	if end == len(items) {
		return out, nil, nil
	}
	return out, aws.String(strconv.Itoa(end)), nil
}

// pickNamed keeps the items that are asked for by name, in the order of the
// request, and refuses when one of them is missing.
func pickNamed[T any](items []*T, names []*string, of func(*T) *string, code, what string) ([]*T, error) {
	if len(names) == 0 {
		return items, nil
	}
	var out []*T
	for _, name := range names {
		before := len(out)
		for _, item := range items {
			if *of(item) == aws.StringValue(name) {
				out = append(out, item)
			}
		}
		if len(out) == before {
			return nil, refuse(code, "%s '[%s]' not found", what, aws.StringValue(name))
		}
	}
	return out, nil
}
