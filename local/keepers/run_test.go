package keepers_test

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/local/aws/sim"
	"lifeline/local/aws/world"
)

// The Regions of the tests, and the account that the simulated AWS is.
const (
	east    = plan.Region("us-east-1")
	west    = plan.Region("us-west-2")
	witness = plan.Region("us-east-2")
	account = "123456789012"
)

// patience is how long one batch may take: long, because a busy machine is no
// failure.
const patience = 2 * time.Minute

// book makes the keepers that a test needs.
type book func(*cloud.Clients) []keep.Keeper

// keepersOf are the keepers of some books, with their clients.
func keepersOf(books []book, c *cloud.Clients) []keep.Keeper {
	var all []keep.Keeper
	for _, b := range books {
		all = append(all, b(c)...)
	}
	return all
}

// site is a simulated AWS that setup builds in.
type site struct {
	*sim.Sim
	t      *testing.T
	books  []book
	admin  aws.Config // may do everything; for looking at the world and changing it by hand
	setups atomic.Int64
}

// bare is a world without anything, whose waits pass compression times as fast
// as AWS's.
func bare(t *testing.T, compression float64, books ...book) *site {
	t.Helper()
	s, err := sim.Start(t.Context(), sim.Options{
		API: "127.0.0.1:0", DNS: "127.0.0.1:0", Compression: compression,
		Regions: []string{string(east), string(west), string(witness)},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	out := &site{Sim: s, t: t, books: books}
	out.admin = out.config("AKIAADMIN")
	out.admin.RetryMaxAttempts = 5
	return out
}

// config is what the standard AWS variables give with AWS_ENDPOINT_URL set.
func (s *site) config(caller string) aws.Config {
	return aws.Config{
		Region: string(east), BaseEndpoint: aws.String("http://" + s.API()),
		Credentials: credentials.NewStaticCredentialsProvider(caller, "local", ""),
	}
}

// in is the admin's configuration of a Region.
func (s *site) in(region plan.Region) aws.Config {
	c := s.admin.Copy()
	c.Region = string(region)
	return c
}

// setup is one run of setup, with an access key of its own.
type setup struct {
	*site
	caller  string
	book    *keep.Book
	clients *cloud.Clients
}

func (s *site) setup() *setup {
	s.t.Helper()
	caller := "AKIASETUP" + strconv.FormatInt(s.setups.Add(1), 10)
	c := cloud.Using(s.config(caller), cloud.Options{Caller: "setup"})
	kept, err := keep.NewBook(keepersOf(s.books, c)...)
	require.NoError(s.t, err)
	return &setup{site: s, caller: caller, book: kept, clients: c}
}

// suffer puts faults in force that hit this run only.
func (s *setup) suffer(faults ...world.Fault) {
	for _, f := range faults {
		f.Caller = s.caller
		s.World.Inject(f)
	}
}

// calls is what this run has asked of AWS.
func (s *setup) calls() []world.CallRecord {
	return slices.DeleteFunc(s.World.Calls(time.Time{}), func(c world.CallRecord) bool { return c.Caller != s.caller })
}

// changed are the mutating operations that were applied, in order.
func (s *setup) changed() []string {
	var out []string
	for _, c := range s.calls() {
		if c.Mutating && (c.Outcome == "ok" || c.Outcome == "answer lost") {
			out = append(out, c.Service+":"+c.Operation)
		}
	}
	return out
}

// results are what became of items, by id.
type results map[string]runbook.ItemResult

// converge brings all items to what is wanted, wave after wave, as a run does.
func (s *setup) converge(items []runbook.Item, repair bool) results {
	s.t.Helper()
	return s.waves(items, true, func(batch []runbook.Item) ([]runbook.ItemResult, error) {
		ctx, cancel := context.WithTimeout(s.t.Context(), patience)
		defer cancel()
		return s.book.Converge(ctx, batch, repair)
	})
}

// survey judges all items and changes nothing, those included that refer to
// something that is not there yet, as a preview does.
func (s *setup) survey(items []runbook.Item, repair bool) results {
	s.t.Helper()
	return s.waves(items, false, func(batch []runbook.Item) ([]runbook.ItemResult, error) {
		return s.book.Survey(s.t.Context(), batch, repair)
	})
}

// waves takes items in the order in which they need each other.
func (s *setup) waves(items []runbook.Item, change bool, play func([]runbook.Item) ([]runbook.ItemResult, error)) results {
	s.t.Helper()
	known, out := map[string]map[string]string{}, results{}
	waves, rest := runbook.Waves(items, nil)
	require.Empty(s.t, rest, "these wait for what no item makes, or for each other")
	for _, wave := range waves {
		batches := map[string][]runbook.Item{}
		for _, item := range wave {
			resolved, open := item.Resolve(known)
			if change && len(open) > 0 {
				out[item.ID()] = runbook.ItemResult{ID: item.ID(), Verdict: runbook.Blocked}
				continue
			}
			key := item.Type + "/" + item.Region
			batches[key] = append(batches[key], resolved)
		}
		for _, key := range slices.Sorted(maps.Keys(batches)) {
			list, err := play(batches[key])
			require.NoError(s.t, err, key)
			maps.Copy(known, keep.Known(list))
			for _, r := range list {
				out[r.ID] = r
			}
		}
	}
	return out
}

// all demands one verdict of everything.
func (r results) all(t *testing.T, want runbook.Verdict) {
	t.Helper()
	for _, id := range slices.Sorted(maps.Keys(r)) {
		require.Equal(t, want, r[id].Verdict, "%s: %s %v", id, r[id].Why, r[id].Changes)
	}
}

// good demands that nothing is left to do.
func (r results) good(t *testing.T) {
	t.Helper()
	for _, id := range slices.Sorted(maps.Keys(r)) {
		require.True(t, r[id].Verdict.Good(), "%s is %s: %s %v", id, r[id].Verdict, r[id].Why, r[id].Changes)
	}
}

// read demands that everything could be judged.
func (r results) read(t *testing.T) {
	t.Helper()
	for _, id := range slices.Sorted(maps.Keys(r)) {
		require.NotEqual(t, runbook.Unkept, r[id].Verdict, "%s: %s", id, r[id].Why)
	}
}

// of are the items of some areas.
func of(items []runbook.Item, areas ...runbook.Area) []runbook.Item {
	return slices.DeleteFunc(slices.Clone(items), func(i runbook.Item) bool { return !slices.Contains(areas, i.Area) })
}
