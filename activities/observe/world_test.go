package observe

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

// site is one Region: a load balancer with the records application behind it.
type site struct {
	region  string
	address string

	mu      sync.Mutex
	hang    chan struct{} // not nil: requests hang until it is closed
	health  int
	write   int
	read    int
	records map[string]bool
	since   string
	seen    []*http.Request
}

// newSite listens on the same port at an address of its own, as Regions do.
func newSite(t *testing.T, region, address string) *site {
	t.Helper()
	s := &site{region: region, health: http.StatusOK, write: http.StatusCreated, read: http.StatusOK, records: map[string]bool{}}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	require.NoError(t, err)
	s.address = listener.Addr().String()
	server := httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	require.NoError(t, server.Listener.Close())
	server.Listener = listener
	server.Start()
	t.Cleanup(func() { s.answer(); server.CloseClientConnections(); server.Close() })
	return s
}

func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	hang := s.hang
	s.seen = append(s.seen, r)
	s.mu.Unlock()
	if hang != nil {
		<-hang
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.URL.Path == "/health/deep":
		w.WriteHeader(s.health)
	case r.URL.Path == "/lifeline/status":
		s.since = r.URL.Query().Get("since")
		_, _ = w.Write([]byte(`{"region":"` + s.region + `","epoch":5,"mode":"writer","served":{
			"america":{"first":"2026-11-22T12:00:05.5Z","last":"2026-11-22T12:00:09Z","count":3},"asia":{"count":1}}}`))
	case r.Method == http.MethodPost:
		var record struct{ ID string }
		_ = json.NewDecoder(r.Body).Decode(&record)
		s.records[record.ID] = true
		w.WriteHeader(s.write)
		_, _ = w.Write([]byte(`{"region":"` + s.region + `"}`))
	case s.records[strings.TrimPrefix(r.URL.Path, "/records/")]:
		w.WriteHeader(s.read)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// goDark makes requests hang.
func (s *site) goDark() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hang = make(chan struct{})
}

// answer ends it.
func (s *site) answer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hang != nil {
		close(s.hang)
		s.hang = nil
	}
}

// zone answers each name with an address, the application's by subnet.
type zone struct {
	mu    sync.Mutex
	names map[string]string // name, or name and subnet, to address
}

func (z *zone) set(name, address string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.names[name] = address
}

func (z *zone) serve(t *testing.T) string {
	t.Helper()
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	started := make(chan struct{})
	server := &dns.Server{PacketConn: conn, NotifyStartedFunc: func() { close(started) }, Handler: dns.HandlerFunc(z.answer)}
	go func() { _ = server.ActivateAndServe() }()
	t.Cleanup(func() { _ = server.Shutdown() })
	<-started
	return conn.LocalAddr().String()
}

func (z *zone) answer(w dns.ResponseWriter, q *dns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	name := q.Question[0].Name
	key := name
	for _, o := range q.IsEdns0().Option {
		if subnet, ok := o.(*dns.EDNS0_SUBNET); ok {
			ip, _ := netip.AddrFromSlice(subnet.Address.To4())
			key += netip.PrefixFrom(ip, int(subnet.SourceNetmask)).String()
		}
	}
	m := new(dns.Msg).SetReply(q)
	if address := z.names[key]; address != "" {
		m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}, A: net.ParseIP(address)}}
	}
	_ = w.WriteMsg(m)
}

// world is two Regions with a zone, as a plan describes them.
type world struct {
	east, west *site
	zone       *zone
	plan       plan.Plan
	america    plan.Location
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{zone: &zone{names: map[string]string{}}}
	w.east = newSite(t, "us-east-1", "127.0.0.1:0")
	port := netip.MustParseAddrPort(w.east.address).Port()
	w.west = newSite(t, "us-west-2", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), port).String())
	w.zone.set("use1.example.", "127.0.0.1")
	w.zone.set("usw2.example.", "127.0.0.2")
	w.america = plan.Location{Name: "america", Subnet: "199.212.0.0/24", Region: "us-east-1"}
	w.zone.set("app.example.199.212.0.0/24", "127.0.0.1")
	w.plan = plan.Plan{
		Regions: []plan.RegionSpec{
			{Name: "us-east-1", Endpoint: "use1.example"}, {Name: "us-west-2", Endpoint: "usw2.example"}, {Name: "us-east-2"},
		},
		Observers: plan.Observers{Interval: plan.Duration(time.Second), Timeout: plan.Duration(5 * time.Second)},
		Traffic: plan.Traffic{
			Name: "app.example", Scheme: "http", Port: int(port), NameServers: []string{w.zone.serve(t)},
			HealthCheck: plan.HealthCheck{Path: "/health/deep"}, Locations: []plan.Location{w.america},
			Transaction: plan.Transaction{Write: "/records", Read: "/records/{id}", Status: "/lifeline/status"},
		},
	}
	return w
}
