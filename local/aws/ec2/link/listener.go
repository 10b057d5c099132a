package link

import (
	"context"
	"net"
	"sync"
)

// Listener puts every connection that l accepts on the path. The kernel
// completes handshakes by itself, so a caller over a closed path connects and
// then waits for ever, which to a client is one more kind of time-out.
func Listener(l net.Listener, p Path) net.Listener { return listener{l, p} }

type listener struct {
	net.Listener
	path Path
}

// Accept waits for the next caller and puts it on the path.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return Accepted(c, l.path), nil
}

// Port is a listening port inside the world: connections to it are made in
// memory and never touch the host's network.
type Port struct {
	addr    net.Addr
	backlog chan net.Conn
	closing sync.Once
	closed  chan struct{}
}

// NewPort opens a port at an address that only the world knows.
func NewPort(addr net.Addr) *Port {
	return &Port{addr: addr, backlog: make(chan net.Conn), closed: make(chan struct{})}
}

// Accept waits for the next caller.
func (p *Port) Accept() (net.Conn, error) {
	select {
	case c := <-p.backlog:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close refuses all later callers.
func (p *Port) Close() error {
	p.closing.Do(func() { close(p.closed) })
	return nil
}

// Addr is the port's address inside the world.
func (p *Port) Addr() net.Addr { return p.addr }

// Dial connects to the port over the path, and waits for the path as a dropped
// handshake does. net.ErrClosed means that the port refused.
func (p *Port) Dial(ctx context.Context, from net.Addr, path Path) (net.Conn, error) {
	if _, err := path.Wait(p.closed, ctx.Done()); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	here, there := net.Pipe()
	select {
	case p.backlog <- Accepted(named{there, p.addr, from}, path):
		return Over(named{here, from, p.addr}, path), nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// named gives an in-memory connection the addresses that it has in the world.
type named struct {
	net.Conn
	local, remote net.Addr
}

// LocalAddr is this end in the world.
func (n named) LocalAddr() net.Addr { return n.local }

// RemoteAddr is the other end in the world.
func (n named) RemoteAddr() net.Addr { return n.remote }
