package route53

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

const (
	east = plan.Region("us-east-1")
	west = plan.Region("us-west-2")
)

// server is an authoritative server: the application's name leads to the load
// balancer of the Region that serves the asking subnet.
type server struct {
	address string

	mu      sync.Mutex
	regions map[string]plan.Region // by location subnet; none is no answer
	rotate  int                    // the load balancers answer with other addresses each time
	silent  bool
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{regions: map[string]plan.Region{}}
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	s.address = conn.LocalAddr().String()
	started := make(chan struct{})
	d := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(s.answer), NotifyStartedFunc: func() { close(started) }}
	go func() { _ = d.ActivateAndServe() }()
	t.Cleanup(func() { _ = d.Shutdown() })
	<-started
	return s
}

func (s *server) answer(w dns.ResponseWriter, q *dns.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent {
		return
	}
	m := new(dns.Msg).SetReply(q)
	target := map[string]plan.Region{"use1.example.": east, "usw2.example.": west}[q.Question[0].Name]
	if q.Question[0].Name == "app.example." {
		for _, o := range q.IsEdns0().Option {
			if subnet, ok := o.(*dns.EDNS0_SUBNET); ok {
				ip, _ := netip.AddrFromSlice(subnet.Address.To4())
				target = s.regions[netip.PrefixFrom(ip, int(subnet.SourceNetmask)).String()]
			}
		}
	}
	if target != "" {
		balancer := "lb." + string(target) + ".aws."
		s.rotate++
		network := map[plan.Region]byte{east: 1, west: 2}[target]
		m.Answer = []dns.RR{
			&dns.CNAME{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: 20}, Target: balancer},
			&dns.A{Hdr: dns.RR_Header{Name: balancer, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: net.IPv4(10, network, 0, byte(s.rotate))},
		}
	}
	_ = w.WriteMsg(m)
}

func (s *server) point(regions ...plan.Region) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, l := range locations() {
		s.regions[l.Subnet] = regions[i]
	}
}

func locations() []plan.Location {
	return []plan.Location{
		{Name: "america", Subnet: "199.212.0.0/24", Region: east, Fallback: west},
		{Name: "asia", Subnet: "202.12.29.0/24", Region: west, Fallback: east},
		{Name: "bound", Subnet: "193.0.0.0/21", Region: east}, // may not leave
	}
}

func input(lost plan.Region, servers ...*server) AnswersInput {
	in := AnswersInput{
		Traffic: plan.Traffic{Name: "app.example", Locations: locations()}, Lost: lost,
		Endpoints: map[plan.Region]string{east: "use1.example", west: "usw2.example"},
		Timeout:   200 * time.Millisecond,
	}
	for _, s := range servers {
		in.Traffic.NameServers = append(in.Traffic.NameServers, s.address)
	}
	return in
}

func TestVerifyAnswers_EverybodyIsSentElsewhere(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.point(west, west, east)
	a, err := New().VerifyAnswers(t.Context(), input(east, s))
	require.NoError(t, err, "a location that may not leave has nowhere to go")
	require.Equal(t, "us-west-2", a.ByLocation["america"].Region)
	require.Equal(t, "us-west-2", a.ByLocation["asia"].Region)
	require.Equal(t, "us-east-1", a.ByLocation["bound"].Region)
	require.Equal(t, 20, a.ByLocation["america"].TTL)
	require.Len(t, a.ByLocation["america"].Addresses, 1)
	require.Empty(t, a.Silent)
}

func TestVerifyAnswers_StillSentToTheLostRegion_IsNotYet(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.point(east, west, "")
	_, err := New().VerifyAnswers(t.Context(), input(east, s))
	require.Equal(t, cloud.NotYet, cloud.KindOf(err))
	require.ErrorContains(t, err, "america is still sent to us-east-1")
	require.NotContains(t, err.Error(), "asia")
}

func TestVerifyAnswers_OneServerIsBehind_IsNotYet(t *testing.T) {
	t.Parallel()
	for _, behindFirst := range []bool{true, false} {
		ahead, behind := newServer(t), newServer(t)
		ahead.point(west, west, "")
		behind.point(east, west, "")
		servers := []*server{ahead, behind}
		if behindFirst {
			servers = []*server{behind, ahead}
		}
		_, err := New().VerifyAnswers(t.Context(), input(east, servers...))
		require.Equal(t, cloud.NotYet, cloud.KindOf(err))
	}
}

func TestVerifyAnswers_NoAnswerForWhoHasSomewhereToGo_IsNotYet(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.point("", west, "")
	_, err := New().VerifyAnswers(t.Context(), input(east, s))
	require.Equal(t, cloud.NotYet, cloud.KindOf(err))
	require.ErrorContains(t, err, "america gets no answer")
}

func TestVerifyAnswers_UnknownAddress_IsNoSuccess(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.point(west, west, "")
	in := input(east, s)
	in.Endpoints = map[plan.Region]string{east: "use1.example"}
	_, err := New().VerifyAnswers(t.Context(), in)
	require.Equal(t, cloud.NotYet, cloud.KindOf(err))
	require.ErrorContains(t, err, "unknown addresses")
}

func TestVerifyAnswers_NothingLost_EverybodyAtHome(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.point(west, west, east)
	_, err := New().VerifyAnswers(t.Context(), input("", s))
	require.Equal(t, cloud.NotYet, cloud.KindOf(err))
	require.ErrorContains(t, err, "america is still sent to us-west-2, not to us-east-1")
	s.point(east, west, east)
	_, err = New().VerifyAnswers(t.Context(), input("", s))
	require.NoError(t, err)
}

func TestVerifyAnswers_SilentServers(t *testing.T) {
	t.Parallel()
	good, silent := newServer(t), newServer(t)
	good.point(west, west, "")
	silent.mu.Lock()
	silent.silent = true
	silent.mu.Unlock()
	a, err := New().VerifyAnswers(t.Context(), input(east, good, silent))
	require.NoError(t, err, "one that answers is enough")
	require.Equal(t, []string{silent.address}, a.Silent)
	_, err = New().VerifyAnswers(t.Context(), input(east, silent))
	require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
}

func TestVerifyAnswers_BadPlan_IsInvalid(t *testing.T) {
	t.Parallel()
	_, err := New().VerifyAnswers(t.Context(), input(east))
	require.Equal(t, cloud.Invalid, cloud.KindOf(err))
	in := input(east, newServer(t))
	in.Traffic.Locations[0].Subnet = "somewhere"
	_, err = New().VerifyAnswers(t.Context(), in)
	require.Equal(t, cloud.Invalid, cloud.KindOf(err))
}
