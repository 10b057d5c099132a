package probe_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/probe"
)

// zone is a name server: app.test is an alias to one of two Regions by the
// client's subnet.
type zone struct {
	mu      sync.Mutex
	target  map[string]string // by client subnet; "" answers SERVFAIL
	address map[string]string
	ttl     uint32
	asked   map[string]int
}

func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	name := q.Question[0].Name
	z.asked[name]++
	answer := new(dns.Msg)
	answer.SetReply(q)
	header := func(t uint16) dns.RR_Header {
		return dns.RR_Header{Name: name, Rrtype: t, Class: dns.ClassINET, Ttl: z.ttl}
	}
	switch target, address := z.target[subnetOf(q)], z.address[name]; {
	case name == "app.test." && target != "":
		answer.Answer = []dns.RR{&dns.CNAME{Hdr: header(dns.TypeCNAME), Target: target}}
	case address != "":
		answer.Answer = []dns.RR{&dns.A{Hdr: header(dns.TypeA), A: net.ParseIP(address)}}
	default:
		answer.Rcode = dns.RcodeServerFailure
	}
	_ = w.WriteMsg(answer)
}

func subnetOf(q *dns.Msg) string {
	if opt := q.IsEdns0(); opt != nil {
		for _, o := range opt.Option {
			if s, ok := o.(*dns.EDNS0_SUBNET); ok {
				return fmt.Sprintf("%s/%d", s.Address, s.SourceNetmask)
			}
		}
	}
	return ""
}

func (z *zone) point(subnet, target string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.target[subnet] = target
}

func (z *zone) questions(name string) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asked[name]
}

const europe, asia = "193.0.0.0/21", "202.12.29.0/24"

func newZone(t *testing.T, ttl uint32) (*zone, string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0") //nolint:noctx // closed with the test
	require.NoError(t, err)
	z := &zone{
		target: map[string]string{europe: "one.test.", asia: "two.test."}, ttl: ttl, asked: map[string]int{},
		address: map[string]string{"one.test.": "127.0.0.1", "two.test.": "127.0.0.2"},
	}
	s := &dns.Server{PacketConn: conn, Handler: z}
	go func() { _ = s.ActivateAndServe() }()
	t.Cleanup(func() { _ = s.Shutdown() })
	return z, conn.LocalAddr().String()
}

// region is an application on one of two addresses with the same port.
type region struct {
	name        string
	acked       sync.Map
	count       atomic.Int64
	connections atomic.Int64
	broken      atomic.Bool
	hung        atomic.Bool
}

func (r *region) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body) // an unread body would hide that the client left
	if r.hung.Load() {
		<-q.Context().Done()
		return
	}
	if r.broken.Load() {
		http.Error(w, `{"error":"read-only"}`, http.StatusServiceUnavailable)
		return
	}
	if q.Method == http.MethodGet {
		if _, ok := r.acked.Load(q.URL.Path); !ok {
			http.NotFound(w, q)
		}
		return
	}
	var in struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(body, &in)
	r.acked.Store(q.URL.Path+"/"+in.ID, true)
	r.count.Add(1)
	w.WriteHeader(http.StatusCreated)
	_, _ = fmt.Fprintf(w, `{"id":%q,"region":%q,"epoch":3}`, in.ID, r.name)
}

// newRegions listens on 127.0.0.1 and 127.0.0.2 with one port.
func newRegions(t *testing.T) (one, two *region, port uint16) {
	t.Helper()
	one, two = &region{name: "one"}, &region{name: "two"}
	first, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed with the test
	require.NoError(t, err)
	port = netip.MustParseAddrPort(first.Addr().String()).Port()
	second, err := net.Listen("tcp", fmt.Sprintf("127.0.0.2:%d", port)) //nolint:noctx // closed with the test
	require.NoError(t, err)
	for r, listener := range map[*region]net.Listener{one: first, two: second} {
		s := httptest.NewUnstartedServer(r)
		_ = s.Listener.Close()
		s.Listener = listener
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				r.connections.Add(1)
			}
		}
		s.Start()
		t.Cleanup(func() {
			s.CloseClientConnections()
			s.Close()
		})
	}
	return one, two, port
}

