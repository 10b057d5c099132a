package keep_test

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/runbook"
)

// shelf is a service that keeps things by name, as forgetful and as slow as AWS.
type shelf struct {
	mu     sync.Mutex
	things map[string]map[string]string
	since  map[string]time.Time // when each was written
	shows  time.Duration        // how long a written thing can't be seen
	busy   time.Duration        // how long AWS works on a written thing
	writes map[string]int
	reads  int
	// onWrite and onRead fail the nth call; lost says that the act happened.
	onWrite func(name string, nth int) (lost bool, err error)
	onRead  func(nth int) error
}

func newShelf() *shelf {
	return &shelf{things: map[string]map[string]string{}, since: map[string]time.Time{}, writes: map[string]int{}}
}

func (s *shelf) read(_ context.Context, _ cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	if s.onRead != nil {
		if err := s.onRead(s.reads); err != nil {
			return nil, err
		}
	}
	var out []runbook.ItemState
	for _, i := range items {
		age := time.Since(s.since[i.Name])
		have, found := s.things[i.Name]
		state := runbook.ItemState{ID: i.ID(), Found: found && age >= s.shows, Out: map[string]string{"arn": "arn:" + i.Name}}
		if state.Found {
			state.Have = maps.Clone(have)
			if age < s.busy {
				state.Busy = "creating"
			}
		}
		out = append(out, state)
	}
	return out, nil
}

func (s *shelf) write(_ context.Context, _ cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes[item.Name]++
	if s.onWrite != nil {
		lost, err := s.onWrite(item.Name, s.writes[item.Name])
		if err != nil && !lost {
			return "", err
		}
		s.put(item)
		return "req", err
	}
	s.put(item)
	return "req", nil
}

func (s *shelf) put(item runbook.Item) {
	s.things[item.Name], s.since[item.Name] = maps.Clone(item.Want), time.Now()
}

func (s *shelf) book(t *testing.T, change func(*keep.Keeper)) *keep.Book {
	t.Helper()
	k := keep.Keeper{Type: "thing", Read: s.read, Write: s.write}
	if change != nil {
		change(&k)
	}
	b, err := keep.NewBook(k)
	require.NoError(t, err)
	return b
}

func things(n int) []runbook.Item {
	var out []runbook.Item
	for i := range n {
		out = append(out, runbook.Item{Type: "thing", Name: fmt.Sprintf("t%03d", i), Region: "us-west-2", Want: map[string]string{"colour": "blue"}})
	}
	return out
}

// count adds up verdicts.
func count(results []runbook.ItemResult) map[runbook.Verdict]int {
	out := map[runbook.Verdict]int{}
	for _, r := range results {
		out[r.Verdict]++
	}
	return out
}

func TestSurvey_InsideSomethingStillToBeMade_IsToBeMadeToo_AndNobodyIsAsked(t *testing.T) {
	t.Parallel()
	s := newShelf()
	inside := s.book(t, func(k *keep.Keeper) { k.Inside = "box" })
	items := things(2)
	for i := range items {
		items[i].Want["box"] = "${box/us-west-2/b#id}"
	}
	got, err := inside.Survey(t.Context(), items, true)
	require.NoError(t, err)
	require.Equal(t, map[runbook.Verdict]int{runbook.ToCreate: 2}, count(got))
	require.Zero(t, s.reads)

	items[0].Want["box"] = "b-1"
	s.things["t000"] = maps.Clone(items[0].Want)
	got, err = inside.Survey(t.Context(), items, true)
	require.NoError(t, err)
	require.Equal(t, []runbook.Verdict{runbook.InPlace, runbook.ToCreate}, []runbook.Verdict{got[0].Verdict, got[1].Verdict})
	require.Equal(t, 1, s.reads)
}

func TestConverge_BareShelf_EachThingIsMadeOnce_InThreeReadings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		got, err := s.book(t, nil).Converge(t.Context(), things(40), true)
		require.NoError(t, err)
		require.Equal(t, map[runbook.Verdict]int{runbook.Created: 40}, count(got))
		require.Equal(t, "req", got[0].Request)
		require.Equal(t, "arn:t000", got[0].Out["arn"])
		require.Len(t, s.writes, 40)
		require.LessOrEqual(t, s.reads, 3)

		s.reads, s.writes = 0, map[string]int{}
		got, err = s.book(t, nil).Converge(t.Context(), things(40), true)
		require.NoError(t, err)
		require.Equal(t, map[runbook.Verdict]int{runbook.InPlace: 40}, count(got))
		require.Equal(t, 1, s.reads)
		require.Empty(t, s.writes)
	})
}

