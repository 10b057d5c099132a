package backup

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	minutesADay  = 24 * 60
	minutesAWeek = 7 * minutesADay
	// ahead is how long before a maintenance window backups fail already.
	ahead = 60
)

// maintained tells whether a date is within an hour before a weekly window such
// as sun:05:00-sun:05:30, or in it. Only schedules are held against it: they are
// what a plan can do something about.
func maintained(window string, at time.Time) bool {
	from, to, ok := strings.Cut(window, "-")
	begin, known := minuteOfWeek(from)
	end, both := minuteOfWeek(to)
	if !ok || !known || !both {
		return false
	}
	at = at.UTC()
	now := int(at.Weekday())*minutesADay + at.Hour()*60 + at.Minute()
	length := (end - begin + minutesAWeek) % minutesAWeek
	return (now-begin+ahead+minutesAWeek)%minutesAWeek < length+ahead
}

func minuteOfWeek(text string) (int, bool) {
	parts := strings.Split(strings.ToLower(text), ":")
	if len(parts) != 3 {
		return 0, false
	}
	weekday := slices.Index([]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}, parts[0])
	hour, err := strconv.Atoi(parts[1])
	minute, err2 := strconv.Atoi(parts[2])
	return weekday*minutesADay + hour*60 + minute, weekday >= 0 && err == nil && err2 == nil
}
