package backup

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // plans name time zones that a bare machine doesn't know
)

// schedule is when a rule fires: an AWS cron expression of six fields, or a rate.
type schedule struct {
	every   time.Duration // of a rate, counted from anchor; 0 for cron
	anchor  time.Time
	minutes []int
	hours   []int
	months  map[int]bool
	years   map[int]bool
	onDay   func(day time.Time) bool
	zone    *time.Location
}

// parseSchedule reads cron(minutes hours day-of-month month day-of-week year) or
// rate(n hours|days), whose time zone is UTC unless one is named. A rate counts
// from the anchor.
func parseSchedule(expression, zone string, anchor time.Time) (schedule, error) {
	if zone == "" {
		zone = "UTC"
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		return schedule{}, fmt.Errorf("invalid time zone %q", zone)
	}
	kind, body, ok := strings.Cut(expression, "(")
	body, closed := strings.CutSuffix(body, ")")
	if !ok || !closed {
		return schedule{}, fmt.Errorf("the schedule expression %q is neither cron(...) nor rate(...)", expression)
	}
	var s schedule
	switch kind {
	case "rate":
		s, err = parseRate(body)
	case "cron":
		s, err = parseCron(body)
	default:
		err = fmt.Errorf("%s(...) is neither cron(...) nor rate(...)", kind)
	}
	if err != nil {
		return schedule{}, fmt.Errorf("invalid schedule expression %q: %w", expression, err)
	}
	s.zone, s.anchor = location, anchor
	return s, nil
}

func parseRate(body string) (schedule, error) {
	m := regexp.MustCompile(`^([1-9]\d{0,5}) (minute|hour|day)(s?)$`).FindStringSubmatch(body)
	if m == nil {
		return schedule{}, fmt.Errorf("a rate is a number and a unit")
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return schedule{}, fmt.Errorf("a rate is a number and a unit: %w", err)
	}
	if (n == 1) != (m[3] == "") {
		return schedule{}, fmt.Errorf("the unit of %d must be singular for one only", n)
	}
	unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": day}[m[2]]
	return schedule{every: time.Duration(n) * unit}, nil
}

// horizon bounds the search for the next date: the longest gap that a cron
// expression can have is eight years, between the leap days around 2100.
const horizon = 366 * 9

// next is the first date after another on which the schedule fires; false when
// it never does again.
func (s schedule) next(after time.Time) (time.Time, bool) {
	if s.every > 0 {
		passed := max(after.Sub(s.anchor), 0)
		return s.anchor.Add((passed/s.every + 1) * s.every), true
	}
	local := after.In(s.zone)
	for i := range horizon {
		// Noon, since a day may begin at one o'clock.
		noon := time.Date(local.Year(), local.Month(), local.Day()+i, 12, 0, 0, 0, s.zone)
		if !s.years[noon.Year()] || !s.months[int(noon.Month())] || !s.onDay(noon) {
			continue
		}
		if at, ok := s.onThat(noon, after); ok {
			return at, true
		}
	}
	return time.Time{}, false
}

// onThat is the first firing of one day that is after a date.
func (s schedule) onThat(noon, after time.Time) (time.Time, bool) {
	for _, hour := range s.hours {
		for _, minute := range s.minutes {
			at := time.Date(noon.Year(), noon.Month(), noon.Day(), hour, minute, 0, 0, s.zone)
			// An hour that clocks skip in spring is no hour.
			if at.After(after) && at.Hour() == hour {
				return at.UTC(), true
			}
		}
	}
	return time.Time{}, false
}

// between are the firings after one date and before another.
func (s schedule) between(after, before time.Time) []time.Time {
	var out []time.Time
	for {
		at, ok := s.next(after)
		if !ok || !at.Before(before) {
			return out
		}
		out = append(out, at)
		after = at
	}
}

// shortest is the least time between two of the next firings; false when there
// is no next one.
func (s schedule) shortest(from time.Time) (time.Duration, bool) {
	const looked = 60
	least := time.Duration(1<<63 - 1)
	last, ok := s.next(from)
	if !ok {
		return 0, false
	}
	for range looked {
		at, more := s.next(last)
		if !more {
			break
		}
		least, last = min(least, at.Sub(last)), at
	}
	return least, true
}
