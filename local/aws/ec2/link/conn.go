package link

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// settle is how long an accepted connection looks for what arrived while its
// path was closed; the kernel has it already, so this is a scheduling delay.
const settle = 2 * time.Millisecond

// conn is a connection over a path.
type conn struct {
	net.Conn
	path     Path
	accepted bool // this side was called; see revive

	closing sync.Once
	closed  chan struct{}
	readBy  *deadline
	writeBy *deadline

	mu       sync.Mutex // guards what follows
	deadline time.Time  // of reads, as last asked for
	reviving bool       // revive uses the read deadline for itself
	held     []byte     // read from below, not yet let through
	heldErr  error      // what follows held
}

// Over puts an outgoing connection on a path.
func Over(c net.Conn, p Path) net.Conn { return wrap(c, p, false) }

// Accepted puts an incoming connection on a path. Requests that arrived while
// the path was closed, and whose sender has given up since, are dropped when it
// opens: on a real network they would never have been sent.
func Accepted(c net.Conn, p Path) net.Conn { return wrap(c, p, true) }

func wrap(c net.Conn, p Path, accepted bool) *conn {
	return &conn{
		Conn: c, path: p, accepted: accepted,
		closed: make(chan struct{}), readBy: newDeadline(), writeBy: newDeadline(),
	}
}

// Read waits for bytes and for the path.
func (c *conn) Read(p []byte) (int, error) {
	if !c.holding() {
		n, err := c.Conn.Read(p)
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
		if c.path.Open() {
			return n, err
		}
		c.hold(p[:n], err)
	}
	waited, err := c.path.Wait(c.closed, c.readBy.passed())
	if err != nil {
		return 0, err
	}
	if waited && c.accepted && !c.revive() {
		_ = c.Conn.Close() // nobody is there to be told
		return 0, net.ErrClosed
	}
	return c.release(p)
}

// Write waits for the path, then writes.
func (c *conn) Write(p []byte) (int, error) {
	if _, err := c.path.Wait(c.closed, c.writeBy.passed()); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// Close ends the connection here at once, and for the peer when its farewell
// can reach it.
func (c *conn) Close() error {
	err := net.ErrClosed
	c.closing.Do(func() {
		close(c.closed)
		err = nil
		if c.path.Open() {
			err = c.Conn.Close()
			return
		}
		_ = c.Conn.SetDeadline(time.Now()) // frees a reader that waits below
		go func() {
			_, _ = c.path.Wait(nil, nil) // either way there is nothing left to wait for
			_ = c.Conn.Close()
		}()
	})
	return err
}

// SetDeadline sets both deadlines.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline bounds Read, waiting for the path included.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.readBy.set(t)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	if c.reviving {
		return nil
	}
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline bounds Write, waiting for the path included.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.writeBy.set(t)
	return c.Conn.SetWriteDeadline(t)
}

func (c *conn) holding() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.held) > 0 || c.heldErr != nil
}

func (c *conn) hold(b []byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held, c.heldErr = append(c.held, b...), err
}

// release hands out what was held, and the error behind it only with the last byte.
func (c *conn) release(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := copy(p, c.held)
	c.held = c.held[n:]
	if len(c.held) > 0 {
		return n, nil
	}
	err := c.heldErr
	c.held, c.heldErr = nil, nil
	return n, err
}

// revive takes in what arrived while the path was closed and reports whether
// the peer is still there.
func (c *conn) revive() bool {
	c.mu.Lock()
	if c.heldErr != nil {
		c.mu.Unlock()
		return false
	}
	c.reviving = true
	c.mu.Unlock()

	alive, buf := true, make([]byte, 4096)
	for {
		_ = c.Conn.SetReadDeadline(time.Now().Add(settle))
		n, err := c.Conn.Read(buf)
		c.hold(buf[:n], nil)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			alive = false
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reviving = false
	_ = c.Conn.SetReadDeadline(c.deadline)
	return alive
}
