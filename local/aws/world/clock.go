package world

import (
	"math"
	"sync"
	"time"
)

// clock runs functions later and can be stopped as a whole.
type clock struct {
	mu      sync.Mutex
	closed  bool
	done    chan struct{}
	timers  map[*pending]struct{}
	running sync.WaitGroup
}

// pending is a function that waits for its time.
type pending struct{ timer *time.Timer }

func newClock() *clock {
	return &clock{done: make(chan struct{}), timers: map[*pending]struct{}{}}
}

// Now is the wall clock: compression shortens waits, it doesn't bend dates, so
// that time stamps of the product and of the simulator can be compared.
func (w *World) Now() time.Time { return time.Now() }

// Compression is the number of AWS seconds in one wall second.
func (w *World) Compression() float64 { return math.Float64frombits(w.compression.Load()) }

// SetCompression changes it from now on: timers that are under way end as they
// were set, repeated ones follow from their next round. An estate is built fast
// this way and then lives in real time.
func (w *World) SetCompression(factor float64) {
	if factor <= 0 {
		factor = 1
	}
	w.compression.Store(math.Float64bits(factor))
}

// Wall turns a duration that AWS takes into the time it takes here.
func (w *World) Wall(d time.Duration) time.Duration {
	return time.Duration(float64(d) / w.Compression())
}

// After runs fn on a goroutine of its own once d of AWS time has passed, unless
// the world is closed before.
func (w *World) After(d time.Duration, fn func()) { w.clock.after(w.Wall(d), fn) }

// Every runs fn each d of AWS time, one run after the other, until Close.
func (w *World) Every(d time.Duration, fn func()) {
	// Anything shorter would be a busy loop at high compression.
	interval := func() time.Duration { return max(w.Wall(d), time.Millisecond) }
	w.clock.start(func() {
		timer := time.NewTimer(interval())
		defer timer.Stop()
		for {
			select {
			case <-w.clock.done:
				return
			case <-timer.C:
				timer.Reset(interval())
				fn()
			}
		}
	})
}

// Done is closed when the world ends.
func (w *World) Done() <-chan struct{} { return w.clock.done }

// start runs fn now, on a goroutine that Close waits for.
func (c *clock) start(fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.running.Go(fn)
}

func (c *clock) after(d time.Duration, fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	entry := &pending{}
	entry.timer = time.AfterFunc(d, func() {
		if c.claim(entry) {
			defer c.running.Done()
			fn()
		}
	})
	c.timers[entry] = struct{}{}
}

// claim says whether a timer that went off may still run. It takes the lock, so
// that it comes after whatever after has stored.
func (c *clock) claim(entry *pending) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.timers, entry)
	if c.closed {
		return false
	}
	c.running.Add(1)
	return true
}

func (c *clock) close() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.done)
		for entry := range c.timers {
			entry.timer.Stop()
		}
	}
	c.mu.Unlock()
	c.running.Wait()
}
