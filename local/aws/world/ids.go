package world

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"sync"
)

// idLength is the number of hex digits in the ids that AWS gives out today.
const idLength = 17

// NewID makes an id that looks like one of AWS's: prefix and 17 hex digits.
func (w *World) NewID(prefix string) string {
	var b [idLength/2 + 1]byte
	_, _ = rand.Read(b[:]) // never fails; it ends the program instead
	return prefix + hex.EncodeToString(b[:])[:idLength]
}

// addresses hands out loopback addresses. All of 127.0.0.0/8 can be bound on
// Linux without root and without configuring an interface.
type addresses struct {
	mu     sync.Mutex
	prefix string
	lock   net.Listener // held while the range is ours; nil when it was given to us
	last   int
}

const (
	firstVIP = 10
	lastVIP  = 254
	// lockPort on the first address of a range is bound by the world that owns
	// the range, so that worlds of different processes don't collide.
	lockPort = 47999
)

// VIP is the next free loopback address of this world.
func (w *World) VIP() netip.Addr {
	addr, err := w.addresses.next()
	if err != nil {
		// No caller could go on without an address, and no input of a user
		// leads here: it takes 245 load balancers or 16,000 worlds.
		panic(err)
	}
	return addr
}

func (a *addresses) next() (netip.Addr, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.prefix == "" {
		if err := a.claim(); err != nil {
			return netip.Addr{}, err
		}
	}
	a.last = max(a.last+1, firstVIP)
	if a.last > lastVIP {
		return netip.Addr{}, fmt.Errorf("loopback range %s.0/24 is used up", a.prefix)
	}
	addr, err := netip.ParseAddr(fmt.Sprintf("%s.%d", a.prefix, a.last))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("loopback range %q: %w", a.prefix, err)
	}
	return addr, nil
}

// claim finds a /24 in 127.64.0.0/10 that nobody holds.
func (a *addresses) claim() error {
	const tries = 64
	var last error
	for range tries {
		n, err := rand.Int(rand.Reader, big.NewInt(64*256))
		if err != nil {
			return fmt.Errorf("pick a loopback range: %w", err)
		}
		prefix := fmt.Sprintf("127.%d.%d", 64+n.Int64()/256, n.Int64()%256)
		var config net.ListenConfig
		lock, err := config.Listen(context.Background(), "tcp", fmt.Sprintf("%s.1:%d", prefix, lockPort))
		if err == nil {
			a.prefix, a.lock = prefix, lock
			return nil
		}
		last = err
	}
	return errors.Join(errors.New("no free loopback range"), last)
}

func (a *addresses) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lock != nil {
		_ = a.lock.Close() // nothing was written; the port is all that is given back
		a.lock = nil
	}
}
