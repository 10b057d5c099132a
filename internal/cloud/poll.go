package cloud

import (
	"context"
	"errors"
	"time"
)

// DefaultInterval is the pause between two looks at something that takes seconds.
const DefaultInterval = 2 * time.Second

// Look reads the world once: whether it is as awaited, and what was seen.
type Look func(context.Context) (done bool, seen string, err error)

// Poll looks at once and then every interval until the look says done. A
// passing failure is looked over; a permanent one ends the wait. When the
// deadline comes first the error is NotYet and carries what was seen last.
func Poll(ctx context.Context, interval time.Duration, look Look) error {
	if interval <= 0 {
		interval = DefaultInterval
	}
	pause := time.NewTimer(interval)
	defer pause.Stop()
	last := ""
	for {
		done, seen, err := look(ctx)
		if err != nil {
			if KindOf(err).Permanent() {
				return err
			}
			seen = err.Error()
		} else if done {
			return nil
		}
		// A look that was throttled, or that the deadline cut short, has seen less
		// than the one before.
		if last == "" || ctx.Err() == nil && KindOf(err) != Throttled {
			last = seen
		}
		pause.Reset(interval)
		select {
		case <-pause.C:
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return context.Cause(ctx)
			}
			return Errorf(NotYet, "deadline passed, last seen: %s", last)
		}
	}
}