func TestConverge_AnswerLost_IsLookedUp_AndNotMadeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		s.onWrite = func(string, int) (bool, error) {
			return true, cloud.Errorf(cloud.Unreachable, "connection reset")
		}
		got, err := s.book(t, nil).Converge(t.Context(), things(3), true)
		require.NoError(t, err)
		require.Equal(t, map[runbook.Verdict]int{runbook.Created: 3}, count(got))
		require.Equal(t, map[string]int{"t000": 1, "t001": 1, "t002": 1}, s.writes)
	})
}

// AWS's lists lag behind: a thing that was made is not seen for seconds, and
// most creations have no token.
func TestConverge_WrittenThingIsNotSeenYet_IsNotMadeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		s.shows = 8 * time.Second
		got, err := s.book(t, nil).Converge(t.Context(), things(2), true)
		require.NoError(t, err)
		require.Equal(t, map[runbook.Verdict]int{runbook.Created: 2}, count(got))
		require.Equal(t, map[string]int{"t000": 1, "t001": 1}, s.writes)
	})
}

func TestConverge_Throttled_TriesUntilItIsDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		s.onRead = func(nth int) error {
			if nth%2 == 1 {
				return cloud.Errorf(cloud.Throttled, "slow down")
			}
			return nil
		}
		s.onWrite = func(_ string, nth int) (bool, error) {
			if nth < 4 {
				return false, cloud.Errorf(cloud.Throttled, "slow down")
			}
			return false, nil
		}
		got, err := s.book(t, nil).Converge(t.Context(), things(5), true)
		require.NoError(t, err)
		require.Equal(t, map[runbook.Verdict]int{runbook.Created: 5}, count(got))
	})
}

func TestConverge_Busy_IsWaitedFor_AndNotTouched(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		s.busy = 20 * time.Minute
		begun := time.Now()
		got, err := s.book(t, nil).Converge(t.Context(), things(1), true)
		require.NoError(t, err)
		require.Equal(t, map[runbook.Verdict]int{runbook.Created: 1}, count(got))
		require.GreaterOrEqual(t, time.Since(begun), 20*time.Minute)
		require.Equal(t, map[string]int{"t000": 1}, s.writes)
	})
}

func TestConverge_TimeRunsOut_SaysWhatWasSeenLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		s.busy = time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		got, err := s.book(t, nil).Converge(ctx, things(1), true)
		require.NoError(t, err)
		require.Equal(t, runbook.Unkept, got[0].Verdict)
		require.Contains(t, got[0].Why, "creating")
	})
}

func TestConverge_OneIsRefused_OthersAreDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		s.onWrite = func(name string, _ int) (bool, error) {
			if name == "t001" {
				return false, cloud.Errorf(cloud.Denied, "permission thing:Put is missing")
			}
			return false, nil
		}
		got, err := s.book(t, nil).Converge(t.Context(), things(3), true)
		require.NoError(t, err)
		require.Equal(t, map[runbook.Verdict]int{runbook.Created: 2, runbook.Unkept: 1}, count(got))
		require.Contains(t, got[1].Why, "thing:Put")
		require.Equal(t, 1, s.writes["t001"], "what a person must mend is not tried again")
	})
}

func TestConverge_DriftByHand(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		repair bool
		change func(*keep.Keeper)
		want   runbook.Verdict
		colour string
	}{
		"is repaired":                        {true, nil, runbook.Changed, "blue"},
		"is reported where the plan says so": {false, nil, runbook.Drifted, "red"},
		"of what AWS lets nobody change":     {true, func(k *keep.Keeper) { k.Fixed = []string{"colour"} }, runbook.Drifted, "red"},
		"of what is only looked at":          {true, func(k *keep.Keeper) { k.Write = nil }, runbook.Drifted, "red"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShelf()
				s.things["t000"] = map[string]string{"colour": "red", "size": "theirs"}
				got, err := s.book(t, c.change).Converge(t.Context(), things(1), c.repair)
				require.NoError(t, err)
				require.Equal(t, c.want, got[0].Verdict, got[0].Why)
				require.Equal(t, []runbook.Property{{Name: "colour", Have: "red", Want: "blue"}}, got[0].Changes)
				require.Equal(t, c.colour, s.things["t000"]["colour"])
			})
		})
	}
}

