package elbv2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/elbv2"

	"lifeline/local/aws/ec2/link"
)

// connectTimeout is how long a load balancer tries to connect to a target.
const connectTimeout = 10 * time.Second

// listen opens a listener's port on the load balancer's address; e.mu is held.
func (e *ELB) listen(b *balancer, l *listener) error {
	port := int(*l.api.Port)
	socket, err := e.open(b, port)
	if err != nil {
		return fmt.Errorf("open port %d of load balancer %q: %w", port, *b.api.LoadBalancerName, err)
	}
	path := link.Path{Signal: e.ec2.Signal(), Ended: e.world.Done(), Open: func() bool { return e.reached(b, port) }}
	l.server = &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.serve(b, l, w, r) }),
		ReadHeaderTimeout: e.timeout(b.attributes.seconds("idle_timeout.timeout_seconds")),
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, opened{}, time.Now())
		},
	}
	server, front := l.server, &guard{Listener: socket, admits: func(peer netip.Addr) bool { return e.admits(b, peer, port) }, warn: e.world.Logger().Warn}
	go func() {
		<-e.world.Done()
		_ = server.Close()
	}()
	go func() {
		if err := server.Serve(link.Listener(front, path)); !errors.Is(err, http.ErrServerClosed) {
			e.world.Logger().Error("load balancer stopped listening", "name", *b.api.LoadBalancerName, "error", err)
		}
	}()
	return nil
}

// open opens a port. Those below 1024 belong to root on most machines: for anybody
// else the load balancer listens elsewhere on its address, and says where.
func (e *ELB) open(b *balancer, port int) (net.Listener, error) {
	var config net.ListenConfig
	socket, err := config.Listen(context.Background(), "tcp", net.JoinHostPort(b.vip.String(), strconv.Itoa(port)))
	if !errors.Is(err, fs.ErrPermission) {
		return socket, err
	}
	socket, err = config.Listen(context.Background(), "tcp", net.JoinHostPort(b.vip.String(), "0"))
	if err == nil {
		e.world.Logger().Warn("only root may open this port: the load balancer listens elsewhere", "name", *b.api.LoadBalancerName, "port", port, "instead", socket.Addr().String())
	}
	return socket, err
}

// opened is when a client's connection was, in a request's context.
type opened struct{}

// outlived says that a connection is older than clients may keep one. The load
// balancer answers and closes it then, as AWS does: it breaks nothing off.
func (e *ELB) outlived(r *http.Request, keep time.Duration) bool {
	since, ok := r.Context().Value(opened{}).(time.Time)
	return ok && time.Since(since) >= e.timeout(keep)
}

// reached says whether clients reach any node of the load balancer.
func (e *ELB) reached(b *balancer, port int) bool {
	return slices.ContainsFunc(b.api.AvailabilityZones, func(z *sdk.AvailabilityZone) bool {
		return e.ec2.Passes(b.region, *z.SubnetId, port)
	})
}

func (e *ELB) admits(b *balancer, peer netip.Addr, port int) bool {
	e.mu.Lock()
	groups := aws.StringValueSlice(b.api.SecurityGroups)
	e.mu.Unlock()
	if peer.IsLoopback() {
		// Clients on this machine stand for clients on the internet (RFC 5737).
		peer = netip.AddrFrom4([4]byte{203, 0, 113, 10})
	}
	return e.ec2.Admits(b.region, groups, peer, port)
}

// guard drops new connections that no security group admits: they are never answered.
type guard struct {
	net.Listener
	admits func(netip.Addr) bool
	warn   func(msg string, args ...any)

	mu     sync.Mutex
	held   []net.Conn
	warned bool
}

// Accept waits for the next connection that is admitted.
func (g *guard) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer, err := netip.ParseAddrPort(c.RemoteAddr().String())
		if err == nil && g.admits(peer.Addr()) {
			return c, nil
		}
		g.hold(c)
	}
}

func (g *guard) hold(c net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held = append(g.held, c)
	if !g.warned {
		g.warned = true
		g.warn("no security group of the load balancer admits the internet: connections are dropped", "address", g.Addr().String())
	}
}

// Close closes the listener and the connections that were never answered.
func (g *guard) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.held {
		_ = c.Close() // it was never answered; there is nothing to lose
	}
	g.held = nil
	return g.Listener.Close()
}

