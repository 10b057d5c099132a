package dns_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	wiredns "github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/dns"
	"lifeline/local/aws/route53"
)

// zones answers for example.com as Route 53 would.
type zones struct{}

func (zones) Query(name string, qtype uint16, subnet netip.Prefix) route53.Result {
	name = strings.ToLower(name)
	if !wiredns.IsSubDomain("example.com.", name) {
		return route53.Result{}
	}
	soa := &wiredns.SOA{
		Hdr: wiredns.RR_Header{Name: "example.com.", Rrtype: wiredns.TypeSOA, Class: wiredns.ClassINET, Ttl: 900},
		Ns:  "ns.example.net.", Mbox: "host.example.net.", Minttl: 60,
	}
	ns, _ := wiredns.NewRR("example.com. 900 IN NS ns.example.net.")
	out := route53.Result{Zone: "example.com.", Exists: true, SOA: soa, NS: []wiredns.RR{ns}}
	add := func(format string, args ...any) {
		rr, err := wiredns.NewRR(fmt.Sprintf(format, args...))
		if err != nil {
			panic(err)
		}
		out.Records = append(out.Records, rr)
	}
	switch {
	case name == "www.example.com." && qtype == wiredns.TypeA:
		add("www.example.com. 20 IN A 192.0.2.1")
	case name == "www.example.com.":
	case name == "geo.example.com.":
		out.Scope = 21
		add("geo.example.com. 20 IN TXT %q", subnet.String())
	case name == "app.example.com.":
		out.Scope = 16
		add("app.example.com. 20 IN CNAME east-1.us-east-1.elb.amazonaws.com.")
	case name == "chain.example.com.":
		add("chain.example.com. 30 IN CNAME app.example.com.")
	case name == "away.example.com.":
		add("away.example.com. 30 IN CNAME www.example.org.")
	case name == "loop.example.com.":
		add("loop.example.com. 30 IN CNAME loop.example.com.")
	case name == "dangling.example.com.":
		add("dangling.example.com. 30 IN CNAME nothing.example.com.")
	case name == "big.example.com.":
		for i := range 100 {
			add("big.example.com. 20 IN TXT \"%03d %s\"", i, strings.Repeat("x", 100))
		}
	default:
		out.Exists = false
	}
	return out
}

type owned map[string]string

func (o owned) Resolve(name string) ([]netip.Addr, time.Duration, bool) {
	a, ok := o[name]
	if !ok {
		return nil, 0, false
	}
	return []netip.Addr{netip.MustParseAddr(a)}, time.Minute, true
}

// served is a server that listens.
type served struct {
	*dns.Server
	t *testing.T
}

func start(t *testing.T) *served {
	t.Helper()
	s := dns.New(dns.Options{Address: "127.0.0.1:0", Zones: zones{}, Resolvers: []dns.Resolver{
		owned{"east-1.us-east-1.elb.amazonaws.com": "127.9.0.1"}, owned{"b.s3.us-west-2.amazonaws.com": "127.9.0.2"},
	}})
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return &served{Server: s, t: t}
}

// ask sends a question over the network.
func (s *served) ask(network, name string, qtype uint16, change ...func(*wiredns.Msg)) *wiredns.Msg {
	s.t.Helper()
	m := new(wiredns.Msg)
	m.SetQuestion(name, qtype)
	for _, c := range change {
		c(m)
	}
	client := &wiredns.Client{Net: network, Timeout: 5 * time.Second}
	reply, _, err := client.ExchangeContext(s.t.Context(), m, s.Addr().String())
	require.NoError(s.t, err)
	return reply
}

func records(m *wiredns.Msg) []string {
	var out []string
	for _, rr := range m.Answer {
		out = append(out, strings.Join(strings.Fields(rr.String()), " "))
	}
	return out
}

func withSubnet(prefix string) func(*wiredns.Msg) {
	return func(m *wiredns.Msg) {
		p := netip.MustParsePrefix(prefix)
		m.SetEdns0(4096, false)
		m.IsEdns0().Option = append(m.IsEdns0().Option, &wiredns.EDNS0_SUBNET{
			Code: wiredns.EDNS0SUBNET, Family: 1, SourceNetmask: uint8(p.Bits()), Address: p.Addr().AsSlice(),
		})
	}
}

func TestServer_AnswersOverBothTransports(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, network := range []string{"udp", "tcp"} {
		m := s.ask(network, "WwW.example.com.", wiredns.TypeA)
		require.Equal(t, wiredns.RcodeSuccess, m.Rcode)
		require.True(t, m.Authoritative)
		require.Equal(t, []string{"www.example.com. 20 IN A 192.0.2.1"}, records(m))
		require.Len(t, m.Ns, 1)
	}
}

func TestServer_NoDataIsNotNoName(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, code := range map[string]int{
		"www.example.com.": wiredns.RcodeSuccess, "nope.example.com.": wiredns.RcodeNameError, "no.elb.amazonaws.com.": wiredns.RcodeNameError,
	} {
		m := s.ask("udp", name, wiredns.TypeMX)
		require.Equal(t, code, m.Rcode, name)
		require.Empty(t, m.Answer)
		require.Len(t, m.Ns, 1)
		soa, ok := m.Ns[0].(*wiredns.SOA)
		require.True(t, ok)
		require.Equal(t, uint32(60), soa.Hdr.Ttl, "negative answers are kept for the smaller of the SOA's times")
	}
	m := s.ask("udp", "www.example.org.", wiredns.TypeA)
	require.Equal(t, wiredns.RcodeRefused, m.Rcode)
	require.False(t, m.Authoritative)
}