func TestConverge_ReadingFails_IsAFailureOfTheBatch_OnlyWhenItMayPass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		s.onRead = func(int) error { return cloud.Errorf(cloud.Denied, "permission thing:List is missing") }
		got, err := s.book(t, nil).Converge(t.Context(), things(2), true)
		require.NoError(t, err)
		require.Equal(t, map[runbook.Verdict]int{runbook.Unkept: 2}, count(got))
		require.Empty(t, s.writes, "nothing is written into a world that can't be read")
	})
}

func TestSurvey_NeverWrites(t *testing.T) {
	t.Parallel()
	s := newShelf()
	s.things["t000"] = map[string]string{"colour": "blue"}
	s.things["t001"] = map[string]string{"colour": "red"}
	items := things(4)
	items[3].Given, items[3].Why = true, "the application makes it"
	got, err := s.book(t, nil).Survey(t.Context(), items, true)
	require.NoError(t, err)
	require.Equal(t, []runbook.Verdict{runbook.InPlace, runbook.ToChange, runbook.ToCreate, runbook.Missing},
		[]runbook.Verdict{got[0].Verdict, got[1].Verdict, got[2].Verdict, got[3].Verdict})
	require.Equal(t, "the application makes it", got[3].Why)
	require.Empty(t, s.writes)
}

func TestBook_TwoKeepersOfOneType_AndNone(t *testing.T) {
	t.Parallel()
	_, err := keep.NewBook(keep.Keeper{Type: "thing"}, keep.Keeper{Type: "thing"})
	require.ErrorContains(t, err, "two keepers")
	b, err := keep.NewBook()
	require.NoError(t, err)
	_, err = b.Survey(t.Context(), things(1), true)
	require.ErrorContains(t, err, `"thing"`)
	require.True(t, cloud.KindOf(err).Permanent())
}

func TestConverge_AnswerThatNobodyKnows_IsTriedAFewTimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		s.onWrite = func(name string, _ int) (bool, error) {
			if name == "t000" {
				return false, cloud.Errorf(cloud.Unknown, "QuaintException: no")
			}
			return false, nil
		}
		got, err := s.book(t, nil).Converge(t.Context(), things(2), true)
		require.NoError(t, err)
		require.Equal(t, []runbook.Verdict{runbook.Unkept, runbook.Created}, []runbook.Verdict{got[0].Verdict, got[1].Verdict})
		require.Contains(t, got[0].Why, "QuaintException")
		require.Equal(t, 5, s.writes["t000"])
	})
}

func TestConverge_OneIsNeverReady_OthersAreToldAllTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		s.onWrite = func(name string, _ int) (bool, error) {
			if name == "t000" {
				return false, cloud.Errorf(cloud.Conflict, "in use")
			}
			return false, nil
		}
		got, err := s.book(t, func(k *keep.Keeper) { k.Budget = time.Minute }).Converge(t.Context(), things(2), true)
		require.NoError(t, err)
		require.Equal(t, []runbook.Verdict{runbook.Unkept, runbook.Created}, []runbook.Verdict{got[0].Verdict, got[1].Verdict})
		require.Contains(t, got[0].Why, "in use")
	})
}

// Days of backups that somebody keeps for longer are never shortened: with them
// the older restore points would go.
func TestConverge_MoreThanWanted_StaysAsItIs(t *testing.T) {
	t.Parallel()
	s := newShelf()
	items := things(2)
	for i, have := range []string{"35", "1"} {
		items[i].Want, items[i].AtLeast = map[string]string{"days": "7"}, []string{"days"}
		s.things[items[i].Name] = map[string]string{"days": have}
	}
	got, err := s.book(t, nil).Converge(t.Context(), items, true)
	require.NoError(t, err)
	require.Equal(t, []runbook.Verdict{runbook.InPlace, runbook.Changed}, []runbook.Verdict{got[0].Verdict, got[1].Verdict})
	require.Equal(t, "35", s.things["t000"]["days"])
}
