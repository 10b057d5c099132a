package runbook

import (
	"fmt"
	"slices"
	"strings"
)

// Estate is what setup found and did.
type Estate struct {
	Account string `json:"account,omitempty"`
	// Areas count the items of each area by verdict, in the order of areas.
	Areas []AreaCount `json:"areas"`
	// Items are those that are not simply in place, at most KeptItems.
	Items []ItemResult `json:"items,omitempty"`
	// More is how many further items did not fit.
	More int `json:"more,omitempty"`
	// Kept counts what is in place for each resource of the plan, by type and
	// Region: {"records": {"dynamodb-replica us-west-2": 1}}.
	Kept map[string]map[string]int `json:"kept,omitempty"`
}

// AreaCount is one area's part.
type AreaCount struct {
	Area    Area            `json:"area"`
	Items   int             `json:"items"`
	Settled int             `json:"settled"` // looked at so far
	By      map[Verdict]int `json:"by"`
}

// KeptItems and longestShown keep a report of thousands of items within what a
// run's result may carry.
const (
	KeptItems    = 500
	longestShown = 240
)

// Add takes an area's results into the report, the longest values cut.
func (e *Estate) Add(area Area, results []ItemResult) {
	count := e.Area(area)
	count.By = map[Verdict]int{}
	count.Items, count.Settled = len(results), len(results)
	for _, r := range results {
		count.By[r.Verdict]++
		e.keep(r)
		if r.Verdict != InPlace {
			e.list(shown(r))
		}
	}
}

// list adds an item. Where there is no more room, what people have to know of takes
// the place of what goes as planned.
func (e *Estate) list(r ItemResult) {
	if len(e.Items) < KeptItems {
		e.Items = append(e.Items, r)
		return
	}
	e.More++
	if asPlanned(r) {
		return
	}
	if i := slices.IndexFunc(e.Items, asPlanned); i >= 0 {
		e.Items[i] = r
	}
}

func asPlanned(r ItemResult) bool {
	return slices.Contains([]Verdict{ToCreate, ToChange, Created, Changed}, r.Verdict)
}

// Replace puts what was done in the place of what was found, of the items of an
// area that were not in place.
func (e *Estate) Replace(area Area, results []ItemResult) {
	before, listed := *e.Area(area), len(e.Items)
	done := map[string]bool{}
	for _, r := range results {
		done[r.ID] = true
	}
	e.Items = slices.DeleteFunc(e.Items, func(i ItemResult) bool { return done[i.ID] })
	// Those that were not listed are counted as more, and now are told again.
	e.More = max(0, e.More-(len(results)-(listed-len(e.Items))))
	e.Add(area, results)
	count := e.Area(area)
	for _, kept := range []Verdict{InPlace, Drifted, Unavailable} {
		if n := before.By[kept]; n > 0 {
			count.By[kept] += n
			count.Items += n
		}
	}
	count.Settled = count.Items
}

// keep notes what is in place for a resource. An area adds an item once as in
// place: what was built later was not in place before.
func (e *Estate) keep(r ItemResult) {
	if r.Resource == "" || !r.Verdict.Good() {
		return
	}
	kind, region, _ := strings.Cut(r.ID, "/")
	region, _, _ = strings.Cut(region, "/")
	if e.Kept == nil {
		e.Kept = map[string]map[string]int{}
	}
	if e.Kept[r.Resource] == nil {
		e.Kept[r.Resource] = map[string]int{}
	}
	e.Kept[r.Resource][kind+" "+region]++
}

// Area is the count of an area, made when it isn't there yet.
func (e *Estate) Area(area Area) *AreaCount {
	i := slices.IndexFunc(e.Areas, func(c AreaCount) bool { return c.Area == area })
	if i < 0 {
		e.Areas = append(e.Areas, AreaCount{Area: area, By: map[Verdict]int{}})
		i = len(e.Areas) - 1
	}
	return &e.Areas[i]
}

// Count adds up a verdict over all areas.
func (e *Estate) Count(verdicts ...Verdict) int {
	n := 0
	for _, a := range e.Areas {
		for _, v := range verdicts {
			n += a.By[v]
		}
	}
	return n
}

// Of lists the items with a verdict.
func (e *Estate) Of(verdicts ...Verdict) []ItemResult {
	var out []ItemResult
	for _, i := range e.Items {
		if slices.Contains(verdicts, i.Verdict) {
			out = append(out, i)
		}
	}
	return out
}

// shown is a result as a report keeps it: what others refer to is left out, and
// documents are cut.
func shown(r ItemResult) ItemResult {
	r.Out = nil
	return r.Brief()
}

// Brief is a result with its long values cut: a thousand of them have to fit into
// one answer.
func (r ItemResult) Brief() ItemResult {
	changes := make([]Property, len(r.Changes))
	for i, c := range r.Changes {
		changes[i] = Property{Name: c.Name, Have: cut(c.Have), Want: cut(c.Want)}
	}
	r.Changes, r.Why = changes, cut(r.Why)
	return r
}

func cut(s string) string {
	if r := []rune(s); len(r) > longestShown {
		return string(r[:longestShown-1]) + "…"
	}
	return s
}

// Words is a count in words: "3 to create, 12 in place".
func (c AreaCount) Words() string {
	names := []struct {
		verdict Verdict
		words   string
	}{
		{Unkept, "failed"},
		{Missing, "missing"},
		{Blocked, "blocked"},
		{Unavailable, "not served here"},
		{Drifted, "drifted"},
		{ToCreate, "to create"},
		{ToChange, "to change"},
		{Created, "created"},
		{Changed, "changed"},
		{InPlace, "in place"},
	}
	var out []string
	for _, n := range names {
		if c.By[n.verdict] > 0 {
			out = append(out, fmt.Sprintf("%d %s", c.By[n.verdict], n.words))
		}
	}
	if len(out) == 0 {
		return "nothing to keep"
	}
	return strings.Join(out, ", ")
}
