package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"lifeline/internal/runbook"
)

// crew is the areas that run side by side. What items of one wait for in another
// is passed on by their parent.
type crew struct {
	runs     map[runbook.Area]bool
	children map[runbook.Area]workflow.ChildWorkflowFuture
	needs    map[runbook.Area]map[string]bool // ids that an area's items refer to or need, wherever they are
	expect   map[runbook.Area][]string        // ids of others that an area waits for
	tell     map[runbook.Area][]string        // ids that others wait for
	told     map[string]bool
}

// newCrew finds out who waits for whom among the items that run.
func newCrew(all []runbook.Item, change bool, runs func(runbook.Item) bool) *crew {
	c := &crew{
		runs: map[runbook.Area]bool{}, children: map[runbook.Area]workflow.ChildWorkflowFuture{}, needs: map[runbook.Area]map[string]bool{},
		expect: map[runbook.Area][]string{}, tell: map[runbook.Area][]string{}, told: map[string]bool{},
	}
	at := map[string]runbook.Area{}
	var running []turn
	for _, t := range turns(all, change) {
		if runs(t.item) {
			at[t.id] = t.item.Area
			running = append(running, t)
		}
	}
	for _, t := range running {
		mine := t.item.Area
		if !c.runs[mine] {
			c.runs[mine], c.needs[mine] = true, map[string]bool{}
		}
		for _, id := range t.after {
			c.needs[mine][id] = true
			if where, ok := at[id]; ok && where != mine {
				c.expect[mine] = append(c.expect[mine], id)
				c.tell[where] = append(c.tell[where], id)
			}
		}
	}
	for _, area := range runbook.Areas() {
		for _, lists := range []map[runbook.Area][]string{c.expect, c.tell} {
			slices.Sort(lists[area])
			lists[area] = slices.Compact(lists[area])
		}
	}
	return c
}

// known is what an area has to know to begin with.
func (c *crew) known(area runbook.Area, all map[string]map[string]string) map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, id := range workflow.DeterministicKeys(c.needs[area]) {
		if properties, ok := all[id]; ok {
			out[id] = properties
		}
	}
	return out
}

// pass tells the areas that wait for it what became of items. Nobody waits for the
// news to arrive: an area that has ended needs none.
func (c *crew) pass(ctx workflow.Context, n News) {
	fresh := n.of(func(id string) bool { return !c.told[id] })
	for _, id := range fresh.ids() {
		c.told[id] = true
	}
	for _, area := range runbook.Areas() {
		child, mine := c.children[area], fresh.of(func(id string) bool { return slices.Contains(c.expect[area], id) })
		if child == nil || len(mine.ids()) == 0 {
			continue
		}
		for _, part := range mine.parts() {
			workflow.Go(ctx, func(ctx workflow.Context) { _ = child.SignalChildWorkflow(ctx, signalNews, part).Get(ctx, nil) })
		}
	}
}

// News is what became of items that others wait for.
type News struct {
	// Known are properties of those that are there.
	Known map[string]map[string]string `json:"known,omitempty"`
	// Gone are those that nothing can refer to.
	Gone []string `json:"gone,omitempty"`
}

// newsOf sorts ids that are settled.
func newsOf(ids []string, known map[string]map[string]string) News {
	n := News{Known: map[string]map[string]string{}}
	for _, id := range ids {
		if properties, ok := known[id]; ok {
			n.Known[id] = properties
		} else {
			n.Gone = append(n.Gone, id)
		}
	}
	return n
}

// into adds what is known to what was known before.
func (n News) into(known map[string]map[string]string) {
	for _, id := range workflow.DeterministicKeys(n.Known) {
		known[id] = n.Known[id]
	}
}

func (n News) ids() []string { return append(workflow.DeterministicKeys(n.Known), n.Gone...) }

// of is the part of the news that is about some ids.
func (n News) of(some func(id string) bool) News {
	out := News{Known: map[string]map[string]string{}}
	for _, id := range workflow.DeterministicKeys(n.Known) {
		if some(id) {
			out.Known[id] = n.Known[id]
		}
	}
	for _, id := range n.Gone {
		if some(id) {
			out.Gone = append(out.Gone, id)
		}
	}
	return out
}

// partOfNews is how many items one signal tells of: some properties and ARNs
// each, and together less than the workers' door lets through.
const partOfNews = 20

// parts splits news into signals of their own. News that is too large would be
// dropped at the door, and those that wait for it would wait for ever.
func (n News) parts() []News {
	var out []News
	for ids := range slices.Chunk(n.ids(), partOfNews) {
		out = append(out, n.of(func(id string) bool { return slices.Contains(ids, id) }))
	}
	return out
}
