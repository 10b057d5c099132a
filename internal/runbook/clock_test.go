package runbook

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func at(seconds int) time.Time { return noon().Add(time.Duration(seconds) * time.Second) }

func TestClocks_Spans(t *testing.T) {
	t.Parallel()
	s := func(n int) time.Duration { return time.Duration(n) * time.Second }
	for name, c := range map[string]struct {
		clocks Clocks
		want   Spans
	}{
		"nothing known":  {Clocks{}, Spans{}},
		"failed":         {Clocks{Failure: at(0)}, Spans{Detect: s(100), Total: s(100)}},
		"evidence":       {Clocks{Failure: at(0), Evidence: at(10)}, Spans{Detect: s(10), Decide: s(90), Total: s(100)}},
		"decided":        {Clocks{Failure: at(0), Evidence: at(10), Decided: at(30)}, Spans{Detect: s(10), Decide: s(20), Execute: s(70), Total: s(100)}},
		"verified":       {Clocks{Failure: at(0), Evidence: at(10), Decided: at(30), Verified: at(60)}, Spans{s(10), s(20), s(30), s(40), s(100)}},
		"protected":      {Clocks{at(0), at(10), at(30), at(60), at(90)}, Spans{s(10), s(20), s(30), s(30), s(90)}},
		"served earlier": {Clocks{Failure: at(0), Evidence: at(10), Decided: at(30), Verified: at(20)}, Spans{s(10), s(20), 0, s(70), s(100)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, c.clocks.Spans(at(100)))
		})
	}
}

func TestSpans_RTO_EndsWhenClientsAreServed(t *testing.T) {
	t.Parallel()
	spans := Clocks{at(0), at(10), at(30), at(60), at(90)}.Spans(at(100))
	require.Equal(t, time.Minute, spans.RTO())
}

// The four clocks add up to the wall clock, whatever was marked, in any order.
func TestClocks_Spans_AlwaysAddUpToTheWallClock(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		marks := [5]time.Time{at(0)}
		known := dice.IntN(5)
		last := marks[0]
		for i := 1; i <= known; i++ {
			marks[i] = at(dice.IntN(1000))
			if marks[i].After(last) {
				last = marks[i]
			}
		}
		now := at(1000 + dice.IntN(1000))
		c := Clocks{marks[0], marks[1], marks[2], marks[3], marks[4]}
		spans := c.Spans(now)
		wall := now
		if known == 4 {
			wall = last
		}
		require.Equal(t, wall.Sub(c.Failure), spans.Total, "%+v", c)
		require.Equal(t, spans.Total, spans.Detect+spans.Decide+spans.Execute+spans.Unprotected)
		for _, d := range []time.Duration{spans.Detect, spans.Decide, spans.Execute, spans.Unprotected} {
			require.GreaterOrEqual(t, d, time.Duration(0))
		}
	}
}

func TestThresholds_CountFromTheFailure(t *testing.T) {
	t.Parallel()
	require.Equal(t, []Threshold{{50, RTOHalf, at(30)}, {80, RTOLate, at(48)}, {100, RTOBreached, at(60)}}, Thresholds(at(0), time.Minute))
}
