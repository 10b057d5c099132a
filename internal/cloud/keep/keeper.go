package keep

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Keeper knows one type of item.
type Keeper struct {
	Type string
	// Read tells the state of items, all of one Region, in as few calls as AWS
	// allows: lists and batches before one call for each. An item that is not there
	// is a state with Found false, not an error. Properties come in the canonical
	// form of runbook.Item.Want; only those that are wanted need to be read.
	Read func(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error)
	// Write brings one item from what was read to what is wanted: it creates it
	// when have.Found is false, and otherwise changes what differs and leaves the
	// rest alone. It returns AWS's request id. Nil for what is only looked at.
	Write func(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (requestID string, err error)
	// Fixed are properties that nobody may change of what exists: AWS does
	// not let them, or somebody else has chosen them and lives by them.
	Fixed []string
	// Inside is the property that names what an item is a part of, such as a record's
	// zone. As long as that is still to be made, so is the item: AWS can't be asked
	// for it.
	Inside string
	// Budget bounds the wait for one batch; 0 is DefaultBudget.
	Budget time.Duration
}

const (
	// DefaultBudget suits what AWS makes in minutes.
	DefaultBudget = 30 * time.Minute
	// longestBudget leaves whoever runs the loop for two hours time to hear of it.
	longestBudget = 110 * time.Minute
	// strange is how often an answer that means nothing to us is met with another
	// try: some of them are refusals whose code we don't know.
	strange = 5
	// deaf is how often an endpoint is asked at which nobody listens: it may be
	// about to start.
	deaf = 3
	// parallel bounds the calls in flight; the rate limits do the rest.
	parallel = 8
)

// Each reads items one by one, some at the same time, for types that AWS has no
// list of.
func Each(one func(context.Context, cloud.At, runbook.Item) (runbook.ItemState, error)) func(context.Context, cloud.At, []runbook.Item) ([]runbook.ItemState, error) {
	return func(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
		out := make([]runbook.ItemState, len(items))
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(parallel)
		for i, item := range items {
			g.Go(func() error {
				state, err := again(ctx, func() (runbook.ItemState, error) { return one(ctx, at, item) })
				state.ID = item.ID()
				out[i] = state
				if err != nil {
					return fmt.Errorf("read %s: %w", item.ID(), err)
				}
				return nil
			})
		}
		return out, g.Wait()
	}
}

// again repeats a reading that was throttled or got no answer: one bad call of a
// hundred must not cost the other ninety-nine. Where nobody listens it asks a few
// times only.
func again[T any](ctx context.Context, read func() (T, error)) (T, error) {
	refused := 0
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		out, err := read()
		if cloud.Refused(err) {
			refused++
		}
		if err == nil || !passing(err) || refused == deaf || !wait(ctx, pause) {
			return out, err
		}
	}
}

const (
	firstPause   = 200 * time.Millisecond
	longestPause = 5 * time.Second
)

// wait pauses and says whether there is time left.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// passing failures may be over at the next try.
func passing(err error) bool {
	switch cloud.KindOf(err) {
	case cloud.Throttled, cloud.Unreachable, cloud.Conflict, cloud.NotYet, cloud.Unknown:
		return true
	case cloud.Invalid, cloud.NotFound, cloud.Denied, cloud.Quota:
		return false
	}
	return false
}

// Unserved says that the endpoint does not have the service or the operation, or
// that nobody listened there when it was asked a few times.
func Unserved(err error) bool { return cloud.Unserved(err) || cloud.Refused(err) }

// Book holds the keepers of all types.
type Book struct{ keepers map[string]Keeper }

// NewBook makes a book. Two keepers of one type are a mistake of the program.
func NewBook(keepers ...Keeper) (*Book, error) {
	b := &Book{keepers: map[string]Keeper{}}
	for _, k := range keepers {
		if _, twice := b.keepers[k.Type]; twice {
			return nil, fmt.Errorf("two keepers of %q", k.Type)
		}
		b.keepers[k.Type] = k
	}
	return b, nil
}

// Find gives the keeper of a type.
func (b *Book) Find(kind string) (Keeper, error) {
	k, ok := b.keepers[kind]
	if !ok {
		return k, cloud.Errorf(cloud.Invalid, "nothing keeps items of type %q", kind)
	}
	return k, nil
}

// Types lists what the book keeps, sorted.
func (b *Book) Types() []string { return slices.Sorted(maps.Keys(b.keepers)) }

// At is where the items of a region are read and written: control planes are
// slower than the data planes of an emergency, and what is built ahead of time
// can wait for its turn.
func At(region string) cloud.At {
	return cloud.At{Region: plan.Region(region), Timeout: 20 * time.Second, Patient: true}
}
