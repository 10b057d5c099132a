package dnsclient

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
)

// samePort takes a port that is free on both transports: one that is free on the
// first may be somebody's connection on the second.
func samePort(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	var last error
	for range 20 {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		packets, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", listener.Addr().String())
		if err == nil {
			return packets, listener
		}
		last = err
		require.NoError(t, listener.Close())
	}
	require.NoError(t, last)
	return nil, nil
}

// serve starts a name server on UDP and TCP that answers with answer.
func serve(t *testing.T, answer func(q *dns.Msg, network string) *dns.Msg) string {
	t.Helper()
	packets, listener := samePort(t)
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		if m := answer(q, w.LocalAddr().Network()); m != nil {
			require.NoError(t, w.WriteMsg(m))
		}
	})
	var ready sync.WaitGroup
	for _, s := range []*dns.Server{{PacketConn: packets, Handler: handler}, {Listener: listener, Handler: handler}} {
		ready.Add(1)
		s.NotifyStartedFunc = ready.Done
		go func() { _ = s.ActivateAndServe() }()
		t.Cleanup(func() { _ = s.Shutdown() })
	}
	ready.Wait()
	return packets.LocalAddr().String()
}

// zone answers from records in zone file notation; each name has its own answer.
func zone(t *testing.T, records map[string][]string) func(*dns.Msg, string) *dns.Msg {
	t.Helper()
	parsed := map[string][]dns.RR{}
	for name, lines := range records {
		for _, line := range lines {
			rr, err := dns.NewRR(line)
			require.NoError(t, err)
			parsed[name] = append(parsed[name], rr)
		}
	}
	return func(q *dns.Msg, _ string) *dns.Msg {
		m := new(dns.Msg)
		m.SetReply(q)
		m.Answer = parsed[q.Question[0].Name]
		if m.Answer == nil {
			m.Rcode = dns.RcodeNameError
		}
		return m
	}
}

