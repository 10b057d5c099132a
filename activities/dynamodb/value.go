package dynamodb

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// value is a string attribute.
func value(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// number is a number attribute.
func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// text is a one-attribute item: a key, or the start of an item.
func text(name, s string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{name: value(s)}
}

// stamp is a time as items hold it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// str reads a string attribute, empty when there is none.
func str(item map[string]types.AttributeValue, name string) string {
	s, ok := item[name].(*types.AttributeValueMemberS)
	if !ok {
		return ""
	}
	return s.Value
}

// whole reads a number attribute.
func whole(item map[string]types.AttributeValue, name string) (int64, error) {
	n, ok := item[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0, fmt.Errorf("attribute %q is not a number", name)
	}
	v, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("attribute %q: %w", name, err)
	}
	return v, nil
}

// instant reads a time attribute.
func instant(item map[string]types.AttributeValue, name string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, str(item, name))
	if err != nil {
		return time.Time{}, fmt.Errorf("attribute %q: %w", name, err)
	}
	return t, nil
}
