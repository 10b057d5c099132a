package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// thursday is 26 November 2026, 10:30 UTC.
func thursday() time.Time { return time.Date(2026, 11, 26, 10, 30, 0, 0, time.UTC) }

func TestSchedule_FiresOnAWSsDates(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string][]string{
		"cron(0 2 ? * SUN *)":        {"2026-11-29 02:00", "2026-12-06 02:00"},
		"cron(0 2 ? * MON-SAT *)":    {"2026-11-27 02:00", "2026-11-28 02:00", "2026-11-30 02:00"},
		"cron(0 6,18 * * ? *)":       {"2026-11-26 18:00", "2026-11-27 06:00", "2026-11-27 18:00"},
		"cron(15 * ? * * *)":         {"2026-11-26 11:15", "2026-11-26 12:15"},
		"cron(0 0/6 * * ? *)":        {"2026-11-26 12:00", "2026-11-26 18:00", "2026-11-27 00:00"},
		"cron(0 5 L * ? *)":          {"2026-11-30 05:00", "2026-12-31 05:00", "2027-01-31 05:00", "2027-02-28 05:00"},
		"cron(0 5 LW * ? *)":         {"2026-11-30 05:00", "2026-12-31 05:00", "2027-01-29 05:00"},
		"cron(0 5 1W * ? *)":         {"2026-12-01 05:00", "2027-01-01 05:00", "2027-02-01 05:00", "2027-03-01 05:00", "2027-04-01 05:00", "2027-05-03 05:00"},
		"cron(0 5 ? * 6L *)":         {"2026-11-27 05:00", "2026-12-25 05:00"},
		"cron(0 5 ? * 3#2 *)":        {"2026-12-08 05:00", "2027-01-12 05:00"},
		"cron(0 5 ? 2,JUN THU 2028)": {"2028-02-03 05:00", "2028-02-10 05:00"},
		"cron(30 10 29 2 ? *)":       {"2028-02-29 10:30", "2032-02-29 10:30"},
		"rate(12 hours)":             {"2026-11-26 22:30", "2026-11-27 10:30"},
		"rate(1 day)":                {"2026-11-27 10:30", "2026-11-28 10:30"},
	} {
		t.Run(expression, func(t *testing.T) {
			t.Parallel()
			s, err := parseSchedule(expression, "", thursday())
			require.NoError(t, err)
			at, got := thursday(), []string{}
			for range want {
				var ok bool
				at, ok = s.next(at)
				require.True(t, ok)
				got = append(got, at.UTC().Format("2006-01-02 15:04"))
			}
			require.Equal(t, want, got)
		})
	}
}

func TestSchedule_InATimeZone_KeepsTheHourOverSummerTime(t *testing.T) {
	t.Parallel()
	s, err := parseSchedule("cron(0 2 * * ? *)", "Europe/Berlin", thursday())
	require.NoError(t, err)
	winter, _ := s.next(thursday())
	require.Equal(t, 1, winter.Hour(), "02:00 in Berlin is 01:00 UTC")
	summer, _ := s.next(time.Date(2027, 7, 1, 12, 0, 0, 0, time.UTC))
	require.Equal(t, 0, summer.Hour())
	skipped, _ := s.next(time.Date(2027, 3, 27, 12, 0, 0, 0, time.UTC))
	require.Equal(t, 29, skipped.In(s.zone).Day(), "there is no 02:00 on the 28th of March")
}

func TestSchedule_Refused(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		"", "0 2 * * ? *", "at(2026-11-26T00:00:00)", "cron(0 2 * * ?)", "cron(0 2 * * * *)", "cron(0 2 ? * ? *)", "cron(60 2 * * ? *)",
		"cron(0 24 * * ? *)", "cron(0 2 0 * ? *)", "cron(0 2 ? * FUNDAY *)", "cron(0 2 ? * MON#6 *)", "cron(0 2 * 13 ? *)", "cron(0 2 * * ? 1969)",
		"cron(0 18-6 * * ? *)", "cron(0 */0 * * ? *)", "cron(0 2 32W * ? *)", "rate(0 hours)", "rate(1 hours)", "rate(2 hour)", "rate(1 week)", "cron(0 2 * * ? *",
	} {
		_, err := parseSchedule(expression, "", thursday())
		require.Error(t, err, expression)
	}
	_, err := parseSchedule("cron(0 2 * * ? *)", "Mars/Olympus", thursday())
	require.Error(t, err)
}

func TestSchedule_PastYear_NeverFires(t *testing.T) {
	t.Parallel()
	s, err := parseSchedule("cron(0 2 * * ? 2020)", "", thursday())
	require.NoError(t, err)
	_, ok := s.next(thursday())
	require.False(t, ok)
	_, ok = s.shortest(thursday())
	require.False(t, ok)
}

func TestShortest_SeesTheSmallestGap(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]time.Duration{
		"cron(0 * * * ? *)":      time.Hour,
		"cron(0,59 3 * * ? *)":   59 * time.Minute,
		"cron(0/30 2 ? * SUN *)": 30 * time.Minute,
		"cron(0 6,18 * * ? *)":   12 * time.Hour,
		"rate(90 minutes)":       90 * time.Minute,
	} {
		s, err := parseSchedule(expression, "", thursday())
		require.NoError(t, err)
		got, ok := s.shortest(thursday())
		require.True(t, ok)
		require.Equal(t, want, got, expression)
	}
}

func TestLike_StarsStandForAnything(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:dynamodb:us-east-1:123456789012:table/records-eu"
	for pattern, want := range map[string]bool{
		"*": true, "arn:aws:dynamodb:*:*:table/*": true, "arn:aws:dynamodb:*:*:table/records*": true, "arn:*:table/*-eu": true,
		"arn:aws:rds:*": false, "arn:aws:dynamodb:*:*:table/orders*": false, arn: true, "arn:aws:dynamodb": false, "*table*-us": false,
	} {
		require.Equal(t, want, like(pattern, arn), pattern)
	}
	require.False(t, like("ab*ba", "aba"), "a text isn't used twice")
}