// serve answers one request.
func (e *ELB) serve(b *balancer, l *listener, w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	e.mu.Lock()
	action := clone(l.api.DefaultActions[0])
	idle, keep := b.attributes.seconds("idle_timeout.timeout_seconds"), b.attributes.seconds("client_keep_alive.seconds")
	e.mu.Unlock()
	if e.outlived(r, keep) {
		w.Header().Set("Connection", "close")
	}
	if *action.Type == sdk.ActionTypeEnumFixedResponse {
		fixed(w, action.FixedResponseConfig)
		e.count(b, 0, started)
		return
	}
	g, t := e.choose(b.region, action)
	if t == nil {
		http.Error(w, "503 Service Temporarily Unavailable", http.StatusServiceUnavailable)
		e.count(b, http.StatusServiceUnavailable, started)
		return
	}
	defer e.release(g, t)
	ctx, cancel := context.WithTimeoutCause(r.Context(), e.timeout(idle), context.DeadlineExceeded)
	defer cancel()
	e.forward(b, t, w, r.WithContext(ctx), started)
}

func fixed(w http.ResponseWriter, c *sdk.FixedResponseActionConfig) {
	if c.ContentType != nil {
		w.Header().Set("Content-Type", *c.ContentType)
	}
	status, err := strconv.Atoi(*c.StatusCode)
	if err != nil {
		status = http.StatusServiceUnavailable // checkActions lets no such code in
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, aws.StringValue(c.MessageBody)) // the client has gone, if anything
}

// choose picks a group by weight and in it the next target: a healthy one, or
// any when too few are healthy. It is counted as in flight.
func (e *ELB) choose(region string, a *sdk.Action) (*targetGroup, *target) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(region, aws.String(pickShare(shares(a))))
	if err != nil {
		return nil, nil
	}
	from := e.healthy(g)
	if len(from) < max(1, g.minimum("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count")) {
		from = slices.DeleteFunc(slices.Clone(g.targets), func(t *target) bool { return t.draining })
	}
	if len(from) == 0 {
		return nil, nil
	}
	g.turn++
	t := from[g.turn%len(from)]
	t.inFlight++
	return g, t
}

func pickShare(all []weighted) string {
	var total int64
	for _, w := range all {
		total += w.weight
	}
	if total == 0 {
		return all[0].arn
	}
	n := rand.Int64N(total)
	for _, w := range all {
		if n -= w.weight; n < 0 {
			return w.arn
		}
	}
	return all[len(all)-1].arn
}

func (e *ELB) release(g *targetGroup, t *target) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t.inFlight--
	e.dropDrainedLocked(g, t, false)
}

// transport keeps connections to one target.
func (e *ELB) transport(g *targetGroup, t *target) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, e.timeout(connectTimeout))
			defer cancel()
			e.mu.Lock()
			balancers := e.balancersOf(g)
			e.mu.Unlock()
			place, ok := e.ec2.Placement(g.region, t.id)
			if !ok || len(balancers) == 0 {
				return nil, fmt.Errorf("connect to target %s: %w", t.id, net.ErrClosed)
			}
			return e.ec2.Dial(ctx, e.sourceFor(balancers[0], place.Subnet, int(*balancers[0].firstPort())), t.id, int(t.port))
		},
		DisableCompression: true, // what the target sends is what the client gets
	}
}

func (b *balancer) firstPort() *int64 {
	if len(b.listeners) == 0 {
		return aws.Int64(0)
	}
	return b.listeners[0].api.Port
}

// forward hands a request to a target: 502 when it refuses or breaks off, 504
// when it stays silent.
func (e *ELB) forward(b *balancer, t *target, w http.ResponseWriter, r *http.Request, started time.Time) {
	proxy := httputil.ReverseProxy{
		Transport: t.transport,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL = &url.URL{Scheme: "http", Host: t.id, Path: p.In.URL.Path, RawPath: p.In.URL.RawPath, RawQuery: p.In.URL.RawQuery}
			p.Out.Host = p.In.Host
			p.Out.Header["X-Forwarded-For"] = p.In.Header["X-Forwarded-For"]
			p.SetXForwarded()
			p.Out.Header.Set("X-Amzn-Trace-Id", "Root="+e.world.NewID("1-"))
		},
		ModifyResponse: func(resp *http.Response) error {
			e.count(b, resp.StatusCode, started)
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			status := http.StatusBadGateway
			var timeout net.Error
			if errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &timeout) && timeout.Timeout()) {
				status = http.StatusGatewayTimeout
			}
			e.countOwn(b, status)
			http.Error(w, strconv.Itoa(status)+" "+http.StatusText(status), status)
		},
		ErrorLog: nil,
	}
	proxy.ServeHTTP(w, r)
}
