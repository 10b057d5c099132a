package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// length is how long something took; empty while it has not ended.
func length(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	return Span(to.Sub(from))
}

// positive is a span that is empty when it is not known.
func positive(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return Span(d)
}

func orNone(d time.Duration) string {
	if d <= 0 {
		return "nothing"
	}
	return Span(d)
}

// window says a data-loss window; an unmeasured one is not zero.
func window(l runbook.Loss) string {
	if !l.Known {
		return "not measurable"
	}
	return Span(l.Window)
}

func verdict(d runbook.Decision) string {
	if d.Approve {
		return "approved"
	}
	return "rejected"
}

// remark is what an approver said besides yes or no.
func remark(d runbook.Decision) string {
	var parts []string
	if len(d.Acknowledge) > 0 {
		parts = append(parts, "acknowledging "+strings.Join(d.Acknowledge, ", "))
	}
	if d.Comment != "" {
		parts = append(parts, strconv.Quote(d.Comment))
	}
	return strings.Join(parts, " ")
}

// compression says which time all spans are in.
func compression(factor float64) string {
	switch {
	case factor <= 0:
		return ""
	case factor == 1:
		return "real time, not compressed"
	default:
		return fmt.Sprintf("compressed: every wait was %s times shorter than on AWS", strconv.FormatFloat(factor, 'g', 4, 64))
	}
}

func number(n Number) string {
	return strings.TrimSpace(strconv.FormatFloat(n.Value, 'f', -1, 64) + " " + n.Unit)
}

// tally adds a location's traffic up: per Region, failed, and the longest span
// without a single success.
func tally(t Traffic) string {
	served := map[plan.Region]int{}
	failed := 0
	for _, b := range t.Buckets {
		for region, n := range b.OK {
			served[region] += n
		}
		failed += b.Failed
	}
	parts := make([]string, 0, len(served)+2)
	for _, region := range sortedRegions(served) {
		parts = append(parts, fmt.Sprintf("%d served by %s", served[region], region))
	}
	parts = append(parts, fmt.Sprintf("%d failed", failed))
	if gap := longestGap(t); gap > 0 {
		parts = append(parts, "longest time without service about "+Span(gap))
	}
	return strings.Join(parts, " · ")
}

// longestGap is the longest run of buckets that saw attempts and no success,
// as precise as the buckets are.
func longestGap(t Traffic) time.Duration {
	var longest time.Duration
	var began time.Time
	for i, b := range t.Buckets {
		ok := 0
		for _, n := range b.OK {
			ok += n
		}
		switch {
		case ok > 0 && !began.IsZero():
			longest = max(longest, b.At.Sub(began))
			began = time.Time{}
		case ok == 0 && b.Failed > 0 && began.IsZero():
			began = b.At
		case ok == 0 && i == len(t.Buckets)-1 && !began.IsZero():
			longest = max(longest, b.At.Sub(began))
		}
	}
	return longest
}

func sortedRegions[V any](m map[plan.Region]V) []plan.Region {
	out := make([]plan.Region, 0, len(m))
	for r := range m {
		out = append(out, r)
	}
	slices.Sort(out)
	return out
}
