package schedule

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of the fields that AWS documents.
const (
	firstYear = 1970
	lastYear  = 2199
)

// cron is six fields: minutes, hours, days of the month, months, days of the week,
// years. One of the two kinds of days is "?".
type cron struct {
	minutes, hours, months, years []int
	day                           func(time.Time) bool
}

func parseCron(text string) (*cron, error) {
	f := strings.Fields(text)
	if len(f) != 6 {
		return nil, fmt.Errorf("cron %q has %d fields, not six", text, len(f))
	}
	if (f[2] == "?") == (f[4] == "?") {
		return nil, fmt.Errorf("cron %q: exactly one of day of month and day of week must be ?", text)
	}
	c := &cron{}
	var errs [5]error
	c.minutes, errs[0] = parseField(f[0], 0, 59, nil)
	c.hours, errs[1] = parseField(f[1], 0, 23, nil)
	c.months, errs[2] = parseField(f[3], 1, 12, strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"))
	c.years, errs[3] = parseField(f[5], firstYear, lastYear, nil)
	if f[2] != "?" {
		c.day, errs[4] = parseMonthDays(f[2])
	} else {
		c.day, errs[4] = parseWeekDays(f[4])
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("cron %q: %w", text, err)
	}
	return c, nil
}

// parseField reads lists, ranges and steps of numbers or names; the first name is
// the least number.
func parseField(text string, least, most int, names []string) ([]int, error) {
	var out []int
	for _, item := range strings.Split(text, ",") {
		span, step, stepped := strings.Cut(item, "/")
		from, to, err := parseSpan(span, least, most, names)
		if err != nil {
			return nil, err
		}
		by := 1
		if stepped {
			if by, err = strconv.Atoi(step); err != nil || by < 1 {
				return nil, fmt.Errorf("step %q", item)
			}
			if from == to {
				to = most // 5/15 begins at 5 and has no end
			}
		}
		for n := from; n <= to; n += by {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func parseSpan(text string, least, most int, names []string) (from, to int, err error) {
	if text == "*" {
		return least, most, nil
	}
	first, last, ranged := strings.Cut(text, "-")
	if from, err = parseNumber(first, least, most, names); err != nil {
		return 0, 0, err
	}
	if !ranged {
		return from, from, nil
	}
	if to, err = parseNumber(last, least, most, names); err != nil {
		return 0, 0, err
	}
	if to < from {
		return 0, 0, fmt.Errorf("range %q runs backwards", text)
	}
	return from, to, nil
}

func parseNumber(text string, least, most int, names []string) (int, error) {
	if at := slices.Index(names, strings.ToUpper(text)); at >= 0 {
		return least + at, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%q is not within %d to %d", text, least, most)
	}
	return n, nil
}

// parseMonthDays reads days of the month: numbers, L (the last), LW, 15W (the
// weekday nearest to the 15th).
func parseMonthDays(text string) (func(time.Time) bool, error) {
	if text == "L" {
		return func(t time.Time) bool { return t.Day() == lastDay(t) }, nil
	}
	if near, ok := strings.CutSuffix(text, "W"); ok {
		if near == "L" {
			return func(t time.Time) bool { return t.Day() == nearest(t, lastDay(t)) }, nil
		}
		n, err := parseNumber(near, 1, 31, nil)
		return func(t time.Time) bool { return n <= lastDay(t) && t.Day() == nearest(t, n) }, err
	}
	days, err := parseField(text, 1, 31, nil)
	return func(t time.Time) bool { return slices.Contains(days, t.Day()) }, err
}

func lastDay(t time.Time) int { return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day() }

// nearest is the weekday of t's month that is nearest to a day of it.
func nearest(t time.Time, day int) int {
	switch time.Date(t.Year(), t.Month(), day, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if day == 1 {
			return 3
		}
		return day - 1
	case time.Sunday:
		if day == lastDay(t) {
			return day - 2
		}
		return day + 1
	default:
		return day
	}
}

// parseWeekDays reads days of the week, 1 or SUN to 7 or SAT: lists, 6L (the last
// Friday), 3#2 (the second Tuesday).
func parseWeekDays(text string) (func(time.Time) bool, error) {
	names := strings.Fields("SUN MON TUE WED THU FRI SAT")
	if day, ok := strings.CutSuffix(text, "L"); ok {
		if day == "" {
			day = "SAT"
		}
		n, err := parseNumber(day, 1, 7, names)
		return func(t time.Time) bool { return weekday(t) == n && t.Day()+7 > lastDay(t) }, err
	}
	if day, nth, ok := strings.Cut(text, "#"); ok {
		n, err := parseNumber(day, 1, 7, names)
		which, err2 := parseNumber(nth, 1, 5, nil)
		return func(t time.Time) bool { return weekday(t) == n && (t.Day()+6)/7 == which }, errors.Join(err, err2)
	}
	days, err := parseField(text, 1, 7, names)
	return func(t time.Time) bool { return slices.Contains(days, weekday(t)) }, err
}

func weekday(t time.Time) int { return int(t.Weekday()) + 1 }

// next looks day by day: the year's end comes after some 80,000 of them.
func (c *cron) next(after time.Time) (time.Time, bool) {
	from := after.Truncate(time.Minute).Add(time.Minute)
	day := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, time.UTC)
	last := c.years[len(c.years)-1]
	for ; day.Year() <= last; day = day.AddDate(0, 0, 1) {
		if !slices.Contains(c.years, day.Year()) || !slices.Contains(c.months, int(day.Month())) || !c.day(day) {
			continue
		}
		for _, hour := range c.hours {
			for _, minute := range c.minutes {
				if t := day.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute); !t.Before(from) {
					return t, true
				}
			}
		}
	}
	return time.Time{}, false
}
