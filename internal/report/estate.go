package report

import (
	"fmt"
	"regexp"
	"strings"

	"lifeline/internal/runbook"
)

// EstateLines is what setup found or did, as a diff that a person can approve:
// the counts of each area, then + is made, ~ is changed, ! needs people. What is
// in place is counted only.
func EstateLines(e runbook.Estate) []string {
	var lines []string
	for _, area := range e.Areas {
		lines = append(lines, fmt.Sprintf("%-12s %s", area.Area, area.Words()))
	}
	for _, i := range e.Items {
		lines = append(lines, itemLines(i)...)
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("  and %d more items: a report holds %d", e.More, runbook.KeptItems))
	}
	for i, line := range lines {
		lines[i] = Printable(line)
	}
	return lines
}

func itemLines(i runbook.ItemResult) []string {
	v := newItemView(i)
	lines := []string{v.Sign + " " + v.ID}
	if v.Sign == "!" {
		lines[0] = "! " + string(i.Verdict) + " " + v.ID
	}
	for _, c := range v.Changes {
		if v.Fresh {
			lines = append(lines, fmt.Sprintf("      %s = %s", c.Name, c.Want))
			continue
		}
		lines = append(lines, fmt.Sprintf("      %s: %s → %s", c.Name, c.Have, c.Want))
	}
	if v.Why != "" {
		lines = append(lines, "      "+v.Why)
	}
	return lines
}

// inLine puts a value into one line; a reference is named by what it stands for.
func inLine(value string) string {
	if value == "" {
		return "(none)"
	}
	value = regexp.MustCompile(`\$\{([^#}]+)#([^}]+)\}`).ReplaceAllString(value, "($2 of $1)")
	return strings.ReplaceAll(value, "\n", ", ")
}

// estateView is what setup found or did.
type estateView struct {
	Head    string
	Columns []string
	Areas   []areaView
	Items   []itemView
	More    int
	Left    []string
}

type areaView struct {
	Name  string
	Cells []int
	Total int
}

type itemView struct {
	Sign, Word, Class, ID, Resource, Why string
	Fresh                                bool // it was not there, so nothing stood in its place
	Changes                              []runbook.Property
}

// verdicts are all of them in the order of columns, and how each is shown.
func verdicts() []struct {
	Verdict           runbook.Verdict
	Sign, Word, Class string
} {
	return []struct {
		Verdict           runbook.Verdict
		Sign, Word, Class string
	}{
		{runbook.InPlace, "=", "in place", "good"},
		{runbook.Created, "+", "created", "good"},
		{runbook.Changed, "~", "changed", "good"},
		{runbook.ToCreate, "+", "to create", "calm"},
		{runbook.ToChange, "~", "to change", "calm"},
		{runbook.Drifted, "!", "drifted", "warn"},
		{runbook.Unavailable, "!", "not served here", "warn"},
		{runbook.Blocked, "!", "blocked", "warn"},
		{runbook.Missing, "!", "missing", "bad"},
		{runbook.Unkept, "!", "failed", "bad"},
	}
}

func newEstateView(r runbook.Report) *estateView {
	if r.Estate == nil {
		return nil
	}
	e := *r.Estate
	v := &estateView{Head: "What setup did", More: e.More, Left: left(r)}
	if r.DryRun {
		v.Head = "What setup would do; nothing was changed"
	}
	for _, area := range e.Areas {
		v.Areas = append(v.Areas, areaView{Name: string(area.Area), Total: area.Items})
	}
	for _, known := range verdicts() {
		if e.Count(known.Verdict) == 0 {
			continue
		}
		v.Columns = append(v.Columns, known.Word)
		for i, area := range e.Areas {
			v.Areas[i].Cells = append(v.Areas[i].Cells, area.By[known.Verdict])
		}
	}
	for _, i := range e.Items {
		v.Items = append(v.Items, newItemView(i))
	}
	return v
}

func newItemView(i runbook.ItemResult) itemView {
	v := itemView{Sign: "!", Word: string(i.Verdict), Class: "warn", ID: i.ID, Resource: i.Resource, Why: i.Why}
	for _, known := range verdicts() {
		if known.Verdict == i.Verdict {
			v.Sign, v.Word, v.Class = known.Sign, known.Word, known.Class
		}
	}
	v.Fresh = v.Sign == "+"
	for _, c := range i.Changes {
		v.Changes = append(v.Changes, runbook.Property{Name: c.Name, Have: inLine(c.Have), Want: inLine(c.Want)})
	}
	return v
}

// left is what people have to do. A dry run of setup ends before it says so
// itself.
func left(r runbook.Report) []string {
	if len(r.Left) > 0 || !r.DryRun || r.Estate == nil {
		return r.Left
	}
	var out []string
	for _, i := range r.Estate.Of(runbook.Unavailable, runbook.Drifted, runbook.Unkept, runbook.Missing) {
		out = append(out, i.ID+": "+i.Why)
	}
	return out
}

// incomplete says that something which setup keeps is not as wanted.
func incomplete(r runbook.Report) bool {
	return r.Estate != nil && r.Estate.Count(runbook.Drifted, runbook.Unavailable, runbook.Blocked, runbook.Missing, runbook.Unkept) > 0
}

func (t *text) estate(r runbook.Report) {
	if r.Estate == nil {
		return
	}
	t.field("account", r.Estate.Account)
	t.line("%s", newEstateView(r).Head)
	for _, line := range EstateLines(*r.Estate) {
		t.line("  %s", line)
	}
}
