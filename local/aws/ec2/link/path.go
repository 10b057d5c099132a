package link

import (
	"net"
	"os"
	"sync"
)

// Signal tells everybody who waits on it that what they look at may have changed.
type Signal struct {
	mu sync.Mutex
	ch chan struct{}
}

// NewSignal is a signal that was never raised.
func NewSignal() *Signal { return &Signal{ch: make(chan struct{})} }

// Changed is closed by the next Raise.
func (s *Signal) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ch
}

// Raise wakes all who wait.
func (s *Signal) Raise() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ch)
	s.ch = make(chan struct{})
}

// Path is a way through the network.
type Path struct {
	Open   func() bool // do packets pass just now?
	Signal *Signal     // raised whenever Open may answer differently
	// Ended is closed when one end of the path is gone for good; nil means never.
	Ended <-chan struct{}
}

// Wait returns when the path is open, and whether that took waiting. It gives
// up with net.ErrClosed when closed is or the path has ended, and with os.ErrDeadlineExceeded when
// late is.
func (p Path) Wait(closed, late <-chan struct{}) (waited bool, err error) {
	for {
		changed := p.Signal.Changed()
		if p.Open() {
			return waited, nil
		}
		waited = true
		select {
		case <-changed:
		case <-closed:
			return waited, net.ErrClosed
		case <-p.Ended:
			return waited, net.ErrClosed
		case <-late:
			return waited, os.ErrDeadlineExceeded
		}
	}
}
