package dns

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// maxChain bounds how many CNAMEs are followed.
const maxChain = 8

// bufferSize is the UDP size that the server offers.
const bufferSize = 1232

// Answer is what the server knows about a name after following CNAMEs.
type Answer struct {
	Code      int // dns.RcodeSuccess, RcodeNameError or RcodeRefused
	Records   []dns.RR
	Authority []dns.RR // SOA when there is nothing to tell, else the zone's NS
	Scope     int      // length of the client network that the answer holds for
}

// reply makes the whole message.
func (s *Server) reply(q *dns.Msg, from net.Addr) *dns.Msg {
	m := new(dns.Msg)
	m.SetReply(q)
	edns := q.IsEdns0()
	if edns != nil {
		m.SetEdns0(bufferSize, false)
	}
	if code := refusal(q, edns); code != dns.RcodeSuccess {
		m.Rcode = code
		return m
	}
	subnet, option, err := client(edns, from)
	if err != nil {
		m.Rcode = dns.RcodeFormatError
		return m
	}
	a := s.Lookup(q.Question[0].Name, q.Question[0].Qtype, subnet)
	m.Authoritative = a.Code != dns.RcodeRefused
	m.Rcode, m.Answer, m.Ns = a.Code, a.Records, a.Authority
	if option != nil {
		m.IsEdns0().Option = append(m.IsEdns0().Option, scoped(option, a.Scope))
	}
	return m
}

// refusal is the code for messages that are no question this server takes.
func refusal(q *dns.Msg, edns *dns.OPT) int {
	switch {
	case q.Opcode != dns.OpcodeQuery:
		return dns.RcodeNotImplemented
	case len(q.Question) != 1:
		return dns.RcodeFormatError
	case edns != nil && edns.Version() != 0:
		return dns.RcodeBadVers
	case q.Question[0].Qclass != dns.ClassINET,
		q.Question[0].Qtype == dns.TypeAXFR, q.Question[0].Qtype == dns.TypeIXFR:
		return dns.RcodeRefused
	default:
		return dns.RcodeSuccess
	}
}

// client is the network that the answer is for: the client subnet if one was
// given, else the address that asks. A subnet of length 0 asks not to be located
// by subnet (RFC 7871, 7.1.2).
func client(edns *dns.OPT, from net.Addr) (netip.Prefix, *dns.EDNS0_SUBNET, error) {
	asker := source(from)
	if edns == nil {
		return asker, nil, nil
	}
	for _, o := range edns.Option {
		e, ok := o.(*dns.EDNS0_SUBNET)
		if !ok {
			continue
		}
		if e.SourceNetmask == 0 {
			return asker, e, nil
		}
		a, ok := netip.AddrFromSlice(e.Address)
		if !ok {
			return netip.Prefix{}, nil, fmt.Errorf("read client subnet: no address in %v", e)
		}
		p, err := a.Unmap().Prefix(int(e.SourceNetmask))
		if err != nil {
			return netip.Prefix{}, nil, fmt.Errorf("read client subnet: %w", err)
		}
		return p, e, nil
	}
	return asker, nil, nil
}

func source(from net.Addr) netip.Prefix {
	p, err := netip.ParseAddrPort(from.String())
	if err != nil {
		return netip.Prefix{}
	}
	a := p.Addr().Unmap()
	return netip.PrefixFrom(a, a.BitLen())
}

// scoped repeats the client's option with the scope that was used.
func scoped(e *dns.EDNS0_SUBNET, scope int) *dns.EDNS0_SUBNET {
	out := *e
	out.SourceScope = uint8(min(scope, 128))
	if e.SourceNetmask == 0 {
		out.SourceScope = 0
	}
	return &out
}

