package backup

import (
	"sync"
	"time"

	"lifeline/local/aws/world"
)

// calendar tells AWS's date: it begins at an instant and runs as fast as the world
// is compressed, so that a week of schedules passes in a demo. It counts from
// reading to reading, since the compression changes over a world's life.
type calendar struct {
	world *world.World

	mu     sync.Mutex
	wall   time.Time // of the last reading
	date   time.Time // at the last reading
	factor float64   // in force since then
}

func newCalendar(w *world.World, start time.Time) *calendar {
	c := &calendar{world: w, wall: w.Now(), date: start, factor: w.Compression()}
	if start.IsZero() {
		c.date = c.wall.Round(0).UTC()
	}
	w.Every(time.Minute, func() { c.now() })
	return c
}

// now is AWS's date.
func (c *calendar) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall := c.world.Now()
	c.date = c.date.Add(time.Duration(float64(wall.Sub(c.wall)) * c.factor))
	c.wall, c.factor = wall, c.world.Compression()
	return c.date
}

// until is the AWS time that is left to a date; never negative.
func (c *calendar) until(date time.Time) time.Duration { return max(date.Sub(c.now()), 0) }
