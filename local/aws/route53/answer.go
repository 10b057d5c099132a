package route53

import (
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/route53"
	"github.com/miekg/dns"
)

// aliasDepth bounds a chain of aliases; Route 53 itself stops at eight or so.
const aliasDepth = 16

// Result is what an authoritative server says about one name, before any CNAME
// is followed.
type Result struct {
	Zone    string   // apex of the zone that answers; "" when no zone holds the name
	Exists  bool     // false is NXDOMAIN, true without records NODATA
	Records []dns.RR // of the asked type, or the CNAME that stands in its place
	SOA     *dns.SOA // of the zone, for negative answers
	NS      []dns.RR // of the zone
	Scope   int      // length of the client network that the answer holds for; 0 = everyone
}

// Answer gives the records for a question asked from a network; an invalid
// prefix asks from nowhere. A CNAME is given, not followed.
func (r *Route53) Answer(name string, qtype uint16, subnet netip.Prefix) []dns.RR {
	return r.Query(name, qtype, subnet).Records
}

// Query answers a question in full.
func (r *Route53) Query(name string, qtype uint16, subnet netip.Prefix) Result {
	name = fqdn(name)
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.authority(name)
	if s == nil {
		return Result{}
	}
	out := Result{Zone: s.apex}
	out.SOA, out.NS = s.apexRecords()
	kinds, exists := s.find(name)
	out.Exists = exists
	kind := dns.TypeToString[qtype]
	sets := kinds[kind]
	if len(sets) == 0 && qtype != dns.TypeCNAME {
		kind, sets = api.RRTypeCname, kinds[api.RRTypeCname]
	}
	c := chooser{r: r, zone: s, owner: name, subnet: subnet}
	out.Records = c.records(sets, kind, 0)
	out.Scope = c.scope
	return out
}

// authority is the zone that is closest to the name; of two zones with the same
// name the older one has the delegation.
func (r *Route53) authority(name string) *snapshot {
	var best *zone
	for _, z := range r.zones {
		if z.private || len(z.served.sets) == 0 || !within(name, z.apex) {
			continue
		}
		if best == nil || len(z.apex) > len(best.apex) || z.apex == best.apex && z.sequence < best.sequence {
			best = z
		}
	}
	if best == nil {
		return nil
	}
	return best.served
}

func (s *snapshot) apexRecords() (*dns.SOA, []dns.RR) {
	apex := s.sets[s.apex]
	var soa *dns.SOA
	for _, rr := range plain(s.apex, apex[api.RRTypeSoa][0]) {
		if found, ok := rr.(*dns.SOA); ok {
			soa = found
		}
	}
	return soa, plain(s.apex, apex[api.RRTypeNs][0])
}

// chooser answers one question.
type chooser struct {
	r      *Route53
	zone   *snapshot
	owner  string // the name that was asked: it owns whatever an alias leads to
	subnet netip.Prefix
	scope  int
}

// records chooses among the sets and gives the records of the chosen ones.
func (c *chooser) records(sets []*api.ResourceRecordSet, kind string, depth int) []dns.RR {
	if len(sets) == 0 || depth > aliasDepth {
		return nil
	}
	var out []dns.RR
	for _, s := range c.choose(sets) {
		if s.AliasTarget == nil {
			out = append(out, plain(c.owner, s)...)
			continue
		}
		out = append(out, c.alias(s, kind, depth)...)
	}
	return out
}

func (c *chooser) alias(s *api.ResourceRecordSet, kind string, depth int) []dns.RR {
	target := *s.AliasTarget.DNSName
	if *s.AliasTarget.HostedZoneId == c.zone.id {
		kinds, _ := c.zone.find(target)
		return c.records(kinds[kind], kind, depth+1)
	}
	if c.r.o.Targets == nil {
		return nil
	}
	addrs, ttl, ok := c.r.o.Targets.Resolve(aliasName(target))
	if !ok {
		return nil
	}
	return addresses(c.owner, kind, addrs, ttl)
}

// plain gives a record set's own values under the owner's name.
func plain(owner string, s *api.ResourceRecordSet) []dns.RR {
	out := make([]dns.RR, 0, len(s.ResourceRecords))
	for _, v := range s.ResourceRecords {
		rr, err := parseRecord(owner, *s.Type, uint32(aws.Int64Value(s.TTL)), *v.Value)
		if err == nil { // it parsed when the change was accepted
			out = append(out, rr)
		}
	}
	return out
}

func addresses(owner, kind string, addrs []netip.Addr, ttl time.Duration) []dns.RR {
	var out []dns.RR
	h := dns.RR_Header{Name: owner, Class: dns.ClassINET, Ttl: uint32(ttl / time.Second)}
	for _, a := range addrs {
		switch {
		case kind == api.RRTypeA && a.Is4():
			h.Rrtype = dns.TypeA
			out = append(out, &dns.A{Hdr: h, A: a.AsSlice()})
		case kind == api.RRTypeAaaa && a.Is6():
			h.Rrtype = dns.TypeAAAA
			out = append(out, &dns.AAAA{Hdr: h, AAAA: a.AsSlice()})
		}
	}
	return out
}

// aliasName is how the owners of AWS's names know them: no dot at the end, and
// without the prefix that the console puts before a load balancer's name.
func aliasName(name string) string {
	if len(name) > 0 && name[len(name)-1] == '.' {
		name = name[:len(name)-1]
	}
	if len(name) > len("dualstack.") && name[:len("dualstack.")] == "dualstack." {
		name = name[len("dualstack."):]
	}
	return name
}
