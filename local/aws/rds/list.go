package rds

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/rds"
)

// paginate cuts one page out of a list. The marker is the position of the next page.
func paginate[T any](all []T, marker *string, maxRecords *int64) (page []T, next *string, err error) {
	start, limit := 0, 100
	if marker != nil && *marker != "" {
		if start, err = strconv.Atoi(*marker); err != nil || start < 0 || start > len(all) {
			return nil, nil, badValue("The parameter Marker is invalid: %s", *marker)
		}
	}
	if maxRecords != nil {
		if limit = int(*maxRecords); limit < 20 || limit > 100 {
			return nil, nil, badValue("Invalid value %d for MaxRecords. Must be between 20 and 100", limit)
		}
	}
	end := min(start+limit, len(all))
	if end < len(all) {
		next = aws.String(strconv.Itoa(end))
	}
	return all[start:end], next, nil
}

// filtered tells whether a resource with these properties passes all filters.
func filtered(filters []*rds.Filter, properties map[string][]string) bool {
	for _, f := range filters {
		have, known := properties[aws.StringValue(f.Name)]
		if !known {
			continue
		}
		if !slices.ContainsFunc(f.Values, func(v *string) bool {
			return slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(h, aws.StringValue(v)) })
		}) {
			return false
		}
	}
	return true
}

func tagsOf(tags []*rds.Tag) map[string]string {
	out := map[string]string{}
	for _, t := range tags {
		out[aws.StringValue(t.Key)] = aws.StringValue(t.Value)
	}
	return out
}

func describeTags(tags map[string]string) []*rds.Tag {
	var out []*rds.Tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, &rds.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return out
}
