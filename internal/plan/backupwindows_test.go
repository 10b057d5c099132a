package plan_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

func window(t *testing.T, rule, expression string, open time.Duration) plan.StartWindow {
	t.Helper()
	return plan.StartWindow{Rule: rule, Schedule: cron(t, expression), Open: open}
}

func TestOverlaps_TheHandbooksScheduleIsDisjoint(t *testing.T) {
	t.Parallel()
	require.Empty(t, plan.Overlaps([]plan.StartWindow{
		window(t, plan.IntentWeekly, "cron(0 2 ? * SUN *)", time.Hour),
		window(t, plan.IntentDaily, "cron(0 2 ? * MON-SAT *)", time.Hour),
		window(t, plan.IntentTwiceDaily, "cron(0 6,18 ? * * *)", time.Hour),
	}))
}

func TestOverlaps_DefaultWindowOfEightHoursSwallowsTheNextRule(t *testing.T) {
	t.Parallel()
	found := plan.Overlaps([]plan.StartWindow{
		window(t, plan.IntentDaily, "cron(0 2 ? * MON-SAT *)", 8*time.Hour),
		window(t, plan.IntentTwiceDaily, "cron(0 6,18 ? * * *)", time.Hour),
	})
	require.Len(t, found, 1)
	require.Equal(t, `the start window of "daily" (Mon 02:00 to Mon 10:00 UTC) is still open when that of "twice-daily" opens (Mon 06:00)`, found[0].String())
}

func TestOverlaps_DailyRuleAlsoOnSunday(t *testing.T) {
	t.Parallel()
	found := plan.Overlaps([]plan.StartWindow{
		window(t, plan.IntentWeekly, "cron(0 2 ? * SUN *)", time.Hour),
		window(t, plan.IntentDaily, "cron(30 2 ? * * *)", time.Hour),
	})
	require.Len(t, found, 1)
	require.Equal(t, time.Sunday, found[0].SecondOpens.Weekday())
}

func TestOverlaps_Edges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		a, b plan.StartWindow
		met  bool
	}{
		{"one opens as the other closes", window(t, "a", "cron(0 2 ? * * *)", time.Hour), window(t, "b", "cron(0 3 ? * * *)", time.Hour), false},
		{"across midnight", window(t, "a", "cron(30 23 ? * SUN *)", time.Hour), window(t, "b", "cron(0 0 ? * MON *)", time.Hour), true},
		{"across the end of the week", window(t, "a", "cron(0 23 ? * SAT *)", 4*time.Hour), window(t, "b", "cron(0 2 ? * SUN *)", time.Hour), true},
		{"a window of days", window(t, "a", "cron(0 2 ? * SUN *)", 72*time.Hour), window(t, "b", "cron(0 1 ? * WED *)", time.Hour), true},
		{"only when the first of a month is a Sunday", window(t, "a", "cron(0 2 1 * ? *)", time.Hour), window(t, "b", "cron(0 2 ? * SUN *)", time.Hour), true},
		{"only in leap years", window(t, "a", "cron(0 2 29 2 ? *)", time.Hour), window(t, "b", "cron(0 2 ? 2 TUE *)", time.Hour), true},
		{"never the same day of a month", window(t, "a", "cron(0 2 1 * ? *)", time.Hour), window(t, "b", "cron(0 2 2 * ? *)", time.Hour), false},
	} {
		found := plan.Overlaps([]plan.StartWindow{c.a, c.b})
		require.Equal(t, c.met, len(found) == 1, "%s: %v", c.name, found)
	}
}

func TestOverlaps_RuleThatOvertakesItself(t *testing.T) {
	t.Parallel()
	require.Empty(t, plan.Overlaps([]plan.StartWindow{window(t, "hourly", "cron(0 * ? * * *)", time.Hour)}))
	require.Len(t, plan.Overlaps([]plan.StartWindow{window(t, "hourly", "cron(0 * ? * * *)", 2*time.Hour)}), 1)
	require.Len(t, plan.Overlaps([]plan.StartWindow{window(t, "daily", "cron(0 2 ? * * *)", 25*time.Hour)}), 1)
}

// The proof agrees with simply following the firings.
func TestOverlaps_AgreesWithFollowingTheClock(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	days := []string{"*", "SUN", "MON-SAT", "TUE,THU", "SAT,SUN"}
	times := []string{"0 2", "30 23", "0 6,18", "0 0/6", "15 1,13"}
	met := 0
	for range 300 {
		draw := func(rule string) plan.StartWindow {
			e := "cron(" + times[r.IntN(len(times))] + " ? * " + days[r.IntN(len(days))] + " *)"
			return window(t, rule, e, time.Duration(1+r.IntN(9))*time.Hour)
		}
		a, b := draw("a"), draw("b")
		want := followed(t, a, b)
		got := false
		for _, o := range plan.Overlaps([]plan.StartWindow{a, b}) {
			got = got || o.First != o.Second
		}
		require.Equal(t, want, got, "%+v %+v", a, b)
		if want {
			met++
		}
	}
	require.Greater(t, met, 30)
	require.Less(t, met, 270)
}

func followed(t *testing.T, a, b plan.StartWindow) bool {
	t.Helper()
	from := utc(t, "2026-11-01 00:00")
	for _, x := range a.Schedule.Between(from, from.AddDate(0, 0, 22)) {
		for _, y := range b.Schedule.Between(from, from.AddDate(0, 0, 22)) {
			if x.Before(y.Add(b.Open)) && y.Before(x.Add(a.Open)) {
				return true
			}
		}
	}
	return false
}

// A hostile file must not keep the parser busy.
func TestOverlaps_EndsSoonWhateverTheFileSays(t *testing.T) {
	t.Parallel()
	ever := window(t, "ever", "cron(* * * * ? *)", 1<<63-1)
	require.Len(t, plan.Overlaps([]plan.StartWindow{ever, ever}), 3)
	require.Empty(t, plan.Overlaps([]plan.StartWindow{window(t, "never", "cron(* * 30 2 ? *)", 1<<63-1)}))
}

func TestWindows_LeavesOutWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := plan.Backup{Rules: []plan.BackupRule{
		{Intent: plan.IntentDaily, Schedule: "cron(0 2 ? * * *)", Start: plan.Duration(time.Hour)},
		{Intent: plan.IntentWeekly, Schedule: "sundays"},
	}}
	require.Len(t, b.Windows(), 1)
	require.Equal(t, time.Hour, b.Windows()[0].Open)
}