func TestServer_FollowsCNAMEsAsFarAsItKnows(t *testing.T) {
	t.Parallel()
	s := start(t)
	require.Equal(t, []string{
		"chain.example.com. 30 IN CNAME app.example.com.",
		"app.example.com. 20 IN CNAME east-1.us-east-1.elb.amazonaws.com.",
		"east-1.us-east-1.elb.amazonaws.com. 60 IN A 127.9.0.1",
	}, records(s.ask("udp", "chain.example.com.", wiredns.TypeA)))

	require.Len(t, s.ask("udp", "chain.example.com.", wiredns.TypeCNAME).Answer, 1, "who asks for the CNAME gets it alone")

	away := s.ask("udp", "away.example.com.", wiredns.TypeA)
	require.Equal(t, wiredns.RcodeSuccess, away.Rcode)
	require.Len(t, away.Answer, 1)

	require.Equal(t, wiredns.RcodeNameError, s.ask("udp", "dangling.example.com.", wiredns.TypeA).Rcode)
	require.NotEmpty(t, s.ask("tcp", "loop.example.com.", wiredns.TypeA).Answer, "a loop ends")
	require.Equal(t, []string{"b.s3.us-west-2.amazonaws.com. 60 IN A 127.9.0.2"}, records(s.ask("udp", "b.s3.us-west-2.amazonaws.com.", wiredns.TypeA)))
}

func TestServer_ClientSubnet_IsUsedAndScoped(t *testing.T) {
	t.Parallel()
	s := start(t)
	scope := func(m *wiredns.Msg) *wiredns.EDNS0_SUBNET {
		require.NotNil(t, m.IsEdns0())
		require.Len(t, m.IsEdns0().Option, 1)
		e, ok := m.IsEdns0().Option[0].(*wiredns.EDNS0_SUBNET)
		require.True(t, ok)
		return e
	}
	m := s.ask("udp", "geo.example.com.", wiredns.TypeTXT, withSubnet("193.0.1.0/24"))
	require.Equal(t, []string{`geo.example.com. 20 IN TXT "193.0.1.0/24"`}, records(m))
	e := scope(m)
	require.Equal(t, uint8(21), e.SourceScope)
	require.Equal(t, uint8(24), e.SourceNetmask)

	chain := scope(s.ask("udp", "chain.example.com.", wiredns.TypeA, withSubnet("193.0.1.0/24")))
	require.Equal(t, uint8(16), chain.SourceScope, "the narrowest scope of the chain")
	require.Zero(t, scope(s.ask("udp", "www.example.com.", wiredns.TypeA, withSubnet("193.0.1.0/24"))).SourceScope)

	hidden := s.ask("udp", "geo.example.com.", wiredns.TypeTXT, withSubnet("0.0.0.0/0"))
	require.Equal(t, []string{`geo.example.com. 20 IN TXT "127.0.0.1/32"`}, records(hidden), "length 0 asks not to be located: the resolver is")
	require.Zero(t, scope(hidden).SourceScope)

	plain := s.ask("udp", "geo.example.com.", wiredns.TypeTXT)
	require.Equal(t, []string{`geo.example.com. 20 IN TXT "127.0.0.1/32"`}, records(plain))
	require.Nil(t, plain.IsEdns0(), "no EDNS for who didn't offer it")
}

func TestServer_LargeAnswers_AreCutOverUDPOnly(t *testing.T) {
	t.Parallel()
	s := start(t)
	cut := s.ask("udp", "big.example.com.", wiredns.TypeTXT)
	require.True(t, cut.Truncated)
	cut.Compress = true // as it came
	require.Less(t, cut.Len(), 513)
	require.Len(t, s.ask("tcp", "big.example.com.", wiredns.TypeTXT).Answer, 100)
}

func TestServer_OddQuestions(t *testing.T) {
	t.Parallel()
	s := start(t)
	require.Equal(t, wiredns.RcodeRefused, s.ask("tcp", "example.com.", wiredns.TypeAXFR).Rcode)
	require.Equal(t, wiredns.RcodeNotImplemented, s.ask("udp", "example.com.", wiredns.TypeA, func(m *wiredns.Msg) { m.Opcode = wiredns.OpcodeNotify }).Rcode)
	require.Equal(t, wiredns.RcodeRefused, s.ask("udp", "www.example.com.", wiredns.TypeA, func(m *wiredns.Msg) { m.Question[0].Qclass = wiredns.ClassCHAOS }).Rcode)
	require.Equal(t, wiredns.RcodeBadVers, s.ask("udp", "www.example.com.", wiredns.TypeA, func(m *wiredns.Msg) {
		m.SetEdns0(1232, false)
		m.IsEdns0().SetVersion(1)
	}).Rcode)
}

func TestAddresses_ResolvesInTheProcess(t *testing.T) {
	t.Parallel()
	s := dns.New(dns.Options{Zones: zones{}, Resolvers: []dns.Resolver{owned{"east-1.us-east-1.elb.amazonaws.com": "127.9.0.1"}}})
	addrs, err := s.Addresses(context.Background(), "chain.example.com", netip.Prefix{})
	require.NoError(t, err)
	require.Equal(t, []netip.Addr{netip.MustParseAddr("127.9.0.1")}, addrs)
	_, err = s.Addresses(context.Background(), "away.example.com", netip.Prefix{})
	require.ErrorContains(t, err, "no address")
	require.NoError(t, s.Close(), "never started")
}

func TestServer_Close_FreesThePort(t *testing.T) {
	t.Parallel()
	s := dns.New(dns.Options{Address: "127.0.0.1:0", Zones: zones{}})
	require.NoError(t, s.Start(t.Context()))
	again := dns.New(dns.Options{Address: s.Addr().String(), Zones: zones{}})
	require.Error(t, again.Start(t.Context()), "taken")
	require.NoError(t, s.Close())
	require.NoError(t, again.Start(t.Context()))
	require.NoError(t, again.Close())
}
