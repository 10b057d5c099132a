package wire

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"
)

// Page is what a list operation knows about the page that it is to give. Token
// and Size are the input's members (Marker and MaxRecords, NextToken and
// MaxResults, ...).
type Page struct {
	Token *string
	Size  *int64
	// SizeName is the member's name, for the refusal.
	SizeName string
	// Min and Max bound Size, as documented; Default is used without one.
	Min, Max, Default int64
}

// tokenMark guards against a token that was made up or comes from elsewhere.
const tokenMark = "lifeline:"

// Paginate gives one page of items in the order of their keys, and the token of
// the next page or nil. The token names the last item given, not a position: an
// item that appears or disappears between two pages shifts nothing.
func Paginate[T any](p Page, items []T, key func(T) string) ([]T, *string, error) {
	size := p.Default
	if p.Size != nil {
		size = *p.Size
		if size < p.Min || size > p.Max {
			return nil, nil, Invalid("Invalid value %d for %s. Must be between %d and %d", size, p.SizeName, p.Min, p.Max)
		}
	}
	after, err := readToken(p.Token)
	if err != nil {
		return nil, nil, err
	}
	sorted := slices.SortedFunc(slices.Values(items), func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	start := 0
	if after != "" {
		start, _ = slices.BinarySearchFunc(sorted, after+"\x00", func(item T, want string) int {
			return cmp.Compare(key(item), want)
		})
	}
	page := sorted[start:]
	if size <= 0 || int64(len(page)) <= size {
		return page, nil, nil
	}
	page = page[:size]
	next := base64.RawURLEncoding.EncodeToString([]byte(tokenMark + key(page[size-1])))
	return page, &next, nil
}

func readToken(token *string) (string, error) {
	if token == nil || *token == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(*token)
	after, ok := strings.CutPrefix(string(raw), tokenMark)
	if err != nil || !ok {
		return "", Invalid("The pagination token is invalid or has expired")
	}
	return after, nil
}
