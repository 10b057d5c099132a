package main

import (
	"slices"
	"strings"
	"time"

	"lifeline/internal/report"
	"lifeline/internal/runbook"
)

const barWidth = 20

// plainBar draws with letters that every terminal and log has.
func plainBar(fraction float64, _ runbook.State) painted {
	full := int(min(1, max(0, fraction)) * barWidth)
	return painted("[" + strings.Repeat("#", full) + strings.Repeat("-", barWidth-full) + "]")
}

// statusLines is where a run stands, for people: head, clocks, stages, and what
// waits for whom. Stages that are done are one line; their steps are in the report.
func statusLines(r runbook.Report, now time.Time, draw bar) []string {
	if r.Status.Final() {
		now = r.Ended
	}
	dry := ""
	if r.DryRun {
		dry = "  DRY RUN"
	}
	lines := []string{
		textf("%s of %s%s, started by %s%s", r.Runbook, r.Application, r.Way(), r.StartedBy, dry),
		textf("%s in %s  %s", strings.ToUpper(string(r.Status)), r.Phase, r.Summary),
	}
	lines = append(lines, clockLines(r, now, draw)...)
	for _, s := range r.Stages {
		lines = append(lines, stageLines(s, now, draw)...)
	}
	lines = append(lines, areaLines(r)...)
	lines = append(lines, waitLines(r)...)
	for _, left := range r.Left {
		lines = append(lines, textf("  left for people: %s", left))
	}
	if r.Safe != "" {
		lines = append(lines, textf("  safe now: %s", r.Safe))
	}
	if r.Next != "" {
		lines = append(lines, textf("  next:     %s", r.Next))
	}
	return lines
}

// clockLines show the four clocks and how much of the objective is used. A
// planned run has no failure to count from.
func clockLines(r runbook.Report, now time.Time, draw bar) []string {
	if r.Clocks.Failure.IsZero() {
		if r.Status.Final() {
			return []string{"  it took " + report.Span(now.Sub(r.Started))}
		}
		return []string{"  running for " + report.Span(now.Sub(r.Started))}
	}
	s := r.Clocks.Spans(now)
	used, state := 0.0, runbook.Succeeded
	if r.Objective > 0 {
		used = float64(s.RTO()) / float64(r.Objective)
	}
	if used > 1 {
		state = runbook.Broken
	}
	return []string{
		textf("  RTO     %s %s of %s (%.0f %%), %s; predicted %s at worst", draw(used, state), report.Span(s.RTO()), report.Span(r.Objective), used*100, r.RTOState, report.Span(r.Predicted)),
		textf("  clocks  detect %s · decide %s · execute %s · unprotected %s", running(s.Detect, r.Clocks.Evidence), running(s.Decide, r.Clocks.Decided), running(s.Execute, r.Clocks.Verified), running(s.Unprotected, r.Clocks.Protected)),
	}
}

// running marks a clock that has not stopped.
func running(d time.Duration, stopped time.Time) string {
	if stopped.IsZero() && d > 0 {
		return report.Span(d) + "…"
	}
	return report.Span(d)
}

func stageLines(s runbook.StageRecord, now time.Time, draw bar) []string {
	done := 0
	for _, step := range s.Steps {
		if over(step.State) {
			done++
		}
	}
	fraction := 0.0
	switch {
	case over(s.State):
		fraction = 1
	case len(s.Steps) > 0:
		fraction = float64(done) / float64(len(s.Steps))
	}
	mark := ""
	if s.OneWay {
		mark = "  (no way back)"
	}
	lines := []string{strings.TrimRight(textf("  %-8s %-10s %s %-12s %s%s", s.State, s.Name, draw(fraction, s.State), took(s.Started, s.Ended, now), s.Title, mark), " ")}
	for _, step := range report.Repeats(s.Steps) {
		if s.State != runbook.Succeeded || step.State == runbook.Broken || step.State == runbook.Left {
			lines = append(lines, stepLines(step, now, draw)...)
		}
	}
	return lines
}

func stepLines(s report.Repeat, now time.Time, draw bar) []string {
	line := textf("    %-8s %-24s %-22s", s.State, s.Name, place(s.Step))
	if s.State == runbook.Active && s.Budget > 0 {
		line += textf(" %s %s of at most %s", draw(float64(now.Sub(s.Started))/float64(s.Budget), s.State), report.Span(now.Sub(s.Started)), report.Span(s.Budget))
	} else {
		line += " " + took(s.All[0].Started, s.Ended, now)
	}
	if len(s.All) > 1 {
		line += textf("  ×%d", len(s.All))
	}
	lines := []string{strings.TrimRight(line, " ")}
	if s.Error != "" {
		lines = append(lines, textf("             %s", s.Error))
	}
	return lines
}

// over reports whether nothing more happens in a stage or step.
func over(s runbook.State) bool {
	return slices.Contains([]runbook.State{runbook.Succeeded, runbook.Broken, runbook.Skipped, runbook.Undone, runbook.Left}, s)
}

func took(from, to, now time.Time) string {
	switch {
	case from.IsZero():
		return ""
	case to.IsZero():
		return report.Span(now.Sub(from)) + "…"
	default:
		return report.Span(to.Sub(from))
	}
}

// areaLines count what setup looks after, area by area.
func areaLines(r runbook.Report) []string {
	if r.Estate == nil {
		return nil
	}
	var lines []string
	for _, area := range r.Estate.Areas {
		looked := ""
		if area.Settled < area.Items {
			looked = textf(" (%d of %d settled)", area.Settled, area.Items)
		}
		lines = append(lines, textf("  area      %-12s %s%s", area.Area, area.Words(), looked))
	}
	return lines
}

// waitLines say who is waited for.
func waitLines(r runbook.Report) []string {
	var lines []string
	if b := r.Ballot(); b != nil {
		lines = ballotLines(*b, r)
	}
	switch r.Status {
	case runbook.Paused:
		return append(lines, "  PAUSED    goes on only when somebody types: resume")
	case runbook.Held:
		lines = append(lines, "  waits for the world to change, or for somebody to abort")
		if r.Evidence != nil {
			lines = append(lines, textf("  evidence  %s: %s", r.Evidence.Finding, r.Evidence.Why))
		}
		return lines
	case runbook.Running, runbook.Waiting, runbook.Done, runbook.Failed, runbook.Refused, runbook.Aborted, runbook.Stopped, runbook.Reverted:
	}
	return lines
}
