package plan

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Cron is a schedule in AWS's six fields (minutes, hours, day of month, month,
// day of week, year), read in UTC. AWS counts days of the week from 1, Sunday.
//
// Source: Amazon EventBridge Scheduler User Guide, "Cron-based schedules"; AWS
// Backup takes the same expressions.
type Cron struct {
	minutes, hours, months, years numbers

	// Days of the month, and what can only be told for a certain month. AWS wants
	// a "?" in one of the two day fields, which leaves it out of the choice.
	anyMonthDay bool
	monthDays   numbers
	lastDay     bool    // "L"
	nearest     numbers // "15W": the weekday nearest to the 15th, in the same month

	anyWeekDay bool
	weekDays   numbers
	lastOf     numbers    // "6L": the last Friday
	nth        [6]numbers // "6#3": the third Friday
}

// The years that AWS's schedules know.
const (
	firstYear = 1970
	lastYear  = 2199
)

// numbers is a set of 0 to 255.
type numbers [4]uint64

func (n *numbers) add(i int)     { n[i/64] |= 1 << (i % 64) }
func (n numbers) has(i int) bool { return n[i/64]&(1<<(i%64)) != 0 }

// field is what one field of an expression may hold.
type field struct {
	what     string
	low, top int
	names    []string // from low on
	base     int      // is taken off before a number goes into its set
}

