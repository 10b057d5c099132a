package backup

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field is one of the six of a cron expression.
type field struct {
	name      string
	low, high int
	words     []string // names of the values, from low on
}

func minuteField() field { return field{name: "minutes", low: 0, high: 59} }
func hourField() field   { return field{name: "hours", low: 0, high: 23} }
func dateField() field   { return field{name: "day-of-month", low: 1, high: 31} }
func yearField() field   { return field{name: "year", low: 1970, high: 2199} }

func monthField() field {
	return field{name: "month", low: 1, high: 12, words: []string{
		"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
	}}
}

func weekdayField() field {
	return field{name: "day-of-week", low: 1, high: 7, words: []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}}
}

func parseCron(body string) (schedule, error) {
	parts := strings.Fields(body)
	if len(parts) != 6 {
		return schedule{}, fmt.Errorf("it has %d fields instead of six", len(parts))
	}
	if (parts[2] == "?") == (parts[4] == "?") {
		return schedule{}, fmt.Errorf("exactly one of day-of-month and day-of-week must be ?")
	}
	minutes, err := minuteField().values(parts[0])
	if err != nil {
		return schedule{}, err
	}
	hours, err := hourField().values(parts[1])
	if err != nil {
		return schedule{}, err
	}
	months, err := monthField().values(parts[3])
	if err != nil {
		return schedule{}, err
	}
	years, err := yearField().values(parts[5])
	if err != nil {
		return schedule{}, err
	}
	onDay, err := parseDay(parts[2], parts[4])
	if err != nil {
		return schedule{}, err
	}
	return schedule{minutes: minutes, hours: hours, months: setOf(months), years: setOf(years), onDay: onDay}, nil
}

func setOf(values []int) map[int]bool {
	out := map[int]bool{}
	for _, v := range values {
		out[v] = true
	}
	return out
}

// values reads a list of values, ranges and steps, in rising order.
func (f field) values(text string) ([]int, error) {
	var out []int
	for item := range strings.SplitSeq(text, ",") {
		some, err := f.item(item)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func (f field) item(text string) ([]int, error) {
	span, stepText, stepped := strings.Cut(text, "/")
	step := 1
	if stepped {
		var err error
		if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
			return nil, fmt.Errorf("%s has a step of %q", f.name, stepText)
		}
	}
	first, last, err := f.span(span, stepped)
	if err != nil {
		return nil, err
	}
	var out []int
	for v := first; v <= last; v += step {
		out = append(out, v)
	}
	return out, nil
}

// span reads * or a-b or a; a with a step goes on to the end.
func (f field) span(text string, open bool) (first, last int, err error) {
	if text == "*" {
		return f.low, f.high, nil
	}
	from, to, ranged := strings.Cut(text, "-")
	if first, err = f.value(from); err != nil {
		return 0, 0, err
	}
	switch {
	case ranged:
		last, err = f.value(to)
	case open:
		last = f.high
	default:
		last = first
	}
	if err == nil && last < first {
		err = fmt.Errorf("%s goes from %s back to %s", f.name, from, to)
	}
	return first, last, err
}

func (f field) value(text string) (int, error) {
	if i := slices.Index(f.words, strings.ToUpper(text)); i >= 0 {
		return f.low + i, nil
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < f.low || v > f.high {
		return 0, fmt.Errorf("%s is %q, not between %d and %d", f.name, text, f.low, f.high)
	}
	return v, nil
}

// parseDay reads the two day fields, of which one is ?.
func parseDay(date, weekday string) (func(time.Time) bool, error) {
	text, read := date, parseDate
	if date == "?" {
		text, read = weekday, parseWeekday
	}
	var matches []func(time.Time) bool
	for item := range strings.SplitSeq(text, ",") {
		match, err := read(item)
		if err != nil {
			return nil, err
		}
		matches = append(matches, match)
	}
	return func(day time.Time) bool {
		return slices.ContainsFunc(matches, func(match func(time.Time) bool) bool { return match(day) })
	}, nil
}

// lastOf is the last day of a day's month.
func lastOf(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 12, 0, 0, 0, day.Location()).Day()
}

// parseDate reads a day of the month: L is the last, LW the last weekday, 15W the
// weekday that is nearest to the 15th.
func parseDate(text string) (func(time.Time) bool, error) {
	switch {
	case text == "L":
		return func(day time.Time) bool { return day.Day() == lastOf(day) }, nil
	case text == "LW":
		return func(day time.Time) bool { return day.Day() == nearestWeekday(day, lastOf(day)) }, nil
	case strings.HasSuffix(text, "W"):
		n, err := dateField().value(strings.TrimSuffix(text, "W"))
		return func(day time.Time) bool { return n <= lastOf(day) && day.Day() == nearestWeekday(day, n) }, err
	}
	days, err := dateField().values(text)
	return func(day time.Time) bool { return slices.Contains(days, day.Day()) }, err
}

// nearestWeekday is the day from Monday to Friday that is nearest to a date
// without leaving the month.
func nearestWeekday(in time.Time, date int) int {
	day := time.Date(in.Year(), in.Month(), date, 12, 0, 0, 0, in.Location())
	switch {
	case day.Weekday() == time.Saturday && date > 1:
		return date - 1
	case day.Weekday() == time.Saturday:
		return date + 2
	case day.Weekday() == time.Sunday && date < lastOf(day):
		return date + 1
	case day.Weekday() == time.Sunday:
		return date - 2
	default:
		return date
	}
}

// parseWeekday reads a day of the week, 1 being Sunday: L is Saturday, 6L the
// last Friday of the month, 3#2 its second Tuesday.
func parseWeekday(text string) (func(time.Time) bool, error) {
	number := func(day time.Time) int { return int(day.Weekday()) + 1 }
	if text == "L" {
		return func(day time.Time) bool { return day.Weekday() == time.Saturday }, nil
	}
	if name, ok := strings.CutSuffix(text, "L"); ok {
		n, err := weekdayField().value(name)
		return func(day time.Time) bool { return number(day) == n && day.Day()+7 > lastOf(day) }, err
	}
	if m := regexp.MustCompile(`^(\w+)#([1-5])$`).FindStringSubmatch(text); m != nil {
		n, err := weekdayField().value(m[1])
		return func(day time.Time) bool { return number(day) == n && strconv.Itoa((day.Day()+6)/7) == m[2] }, err
	}
	days, err := weekdayField().values(text)
	return func(day time.Time) bool { return slices.Contains(days, number(day)) }, err
}
