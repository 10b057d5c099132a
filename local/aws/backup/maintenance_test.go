package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMaintained_AnHourBeforeAWindowAndInIt(t *testing.T) {
	t.Parallel()
	sunday := func(hour, minute int) time.Time { return time.Date(2026, 11, 29, hour, minute, 0, 0, time.UTC) }
	const window, overWeekend = "sun:05:00-sun:05:30", "sat:23:30-sun:00:30"
	for _, c := range []struct {
		window string
		at     time.Time
		want   bool
	}{
		{window, sunday(3, 59), false},
		{window, sunday(4, 0), true},
		{window, sunday(5, 29), true},
		{window, sunday(5, 30), false},
		{window, sunday(5, 0).AddDate(0, 0, 1), false},
		{overWeekend, sunday(0, 15), true},
		{overWeekend, sunday(22, 45).AddDate(0, 0, -1), true},
		{overWeekend, sunday(0, 30), false},
		{"", sunday(5, 0), false},
		{"sun:05:00", sunday(5, 0), false},
	} {
		require.Equal(t, c.want, maintained(c.window, c.at), "%s at %s", c.window, c.at)
	}
}
