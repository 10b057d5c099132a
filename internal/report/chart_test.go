package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

func TestScale_MomentsOutside_StayInTheChart(t *testing.T) {
	t.Parallel()
	zero := time.Unix(1000, 0)
	s := newScale(zero, time.Time{}, zero.Add(10*time.Second))
	require.InDelta(t, 50, s.at(zero.Add(5*time.Second)), 0.001)
	require.Zero(t, s.at(zero.Add(-time.Hour)))
	require.InDelta(t, 100, s.at(zero.Add(time.Hour)), 0.001)
	b := s.bar(zero.Add(10*time.Second), zero.Add(10*time.Second))
	require.LessOrEqual(t, b.Left+b.Width, 100.0)
	require.Positive(t, b.Width)
}

func TestScale_NoMoments_IsNotEmpty(t *testing.T) {
	t.Parallel()
	s := newScale()
	require.Equal(t, time.Second, s.to.Sub(s.from))
}

func TestTicks_CountFromTheFailure(t *testing.T) {
	t.Parallel()
	zero := time.Unix(1000, 0)
	s := newScale(zero.Add(-10*time.Second), zero.Add(50*time.Second))
	var texts []string
	for _, tick := range s.ticks(zero) {
		texts = append(texts, tick.Text)
	}
	require.Equal(t, []string{"0 s", "20 s", "40 s"}, texts)
	hours := newScale(zero, zero.Add(3*time.Hour))
	require.Equal(t, "1 h", hours.ticks(zero)[1].Text)
}

func TestParts_FillTheColumnFromTheGround(t *testing.T) {
	t.Parallel()
	b := Bucket{OK: map[plan.Region]int{"a": 1, "b": 1}, Failed: 2}
	got := parts(b, []plan.Region{"a", "b"}, 4)
	require.Equal(t, []part{{75, 25, "r0"}, {50, 25, "r1"}, {0, 50, "failed"}}, got)
}

func TestLongestGap_OnlyBucketsWithAttemptsCount(t *testing.T) {
	t.Parallel()
	zero := time.Unix(1000, 0)
	ok := map[plan.Region]int{"a": 1}
	second := func(i int) time.Time { return zero.Add(time.Duration(i) * time.Second) }
	require.Zero(t, longestGap(Traffic{Buckets: []Bucket{{At: second(0)}, {At: second(1), OK: ok}}}))
	require.Equal(t, 3*time.Second, longestGap(Traffic{Buckets: []Bucket{
		{At: second(0), OK: ok},
		{At: second(1), Failed: 1},
		{At: second(2), OK: ok},
		{At: second(3), Failed: 1},
		{At: second(4)},
		{At: second(5), Failed: 2},
		{At: second(6), OK: ok},
	}}))
	require.Equal(t, time.Second, longestGap(Traffic{Buckets: []Bucket{{At: second(0), Failed: 1}, {At: second(1), Failed: 1}}}),
		"a gap that has not ended lasts to the end of the ledger")
}