// run starts a probe of records that is ended by the function returned.
func run(t *testing.T, server string, port uint16, locations ...string) (lines *seen, ledger string, stop func()) {
	t.Helper()
	lines = &seen{}
	o := probe.Options{
		Name: "app.test", NameServers: []string{server}, Port: port, Ledger: filepath.Join(t.TempDir(), "ledger.jsonl"),
		Intervals: map[probe.Kind]time.Duration{probe.Record: 10 * time.Millisecond}, Timeout: 200 * time.Millisecond, Seen: lines.add,
	}
	for _, l := range locations {
		o.Locations = append(o.Locations, probe.Location{Name: l, Subnet: netip.MustParsePrefix(l)})
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- probe.Run(ctx, o) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			require.NoError(t, <-done)
		})
	}
	t.Cleanup(stop)
	return lines, o.Ledger, stop
}

// seen collects lines.
type seen struct {
	mu    sync.Mutex
	lines []probe.Line
}

func (s *seen) add(l probe.Line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, l)
}

// await waits for a line that begins after now and satisfies ok.
func (s *seen) await(t *testing.T, ok func(probe.Line) bool) probe.Line {
	t.Helper()
	start := time.Now()
	var found probe.Line
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, l := range s.lines {
			if l.Started.After(start) && ok(l) {
				found = l
				return true
			}
		}
		return false
	}, 10*time.Second, time.Millisecond)
	return found
}

func acked(region string) func(probe.Line) bool {
	return func(l probe.Line) bool { return l.OK && l.Region == region && l.Readback }
}

func TestRun_EachLocationResolvesForItself(t *testing.T) {
	t.Parallel()
	_, server := newZone(t, 60)
	_, _, port := newRegions(t)
	lines, ledger, stop := run(t, server, port, europe, asia)
	l := lines.await(t, func(l probe.Line) bool { return l.Location == europe })
	require.True(t, l.OK, l.Error)
	require.Equal(t, "one", l.Region)
	require.Equal(t, int64(3), l.Epoch)
	require.Equal(t, fmt.Sprintf("127.0.0.1:%d", port), l.Address)
	l = lines.await(t, func(l probe.Line) bool { return l.Location == asia })
	require.Equal(t, "two", l.Region)
	stop()
	kept, err := probe.ReadLedger(ledger)
	require.NoError(t, err)
	require.ElementsMatch(t, numbers(lines.lines), numbers(kept), "what was told was kept")
}

func numbers(lines []probe.Line) []int64 {
	var out []int64
	for _, l := range lines {
		out = append(out, l.Seq)
	}
	return out
}

func TestRun_HonoursTTL_AndLeavesConnections(t *testing.T) {
	t.Parallel()
	z, server := newZone(t, 1)
	one, two, port := newRegions(t)
	lines, _, _ := run(t, server, port, europe)
	lines.await(t, acked("one"))
	asked, before := z.questions("app.test."), time.Now()
	z.point(europe, "two.test.")
	moved := lines.await(t, acked("two"))
	require.Less(t, moved.Started.Sub(before), 1500*time.Millisecond, "one TTL later at the latest")
	require.LessOrEqual(t, z.questions("app.test.")-asked, 2, "not asked at every attempt")
	served := one.count.Load()
	lines.await(t, acked("two"))
	require.Equal(t, served, one.count.Load(), "no connection outlives the change of address")
	require.LessOrEqual(t, two.connections.Load(), int64(2), "connections are kept otherwise")
}

func TestRun_FailuresBecomeLines(t *testing.T) {
	t.Parallel()
	z, server := newZone(t, 0)
	one, _, port := newRegions(t)
	lines, _, _ := run(t, server, port, europe)
	lines.await(t, acked("one"))
	connections := one.connections.Load()
	one.broken.Store(true)
	l := lines.await(t, func(l probe.Line) bool { return !l.OK })
	require.Equal(t, 503, l.Status)
	one.broken.Store(false)
	lines.await(t, acked("one"))
	require.Greater(t, one.connections.Load(), connections, "no connection is used again after an error")

	one.hung.Store(true)
	l = lines.await(t, func(l probe.Line) bool { return !l.OK })
	require.Equal(t, "timeout", l.Error)
	require.GreaterOrEqual(t, l.Ended.Sub(l.Started), 150*time.Millisecond)
	one.hung.Store(false)

	z.point(europe, "")
	l = lines.await(t, func(l probe.Line) bool { return !l.OK && l.Error != "timeout" })
	require.Contains(t, l.Error, "resolve app.test")
	require.Empty(t, l.Address)
	z.point(europe, "two.test.")
	lines.await(t, acked("two"))
}

