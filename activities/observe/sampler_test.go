package observe

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// handClock is moved by hand; every tick goes to every watcher.
type handClock struct {
	mu    sync.Mutex
	now   time.Time
	asked int // how often the time was asked for
	ticks []chan time.Time
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	return c.now
}

func (c *handClock) Tick(time.Duration) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	tick := make(chan time.Time)
	c.ticks = append(c.ticks, tick)
	return tick, func() {}
}

// step lets one second pass. When it returns each watcher has begun its look:
// it has asked for the time.
func (c *handClock) step(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	c.now = c.now.Add(time.Second)
	now, ticks, want := c.now, c.ticks, c.asked+len(c.ticks)
	c.mu.Unlock()
	for _, tick := range ticks {
		select {
		case tick <- now:
		case <-time.After(5 * time.Second):
			require.Fail(t, "a watcher waits for a look")
		}
	}
	eventually(t, func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.asked >= want })
}

// start runs a sampler on a hand clock until the test ends.
func start(t *testing.T, w *world) (*Sampler, *handClock) {
	t.Helper()
	clock := &handClock{now: at(0)}
	s := newSampler("outside", w.plan, clock, newWeb())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	eventually(t, func() bool {
		clock.mu.Lock()
		defer clock.mu.Unlock()
		return len(clock.ticks) == 2 && clock.asked == 2
	})
	return s, clock
}

func eventually(t *testing.T, good func() bool) {
	t.Helper()
	require.Eventually(t, good, 5*time.Second, 2*time.Millisecond)
}

// sees waits until a Region's verdict is as wanted.
func sees(t *testing.T, s *Sampler, region string, healthy bool, rounds int) Verdict {
	t.Helper()
	var v Verdict
	eventually(t, func() bool {
		v = s.Observe().Regions[region]
		return v.Healthy == healthy && v.Rounds == rounds
	})
	return v
}

func TestSampler_SeesEachRegionWithAnEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.west.health = http.StatusServiceUnavailable
	s, clock := start(t, w)
	sees(t, s, "us-east-1", true, 1)
	sees(t, s, "us-west-2", false, 1)
	clock.step(t)
	east := sees(t, s, "us-east-1", true, 2)
	west := sees(t, s, "us-west-2", false, 2)
	require.True(t, east.Since.Equal(at(0)))
	require.True(t, east.Until.Equal(at(1)))
	require.Contains(t, west.Detail, "503")
	o := s.Observe()
	require.Equal(t, "outside", o.Observer)
	require.Len(t, o.Regions, 2, "a witness has no endpoint")
	got, err := New(s).ObserveRegions(t.Context(), ObserveInput{})
	require.NoError(t, err)
	require.Equal(t, o, got)
}

func TestSampler_HangingRegion_IsLookedAtEveryIntervalAndDelaysNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Observers.Timeout = w.plan.Observers.Interval * 300
	s, clock := start(t, w)
	sees(t, s, "us-east-1", true, 1)
	sees(t, s, "us-west-2", true, 1)
	w.east.goDark()
	for range 4 {
		clock.step(t)
	}
	sees(t, s, "us-west-2", true, 5)
	eventually(t, func() bool { w.east.mu.Lock(); defer w.east.mu.Unlock(); return len(w.east.seen) == 5 })
	v := s.Observe().Regions["us-east-1"]
	require.Equal(t, 1, v.Rounds, "nothing has finished")
	require.True(t, v.Until.Equal(at(0)), "and Until shows how old the verdict is")

	w.east.mu.Lock()
	w.east.health = http.StatusBadGateway
	w.east.mu.Unlock()
	w.east.answer()
	v = sees(t, s, "us-east-1", false, 4)
	require.True(t, v.Since.Equal(at(1)), "the run begins when the first look that hung began")
}

func TestSampler_Timeout_IsUnhealthy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Observers.Timeout /= 100
	w.east.goDark()
	s, _ := start(t, w)
	v := sees(t, s, "us-east-1", false, 1)
	require.NotEmpty(t, v.Detail)
}

func TestSampler_RedirectIsHealthy_AsRoute53Judges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.east.health = http.StatusFound
	s, _ := start(t, w)
	sees(t, s, "us-east-1", true, 1)
}

func TestSampler_OwnEnd_IsNoEvidence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.east.goDark()
	w.west.goDark()
	s := newSampler("outside", w.plan, &handClock{now: at(0)}, newWeb())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	eventually(t, func() bool { w.east.mu.Lock(); defer w.east.mu.Unlock(); return len(w.east.seen) == 1 })
	cancel()
	<-done
	require.Zero(t, s.Observe().Regions["us-east-1"].Rounds)
}

func TestWallClock_Ticks(t *testing.T) {
	t.Parallel()
	clock := wallClock{}
	before := clock.Now()
	ticks, stop := clock.Tick(time.Millisecond)
	defer stop()
	require.True(t, (<-ticks).After(before))
}
