package dnsclient

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"lifeline/internal/cloud"
)

const (
	// port is where name servers listen unless the plan says otherwise.
	port = "53"

	// links is the longest chain of CNAME records that is followed, over all questions.
	links = 8

	// bufferSize is what is announced for UDP answers: it fits every path
	// unfragmented (DNS flag day 2020).
	bufferSize = 1232
)

// Client asks authoritative name servers.
type Client struct {
	// Timeout of one question to one server; 0 is cloud.SuspectTimeout.
	Timeout time.Duration
	// System resolves names that the zone's servers know nothing of, such as the
	// AWS name of a load balancer; nil is the machine's resolver.
	System func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Answer is what a name leads to.
type Answer struct {
	Addresses []netip.Addr
	// Chain is every name on the way, without the final dot, the asked one first.
	Chain []string
	// TTL is the smallest of all records on the way: how long a resolver keeps
	// the whole answer. Records from a cache count down and are left out.
	TTL time.Duration
}

// Target is the last name of the chain: for a load balancer, its AWS name.
func (a Answer) Target() string {
	if len(a.Chain) == 0 {
		return ""
	}
	return a.Chain[len(a.Chain)-1]
}

// Ask resolves a name at one server as a client of subnet sees it. The zero
// subnet sends none.
func (c Client) Ask(ctx context.Context, server, name string, subnet netip.Prefix) (Answer, error) {
	a := Answer{Chain: []string{plain(name)}}
	ttl := uint32(1<<32 - 1)
	for range links {
		records, err := c.exchange(ctx, server, a.Target(), subnet)
		if err != nil {
			return Answer{}, fmt.Errorf("ask %s for %s: %w", server, name, err)
		}
		before := len(a.Chain)
		follow(&a, records, &ttl)
		if len(a.Addresses) > 0 || len(a.Chain) == before {
			break
		}
		if len(a.Chain) > links {
			return Answer{}, cloud.Errorf(cloud.Invalid, "ask %s for %s: CNAME chain is longer than %d", server, name, links)
		}
	}
	if len(a.Addresses) == 0 && len(a.Chain) > 1 {
		// The chain leaves the zone, and its servers do not follow. What they
		// said is the authoritative part; the rest is anybody's to resolve.
		addresses, err := c.system(ctx, a.Target())
		if err != nil {
			return Answer{}, fmt.Errorf("resolve %s, where %s leads: %w", a.Target(), name, err)
		}
		a.Addresses = addresses
	}
	if ttl != 1<<32-1 {
		a.TTL = time.Duration(ttl) * time.Second
	}
	slices.SortFunc(a.Addresses, netip.Addr.Compare)
	return a, nil
}

// Resolve asks the servers in order until one answers, or the machine's resolver
// when there are none.
func (c Client) Resolve(ctx context.Context, servers []string, name string, subnet netip.Prefix) (Answer, error) {
	if len(servers) == 0 {
		addresses, err := c.system(ctx, name)
		return Answer{Addresses: addresses, Chain: []string{plain(name)}}, err
	}
	var last error
	for _, server := range servers {
		a, err := c.Ask(ctx, server, name, subnet)
		if err == nil {
			return a, nil
		}
		last = err
	}
	return Answer{}, last
}

// follow walks the records from the last name of the chain.
func follow(a *Answer, records []dns.RR, ttl *uint32) {
	for step(a, records, ttl) {
	}
}

// step takes what the records say of the last name: its addresses, or one link
// of the chain. It says whether the chain has grown.
func step(a *Answer, records []dns.RR, ttl *uint32) bool {
	for _, record := range records {
		if plain(record.Header().Name) != a.Target() {
			continue
		}
		switch r := record.(type) {
		case *dns.CNAME:
			next := plain(r.Target)
			if slices.Contains(a.Chain, next) {
				return false // a loop
			}
			a.Chain = append(a.Chain, next)
			*ttl = min(*ttl, r.Hdr.Ttl)
			return true
		case *dns.A:
			address, ok := netip.AddrFromSlice(r.A.To4())
			if ok && !slices.Contains(a.Addresses, address) {
				a.Addresses = append(a.Addresses, address)
				*ttl = min(*ttl, r.Hdr.Ttl)
			}
		}
	}
	return false
}

// exchange asks one question, over TCP when the UDP answer was cut.
func (c Client) exchange(ctx context.Context, server, name string, subnet netip.Prefix) ([]dns.RR, error) {
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = cloud.SuspectTimeout
	}
	question := question(name, subnet)
	var answer *dns.Msg
	for _, network := range []string{"udp", "tcp"} {
		attempt, cancel := context.WithTimeout(ctx, timeout)
		var err error
		answer, _, err = (&dns.Client{Net: network, Timeout: timeout, UDPSize: bufferSize}).ExchangeContext(attempt, question, address(server))
		cancel()
		if err != nil {
			return nil, cloud.Errorf(cloud.Unreachable, "no answer: %w", err)
		}
		if !answer.Truncated {
			break
		}
	}
	switch answer.Rcode {
	case dns.RcodeSuccess, dns.RcodeNameError, dns.RcodeRefused:
		// Refused: the chain left the zone. Both mean: nothing here.
		return answer.Answer, nil
	default:
		return nil, cloud.Errorf(cloud.Unreachable, "answered %s", dns.RcodeToString[answer.Rcode])
	}
}

// question is the query for a name's IPv4 addresses: Route 53's health checkers
// and the load balancers of the plan speak IPv4.
func question(name string, subnet netip.Prefix) *dns.Msg {
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), dns.TypeA)
	m.RecursionDesired = false
	m.SetEdns0(bufferSize, false)
	if !subnet.IsValid() {
		return m
	}
	family := uint16(1)
	if subnet.Addr().Is6() {
		family = 2
	}
	option := &dns.EDNS0_SUBNET{
		Code: dns.EDNS0SUBNET, Family: family,
		SourceNetmask: uint8(subnet.Bits()), // a valid prefix has 0 to 128 bits
		Address:       subnet.Masked().Addr().AsSlice(),
	}
	m.IsEdns0().Option = append(m.IsEdns0().Option, option)
	return m
}

// system resolves outside the zone.
func (c Client) system(ctx context.Context, host string) ([]netip.Addr, error) {
	if address, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{address}, nil
	}
	resolve := c.System
	if resolve == nil {
		resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
		}
	}
	addresses, err := resolve(ctx, host)
	if err != nil {
		return nil, cloud.Errorf(cloud.Unreachable, "%w", err)
	}
	for i, a := range addresses {
		addresses[i] = a.Unmap()
	}
	return addresses, nil
}

// address adds the port of DNS when the plan names none.
func address(server string) string {
	if _, _, err := net.SplitHostPort(server); err == nil {
		return server
	}
	return net.JoinHostPort(server, port)
}

// plain is a name as people write it: lower case, without the final dot.
func plain(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }
