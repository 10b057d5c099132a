package plan

import (
	"fmt"
	"slices"
	"time"
)

// StartWindow is when a backup may begin: from each firing of a schedule on,
// for a while. AWS Backup's default is eight hours, its least one.
type StartWindow struct {
	Rule     string // what to call it in messages
	Schedule Cron
	Open     time.Duration
}

// Overlap is two windows that are open at the same time. AWS Backup then keeps
// the backup of the rule with the longer retention only (AWS Backup Developer
// Guide, "Backup plan options and configuration").
type Overlap struct {
	First, Second         string // rules; the same one twice when it overtakes itself
	FirstOpens, FirstEnds time.Time
	SecondOpens           time.Time
}

// String is for people.
func (o Overlap) String() string {
	const clock = "Mon 15:04"
	return fmt.Sprintf("the start window of %q (%s to %s UTC) is still open when that of %q opens (%s)",
		o.First, o.FirstOpens.Format(clock), o.FirstEnds.Format(clock), o.Second, o.SecondOpens.Format(clock))
}

// Overlaps proves that windows of rules that share a resource are disjoint, or
// names the first meeting of each two that are not. Schedules that only name
// days of the week repeat after one; others are followed through 28 years, after
// which days of the month fall on the same days of the week again.
func Overlaps(windows []StartWindow) []Overlap {
	var out []Overlap
	for i, a := range windows {
		for j, b := range windows[i:] {
			o, met := meet(a, b, j == 0)
			if met {
				out = append(out, o)
			}
		}
	}
	return out
}

// Windows are the start windows of a plan's own rules. Those whose schedule
// can't be read are left out: that is another problem.
func (b Backup) Windows() []StartWindow {
	var out []StartWindow
	for _, r := range b.Rules {
		if c, err := ParseCron(r.Schedule); err == nil {
			out = append(out, StartWindow{Rule: r.Intent, Schedule: c, Open: r.Start.D()})
		}
	}
	return out
}

// meet is the first time that two windows are open at once. What happens within
// a day is the same on each day of a schedule, so times of day are compared once
// for each distance in days, and then only days are.
func meet(a, b StartWindow, same bool) (Overlap, bool) {
	clashes := clashing(a, b, same)
	if len(clashes) == 0 {
		return Overlap{}, false
	}
	from, days := horizon(a, b)
	for n := range days {
		day := from.AddDate(0, 0, n)
		if !a.Schedule.on(day) {
			continue
		}
		for _, c := range clashes {
			if other := day.AddDate(0, 0, c.days); b.Schedule.on(other) {
				return overlap(a, b, day.Add(c.a), other.Add(c.b)), true
			}
		}
	}
	return Overlap{}, false
}

func overlap(a, b StartWindow, atA, atB time.Time) Overlap {
	if atB.Before(atA) {
		a, b, atA, atB = b, a, atB, atA
	}
	return Overlap{First: a.Rule, Second: b.Rule, FirstOpens: atA, FirstEnds: atA.Add(a.Open), SecondOpens: atB}
}

// clash is two times of day whose windows meet when b's day is so many days
// after a's.
type clash struct {
	days int
	a, b time.Duration
}

// longestOpen bounds the search. A window that is open for longer than a month
// would overtake every schedule that is worth the name.
const longestOpen = 31 * 24 * time.Hour

// clashing finds one clash for each distance in days at which there is one. A
// window does not clash with itself.
func clashing(a, b StartWindow, same bool) []clash {
	var out []clash
	a.Open, b.Open = min(a.Open, longestOpen), min(b.Open, longestOpen)
	reach := int(max(a.Open, b.Open)/(24*time.Hour)) + 1
	timesA, timesB := a.Schedule.times(), b.Schedule.times()
	for days := -reach; days <= reach; days++ {
		shift := time.Duration(days) * 24 * time.Hour
		for _, x := range timesA {
			// The first of b's that is not over when a's opens; itself is no clash.
			i, _ := slices.BinarySearch(timesB, x-b.Open-shift+1)
			if i < len(timesB) && same && timesB[i]+shift == x {
				i++
			}
			if i < len(timesB) && timesB[i]+shift < x+a.Open {
				out = append(out, clash{days, x, timesB[i]})
				break
			}
		}
	}
	return out
}

// horizon is how many days from when on tell everything.
func horizon(a, b StartWindow) (from time.Time, days int) {
	// A Sunday, and the first day of a cycle without a leap day left out.
	from = time.Date(2028, 1, 2, 0, 0, 0, 0, time.UTC)
	if a.Schedule.weekly() && b.Schedule.weekly() {
		return from, 8
	}
	return from, 28*365 + 7 + 1
}

// weekly says that each week is like the one before.
func (c Cron) weekly() bool {
	for m := 1; m <= 12; m++ {
		if !c.months.has(m) {
			return false
		}
	}
	for y := firstYear; y <= lastYear; y++ {
		if !c.years.has(y - firstYear) {
			return false
		}
	}
	whole := c.lastOf == numbers{} && !slices.ContainsFunc(c.nth[:], func(n numbers) bool { return n != numbers{} })
	return c.anyMonthDay && whole
}

// times are the times of day at which it fires.
func (c Cron) times() []time.Duration {
	var out []time.Duration
	for m := range 24 * 60 {
		if c.hours.has(m/60) && c.minutes.has(m%60) {
			out = append(out, time.Duration(m)*time.Minute)
		}
	}
	return out
}
