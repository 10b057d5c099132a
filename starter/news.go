package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"lifeline/internal/report"
	"lifeline/internal/runbook"
)

// news tells what is new in a run since the last report, one line for each fact.
type news struct {
	*app
	known  map[string]bool
	silent bool
}

// learn takes what a report tells as known: it was shown already, or is no news
// to somebody who joins late.
func (n *news) learn(r runbook.Report) {
	for _, f := range factsToTell(r) {
		n.known[f.text] = true
	}
	if b := r.Ballot(); b != nil {
		n.known[b.Nonce] = true
	}
}

// tell compares with what was told before. A fact is told once, by its text: a
// look that is repeated with the same result is no news.
func (n *news) tell(r runbook.Report) {
	if n.silent {
		n.silent = false
		n.say("a worker answers again")
	}
	for _, f := range factsToTell(r) {
		if n.known[f.text] {
			continue
		}
		n.known[f.text] = true
		n.say("%-12s %s", since(r, f.at), f.text)
	}
	if b := r.Ballot(); b != nil && !n.known[b.Nonce] {
		n.known[b.Nonce] = true
		for _, line := range ballotLines(*b, r) {
			n.say("%s", line)
		}
		n.say("  next:     %s", n.command("approve", append([]string{"--as APPROVER"}, acknowledgements(*b)...)...))
	}
}

// silence tells once that no worker answers; the run is not lost by that.
func (n *news) silence(ctx context.Context) {
	if n.silent || ctx.Err() != nil {
		return
	}
	n.silent = true
	n.say("no worker answers just now; Temporal keeps the run, and it goes on when one does")
}

type newsFact struct {
	at   time.Time
	text string
}

// factsToTell lists what a report tells, as it happened: stages that began, steps
// that ended, events.
func factsToTell(r runbook.Report) []newsFact {
	var facts []newsFact
	for _, stage := range r.Stages {
		if stage.State == runbook.Pending || stage.Started.IsZero() {
			continue
		}
		facts = append(facts, newsFact{stage.Started, "stage " + string(stage.Name) + ": " + stage.Title})
		for _, s := range stage.Steps {
			if !s.Ended.IsZero() {
				facts = append(facts, newsFact{s.Ended, "  " + stepLine(s)})
			}
		}
	}
	for _, e := range r.Events {
		facts = append(facts, newsFact{e.At, e.Kind + ": " + e.Text})
	}
	slices.SortStableFunc(facts, func(a, b newsFact) int { return a.at.Compare(b.at) })
	return facts
}

// stepLine is an ended step in one line.
func stepLine(s runbook.StepRecord) string {
	text := textf("%s %s %s", s.State, s.Name, place(s.Step))
	if s.Evidence != "" {
		text += ": " + s.Evidence
	}
	if s.Error != "" {
		text += ": " + s.Error
	}
	return text
}

// place is what a step acts on, and where.
func place(s runbook.Step) string {
	return strings.TrimSpace(s.Resource + " " + s.Region)
}

// since is a moment as seen from the failure, or from the start of a planned run.
func since(r runbook.Report, t time.Time) string {
	zero := report.Zero(r)
	if t.Before(zero) {
		return "T-" + report.Span(zero.Sub(t))
	}
	return "T+" + report.Span(t.Sub(zero))
}
