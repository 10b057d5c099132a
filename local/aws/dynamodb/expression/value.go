package expression

import (
	"bytes"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go/service/dynamodb"
)

// Value is one attribute value.
type Value = dynamodb.AttributeValue

// Item maps attribute names to values.
type Item = map[string]*Value

// TypeOf names the type of a value as DynamoDB does: S, N, B, BOOL, NULL, SS,
// NS, BS, L, M; "" for no value.
func TypeOf(v *Value) string {
	switch {
	case v == nil:
		return ""
	case v.S != nil:
		return "S"
	case v.N != nil:
		return "N"
	case v.B != nil:
		return "B"
	case v.BOOL != nil:
		return "BOOL"
	case v.NULL != nil:
		return "NULL"
	default:
		return collectionType(v)
	}
}

func collectionType(v *Value) string {
	switch {
	case v.SS != nil:
		return "SS"
	case v.NS != nil:
		return "NS"
	case v.BS != nil:
		return "BS"
	case v.L != nil:
		return "L"
	case v.M != nil:
		return "M"
	default:
		return ""
	}
}

// Number parses a DynamoDB number: at most 38 significant digits and a
// magnitude between 1E-130 and 9.99E+125.
func Number(s string) (*big.Rat, error) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	digits := strings.TrimLeft(strings.NewReplacer("+", "", "-", "", ".", "").Replace(mantissa), "0")
	if len(strings.TrimRight(digits, "0")) > 38 {
		return nil, invalid("Attempting to store more than 38 significant digits in a Number")
	}
	if exponent != "" {
		n, err := strconv.Atoi(exponent)
		if err != nil || n > 125 || n < -130 {
			return nil, invalid("Number overflow or underflow: %s", s)
		}
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || strings.ContainsAny(s, "/_xXpP ") {
		return nil, invalid("The parameter cannot be converted to a numeric value: %s", s)
	}
	return r, nil
}

// FormatNumber writes a number as DynamoDB returns it: plain, without trailing zeros.
func FormatNumber(r *big.Rat) string {
	digits, _ := r.FloatPrec()
	return r.FloatString(digits)
}

// Equal tells whether two values are the same; numbers by value, sets without order.
func Equal(a, b *Value) bool {
	kind := TypeOf(a)
	if kind != TypeOf(b) {
		return false
	}
	switch kind {
	case "":
		return true
	case "BOOL":
		return *a.BOOL == *b.BOOL
	case "NULL":
		return true
	case "L":
		return slices.EqualFunc(a.L, b.L, Equal)
	case "M":
		return equalMaps(a.M, b.M)
	case "SS", "NS", "BS":
		return slices.Equal(setKeys(a), setKeys(b))
	default:
		order, ok := Compare(a, b)
		return ok && order == 0
	}
}

func equalMaps(a, b Item) bool {
	if len(a) != len(b) {
		return false
	}
	for name, v := range a {
		if other, ok := b[name]; !ok || !Equal(v, other) {
			return false
		}
	}
	return true
}

// Compare orders two values of the same scalar type (S, N or B); ok is false
// for all others, which have no order.
func Compare(a, b *Value) (order int, ok bool) {
	kind := TypeOf(a)
	if kind != TypeOf(b) {
		return 0, false
	}
	switch kind {
	case "S":
		return strings.Compare(*a.S, *b.S), true
	case "B":
		return bytes.Compare(a.B, b.B), true
	case "N":
		x, errX := Number(*a.N)
		y, errY := Number(*b.N)
		if errX != nil || errY != nil {
			return 0, false
		}
		return x.Cmp(y), true
	default:
		return 0, false
	}
}

// setKeys are a set's members in comparable form, sorted.
func setKeys(v *Value) []string {
	var keys []string
	for _, s := range v.SS {
		keys = append(keys, *s)
	}
	for _, s := range v.NS {
		keys = append(keys, canonicalNumber(*s))
	}
	for _, b := range v.BS {
		keys = append(keys, string(b))
	}
	slices.Sort(keys)
	return keys
}

func canonicalNumber(s string) string {
	r, err := Number(s)
	if err != nil {
		return s
	}
	return FormatNumber(r)
}

// Clone copies an item deeply, so that what is stored and what is handed out
// never share memory.
func Clone(item Item) Item {
	if item == nil {
		return nil
	}
	out := make(Item, len(item))
	for name, v := range item {
		out[name] = CloneValue(v)
	}
	return out
}

// CloneValue copies a value deeply.
func CloneValue(v *Value) *Value {
	if v == nil {
		return nil
	}
	out := *v
	out.B = bytes.Clone(v.B)
	out.M = Clone(v.M)
	out.SS = slices.Clone(v.SS)
	out.NS = slices.Clone(v.NS)
	out.BS = slices.Clone(v.BS)
	out.L = slices.Clone(v.L)
	for i := range out.L {
		out.L[i] = CloneValue(out.L[i])
	}
	return &out
}

// Size approximates the bytes that DynamoDB counts for a value.
func Size(v *Value) int {
	n := len(v.B)
	if v.S != nil {
		n += len(*v.S)
	}
	if v.N != nil {
		n += len(*v.N)/2 + 1
	}
	for _, s := range slices.Concat(v.SS, v.NS) {
		n += len(*s)
	}
	for _, b := range v.BS {
		n += len(b)
	}
	for _, member := range v.L {
		n += 1 + Size(member)
	}
	n += ItemSize(v.M)
	return max(n, 1)
}

// ItemSize approximates the bytes that DynamoDB counts for an item (limit 400 KB).
func ItemSize(item Item) int {
	n := 0
	for name, v := range item {
		n += len(name) + Size(v)
	}
	return n
}
