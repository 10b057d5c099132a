package workflows

import (
	"slices"

	"lifeline/internal/runbook"
)

// turn is one item and what comes before it.
type turn struct {
	item  runbook.Item
	id    string
	needs []string // have to be in place
	after []string // have to be settled, whatever became of them
}

// turns says when each item's turn comes: by item, and not by area, so that what
// AWS takes slowly begins early. A survey only has to know what an item refers to.
//
// A change waits for all that the item needs, and for what earlier areas do for
// the same resource. An alarm does not: AWS takes few of them in a second, and by
// itself it tells nobody. What pages people comes last, so that nobody is woken by
// what is still being made. What is given to the traffic and its alarms may be a
// recovery stack's to make.
func turns(items []runbook.Item, change bool) []turn {
	out := make([]turn, len(items))
	for i, item := range items {
		out[i] = turn{item: item, id: item.ID()}
		if !change {
			out[i].after = item.Refers()
		}
	}
	if !change {
		return out
	}
	order, same := areaOrder(), map[string][]turn{}
	for _, t := range out {
		same[t.item.Resource] = append(same[t.item.Resource], t)
	}
	for i := range out {
		t := &out[i]
		t.needs = t.item.Waits()
		t.after = slices.Clone(t.needs)
		earlier := func(o turn) bool { return order[o.item.Area] < order[t.item.Area] }
		switch {
		case t.item.Want["tells/ALARM"] != "":
			t.behind(out, earlier)
		case t.item.Given && order[t.item.Area] >= order[runbook.AreaTraffic]:
			t.behind(out, func(o turn) bool { return o.item.Area == runbook.AreaStack })
		case t.item.Resource != "" && t.item.Area != runbook.AreaMonitoring:
			t.behind(same[t.item.Resource], earlier)
		}
	}
	return out
}

// behind puts a turn after some of the others.
func (t *turn) behind(others []turn, some func(turn) bool) {
	for _, o := range others {
		if some(o) {
			t.after = append(t.after, o.id)
		}
	}
}

func areaOrder() map[runbook.Area]int {
	order := map[runbook.Area]int{}
	for i, a := range runbook.Areas() {
		order[a] = i
	}
	return order
}
