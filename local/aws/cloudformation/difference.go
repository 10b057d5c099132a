package cloudformation

import (
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/cloudformation"

	"lifeline/local/aws/cloudformation/template"
)

// differences lists where live properties are other than expected. Only what the
// template sets is compared: what a service fills in is no drift.
func differences(expected, actual props) []*sdk.PropertyDifference {
	var out []*sdk.PropertyDifference
	for _, name := range slices.Sorted(maps.Keys(expected)) {
		out = append(out, difference("/"+name, expected[name], actual[name])...)
	}
	return out
}

func difference(path string, expected, actual any) []*sdk.PropertyDifference {
	if one, ok := expected.([]any); ok {
		if many, ok := actual.([]any); ok {
			return differentItems(path, one, many)
		}
	}
	if one, ok := expected.(map[string]any); ok {
		if other, ok := actual.(map[string]any); ok {
			var out []*sdk.PropertyDifference
			for _, name := range slices.Sorted(maps.Keys(one)) {
				out = append(out, difference(path+"/"+name, one[name], other[name])...)
			}
			return out
		}
	}
	switch {
	case matches(expected, actual):
		return nil
	case actual == nil:
		return []*sdk.PropertyDifference{differs(path, sdk.DifferenceTypeRemove, expected, nil)}
	}
	return []*sdk.PropertyDifference{differs(path, sdk.DifferenceTypeNotEqual, expected, actual)}
}

func differs(path, how string, expected, actual any) *sdk.PropertyDifference {
	return &sdk.PropertyDifference{
		PropertyPath: aws.String(path), DifferenceType: aws.String(how),
		ExpectedValue: aws.String(orNull(expected)), ActualValue: aws.String(orNull(actual)),
	}
}

func orNull(v any) string {
	if v == nil {
		return "null"
	}
	return shown(v)
}

// differentItems compares lists whose order means nothing. Items that are called
// alike, as tags are by their key, are compared with each other.
func differentItems(path string, expected, actual []any) []*sdk.PropertyDifference {
	left := slices.Clone(actual)
	var unmatched []int
	for i, want := range expected {
		j := slices.IndexFunc(left, func(have any) bool { return matches(want, have) })
		if j < 0 {
			unmatched = append(unmatched, i)
			continue
		}
		left = slices.Delete(left, j, j+1)
	}
	var out []*sdk.PropertyDifference
	for _, i := range unmatched {
		at := fmt.Sprintf("%s/%d", path, i)
		j := slices.IndexFunc(left, func(have any) bool { return namesake(expected[i], have) })
		if j < 0 {
			out = append(out, differs(at, sdk.DifferenceTypeRemove, expected[i], nil))
			continue
		}
		out = append(out, difference(at, expected[i], left[j])...)
		left = slices.Delete(left, j, j+1)
	}
	for i, extra := range left {
		out = append(out, differs(fmt.Sprintf("%s/%d", path, len(expected)+i), sdk.DifferenceTypeAdd, nil, extra))
	}
	return out
}

// namesake says whether two items have the same name.
func namesake(a, b any) bool {
	one, _ := a.(map[string]any)
	other, _ := b.(map[string]any)
	for _, name := range []string{"Key", "PolicyName", "DeviceName", "ResourceType", "Sid"} {
		if one[name] != nil && template.Same(one[name], other[name]) {
			return true
		}
	}
	return false
}

// matches says whether a live value is what was expected: scalars by their text,
// lists without order, objects where members that weren't asked for don't count.
// A single value and a list of it are alike, as in policies.
func matches(expected, actual any) bool {
	switch want := expected.(type) {
	case map[string]any:
		have, ok := actual.(map[string]any)
		return ok && !slices.ContainsFunc(slices.Collect(maps.Keys(want)), func(name string) bool { return !matches(want[name], have[name]) })
	case []any:
		have, ok := actual.([]any)
		if !ok {
			return len(want) == 1 && matches(want[0], actual)
		}
		return len(want) == len(have) && len(differentItems("", want, have)) == 0
	}
	if have, ok := actual.([]any); ok {
		return len(have) == 1 && matches(expected, have[0])
	}
	return template.Same(expected, actual)
}
