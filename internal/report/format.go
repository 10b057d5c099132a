package report

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"lifeline/internal/runbook"
)

// Printable frees a text from control characters and from the marks that turn
// the direction of writing: what AWS or a person wrote must not steer a terminal.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return '\uFFFD'
		default:
			return r
		}
	}, s)
}

// Span writes a duration as people say it: "840 ms", "41.2 s", "3 min 05 s".
func Span(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Span(-d)
	case d == 0:
		return "0 s"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	default:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	}
}

// moment writes a time of day; the date stands once in the head of the report.
func moment(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("15:04:05.000")
}

// offset writes a moment as seen from the failure.
func offset(t, from time.Time) string {
	if t.IsZero() || from.IsZero() {
		return ""
	}
	if t.Before(from) {
		return "T-" + Span(from.Sub(t))
	}
	return "T+" + Span(t.Sub(from))
}

// Zero is the moment from which a run's times are counted: the failure, or the
// start when nothing failed.
func Zero(r runbook.Report) time.Time {
	if r.Clocks.Failure.IsZero() {
		return r.Started
	}
	return r.Clocks.Failure
}

// asOf is the last moment that the report knows about.
func asOf(r runbook.Report) time.Time {
	if !r.Ended.IsZero() {
		return r.Ended
	}
	return r.Now
}

// title names a run in one line.
func title(r runbook.Report) string {
	dry := ""
	if r.DryRun {
		dry = " (dry run)"
	}
	return fmt.Sprintf("%s of %s%s%s", capital(string(r.Runbook)), r.Application, r.Way(), dry)
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// where joins what a step acts on: resource and Region, as far as known.
func where(s runbook.Step) string {
	parts := make([]string, 0, 2)
	if s.Resource != "" {
		parts = append(parts, s.Resource)
	}
	if s.Region != "" {
		parts = append(parts, s.Region)
	}
	return strings.Join(parts, " in ")
}
