package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

const (
	neverMeasured = "never measured"
	noData        = "holds no data"
)

// RegisterText writes a register as a table that fits 120 columns.
func RegisterText(w io.Writer, r runbook.Register) error {
	t := &text{}
	t.register(r)
	if _, err := w.Write(t.Bytes()); err != nil {
		return fmt.Errorf("write register as text: %w", err)
	}
	return nil
}

// registerView is a register in words.
type registerView struct {
	Application string
	Entries     []entryView
	Uncovered   string
	Resources   []string // that no plan covers
	Sources     []string
	Remarks     []string
}

type entryView struct {
	Name, Kind string
	Tier       int
	Values     []valueView
	Notes      []fact
	Short      []string
}

// valueView is one of the three values; they never share a cell.
type valueView struct {
	Name, RTO, RPO string
}

func newRegisterView(r runbook.Register) registerView {
	v := registerView{Application: r.Application, Remarks: r.Notes, Resources: r.Uncovered.Resources}
	if r.Account != "" {
		v.Application += ", account " + r.Account
	}
	for _, e := range r.Resources {
		v.Entries = append(v.Entries, newEntryView(e, r.Setup))
	}
	v.Uncovered = r.Uncovered.Why
	if !r.Uncovered.Known {
		v.Uncovered = "not known: " + r.Uncovered.Why
	}
	v.Sources = []string{source("setup", r.Setup), source("readiness", r.Proof)}
	return v
}

// source says where something was read.
func source(what string, s *runbook.Source) string {
	if s == nil {
		return what + " has not run yet"
	}
	out := fmt.Sprintf("%s of %s, run %s", what, day(s.At), s.RunID)
	if s.DryRun {
		out = "preview of " + out
	}
	if s.Stale {
		out += ", of another plan than this one"
	}
	return out
}

func newEntryView(e runbook.Entry, setup *runbook.Source) entryView {
	v := entryView{Name: e.Name, Kind: string(e.Kind), Tier: e.Tier, Short: e.Short}
	can := valueView{"capability", "none: by hand", brief(e.Capability.RPO.D()) + " typical, no bound"}
	if e.Capability.RTO != nil {
		can.RTO = brief(e.Capability.RTO.D())
	}
	if e.Capability.Decision > 0 {
		can.RTO += " + " + brief(e.Capability.Decision.D()) + " to approve"
	}
	if e.Capability.Bounded {
		can.RPO = e.Capability.Why
	}
	took := valueView{"measured", neverMeasured, neverMeasured}
	if spec, _ := e.Kind.Spec(); spec.Stateless {
		took.RPO = noData
	}
	if f := e.Measured.RTO; f != nil {
		took.RTO = brief(f.Value.D())
	}
	if f := e.Measured.RPO; f != nil {
		took.RPO = brief(f.Value.D()) + " at most"
	}
	v.Values = []valueView{{"objective", brief(e.Objective.RTO.D()), brief(e.Objective.RPO.D())}, can, took}
	v.Notes = entryNotes(e, setup)
	if clip(e.Name, nameWidth) != e.Name {
		v.Notes = append([]fact{{"resource", e.Name}}, v.Notes...)
	}
	return v
}

func entryNotes(e runbook.Entry, setup *runbook.Source) []fact {
	notes := []fact{
		{"owner", cmp.Or(e.Owner, "nobody")},
		{"depends on", strings.Join(e.DependsOn, ", ")},
		{"serves without", strings.Join(e.Capability.Waits, ", ")},
		{"in place", inPlace(e, setup)},
		{"measured by", measuredBy(e.Measured)},
		{"planned move", pause(e.Measured.Pause)},
	}
	return slices.DeleteFunc(notes, func(f fact) bool { return f.Value == "" })
}

