package plan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

func cron(t *testing.T, expression string) plan.Cron {
	t.Helper()
	c, err := plan.ParseCron(expression)
	require.NoError(t, err)
	return c
}

func utc(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04", s)
	require.NoError(t, err)
	return at
}

func TestCron_NextFiring(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expression, after, want string }{
		{"cron(0 2 ? * SUN *)", "2026-11-25 22:00", "2026-11-29 02:00"}, // a Wednesday
		{"cron(0 2 ? * SUN *)", "2026-11-29 02:00", "2026-12-06 02:00"}, // never the moment itself
		{"cron(0 2 ? * 1 *)", "2026-11-25 22:00", "2026-11-29 02:00"},   // AWS's 1 is Sunday
		{"cron(0 2 ? * MON-SAT *)", "2026-11-28 03:00", "2026-11-30 02:00"},
		{"cron(0 6,18 ? * * *)", "2026-11-25 06:00", "2026-11-25 18:00"},
		{"cron(0/15 8-9 * * ? *)", "2026-11-25 09:45", "2026-11-26 08:00"},
		{"cron(10-50/20 8 * * ? *)", "2026-11-25 08:10", "2026-11-25 08:30"},
		{"cron(*/20 * * * ? *)", "2026-11-25 08:01", "2026-11-25 08:20"},
		{"cron(0 0 L * ? *)", "2028-02-01 00:00", "2028-02-29 00:00"},
		{"cron(0 0 31 * ? *)", "2026-11-01 00:00", "2026-12-31 00:00"},
		{"cron(0 0 15W * ? *)", "2026-11-01 00:00", "2026-11-16 00:00"}, // the 15th is a Sunday
		{"cron(0 0 1W 8 ? *)", "2026-07-01 00:00", "2026-08-03 00:00"},  // Saturday the 1st: not back into July
		{"cron(0 0 31W 5 ? *)", "2026-05-01 00:00", "2026-05-29 00:00"}, // Sunday the 31st: not on into June
		{"cron(0 0 ? * 6L *)", "2026-11-01 00:00", "2026-11-27 00:00"},
		{"cron(0 0 ? * FRI#3 *)", "2026-11-01 00:00", "2026-11-20 00:00"},
		{"cron(0 0 ? * L *)", "2026-11-25 00:00", "2026-11-28 00:00"},
		{"cron(0 0 1 JAN ? 2030/10)", "2031-01-01 00:00", "2040-01-01 00:00"},
		{"cron(30 23 29 2 ? *)", "2096-03-01 00:00", "2104-02-29 23:30"}, // 2100 has no such day
	} {
		at, ok := cron(t, c.expression).Next(utc(t, c.after))
		require.True(t, ok, c.expression)
		require.Equal(t, c.want, at.Format("2006-01-02 15:04"), c.expression)
	}
}

func TestCron_NothingLeftToFire(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{"cron(0 0 1 1 ? 2020)", "cron(0 0 30 2 ? *)"} {
		_, ok := cron(t, expression).Next(utc(t, "2026-11-25 00:00"))
		require.False(t, ok, expression)
	}
}

func TestCron_FiringsWithinASpanTakeItsStartAndLeaveItsEnd(t *testing.T) {
	t.Parallel()
	from := utc(t, "2026-11-25 06:00")
	c := cron(t, "cron(0 6,18 ? * * *)")
	require.Equal(t, []time.Time{from, from.Add(12 * time.Hour)}, c.Between(from, from.Add(24*time.Hour)))
	require.Empty(t, c.Between(from.Add(time.Second), from.Add(12*time.Hour)))
}

func TestCron_Refused(t *testing.T) {
	t.Parallel()
	for expression, why := range map[string]string{
		"0 2 ? * SUN *":           "form cron(",
		"rate(1 day)":             "form cron(",
		"cron(0 2 ? * SUN)":       "5 fields, not 6",
		"cron(0 2 * * * *)":       "\"?\"",
		"cron(0 2 ? * ? *)":       "\"?\"",
		"cron(60 2 ? * * *)":      "minutes: \"60\" is not in 0 to 59",
		"cron(0 24 ? * * *)":      "hours",
		"cron(0 2 0 * ? *)":       "day of month",
		"cron(0 2 ? * SUNDAY *)":  "day of week",
		"cron(0 2 ? * 0 *)":       "day of week",
		"cron(0 2 ? 13 * *)":      "month",
		"cron(0 2 ? * FRI-MON *)": "two ranges",
		"cron(0 2 ? * FRI#6 *)":   "no more than five",
		"cron(0 2 ? * * 1969)":    "year",
		"cron(0/0 2 ? * * *)":     "no step",
		"cron(0 ? ? * * *)":       "hours",
		"cron(0, 2 ? * * *)":      "minutes",
		"cron(+1 2 ? * * *)":      "minutes",
	} {
		_, err := plan.ParseCron(expression)
		require.ErrorContains(t, err, why, expression)
	}
}

// Whatever the text: no panic, and what is read fires when it says it does.
func FuzzCron(f *testing.F) {
	for _, s := range []string{"cron(0 2 ? * SUN *)", "cron(0/15 8-9 1,15W,L * ? 2026-2030)", "cron(5 0 ? 2 6L,2#3 *)", "cron(", "cron(a b c d e f)", "cron(0 0 31W 2 ? *)"} {
		f.Add(s, int64(1795651200))
	}
	f.Fuzz(func(t *testing.T, expression string, unix int64) {
		c, err := plan.ParseCron(expression)
		if err != nil {
			return
		}
		after := time.Unix(unix%8_000_000_000, 0).UTC()
		at, ok := c.Next(after)
		if !ok {
			return
		}
		require.True(t, at.After(after))
		require.Zero(t, at.Second())
		again, ok := c.Next(at.Add(-time.Nanosecond))
		require.True(t, ok)
		require.Equal(t, at, again, "the first after the moment before a firing is that firing")
		require.Equal(t, []time.Time{at}, c.Between(at, at.Add(time.Minute)))
	})
}
