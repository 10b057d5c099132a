package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"lifeline/internal/runbook"
)

// ReadinessHTML writes a proof of readiness as one self-contained file: the
// score, every check by subject with its evidence, and since when it stands so.
func ReadinessHTML(w io.Writer, r runbook.ReadinessReport) error {
	return write(w, newProofView(r), readinessTemplate)
}

type proofView struct {
	Title, Tone, Verdict, Summary, Next string
	Score                               int
	Tiles                               []gradeTile
	Subjects                            []subjectView
	Facts                               []fact
}

type gradeTile struct {
	Grade, Class string
	Count        int
}

type subjectView struct {
	Name, Words string
	Checks      []checkView
}

type checkView struct {
	Title, Resource, Grade, Class, Why, Since, Fix, Command string
	Proofs                                                  []readView
	Open                                                    bool // its evidence is shown at once
}

type readView struct {
	Region, At, Read string
}

// grades are all of them, the worst first, and the colour of each. Unknown has
// the colour of red: a failover would find out at the worst time.
func grades() []gradeTile {
	return []gradeTile{{string(runbook.Red), "bad", 0}, {string(runbook.Unknown), "bad", 0}, {string(runbook.Amber), "warn", 0}, {string(runbook.Green), "good", 0}}
}

func newProofView(r runbook.ReadinessReport) proofView {
	v := proofView{
		Title: "Readiness of " + r.Application, Tone: "bad", Verdict: "not ready", Summary: r.Summary, Next: r.Next, Score: r.Score,
		Tiles: grades(), Facts: []fact{{"Proved", exactly(r.Started)}, {"Run", r.RunID}, {"Plan", r.Digest}},
	}
	if r.Ready {
		v.Tone, v.Verdict = "good", "ready"
	}
	if !r.Ended.IsZero() {
		v.Facts[0].Value += ", within " + Span(r.Ended.Sub(r.Started))
	}
	if r.Previous != "" {
		v.Facts = append(v.Facts, fact{"Compared with", "run " + r.Previous})
	}
	for _, c := range r.Checks {
		i := slices.IndexFunc(v.Tiles, func(t gradeTile) bool { return t.Grade == string(c.Grade) })
		if i >= 0 {
			v.Tiles[i].Count++
		}
		if r.Ready && c.Grade == runbook.Amber {
			v.Tone = "warn"
		}
	}
	v.Subjects = subjects(r.Checks)
	return v
}

func exactly(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 MST") }

// subjects groups the checks; their order within a subject is the report's.
func subjects(checks []runbook.CheckResult) []subjectView {
	names := runbook.Subjects()
	for _, c := range checks {
		if !slices.Contains(names, c.Subject) {
			names = append(names, c.Subject)
		}
	}
	var out []subjectView
	for _, name := range names {
		s, green := subjectView{Name: capital(name)}, 0
		for _, c := range checks {
			if c.Subject != name {
				continue
			}
			s.Checks = append(s.Checks, newCheckView(c))
			if c.Grade == runbook.Green {
				green++
			}
		}
		if len(s.Checks) > 0 {
			s.Words = fmt.Sprintf("%d of %d green", green, len(s.Checks))
			out = append(out, s)
		}
	}
	return out
}

func newCheckView(c runbook.CheckResult) checkView {
	v := checkView{
		Title: c.Title, Resource: c.Resource, Grade: string(c.Grade), Class: "bad", Why: c.Why, Fix: c.Fix, Command: c.Command,
		Open: c.Grade != runbook.Green, Since: since(c),
	}
	for _, g := range grades() {
		if g.Grade == v.Grade {
			v.Class = g.Class
		}
	}
	for _, p := range c.Proofs {
		v.Proofs = append(v.Proofs, readView{p.Region, moment(p.At), p.Read})
	}
	return v
}

// since says from when on a check has its grade, and what it had before.
func since(c runbook.CheckResult) string {
	var parts []string
	if !c.Since.IsZero() {
		parts = append(parts, fmt.Sprintf("%s since %s", c.Grade, exactly(c.Since)))
	}
	if c.Was != "" && c.Was != c.Grade {
		parts = append(parts, "was "+string(c.Was)+" before")
	}
	return strings.Join(parts, ", ")
}