// inPlace lists what setup keeps for a resource.
func inPlace(e runbook.Entry, setup *runbook.Source) string {
	if setup == nil {
		return "not known: setup has not run yet"
	}
	regions := map[string][]string{}
	for _, what := range slices.Sorted(maps.Keys(e.Kept)) {
		kind, region, _ := strings.Cut(what, " ")
		if n := e.Kept[what]; n > 1 {
			region += fmt.Sprintf(" ×%d", n)
		}
		regions[kind] = append(regions[kind], region)
	}
	var out []string
	for _, kind := range slices.Sorted(maps.Keys(regions)) {
		out = append(out, fmt.Sprintf("%s (%s)", kind, strings.Join(regions[kind], ", ")))
	}
	return cmp.Or(strings.Join(out, ", "), "nothing, by the last setup")
}

func measuredBy(m runbook.Measured) string {
	var out []string
	for _, f := range []*runbook.Figure{m.RTO, m.RPO} {
		if f != nil {
			out = append(out, by(*f))
		}
	}
	return strings.Join(slices.Compact(out), ", ")
}

func by(f runbook.Figure) string {
	return fmt.Sprintf("%s of %s, run %s", f.Runbook, day(f.At), f.RunID)
}

func pause(f *runbook.Figure) string {
	if f == nil {
		return ""
	}
	return "writes stood still for " + brief(f.Value.D()) + ": " + by(*f)
}

// day is a moment with its date.
func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// brief is a duration as plans write it, without zero units: "10m", "24.2s".
func brief(d time.Duration) string {
	if d > 100*time.Millisecond {
		d = d.Round(100 * time.Millisecond)
	}
	return plan.Duration(d).Brief()
}

// The columns of the table; together with the gaps they are 120 wide.
const (
	registerWidth = 120
	nameWidth     = 26
	kindWidth     = 14
	valueWidth    = 10
	rtoWidth      = 28
	rpoWidth      = 28
)

func (t *text) register(r runbook.Register) {
	v := newRegisterView(r)
	t.wrapped("", "Register of "+v.Application)
	for _, s := range v.Sources {
		t.wrapped("  ", s)
	}
	for _, s := range v.Remarks {
		t.wrapped("  ", "not known: "+s)
	}
	t.cells([3]string{"RESOURCE", "KIND", "TIER"}, valueView{"VALUE", "RTO", "RPO"})
	for _, e := range v.Entries {
		for i, value := range e.Values {
			var head [3]string
			if i == 0 {
				head = [3]string{e.Name, e.Kind, fmt.Sprint(e.Tier)}
			}
			t.cells(head, value)
		}
		for _, n := range e.Notes {
			t.wrapped("    ", fmt.Sprintf("%-14s %s", n.Name, n.Value))
		}
		for _, s := range e.Short {
			t.wrapped("    ", fmt.Sprintf("%-14s %s", "SHORT", s))
		}
	}
	t.wrapped("", "In no plan: "+v.Uncovered)
	for _, s := range v.Resources {
		t.wrapped("  - ", s)
	}
}

// cells is one row of the table: name, kind and tier, then one value.
func (t *text) cells(head [3]string, v valueView) {
	t.line("%-*s  %-*s  %-4s  %-*s  %-*s  %s", nameWidth, clip(head[0], nameWidth), kindWidth, clip(head[1], kindWidth),
		head[2], valueWidth, v.Name, rtoWidth, clip(v.RTO, rtoWidth), clip(v.RPO, rpoWidth))
}

// clip cuts a word to a width.
func clip(s string, width int) string {
	s = Printable(s)
	if r := []rune(s); len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return s
}

// wrapped writes a paragraph within the width; further lines are indented
// deeper, and a word that is longer than a line is broken.
func (t *text) wrapped(indent, paragraph string) {
	further := strings.Repeat(" ", len(indent)+4)
	line := []rune(indent + Printable(paragraph))
	for len(line) > registerWidth {
		at := registerWidth
		for i := registerWidth; i > len(further)+1; i-- {
			if line[i] == ' ' {
				at = i
				break
			}
		}
		t.line("%s", string(line[:at]))
		line = append([]rune(further), []rune(strings.TrimLeft(string(line[at:]), " "))...)
	}
	t.line("%s", string(line))
}
