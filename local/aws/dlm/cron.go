package dlm

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/dlm"
)

// next is the first time after t at which a rule asks for a snapshot. Times are
// UTC, as the API has them.
func next(r *sdk.CreateRule, t time.Time) (time.Time, error) {
	t = t.UTC()
	if r.CronExpression != nil {
		c, err := parseCron(*r.CronExpression)
		if err != nil {
			return time.Time{}, err
		}
		return c.next(t)
	}
	clock, err := time.Parse("15:04", aws.StringValue(r.Times[0]))
	if err != nil {
		return time.Time{}, fmt.Errorf("read time of day: %w", err)
	}
	every := time.Duration(*r.Interval) * time.Hour
	at := time.Date(t.Year(), t.Month(), t.Day()-1, clock.Hour(), clock.Minute(), 0, 0, time.UTC)
	for !at.After(t) {
		at = at.Add(every)
	}
	return at, nil
}

// cron is an AWS cron expression: minutes, hours, day of month, month, day of
// week, year. The last day of the month is L; nth weekdays are not understood.
type cron struct {
	minute, hour, day, month, weekday, year map[int]bool // nil = any
	lastDay                                 bool
}

// parseCron reads "cron(0 2 ? * SUN *)". One of the two day fields is ?.
func parseCron(text string) (*cron, error) {
	inner, ok := strings.CutPrefix(text, "cron(")
	fields := strings.Fields(strings.TrimSuffix(inner, ")"))
	const count = 6
	if !ok || !strings.HasSuffix(text, ")") || len(fields) != count {
		return nil, errors.New("want cron(minutes hours day-of-month month day-of-week year)")
	}
	if (fields[2] == "?") == (fields[4] == "?") {
		return nil, errors.New("exactly one of day-of-month and day-of-week is ?")
	}
	c := &cron{}
	if c.lastDay = fields[2] == "L"; c.lastDay {
		fields[2] = "*"
	}
	var all []error
	for i, f := range []struct {
		into      *map[int]bool
		low, high int
		names     string
	}{
		{&c.minute, 0, 59, ""},
		{&c.hour, 0, 23, ""},
		{&c.day, 1, 31, ""},
		{&c.month, 1, 12, "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"},
		{&c.weekday, 1, 7, "SUN MON TUE WED THU FRI SAT"},
		{&c.year, 1970, 2199, ""},
	} {
		set, err := parseField(fields[i], f.low, f.high, strings.Fields(f.names))
		if err != nil {
			all = append(all, err)
		}
		*f.into = set
	}
	return c, errors.Join(all...)
}

// parseField reads *, ?, n, n-m, n/step, names, and lists of these.
func parseField(text string, low, high int, names []string) (map[int]bool, error) {
	if text == "*" || text == "?" {
		return nil, nil //nolint:nilnil // nil is the set of all values
	}
	for i, name := range names {
		text = strings.ReplaceAll(strings.ToUpper(text), name, strconv.Itoa(low+i))
	}
	out := map[int]bool{}
	for part := range strings.SplitSeq(text, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		firstText, lastText, ranged := strings.Cut(span, "-")
		first, last, step := low, high, 1
		var err error
		if firstText != "*" {
			first, err = strconv.Atoi(firstText)
			if !stepped {
				last = first
			}
		}
		if ranged && err == nil {
			last, err = strconv.Atoi(lastText)
		}
		if stepped && err == nil {
			step, err = strconv.Atoi(stepText)
		}
		if err != nil || first < low || last > high || first > last || step < 1 {
			return nil, fmt.Errorf("%q is not between %d and %d", part, low, high)
		}
		for v := first; v <= last; v += step {
			out[v] = true
		}
	}
	return out, nil
}

func in(set map[int]bool, v int) bool { return set == nil || set[v] }

func (c *cron) matchesDay(t time.Time) bool {
	return in(c.year, t.Year()) && in(c.month, int(t.Month())) && in(c.day, t.Day()) &&
		in(c.weekday, int(t.Weekday())+1) && (!c.lastDay || t.AddDate(0, 0, 1).Day() == 1)
}

// next is the first minute after t that matches, within five years.
func (c *cron) next(t time.Time) (time.Time, error) {
	limit := t.AddDate(5, 0, 0)
	at := t.Truncate(time.Minute).Add(time.Minute)
	for at.Before(limit) {
		switch {
		case !c.matchesDay(at):
			at = time.Date(at.Year(), at.Month(), at.Day()+1, 0, 0, 0, 0, time.UTC)
		case !in(c.hour, at.Hour()):
			at = at.Truncate(time.Hour).Add(time.Hour)
		case !in(c.minute, at.Minute()):
			at = at.Add(time.Minute)
		default:
			return at, nil
		}
	}
	return time.Time{}, errors.New("the expression names no time in the next five years")
}