func TestAsk_FollowsTheChainAndTakesTheSmallestTTL(t *testing.T) {
	t.Parallel()
	server := serve(t, zone(t, map[string][]string{
		"app.example.":     {"app.example. 60 IN CNAME geo-eu.example.", "geo-eu.example. 20 IN CNAME lb.use1.aws."},
		"lb.use1.aws.":     {"lb.use1.aws. 60 IN A 10.0.0.2", "lb.use1.aws. 60 IN A 10.0.0.1"},
		"nothing.example.": {},
	}))
	a, err := Client{}.Ask(t.Context(), server, "App.example.", netip.Prefix{})
	require.NoError(t, err)
	require.Equal(t, []string{"app.example", "geo-eu.example", "lb.use1.aws"}, a.Chain)
	require.Equal(t, "lb.use1.aws", a.Target())
	require.Equal(t, []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")}, a.Addresses)
	require.Equal(t, 20*time.Second, a.TTL)
}

func TestAsk_SendsTheClientsSubnet(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := []string{}
	server := serve(t, func(q *dns.Msg, _ string) *dns.Msg {
		mu.Lock()
		defer mu.Unlock()
		for _, o := range q.IsEdns0().Option {
			seen = append(seen, o.String())
		}
		m := new(dns.Msg)
		return m.SetReply(q)
	})
	_, err := Client{}.Ask(t.Context(), server, "app.example", netip.MustParsePrefix("193.0.7.9/21"))
	require.NoError(t, err)
	_, err = Client{}.Ask(t.Context(), server, "app.example", netip.MustParsePrefix("2001:db8::/32"))
	require.NoError(t, err)
	_, err = Client{}.Ask(t.Context(), server, "app.example", netip.Prefix{})
	require.NoError(t, err)
	require.Equal(t, []string{"193.0.0.0/21/0", "[2001:db8::]/32/0"}, seen, "host bits are cut; no subnet is no option")
}

func TestAsk_NoSuchName_IsAnAnswer(t *testing.T) {
	t.Parallel()
	server := serve(t, zone(t, nil))
	a, err := Client{}.Ask(t.Context(), server, "gone.example", netip.Prefix{})
	require.NoError(t, err)
	require.Empty(t, a.Addresses)
}

func TestAsk_ChainLeavesTheZone_SystemResolves(t *testing.T) {
	t.Parallel()
	server := serve(t, func(q *dns.Msg, _ string) *dns.Msg {
		m := new(dns.Msg)
		if q.Question[0].Name == "lb.aws." {
			return m.SetRcode(q, dns.RcodeRefused)
		}
		m.SetReply(q)
		m.Answer = []dns.RR{&dns.CNAME{Hdr: dns.RR_Header{Name: "app.example.", Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: 20}, Target: "lb.aws."}}
		return m
	})
	asked := ""
	system := func(_ context.Context, host string) ([]netip.Addr, error) {
		asked = host
		return []netip.Addr{netip.MustParseAddr("::ffff:10.1.1.1")}, nil
	}
	a, err := Client{System: system}.Ask(t.Context(), server, "app.example", netip.Prefix{})
	require.NoError(t, err)
	require.Equal(t, "lb.aws", asked)
	require.Equal(t, []netip.Addr{netip.MustParseAddr("10.1.1.1")}, a.Addresses)
	require.Equal(t, 20*time.Second, a.TTL)

	system = func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no route") }
	_, err = Client{System: system}.Ask(t.Context(), server, "app.example", netip.Prefix{})
	require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
}

func TestAsk_CutAnswer_AsksAgainOverTCP(t *testing.T) {
	t.Parallel()
	whole := zone(t, map[string][]string{"app.example.": {"app.example. 5 IN A 10.0.0.9"}})
	server := serve(t, func(q *dns.Msg, network string) *dns.Msg {
		if network == "udp" {
			m := new(dns.Msg).SetReply(q)
			m.Truncated = true
			return m
		}
		return whole(q, network)
	})
	a, err := Client{}.Ask(t.Context(), server, "app.example", netip.Prefix{})
	require.NoError(t, err)
	require.Len(t, a.Addresses, 1)
}

func TestAsk_LoopEnds(t *testing.T) {
	t.Parallel()
	server := serve(t, zone(t, map[string][]string{
		"a.example.": {"a.example. 5 IN CNAME b.example.", "b.example. 5 IN CNAME a.example."},
		"b.example.": {"b.example. 5 IN CNAME a.example."},
	}))
	system := func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("a loop") }
	_, err := Client{System: system}.Ask(t.Context(), server, "a.example", netip.Prefix{})
	require.Error(t, err)
}

func TestAsk_SilentOrFailingServer_IsUnreachable(t *testing.T) {
	t.Parallel()
	silent := serve(t, func(*dns.Msg, string) *dns.Msg { return nil })
	_, err := Client{Timeout: 30 * time.Millisecond}.Ask(t.Context(), silent, "app.example", netip.Prefix{})
	require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
	failing := serve(t, func(q *dns.Msg, _ string) *dns.Msg { return new(dns.Msg).SetRcode(q, dns.RcodeServerFailure) })
	_, err = Client{}.Ask(t.Context(), failing, "app.example", netip.Prefix{})
	require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
	require.ErrorContains(t, err, "SERVFAIL")
}

func TestResolve_NextServerWhenOneIsSilent(t *testing.T) {
	t.Parallel()
	silent := serve(t, func(*dns.Msg, string) *dns.Msg { return nil })
	good := serve(t, zone(t, map[string][]string{"app.example.": {"app.example. 5 IN A 10.0.0.9"}}))
	c := Client{Timeout: 30 * time.Millisecond}
	a, err := c.Resolve(t.Context(), []string{silent, good}, "app.example", netip.Prefix{})
	require.NoError(t, err)
	require.Len(t, a.Addresses, 1)
	_, err = c.Resolve(t.Context(), []string{silent}, "app.example", netip.Prefix{})
	require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
}

func TestResolve_WithoutServers_AddressesAndTheSystem(t *testing.T) {
	t.Parallel()
	a, err := Client{}.Resolve(t.Context(), nil, "127.0.0.1", netip.Prefix{})
	require.NoError(t, err)
	require.Equal(t, []netip.Addr{netip.MustParseAddr("127.0.0.1")}, a.Addresses)
}
