package checkers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/route53"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/checkers"
	"lifeline/local/aws/cloudwatch"
	"lifeline/local/aws/route53"
	"lifeline/local/aws/world"
)

// board is a Route 53 that keeps what checkers report.
type board struct {
	mu      sync.Mutex
	checks  []route53.EndpointCheck
	watch   func()
	reports map[string]route53.Observation // by checker Region, newest
	counts  map[string]int
}

func newBoard(config *api.HealthCheckConfig) *board {
	b := &board{reports: map[string]route53.Observation{}, counts: map[string]int{}}
	b.set(config, 1)
	return b
}

func (b *board) set(config *api.HealthCheckConfig, version int64) {
	b.mu.Lock()
	b.checks = []route53.EndpointCheck{{ID: "check", Version: version, Config: config, Regions: route53.CheckerRegions()}}
	watch := b.watch
	b.mu.Unlock()
	if watch != nil {
		watch()
	}
}

func (b *board) clear() {
	b.mu.Lock()
	b.checks = nil
	watch := b.watch
	b.mu.Unlock()
	watch()
}

func (b *board) EndpointChecks() []route53.EndpointCheck {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.checks
}

func (b *board) OnChecks(fn func()) { b.watch = fn }

func (b *board) Observe(_ string, o route53.Observation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reports[o.Region] = o
	b.counts[o.Region]++
}

func (b *board) Checks() []string                        { return []string{"check"} }
func (b *board) Healthy(string) (now, served, ok bool)   { return true, true, true }
func (b *board) Share(string) (percent float64, ok bool) { return 87.5, true }

// all says whether every checker has reported and all reports satisfy want.
func (b *board) all(want func(route53.Observation) bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range b.reports {
		if !want(o) {
			return false
		}
	}
	return len(b.reports) == len(route53.CheckerRegions())
}

func (b *board) count(region string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.counts[region]
}

// check is for a server on this machine, whatever name it is asked under.
func check(kind string) *api.HealthCheckConfig {
	return &api.HealthCheckConfig{
		Type: &kind, FullyQualifiedDomainName: aws.String("h.example.com"), Port: aws.Int64(80), ResourcePath: aws.String("health/deep"),
		RequestInterval: aws.Int64(10), FailureThreshold: aws.Int64(1), EnableSNI: aws.Bool(true),
	}
}

// setup starts a fleet whose every connection ends at the listener's address.
func setup(t *testing.T, b *board, address string, compression float64) *world.World {
	t.Helper()
	w := world.New(world.Options{Compression: compression})
	t.Cleanup(w.Close)
	f := checkers.New(w, checkers.Options{
		Route53: b,
		Resolve: func(_ context.Context, name string) ([]netip.Addr, error) {
			if name != "h.example.com" {
				return nil, errors.New("no such name")
			}
			return []netip.Addr{netip.MustParseAddr("127.77.0.9")}, nil
		},
		Dial: func(ctx context.Context, host string, port int) (net.Conn, error) {
			if host != "127.77.0.9" || port != 80 {
				return nil, fmt.Errorf("dialled %s:%d", host, port)
			}
			var d net.Dialer
			return d.DialContext(ctx, "tcp", address)
		},
	})
	t.Cleanup(f.Close)
	return w
}

func host(s *httptest.Server) string { return s.Listener.Addr().String() }

const patience = 20 * time.Second

func TestProbe_StatusDecides(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]bool{200: true, 204: true, 301: true, 399: true, 400: false, 403: false, 503: false} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.Host == "h.example.com" && r.URL.Path == "/health/deep" && strings.HasPrefix(r.UserAgent(), "Amazon-Route53-Health-Check-Service") {
					rw.WriteHeader(status)
					return
				}
				rw.WriteHeader(map[bool]int{true: 500, false: 200}[want]) // the opposite of what is wanted
			}))
			t.Cleanup(s.Close)
			b := newBoard(check("HTTP"))
			setup(t, b, host(s), 50)
			require.Eventually(t, func() bool {
				return b.all(func(o route53.Observation) bool {
					return o.Healthy == want && strings.Contains(o.Status, strconv.Itoa(status)) && o.Failed != want && o.Address != ""
				})
			}, patience, 5*time.Millisecond)
		})
	}
}

func TestProbe_SearchStringInTheFirst5120Bytes(t *testing.T) {
	t.Parallel()
	for offset, want := range map[int]bool{0: true, 5118: true, 5119: false} {
		s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(rw, strings.Repeat(".", offset)+"ok")
		}))
		t.Cleanup(s.Close)
		c := check("HTTP_STR_MATCH")
		c.SearchString = aws.String("ok")
		b := newBoard(c)
		setup(t, b, host(s), 50)
		require.Eventually(t, func() bool { return b.all(func(o route53.Observation) bool { return o.Healthy == want }) }, patience, 5*time.Millisecond, "at %d", offset)
	}
}