// Lookup answers a question in the process, as the network would.
func (s *Server) Lookup(name string, qtype uint16, subnet netip.Prefix) Answer {
	var out Answer
	for range maxChain {
		step := s.step(name, qtype, subnet)
		if step.Code == dns.RcodeRefused && len(out.Records) > 0 {
			return out // the chain leaves what this server knows
		}
		out.Code, out.Authority = step.Code, step.Authority
		out.Records = append(out.Records, step.Records...)
		out.Scope = max(out.Scope, step.Scope)
		next, ok := follow(step.Records, qtype)
		if !ok {
			return out
		}
		name = next
	}
	return out
}

// follow gives the name that a lone CNAME leads to.
func follow(records []dns.RR, qtype uint16) (string, bool) {
	if len(records) != 1 || qtype == dns.TypeCNAME {
		return "", false
	}
	c, ok := records[0].(*dns.CNAME)
	if !ok {
		return "", false
	}
	return c.Target, true
}

func (s *Server) step(name string, qtype uint16, subnet netip.Prefix) Answer {
	if res := s.o.Zones.Query(name, qtype, subnet); res.Zone != "" {
		a := Answer{Records: res.Records, Authority: res.NS, Scope: res.Scope}
		if len(res.Records) == 0 {
			a.Authority = []dns.RR{negative(res.SOA)}
		}
		if !res.Exists {
			a.Code = dns.RcodeNameError
		}
		return a
	}
	return s.owned(dns.Fqdn(strings.ToLower(name)), qtype)
}

// owned answers for AWS-owned names.
func (s *Server) owned(name string, qtype uint16) Answer {
	const parent = "amazonaws.com."
	if !dns.IsSubDomain(parent, name) {
		return Answer{Code: dns.RcodeRefused}
	}
	for _, r := range s.o.Resolvers {
		addrs, ttl, ok := r.Resolve(strings.TrimSuffix(name, "."))
		if !ok {
			continue
		}
		a := Answer{Records: addressRecords(name, qtype, addrs, ttl)}
		if len(a.Records) == 0 {
			a.Authority = []dns.RR{negative(ownedSOA(parent))}
		}
		return a
	}
	return Answer{Code: dns.RcodeNameError, Authority: []dns.RR{negative(ownedSOA(parent))}}
}

func addressRecords(name string, qtype uint16, addrs []netip.Addr, ttl time.Duration) []dns.RR {
	var out []dns.RR
	h := dns.RR_Header{Name: name, Rrtype: qtype, Class: dns.ClassINET, Ttl: uint32(ttl / time.Second)}
	for _, a := range addrs {
		switch {
		case qtype == dns.TypeA && a.Is4():
			out = append(out, &dns.A{Hdr: h, A: a.AsSlice()})
		case qtype == dns.TypeAAAA && a.Is6():
			out = append(out, &dns.AAAA{Hdr: h, AAAA: a.AsSlice()})
		}
	}
	return out
}

func ownedSOA(zone string) *dns.SOA {
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 60},
		Ns:  "ns-1.amazonaws.com.", Mbox: "awsdns-hostmaster.amazon.com.",
		Serial: 1, Refresh: 7200, Retry: 900, Expire: 1209600, Minttl: 60,
	}
}

// negative is the SOA of an answer that says no: it may be kept for the smaller
// of the two times that it carries (RFC 2308).
func negative(soa *dns.SOA) dns.RR {
	out := *soa
	out.Hdr.Ttl = min(out.Hdr.Ttl, out.Minttl)
	return &out
}

// Addresses resolves a name to IPv4 addresses as a resolver from that network
// would; the zero prefix is nowhere.
func (s *Server) Addresses(_ context.Context, name string, subnet netip.Prefix) ([]netip.Addr, error) {
	a := s.Lookup(dns.Fqdn(name), dns.TypeA, subnet)
	var out []netip.Addr
	for _, rr := range a.Records {
		if v, ok := rr.(*dns.A); ok {
			if addr, ok := netip.AddrFromSlice(v.A); ok {
				out = append(out, addr.Unmap())
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("resolve %s: %s, no address", name, dns.RcodeToString[a.Code])
	}
	return out, nil
}
