package route53

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	api "github.com/aws/aws-sdk-go/service/route53"
	"github.com/miekg/dns"
)

// batch is a change batch being tried on a copy of the zone's records. All
// problems are collected: Route 53 reports every one of them.
type batch struct {
	r        *Route53
	zone     *zone
	records  map[recordKey]*api.ResourceRecordSet
	touched  []recordKey
	problems []string
}

func (b *batch) refuse(format string, args ...any) {
	b.problems = append(b.problems, fmt.Sprintf(format, args...))
}

func (b *batch) apply(c *api.Change) {
	s := stored(c.ResourceRecordSet)
	k := keyOf(s)
	if !b.permitted(k) {
		return
	}
	old, exists := b.records[k]
	switch *c.Action {
	case api.ChangeActionDelete:
		b.remove(k, s, old)
		return
	case api.ChangeActionCreate:
		if exists {
			b.refuse("Tried to create resource record set %s but it already exists", quoted(k))
			return
		}
	}
	if b.valuesFine(s) {
		b.records[k] = s
		b.touched = append(b.touched, k)
	}
}

func (b *batch) permitted(k recordKey) bool {
	if p := nameProblem(k.name); p != "" {
		b.refuse("FATAL problem: %s encountered with '%s'", p, k.name)
		return false
	}
	if !within(k.name, b.zone.apex) {
		b.refuse("RRSet with DNS name %s is not permitted in zone %s", escape(k.name), b.zone.apex)
		return false
	}
	if k.kind == api.RRTypeCname && k.name == b.zone.apex {
		b.refuse("RRSet of type CNAME with DNS name %s is not permitted at apex in zone %s", k.name, b.zone.apex)
		return false
	}
	return true
}

func (b *batch) remove(k recordKey, given, old *api.ResourceRecordSet) {
	switch {
	case old == nil:
		b.refuse("Tried to delete resource record set %s but it was not found", quoted(k))
	case !same(given, old):
		b.refuse("Tried to delete resource record set %s but the values provided do not match the current values", quoted(k))
	case k.name == b.zone.apex && k.kind == api.RRTypeNs:
		b.refuse("A HostedZone must contain at least one NS record for the zone itself.")
	case k.name == b.zone.apex && k.kind == api.RRTypeSoa:
		b.refuse("A HostedZone must contain exactly one SOA record.")
	default:
		delete(b.records, k)
	}
}

// same compares everything that a DELETE has to repeat.
func same(a, b *api.ResourceRecordSet) bool {
	return reflect.DeepEqual(levelled(a), levelled(b))
}

// levelled is a record set with its values in a fixed order.
func levelled(s *api.ResourceRecordSet) *api.ResourceRecordSet {
	out := *s
	out.ResourceRecords = slices.SortedFunc(slices.Values(s.ResourceRecords), func(a, b *api.ResourceRecord) int {
		return strings.Compare(*a.Value, *b.Value)
	})
	return &out
}

// valuesFine parses every value as the DNS record that it will be.
func (b *batch) valuesFine(s *api.ResourceRecordSet) bool {
	seen := map[string]bool{}
	before := len(b.problems)
	if len(s.ResourceRecords) > 1 && *s.Type == api.RRTypeCname {
		b.refuse("Invalid Resource Record: 'FATAL problem: CNAMEWithMoreThanOneValue encountered with %s'", quoted(keyOf(s)))
	}
	for _, v := range s.ResourceRecords {
		if seen[*v.Value] {
			b.refuse("Duplicate Resource Record: '%s'", *v.Value)
		}
		seen[*v.Value] = true
		if _, err := parseRecord(*s.Name, *s.Type, 0, *v.Value); err != nil {
			b.refuse("Invalid Resource Record: 'FATAL problem: %sRRDATAIllegal (Value is not valid) encountered with '%s''", *s.Type, *v.Value)
		}
	}
	return len(b.problems) == before
}

// parseRecord makes the DNS record of a value.
func parseRecord(name, kind string, ttl uint32, value string) (dns.RR, error) {
	owner := name
	if len(name) > 1 && name[0] == '*' {
		owner = "x" + name[1:] // the parser takes any label; the owner is put back
	}
	if kind == api.RRTypeCname || kind == api.RRTypeNs || kind == api.RRTypePtr {
		value = dns.Fqdn(value)
	}
	rr, err := dns.NewRR(fmt.Sprintf("%s %d IN %s %s", owner, ttl, kind, value))
	if err != nil {
		return nil, fmt.Errorf("parse %s record of %s: %w", kind, name, err)
	}
	if rr == nil {
		return nil, fmt.Errorf("parse %s record of %s: no value", kind, name)
	}
	rr.Header().Name = name
	return rr, nil
}