func TestProbe_HTTPS_DoesNotValidateCertificates(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.TLS.ServerName != "h.example.com" {
			rw.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(s.Close)
	b := newBoard(check("HTTPS"))
	setup(t, b, host(s), 10)
	require.Eventually(t, func() bool { return b.all(func(o route53.Observation) bool { return o.Healthy }) }, patience, 5*time.Millisecond)
}

func TestProbe_SilentEndpoint_TimesOut(t *testing.T) {
	t.Parallel()
	var c net.ListenConfig
	l, err := c.Listen(t.Context(), "tcp", "127.0.0.1:0") // accepts in the kernel, never answers
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	b := newBoard(check("HTTP"))
	setup(t, b, l.Addr().String(), 50)
	require.Eventually(t, func() bool {
		return b.all(func(o route53.Observation) bool { return !o.Healthy && strings.Contains(o.Status, "timed out") })
	}, patience, 5*time.Millisecond)

	tcp := newBoard(check("TCP"))
	setup(t, tcp, l.Addr().String(), 50)
	require.Eventually(t, func() bool { return tcp.all(func(o route53.Observation) bool { return o.Healthy }) }, patience, 5*time.Millisecond, "TCP wants a connection only")
}

func TestProbe_UnknownName_Fails(t *testing.T) {
	t.Parallel()
	c := check("HTTP")
	c.FullyQualifiedDomainName = aws.String("other.example.com")
	b := newBoard(c)
	setup(t, b, "127.0.0.1:1", 50)
	require.Eventually(t, func() bool {
		return b.all(func(o route53.Observation) bool {
			return !o.Healthy && strings.Contains(o.Status, "DNS resolution failed")
		})
	}, patience, 5*time.Millisecond)
}

func TestProber_ChangesItsMindAfterThresholdInARow(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		if asked.Add(1)%3 != 0 { // two failures, one success, again and again
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(s.Close)
	c := check("HTTP")
	c.FailureThreshold = aws.Int64(3)
	b := newBoard(c)
	b.checks[0].Regions = []string{"eu-west-1"}
	setup(t, b, host(s), 100)
	require.Eventually(t, func() bool { return b.count("eu-west-1") >= 9 }, patience, 5*time.Millisecond)
	b.mu.Lock()
	require.True(t, b.reports["eu-west-1"].Healthy, "never three in a row")
	b.mu.Unlock()

	next := *c
	next.FailureThreshold = aws.Int64(2)
	b.mu.Lock()
	b.checks = []route53.EndpointCheck{{ID: "check", Version: 2, Config: &next, Regions: []string{"eu-west-1"}}}
	b.mu.Unlock()
	b.watch()
	require.Eventually(t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return !b.reports["eu-west-1"].Healthy
	}, patience, time.Millisecond, "an update reaches the prober")
}

func TestFleet_IntervalAndDarkRegions(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	b := newBoard(check("HTTP"))
	w := setup(t, b, host(s), 50) // 10 s are 200 ms
	begin := time.Now()
	require.Eventually(t, func() bool { return b.count("us-east-1") >= 4 }, patience, time.Millisecond)
	require.GreaterOrEqual(t, time.Since(begin), 3*200*time.Millisecond-20*time.Millisecond, "four probes are three intervals")

	w.Inject(world.Fault{Kind: world.Blackout, Region: "us-east-1"})
	before, others := b.count("us-east-1"), b.count("eu-west-1")
	require.Eventually(t, func() bool { return b.count("eu-west-1") >= others+3 }, patience, time.Millisecond)
	require.LessOrEqual(t, b.count("us-east-1"), before+1, "one probe may have been under way")

	b.clear()
	var last int
	require.Eventually(t, func() bool {
		now := b.count("eu-west-1")
		still := now == last
		last = now
		return still
	}, patience, 300*time.Millisecond, "no check, no probe")
}

type put struct {
	region string
	datum  cloudwatch.Datum
}

type sink chan put

func (s sink) Put(region string, d cloudwatch.Datum) {
	select {
	case s <- put{region, d}:
	default:
	}
}

func TestFleet_PublishesMetricsInUsEast1(t *testing.T) {
	t.Parallel()
	w := world.New(world.Options{Compression: 1000})
	t.Cleanup(w.Close)
	b := newBoard(check("HTTP"))
	b.checks = nil
	got := make(sink, 8)
	f := checkers.New(w, checkers.Options{Route53: b, Metrics: got})
	t.Cleanup(f.Close)
	seen := map[string]float64{}
	for len(seen) < 2 {
		p := <-got
		require.Equal(t, "us-east-1", p.region)
		require.Equal(t, "AWS/Route53", p.datum.Namespace)
		require.Equal(t, map[string]string{"HealthCheckId": "check"}, p.datum.Dimensions)
		seen[p.datum.Name] = p.datum.Value
	}
	require.Equal(t, map[string]float64{"HealthCheckStatus": 1, "HealthCheckPercentageHealthy": 87.5}, seen)
}
