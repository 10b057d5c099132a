package dns

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"lifeline/local/aws/route53"
)

// Zones answers for hosted zones; *route53.Route53 does.
type Zones interface {
	Query(name string, qtype uint16, subnet netip.Prefix) route53.Result
}

// Resolver knows AWS-owned names such as those of load balancers
// (x-1.us-east-1.elb.amazonaws.com) and buckets (b.s3.us-east-1.amazonaws.com).
type Resolver interface {
	// Resolve gives the addresses of a name (lower case, no dot at the end) and
	// for how long they may be kept; ok is false when the name is none of its own.
	Resolve(name string) (addrs []netip.Addr, ttl time.Duration, ok bool)
}

// Options configure a Server.
type Options struct {
	Address   string // "127.0.0.1:5300"; port 0 takes a free one
	Zones     Zones
	Resolvers []Resolver // asked in order
	Logger    *slog.Logger
}

// Server answers questions over the network and, by Lookup, in the process.
type Server struct {
	o        Options
	log      *slog.Logger
	udp, tcp *dns.Server
	addr     netip.AddrPort
	ended    chan error
}

// New makes a server that does not listen yet.
func New(o Options) *Server {
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Server{o: o, log: log}
}

// attempts is how often a free port is tried that TCP has and UDP may not.
const attempts = 20

// Start listens and serves until Close.
func (s *Server) Start(ctx context.Context) error {
	var l net.Listener
	var p net.PacketConn
	var err error
	for range attempts {
		if l, p, err = listen(ctx, s.o.Address); err == nil {
			break
		}
	}
	if err != nil {
		return err
	}
	addr, err := netip.ParseAddrPort(l.Addr().String())
	if err != nil {
		return errors.Join(fmt.Errorf("read address of name server: %w", err), l.Close(), p.Close())
	}
	s.addr = addr
	s.tcp = &dns.Server{Listener: l, Handler: s}
	s.udp = &dns.Server{PacketConn: p, Handler: s}
	s.ended = make(chan error, 2)
	if err := started(s.tcp, s.ended); err != nil {
		return err
	}
	return started(s.udp, s.ended)
}

// started returns once the server takes questions, so that Close can end it.
func started(d *dns.Server, ended chan error) error {
	up := make(chan struct{})
	d.NotifyStartedFunc = func() { close(up) }
	failed := make(chan error, 1)
	go func() {
		err := d.ActivateAndServe()
		failed <- err
		ended <- err
	}()
	select {
	case <-up:
		return nil
	case err := <-failed:
		return fmt.Errorf("serve names: %w", err)
	}
}

// listen takes the same port for both transports.
func listen(ctx context.Context, address string) (net.Listener, net.PacketConn, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, nil, fmt.Errorf("listen for names on tcp %s: %w", address, err)
	}
	p, err := c.ListenPacket(ctx, "udp", l.Addr().String())
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("listen for names on udp %s: %w", l.Addr(), err), l.Close())
	}
	return l, p, nil
}

// Addr is where the server listens.
func (s *Server) Addr() netip.AddrPort { return s.addr }

// Close stops listening and waits for the answers under way.
func (s *Server) Close() error {
	if s.tcp == nil {
		return nil
	}
	err := errors.Join(s.tcp.Shutdown(), s.udp.Shutdown())
	for range 2 {
		err = errors.Join(err, <-s.ended)
	}
	s.tcp, s.udp = nil, nil
	if err != nil {
		return fmt.Errorf("stop name server: %w", err)
	}
	return nil
}

// ServeDNS answers one message.
func (s *Server) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	reply := s.reply(q, w.RemoteAddr())
	if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
		size := dns.MinMsgSize
		if o := q.IsEdns0(); o != nil {
			size = max(size, int(o.UDPSize()))
		}
		reply.Truncate(size)
	}
	if err := w.WriteMsg(reply); err != nil {
		s.log.Debug("answer not sent", "to", w.RemoteAddr().String(), "error", err)
	}
}
