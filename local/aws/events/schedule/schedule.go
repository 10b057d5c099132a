package schedule

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Schedule is a schedule expression, taken apart.
type Schedule struct {
	every time.Duration // of a rate
	cron  *cron
}

// Parse reads an expression.
func Parse(text string) (Schedule, error) {
	if inner, ok := inside(text, "rate("); ok {
		every, err := parseRate(inner)
		return Schedule{every: every}, err
	}
	if inner, ok := inside(text, "cron("); ok {
		c, err := parseCron(inner)
		return Schedule{cron: c}, err
	}
	return Schedule{}, errors.New("want rate(...) or cron(...)")
}

func inside(text, open string) (string, bool) {
	inner, ok := strings.CutPrefix(text, open)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(inner, ")")
}

func parseRate(text string) (time.Duration, error) {
	parts := regexp.MustCompile(`^([1-9]\d{0,8}) (minute|hour|day)(s?)$`).FindStringSubmatch(text)
	if parts == nil {
		return 0, fmt.Errorf("rate %q: want a number and minutes, hours or days", text)
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil || (n == 1) != (parts[3] == "") {
		return 0, fmt.Errorf("rate %q: one minute, more minutes", text)
	}
	unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[parts[2]]
	if int64(n) > int64(100*365*24*time.Hour/unit) {
		return 0, fmt.Errorf("rate %q is too long", text)
	}
	return time.Duration(n) * unit, nil
}

// Next is the first time after t at which the schedule is due; ok is false when
// there is none any more. A rate counts from t.
func (s Schedule) Next(t time.Time) (next time.Time, ok bool) {
	if s.cron == nil {
		return t.Add(s.every), true
	}
	return s.cron.next(t.UTC())
}
