package schedule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/local/aws/events/schedule"
)

func TestNext(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 11, 25, 22, 15, 30, 0, time.UTC) // a Wednesday
	for text, want := range map[string]string{
		"rate(1 minute)":              "2026-11-25T22:16:30Z",
		"rate(12 hours)":              "2026-11-26T10:15:30Z",
		"rate(7 days)":                "2026-12-02T22:15:30Z",
		"cron(* * * * ? *)":           "2026-11-25T22:16:00Z",
		"cron(0 2 ? * SUN *)":         "2026-11-29T02:00:00Z",
		"cron(0 2 ? * 2-6 *)":         "2026-11-26T02:00:00Z",
		"cron(0 6,18 * * ? *)":        "2026-11-26T06:00:00Z",
		"cron(0/20 22 * * ? *)":       "2026-11-25T22:20:00Z",
		"cron(15 22 * * ? *)":         "2026-11-26T22:15:00Z",
		"cron(0 0 L * ? *)":           "2026-11-30T00:00:00Z",
		"cron(0 0 1W 8 ? 2026-2027)":  "2027-08-02T00:00:00Z",
		"cron(0 0 LW 2 ? 2027)":       "2027-02-26T00:00:00Z",
		"cron(0 0 ? * FRIL *)":        "2026-11-27T00:00:00Z",
		"cron(0 0 ? * 3#2 *)":         "2026-12-08T00:00:00Z",
		"cron(0 0 29 FEB ? *)":        "2028-02-29T00:00:00Z",
		"cron(30 4 1 JAN,JUL ? 2030)": "2030-01-01T04:30:00Z",
	} {
		s, err := schedule.Parse(text)
		require.NoError(t, err, text)
		got, ok := s.Next(from)
		require.True(t, ok, text)
		require.Equal(t, want, got.Format(time.RFC3339), text)
	}
}

func TestNext_PastYears_AreNeverDue(t *testing.T) {
	t.Parallel()
	s, err := schedule.Parse("cron(0 0 1 1 ? 2020)")
	require.NoError(t, err)
	_, ok := s.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	require.False(t, ok)
}

func TestParse_Refusals(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "every day", "rate(1 minutes)", "rate(5 minute)", "rate(0 minutes)", "rate(5 weeks)", "rate(5 minutes",
		"cron(0 2 * * *)", "cron(0 2 * * * *)", "cron(0 2 ? * ? *)", "cron(60 2 * * ? *)", "cron(0 24 * * ? *)",
		"cron(0 2 32 * ? *)", "cron(0 2 ? * 8 *)", "cron(0 2 ? * MON#6 *)", "cron(0/0 2 * * ? *)", "cron(5-1 2 * * ? *)", "cron(0 2 * * ? 1969)",
	} {
		_, err := schedule.Parse(text)
		require.Error(t, err, text)
	}
}
