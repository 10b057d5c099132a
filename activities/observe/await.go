package observe

import (
	"context"
	"time"
)

// ServedAwait says whose clients are waited for.
type ServedAwait struct {
	ServedInput
	Locations []string `json:"locations"`
	// Until is when waiting ends even if a location has not been seen: nobody
	// may be awake there.
	Until time.Time `json:"until"`
}

// servedEvery is the pause between two looks at the status document.
const servedEvery = 500 * time.Millisecond

// AwaitServed watches a Region's status document until clients of every
// location were served since in.Since, or until in.Until. It returns what it
// saw last; a document that can't be read is an error only at the end.
func (s *Steps) AwaitServed(ctx context.Context, in ServedAwait) (Served, error) {
	tick := time.NewTicker(servedEvery)
	defer tick.Stop()
	for {
		served, err := s.MeasureServed(ctx, in.ServedInput)
		if err == nil && seen(served, in.Locations) {
			return served, nil
		}
		if !time.Now().Before(in.Until) {
			return served, err
		}
		select {
		case <-ctx.Done():
			return served, ctx.Err()
		case <-tick.C:
		}
	}
}

func seen(served Served, locations []string) bool {
	for _, l := range locations {
		if served.First[l].IsZero() {
			return false
		}
	}
	return true
}