func cronFields() []field {
	return []field{
		{what: "minutes", top: 59},
		{what: "hours", top: 23},
		{what: "day of month", low: 1, top: 31},
		{what: "month", low: 1, top: 12, names: strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")},
		{what: "day of week", low: 1, top: 7, names: strings.Fields("SUN MON TUE WED THU FRI SAT")},
		{what: "year", low: firstYear, top: lastYear, base: firstYear},
	}
}

// ParseCron reads "cron(0 2 ? * SUN *)". Its errors say which field is wrong.
func ParseCron(expression string) (Cron, error) {
	inner, ok := strings.CutPrefix(expression, "cron(")
	inner, closed := strings.CutSuffix(inner, ")")
	if !ok || !closed {
		return Cron{}, fmt.Errorf("schedule %q is not of the form cron(minutes hours day-of-month month day-of-week year)", expression)
	}
	words, fields := strings.Fields(inner), cronFields()
	if len(words) != len(fields) {
		return Cron{}, fmt.Errorf("schedule %q has %s, not 6: minutes, hours, day of month, month, day of week, year", expression, count(len(words), "field"))
	}
	var c Cron
	c.anyMonthDay, c.anyWeekDay = words[2] == "?", words[4] == "?"
	if c.anyMonthDay == c.anyWeekDay {
		return Cron{}, fmt.Errorf("schedule %q: AWS wants a \"?\" in one of day of month and day of week, and only in one", expression)
	}
	plain := []*numbers{&c.minutes, &c.hours, &c.monthDays, &c.months, &c.weekDays, &c.years}
	for i, f := range fields {
		for _, term := range strings.Split(words[i], ",") {
			if err := c.term(i, f, plain[i], term); err != nil {
				return Cron{}, fmt.Errorf("schedule %q: %s: %w", expression, f.what, err)
			}
		}
	}
	return c, nil
}

// term reads one of the terms between commas.
func (c *Cron) term(i int, f field, set *numbers, term string) error {
	switch {
	case i == 2 && (term == "?" && c.anyMonthDay), i == 4 && (term == "?" && c.anyWeekDay):
		return nil
	case i == 2 && term == "L":
		c.lastDay = true
		return nil
	case i == 2 && strings.HasSuffix(term, "W"):
		return f.into(&c.nearest, strings.TrimSuffix(term, "W"))
	case i == 4 && term == "L":
		set.add(f.top) // the last day of a week is Saturday
		return nil
	case i == 4 && strings.HasSuffix(term, "L"):
		return f.into(&c.lastOf, strings.TrimSuffix(term, "L"))
	case i == 4 && strings.Contains(term, "#"):
		day, nth, _ := strings.Cut(term, "#")
		n, err := strconv.Atoi(nth)
		if err != nil || n < 1 || n > 5 {
			return fmt.Errorf("%q: a month has no more than five of a day, so 1 to 5 goes after \"#\"", term)
		}
		return f.into(&c.nth[n], day)
	}
	return f.span(set, term)
}

// into adds a single number.
func (f field) into(set *numbers, word string) error {
	n, err := f.number(word)
	if err != nil {
		return err
	}
	set.add(n - f.base)
	return nil
}

// span adds "*", "5", "1-5", "0/15" or "10-50/20".
func (f field) span(set *numbers, term string) error {
	body, every, stepped := strings.Cut(term, "/")
	step := 1
	if stepped {
		n, err := strconv.Atoi(every)
		if err != nil || n < 1 || n > f.top {
			return fmt.Errorf("%q: %q is no step from 1 to %d", term, every, f.top)
		}
		step = n
	}
	from, to, ranged := strings.Cut(body, "-")
	low, top := f.low, f.top
	var err error
	if body != "*" {
		if low, err = f.number(from); err != nil {
			return err
		}
		if !stepped {
			top = low
		}
	}
	if ranged {
		if top, err = f.number(to); err != nil {
			return err
		}
		if top < low {
			return fmt.Errorf("%q runs backwards: write it as two ranges", term)
		}
	}
	for n := low; n <= top; n += step {
		set.add(n - f.base)
	}
	return nil
}

func (f field) number(word string) (int, error) {
	for i, name := range f.names {
		if strings.EqualFold(name, word) {
			return f.low + i, nil
		}
	}
	n, err := strconv.Atoi(word)
	if err != nil || n < f.low || n > f.top || word[0] == '+' {
		return 0, fmt.Errorf("%q is not in %d to %d", word, f.low, f.top)
	}
	return n, nil
}

// Next is the first firing after t, in UTC; false when there is none.
func (c Cron) Next(t time.Time) (time.Time, bool) {
	t = t.UTC().Truncate(time.Minute).Add(time.Minute)
	if t.Year() < firstYear {
		t = time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	for t.Year() <= lastYear {
		day := midnight(t)
		switch {
		case !c.years.has(t.Year() - firstYear):
			t = time.Date(t.Year()+1, 1, 1, 0, 0, 0, 0, time.UTC)
		case !c.months.has(int(t.Month())):
			t = time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		case !c.onDay(day):
			t = day.AddDate(0, 0, 1)
		default:
			if at, ok := c.within(t); ok {
				return at, true
			}
			t = day.AddDate(0, 0, 1)
		}
	}
	return time.Time{}, false
}

// within is the first firing on t's day that is not before t.
func (c Cron) within(t time.Time) (time.Time, bool) {
	day := midnight(t)
	for m := t.Hour()*60 + t.Minute(); m < 24*60; m++ {
		if c.hours.has(m/60) && c.minutes.has(m%60) {
			return day.Add(time.Duration(m) * time.Minute), true
		}
	}
	return time.Time{}, false
}

// Between lists the firings from a time up to, and without, another.
func (c Cron) Between(from, to time.Time) []time.Time {
	var out []time.Time
	for at, ok := c.Next(from.Add(-time.Nanosecond)); ok && at.Before(to); at, ok = c.Next(at) {
		out = append(out, at)
	}
	return out
}

// on says whether it fires on a day at all.
func (c Cron) on(day time.Time) bool {
	y := day.Year()
	return y >= firstYear && y <= lastYear && c.years.has(y-firstYear) && c.months.has(int(day.Month())) && c.onDay(day)
}

// onDay judges the two day fields.
func (c Cron) onDay(day time.Time) bool {
	d, last := day.Day(), lastDayOf(day)
	if !c.anyMonthDay {
		return c.monthDays.has(d) || c.lastDay && d == last || c.nearestWeekday(day)
	}
	w := int(day.Weekday()) + 1
	return c.weekDays.has(w) || c.nth[(d-1)/7+1].has(w) || c.lastOf.has(w) && d+7 > last
}

// nearestWeekday says whether some "nW" means this day: the n-th itself, the
// Friday before it or the Monday after it, never in another month.
func (c Cron) nearestWeekday(day time.Time) bool {
	last := lastDayOf(day)
	for n := 1; n <= last; n++ {
		if c.nearest.has(n) && weekdayNear(day, n, last) == day.Day() {
			return true
		}
	}
	return false
}

func weekdayNear(day time.Time, n, last int) int {
	switch day.AddDate(0, 0, n-day.Day()).Weekday() {
	case time.Saturday:
		if n == 1 {
			return 3
		}
		return n - 1
	case time.Sunday:
		if n == last {
			return n - 2
		}
		return n + 1
	case time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday:
	}
	return n
}

func lastDayOf(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}
