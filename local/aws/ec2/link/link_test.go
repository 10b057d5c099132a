package link_test

import (
	"context"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/local/aws/ec2/link"
)

// wire is a path that a test opens and cuts.
type wire struct {
	link.Path
	up      atomic.Bool
	refused atomic.Int32 // how often somebody found it closed
	ended   chan struct{}
}

func newWire() *wire {
	w := &wire{ended: make(chan struct{})}
	w.up.Store(true)
	w.Path = link.Path{Open: w.open, Signal: link.NewSignal(), Ended: w.ended}
	return w
}

func (w *wire) open() bool {
	up := w.up.Load()
	if !up {
		w.refused.Add(1)
	}
	return up
}

func (w *wire) set(up bool) {
	w.up.Store(up)
	w.Signal.Raise()
}

// connect makes one connection over the path: what the caller and the called hold.
func connect(t *testing.T, w *wire) (caller, called net.Conn) {
	t.Helper()
	inner, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := link.Listener(inner, w.Path)
	t.Cleanup(func() { _ = l.Close() })
	caller, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", inner.Addr().String())
	require.NoError(t, err)
	called, err = l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = caller.Close(); _ = called.Close() })
	return caller, called
}

func read(t *testing.T, c net.Conn, n int) string {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(5*time.Second)))
	b := make([]byte, n)
	_, err := io.ReadFull(c, b)
	require.NoError(t, err)
	return string(b)
}

func TestConn_PathCut_EstablishedConnectionStallsAndResumes(t *testing.T) {
	t.Parallel()
	w := newWire()
	caller, called := connect(t, w)
	_, err := caller.Write([]byte("one"))
	require.NoError(t, err)
	require.Equal(t, "one", read(t, called, 3))

	w.set(false)
	_, err = caller.Write([]byte("two"))
	require.NoError(t, err, "the caller's kernel takes it")
	require.NoError(t, called.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
	_, err = called.Read(make([]byte, 3))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "nothing passes a cut path")
	require.NoError(t, called.SetWriteDeadline(time.Now().Add(20*time.Millisecond)))
	_, err = called.Write([]byte("lost"))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)

	w.set(true)
	require.Equal(t, "two", read(t, called, 3))
	require.NoError(t, called.SetWriteDeadline(time.Time{}))
	_, err = called.Write([]byte("back"))
	require.NoError(t, err)
	require.Equal(t, "back", read(t, caller, 4))
}

func TestConn_CallerGaveUpWhileCut_ItsRequestIsNeverSeen(t *testing.T) {
	t.Parallel()
	w := newWire()
	caller, called := connect(t, w)
	w.set(false)
	_, err := caller.Write([]byte("write me"))
	require.NoError(t, err)
	require.NoError(t, caller.Close())

	got := make(chan error, 1)
	go func() {
		n, err := called.Read(make([]byte, 8))
		if n > 0 {
			err = nil
		}
		got <- err
	}()
	require.Eventually(t, func() bool { return w.refused.Load() > 0 }, 5*time.Second, time.Millisecond)
	w.set(true)
	require.Error(t, <-got)
}

func TestConn_ClosedWhileCut_PeerIsNotTold(t *testing.T) {
	t.Parallel()
	w := newWire()
	caller, called := connect(t, w)
	w.set(false)
	require.NoError(t, called.Close())
	require.NoError(t, caller.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
	_, err := caller.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)

	w.set(true)
	require.NoError(t, caller.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err = caller.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

func TestConn_CloseFreesAReaderThatStalls(t *testing.T) {
	t.Parallel()
	w := newWire()
	caller, called := connect(t, w)
	w.set(false)
	_, err := caller.Write([]byte("x"))
	require.NoError(t, err)
	got := make(chan error, 1)
	go func() {
		_, err := called.Read(make([]byte, 1))
		got <- err
	}()
	require.NoError(t, called.Close())
	select {
	case err := <-got:
		require.Error(t, err)
	case <-time.After(5 * time.Second):
		t.Fatal("the reader is still stuck")
	}
}

func TestPort_DialOverACutPath_WaitsAndGivesUp(t *testing.T) {
	t.Parallel()
	w := newWire()
	w.set(false)
	p := link.NewPort(&net.TCPAddr{IP: net.IPv4(10, 0, 0, 4), Port: 80})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := p.Dial(ctx, &net.TCPAddr{}, w.Path)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestPort_Dial_CarriesBytesAndAddressesBothWays(t *testing.T) {
	t.Parallel()
	w := newWire()
	at := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 4), Port: 80}
	from := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 9), Port: 40000}
	p := link.NewPort(at)
	called := make(chan net.Conn, 1)
	go func() {
		c, err := p.Accept()
		if err == nil {
			called <- c
		}
	}()
	caller, err := p.Dial(t.Context(), from, w.Path)
	require.NoError(t, err)
	server := <-called
	require.Equal(t, from.String(), server.RemoteAddr().String())
	require.Equal(t, at.String(), caller.RemoteAddr().String())
	go func() { _, _ = server.Write([]byte("hello")) }()
	require.Equal(t, "hello", read(t, caller, 5))

	close(w.ended)
	w.set(false)
	_, err = server.Write([]byte("x"))
	require.ErrorIs(t, err, net.ErrClosed, "the path is gone for good")
	require.NoError(t, p.Close())
	_, err = p.Dial(t.Context(), from, w.Path)
	require.ErrorIs(t, err, net.ErrClosed)
}
