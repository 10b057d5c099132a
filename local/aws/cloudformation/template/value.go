package template

import (
	"encoding/binary"
	"maps"
	"net/netip"
	"slices"
	"strconv"
)

// HasUnknown says whether a value holds something that only deploying can tell.
func HasUnknown(v any) bool {
	switch v := v.(type) {
	case Unknown:
		return true
	case []any:
		return slices.ContainsFunc(v, HasUnknown)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), HasUnknown)
	}
	return false
}

// Same compares values as CloudFormation does: scalars by their text, so that
// the number 80 is the string "80".
func Same(a, b any) bool {
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, Same)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, Same)
	case Unknown:
		return false
	}
	switch b.(type) {
	case []any, map[string]any, Unknown:
		return false
	}
	return (a == nil) == (b == nil) && Text(a) == Text(b)
}

// SameText says whether two pieces of a template are written alike.
func SameText(a, b *Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Kind == b.Kind && Text(a.Value) == Text(b.Value) &&
		slices.EqualFunc(a.Items, b.Items, SameText) &&
		slices.EqualFunc(a.Pairs, b.Pairs, func(p, q Pair) bool { return p.Key == q.Key && SameText(p.Value, q.Value) })
}

const (
	cidrMost    = 256 // ranges that Fn::Cidr gives at most
	addressBits = 32
)

// cidr cuts ranges of 2^bits addresses out of a block.
func cidr(n *Node, items []any) (any, error) {
	block, err := netip.ParsePrefix(Text(items[0]))
	count, badCount := strconv.Atoi(Text(items[1]))
	bits := 8
	if len(items) > 2 {
		if bits, err = strconv.Atoi(Text(items[2])); err != nil {
			bits = 0
		}
		block, err = netip.ParsePrefix(Text(items[0]))
	}
	switch {
	case err != nil || !block.Addr().Is4():
		return nil, n.problem("Template error: Fn::Cidr: %s is not a valid IPv4 block", Text(items[0]))
	case badCount != nil || count < 1 || count > cidrMost || bits < 1 || bits >= addressBits:
		return nil, n.problem("Template error: Fn::Cidr requires a count between 1 and 256 and a number of bits")
	case addressBits-bits < block.Bits() || count > 1<<(addressBits-bits-block.Bits()):
		return nil, n.problem("Template error: Fn::Cidr: %d ranges of %d bits don't fit into %s", count, bits, block)
	}
	raw := block.Masked().Addr().As4()
	base := binary.BigEndian.Uint32(raw[:])
	out := []any{}
	for i := range count {
		binary.BigEndian.PutUint32(raw[:], base+uint32(i)<<bits)
		out = append(out, netip.PrefixFrom(netip.AddrFrom4(raw), addressBits-bits).String())
	}
	return out, nil
}
