package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"lifeline/internal/runbook"
)

// Text writes the document as plain lines, for terminals and incident channels.
func Text(w io.Writer, d Document) error {
	t := &text{}
	for i, r := range d.runs() {
		if i > 0 {
			t.line("")
		}
		t.run(r)
	}
	if d.Outside != nil {
		t.line("")
		t.outside(*d.Outside)
	}
	if d.Register != nil {
		t.line("")
		t.register(*d.Register)
	}
	if _, err := w.Write(t.Bytes()); err != nil {
		return fmt.Errorf("write report as text: %w", err)
	}
	return nil
}

// text collects lines; every argument passes Printable.
type text struct{ bytes.Buffer }

func (t *text) line(format string, args ...any) {
	clean := make([]any, len(args))
	for i, a := range args {
		clean[i] = a
		if s, ok := a.(string); ok {
			clean[i] = Printable(s)
		}
	}
	t.WriteString(strings.TrimRight(fmt.Sprintf(format, clean...), " ") + "\n")
}

// field writes one named fact, and nothing when there is none.
func (t *text) field(name, value string) {
	if value != "" {
		t.line("  %-10s %s", name, value)
	}
}

func (t *text) run(r runbook.Report) {
	t.line("%s", title(r))
	t.line("%s  %s", strings.ToUpper(string(r.Status)), r.Summary)
	t.field("safe now", r.Safe)
	t.field("next", r.Next)
	t.field("run", r.WorkflowID+"  "+r.RunID)
	t.field("started", r.Started.UTC().Format(time.RFC3339)+" by "+r.StartedBy)
	if !r.Ended.IsZero() {
		t.field("ended", r.Ended.UTC().Format(time.RFC3339)+", "+Span(r.Ended.Sub(r.Started))+" later")
	}
	t.clocks(r)
	t.estate(r)
	t.stages(r)
	t.gates(r)
	t.people(r)
	t.events(r)
	t.list("Left for people", left(r))
}

func (t *text) clocks(r runbook.Report) {
	if !r.Runbook.Moves() {
		return
	}
	if r.Clocks.Failure.IsZero() {
		t.field("objective", positive(r.Objective))
		return
	}
	s := r.Clocks.Spans(asOf(r))
	t.field("RTO", fmt.Sprintf("%s measured by the run · %s wanted · %s predicted at worst · %s",
		Span(s.RTO()), Span(r.Objective), orNone(r.Predicted), r.RTOState))
	t.field("clocks", fmt.Sprintf("detect %s · decide %s · execute %s · unprotected %s",
		Span(s.Detect), Span(s.Decide), Span(s.Execute), Span(s.Unprotected)))
}

func (t *text) stages(r runbook.Report) {
	t.line("Stages")
	for _, s := range r.Stages {
		oneWay := ""
		if s.OneWay {
			oneWay = "  (no way back)"
		}
		t.line("  %-8s %-11s %-12s %-11s %s%s", string(s.State), string(s.Name),
			offset(s.Started, Zero(r)), length(s.Started, s.Ended), s.Title, oneWay)
		for _, step := range Repeats(s.Steps) {
			t.step(step, Zero(r))
		}
	}
}

func (t *text) step(s Repeat, zero time.Time) {
	times := ""
	if len(s.All) > 1 {
		times = fmt.Sprintf("  ×%d", len(s.All))
	}
	t.line("    %-8s %-24s %-12s %-10s %s%s", string(s.State), s.Name,
		offset(s.All[0].Started, zero), length(s.All[0].Started, s.Ended), where(s.Step), times)
	if s.Evidence != "" {
		t.line("             %s %s", string(s.Effect), s.Evidence)
	}
	if s.Error != "" {
		t.line("             error: %s", s.Error)
	}
}

func (t *text) gates(r runbook.Report) {
	if e := r.Evidence; e != nil {
		t.line("Evidence")
		t.line("  %s: %s", string(e.Finding), e.Why)
	}
	if r.Fence != "" {
		t.line("Fence %s", string(r.Fence))
	}
	for _, l := range r.Layers {
		t.line("  %-11s %s of %s: %s", string(l.Result), string(l.Layer), l.Resource, l.Evidence)
	}
	if len(r.Losses) > 0 {
		t.line("Data-loss windows, measured before the one-way step")
	}
	for _, l := range r.Losses {
		t.line("  %-16s %s, objective %s (%s)", l.Resource, window(l), Span(l.Objective), l.Evidence)
	}
}

func (t *text) people(r runbook.Report) {
	if len(r.Ballots) > 0 {
		t.line("Approvals")
	}
	for _, b := range r.Ballots {
		t.line("  %s: %s (%d needed) %s", string(b.Stage), b.Question, b.Quorum, string(b.Result))
		for _, risk := range b.Risks {
			t.line("    risk %s: %s", risk.Code, risk.Text)
		}
		for _, d := range b.Decisions {
			t.line("    %s %s at %s %s", d.By, verdict(d), moment(d.Received), remark(d))
		}
	}
	if len(r.Served) > 0 {
		t.line("Served")
	}
	for _, s := range r.Served {
		t.line("  %-16s by %s from %s (%s)", s.Location, string(s.Region), moment(s.At), offset(s.At, Zero(r)))
	}
}

func (t *text) events(r runbook.Report) {
	if len(r.Events) > 0 {
		t.line("Events")
	}
	for _, e := range r.Events {
		t.line("  %s %-12s %-9s %s", moment(e.At), offset(e.At, Zero(r)), e.Kind, e.Text)
	}
}

func (t *text) list(head string, items []string) {
	if len(items) > 0 {
		t.line("%s", head)
	}
	for _, s := range items {
		t.line("  - %s", s)
	}
}

func (t *text) outside(o Outside) {
	t.line("Seen from the outside")
	t.field("by", o.Source)
	t.field("time", compression(o.Compression))
	t.field("floor", positive(o.Floor))
	for _, n := range o.Numbers {
		t.line("  %-22s %12s  %s %s %s", n.Name, number(n), n.Label, n.Limit, string(n.Verdict))
	}
	for _, c := range o.Comparisons {
		word := "agrees"
		if !c.Agrees() {
			word = "DISAGREES"
		}
		t.line("  %s: the run says %s, the outside %s, %s within %s", c.What, Span(c.Own), Span(c.Outside), word, Span(c.Tolerance))
	}
	for _, k := range o.Kills {
		t.line("  killed %s at %s during %s, cost %s", k.Worker, moment(k.At), k.During, Span(k.Cost))
	}
	for _, l := range o.Traffic {
		t.line("  %-16s %s", l.Location, tally(l))
	}
}
