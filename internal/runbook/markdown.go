package runbook

import (
	"fmt"
	"strings"
	"time"
)

// Markdown is the current details of a run, as the Temporal UI shows them.
func Markdown(r Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s of %s%s\n\n", r.Runbook, cell(r.Application), cell(strings.Replace(r.Way(), ", ", ": ", 1)))
	markEstate(&b, r.Estate)
	fmt.Fprintf(&b, "**%s** in *%s*, started by %s\n\n", r.Status, r.Phase, cell(r.StartedBy))
	if ballot := r.Ballot(); ballot != nil {
		markBallot(&b, ballot)
	}
	if !r.Clocks.Failure.IsZero() {
		fmt.Fprintf(&b, "| detect | decide | execute | RTO used | objective | state |\n|---|---|---|---|---|---|\n| %s | %s | %s | %s | %s | %s |\n\n",
			short(r.Spans.Detect), short(r.Spans.Decide), short(r.Spans.Execute), short(r.Spans.RTO()), r.Objective, r.RTOState)
	}
	b.WriteString("| stage | state | took | steps |\n|---|---|---|---|\n")
	for _, s := range r.Stages {
		title := string(s.Name)
		if s.OneWay {
			title += " (one-way)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", title, s.State, took(s, r.Now), steps(s))
	}
	for _, l := range r.Left {
		fmt.Fprintf(&b, "\n- left: %s", cell(l))
	}
	return b.String()
}

func markBallot(b *strings.Builder, ballot *Ballot) {
	approved := 0
	for _, d := range ballot.Decisions {
		if d.Approve {
			approved++
		}
	}
	fmt.Fprintf(b, "> **waits for approval** (%d of %d, until %s): %s\n", approved, ballot.Quorum, ballot.Expires.UTC().Format("15:04:05"), cell(ballot.Question))
	for _, risk := range ballot.Risks {
		fmt.Fprintf(b, "> - `%s`: %s\n", cell(risk.Code), cell(risk.Text))
	}
	b.WriteString("\n")
}

func took(s StageRecord, now time.Time) string {
	switch {
	case s.Started.IsZero():
		return ""
	case s.Ended.IsZero():
		return short(now.Sub(s.Started))
	default:
		return short(s.Ended.Sub(s.Started))
	}
}

func steps(s StageRecord) string {
	done, bad := 0, 0
	for _, step := range s.Steps {
		switch step.State {
		case Succeeded, Skipped, Undone:
			done++
		case Broken, Left:
			bad++
		case Pending, Active, Undoing:
		}
	}
	out := fmt.Sprintf("%d of %d", done, len(s.Steps))
	if bad > 0 {
		out += fmt.Sprintf(", %d failed", bad)
	}
	return out
}

func short(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }

// cell keeps text from breaking out of its table cell, line or quotes, and from
// becoming markup or a link in the Temporal UI.
func cell[T ~string](s T) string {
	return strings.NewReplacer(
		`\`, `\\`, "|", `\|`, "`", "'", "[", `\[`, "\n", " ", "\r", " ", "<", "&lt;",
	).Replace(string(s))
}

// markEstate tells how far setup has come, area by area.
func markEstate(b *strings.Builder, e *Estate) {
	if e == nil {
		return
	}
	b.WriteString("| area | items | settled | |\n|---|---|---|---|\n")
	for _, a := range e.Areas {
		fmt.Fprintf(b, "| %s | %d | %d | %s |\n", a.Area, a.Items, a.Settled, a.Words())
	}
	b.WriteString("\n")
}
