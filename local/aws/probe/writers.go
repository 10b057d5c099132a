package probe

import (
	"slices"
	"time"
)

// reign is the time in which one Region acknowledged single-writer writes under
// one epoch.
type reign struct {
	region      string
	epoch       int64
	first, last time.Time
}

// reigns sums up the acknowledged invoices. An epoch rises with each promotion.
func reigns(lines []Line) []reign {
	var out []reign
	for _, l := range lines {
		if !l.OK || l.Kind != Invoice {
			continue
		}
		i := slices.IndexFunc(out, func(r reign) bool { return r.region == l.Region && r.epoch == l.Epoch })
		if i < 0 {
			out = append(out, reign{l.Region, l.Epoch, l.Ended, l.Ended})
			continue
		}
		if l.Ended.Before(out[i].first) {
			out[i].first = l.Ended
		}
		if l.Ended.After(out[i].last) {
			out[i].last = l.Ended
		}
	}
	return out
}

// span is a piece of time.
type span struct{ from, to time.Time }

// twoWriters is how long two Regions were writers at once, as seen by clients:
// from the first acknowledgement under a newer epoch to the last one, of another
// Region, under an older epoch. Two Regions that share an epoch overlap where
// their acknowledgements do.
func twoWriters(lines []Line) time.Duration {
	all := reigns(lines)
	var overlaps []span
	for i, a := range all {
		for _, b := range all[i+1:] {
			if s := overlap(a, b); a.region != b.region && s.to.After(s.from) {
				overlaps = append(overlaps, s)
			}
		}
	}
	return total(overlaps)
}

func overlap(a, b reign) span {
	switch {
	case a.epoch < b.epoch:
		return span{b.first, a.last}
	case a.epoch > b.epoch:
		return span{a.first, b.last}
	}
	s := span{a.first, a.last}
	if b.first.After(s.from) {
		s.from = b.first
	}
	if b.last.Before(s.to) {
		s.to = b.last
	}
	return s
}

// total is the length of spans, counted once where they overlap.
func total(spans []span) time.Duration {
	slices.SortFunc(spans, func(a, b span) int { return a.from.Compare(b.from) })
	var sum time.Duration
	var end time.Time
	for _, s := range spans {
		if s.from.Before(end) {
			s.from = end
		}
		if s.to.After(s.from) {
			sum += s.to.Sub(s.from)
			end = s.to
		}
	}
	return sum
}

// epochConflicts counts epochs under which more than one Region acknowledged:
// wrong even when they did so one after the other.
func epochConflicts(lines []Line) int {
	regions := map[int64]map[string]bool{}
	for _, r := range reigns(lines) {
		if regions[r.epoch] == nil {
			regions[r.epoch] = map[string]bool{}
		}
		regions[r.epoch][r.region] = true
	}
	n := 0
	for _, names := range regions {
		if len(names) > 1 {
			n++
		}
	}
	return n
}