// checkResult looks at what the batch as a whole would leave behind.
func (b *batch) checkResult() {
	for _, k := range b.touched {
		s, ok := b.records[k]
		if !ok {
			continue // deleted again by a later change of the batch
		}
		b.checkNeighbours(k, s)
		if s.AliasTarget != nil {
			b.checkAlias(k, s)
		}
	}
}

func (b *batch) checkNeighbours(k recordKey, s *api.ResourceRecordSet) {
	for other, o := range b.records {
		if other == k || other.name != k.name {
			continue
		}
		if other.kind != k.kind {
			if k.kind == api.RRTypeCname || other.kind == api.RRTypeCname {
				b.refuse("RRSet of type %s with DNS name %s is not permitted as it conflicts with other records with the same DNS name in zone %s", k.kind, escape(k.name), b.zone.apex)
				return
			}
			continue
		}
		if policyOf(o) != policyOf(s) {
			b.refuse("RRSet with DNS name %s, type %s, SetIdentifier %s cannot be created as other RRSets exist with the same name and type but with routing policy %s", escape(k.name), k.kind, k.set, policyOf(o))
			return
		}
		if clash(s, o) {
			b.refuse("RRSet with DNS name %s, type %s, SetIdentifier %s cannot be created because a %s RRSet with the same setting exists: SetIdentifier %s", escape(k.name), k.kind, k.set, policyOf(s), other.set)
			return
		}
	}
}

// clash says whether two sets of one policy claim the same place.
func clash(a, b *api.ResourceRecordSet) bool {
	switch policyOf(a) {
	case failover:
		return *a.Failover == *b.Failover
	case geolocation:
		return reflect.DeepEqual(a.GeoLocation, b.GeoLocation)
	case simple, weighted, multivalue, unsupported:
		return false
	default:
		return false
	}
}

func (b *batch) checkAlias(k recordKey, s *api.ResourceRecordSet) {
	target := *s.AliasTarget.DNSName
	if *s.AliasTarget.HostedZoneId != b.zone.id {
		b.checkForeignAlias(k, s.AliasTarget)
		return
	}
	switch {
	case !within(target, b.zone.apex):
		b.refuse("Tried to create an alias that targets %s, type %s in zone %s, but the alias target name does not lie within the target zone", target, k.kind, b.zone.id)
	case target == k.name:
		b.refuse("Tried to create an alias that targets %s, type %s in zone %s, but that is the alias itself", target, k.kind, b.zone.id)
	case !slices.ContainsFunc(keys(b.records), func(o recordKey) bool { return o.name == target && o.kind == k.kind }):
		b.refuse("Tried to create an alias that targets %s, type %s in zone %s, but that target was not found", target, k.kind, b.zone.id)
	}
}

// checkForeignAlias looks at aliases to AWS-owned names.
func (b *batch) checkForeignAlias(k recordKey, t *api.AliasTarget) {
	if k.kind != api.RRTypeA && k.kind != api.RRTypeAaaa {
		b.refuse("Tried to create an alias that targets %s, type %s in zone %s, but the alias target must be of type A or AAAA", *t.DNSName, k.kind, *t.HostedZoneId)
		return
	}
	zoneID, found := "", false
	if b.r.o.Targets != nil {
		zoneID, _, found = b.r.o.Targets.AliasHealth(aliasName(*t.DNSName))
	}
	switch {
	case !found:
		b.refuse("Tried to create an alias that targets %s, type %s in zone %s, but that target was not found", *t.DNSName, k.kind, *t.HostedZoneId)
	case zoneID != *t.HostedZoneId:
		b.refuse("Tried to create an alias that targets %s, type %s in zone %s, but the alias target name does not lie within the target zone", *t.DNSName, k.kind, *t.HostedZoneId)
	}
}

func keys(m map[recordKey]*api.ResourceRecordSet) []recordKey {
	out := make([]recordKey, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

// quoted names a record set in Route 53's way.
func quoted(k recordKey) string {
	if k.set == "" {
		return fmt.Sprintf("[name='%s', type='%s']", escape(k.name), k.kind)
	}
	return fmt.Sprintf("[name='%s', type='%s', set identifier='%s']", escape(k.name), k.kind, k.set)
}