func TestRun_RefusesNonsense(t *testing.T) {
	t.Parallel()
	err := probe.Run(t.Context(), probe.Options{Name: "app.test", NameServers: []string{"127.0.0.1:1"}, Port: 1})
	require.ErrorContains(t, err, "at least one location")
	err = probe.Run(t.Context(), probe.Options{
		Name: "app.test", NameServers: []string{"127.0.0.1:1"}, Port: 1, Ledger: t.TempDir(),
		Locations: []probe.Location{{Name: "x"}}, Intervals: map[probe.Kind]time.Duration{probe.Record: time.Second},
	})
	require.ErrorContains(t, err, "ledger", "a ledger that can't be written ends the probe")
}

// The variables tell the test binary to be a probe that is going to be killed.
const (
	childLedger = "LIFELINE_TEST_PROBE_LEDGER"
	childServer = "LIFELINE_TEST_PROBE_DNS"
	childPort   = "LIFELINE_TEST_PROBE_PORT"
)

func TestKilledProbeChild(t *testing.T) {
	if os.Getenv(childLedger) == "" {
		t.Skip("only as the child of TestRun_Killed_LosesNoLineAndGoesOn")
	}
	var port uint16
	_, err := fmt.Sscan(os.Getenv(childPort), &port)
	require.NoError(t, err)
	require.NoError(t, probe.Run(t.Context(), probe.Options{
		Name: "app.test", NameServers: []string{os.Getenv(childServer)}, Port: port, Ledger: os.Getenv(childLedger),
		Locations: []probe.Location{{Name: "europe", Subnet: netip.MustParsePrefix(europe)}},
		Intervals: map[probe.Kind]time.Duration{probe.Record: time.Millisecond},
	}))
}

func TestRun_Killed_LosesNoLineAndGoesOn(t *testing.T) {
	t.Parallel()
	_, server := newZone(t, 60)
	one, _, port := newRegions(t)
	ledger := filepath.Join(t.TempDir(), "ledger.jsonl")
	for round := range int64(3) {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledProbeChild$")
		child.Env = append(os.Environ(), childLedger+"="+ledger, childServer+"="+server, fmt.Sprintf("%s=%d", childPort, port))
		require.NoError(t, child.Start())
		target := one.count.Load() + 20
		require.Eventually(t, func() bool { return one.count.Load() >= target }, 20*time.Second, time.Millisecond)
		require.NoError(t, child.Process.Kill())
		_ = child.Wait() // killed

		lines, err := probe.ReadLedger(ledger)
		require.NoError(t, err)
		ids := map[string]bool{}
		for _, l := range lines {
			require.True(t, l.OK, l.Error)
			require.False(t, ids[l.ID], "an id twice")
			ids[l.ID] = true
		}
		missing := one.count.Load() - int64(len(lines))
		require.LessOrEqual(t, missing, round+1, "at most what was under way at each kill")
	}
}

func TestAudit_Verdicts(t *testing.T) {
	t.Parallel()
	var flaky atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]; {
		case strings.HasSuffix(id, "lost"):
			http.NotFound(w, r)
		case strings.HasSuffix(id, "sick"), strings.HasSuffix(id, "flaky") && flaky.Add(1) < 3:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(s.Close)
	line := func(kind probe.Kind, id string, seconds float64, ok bool) probe.Line {
		return probe.Line{Kind: kind, ID: id, OK: ok, Started: at(seconds), Ended: at(seconds)}
	}
	ledger := []probe.Line{
		line(probe.Invoice, "b-lost", 2, true), line(probe.Record, "a-lost", 1, true), line(probe.Record, "here", 3, true),
		line(probe.Record, "flaky", 4, true), line(probe.Record, "sick", 5, true), line(probe.Record, "refused", 6, false),
	}
	a, err := probe.Audit(t.Context(), ledger, probe.AuditOptions{Endpoint: s.URL, Pause: time.Millisecond})
	require.NoError(t, err)
	require.Equal(t, map[string]probe.Verdict{
		"record/a-lost": probe.Lost, "invoice/b-lost": probe.Lost, "record/here": probe.Present,
		"record/flaky": probe.Present, "record/sick": probe.Unknown,
	}, a.Verdicts)
	require.Equal(t, 2, a.Present)
	lost := a.Lost(ledger)
	require.Equal(t, []string{"a-lost", "b-lost"}, []string{lost[0].ID, lost[1].ID}, "in the order of acknowledgement")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = probe.Audit(ctx, ledger, probe.AuditOptions{Endpoint: s.URL})
	require.ErrorIs(t, err, context.Canceled, "half an audit is no audit")
}
