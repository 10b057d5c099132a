package demo

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"lifeline/internal/plan"
	"lifeline/internal/report"
	"lifeline/local/aws/probe"
	"lifeline/local/aws/world"
)

// bucketWidth is one bar of the traffic chart.
const bucketWidth = 5 * time.Second

// outside is the report's view from the probe.
func (s *story) outside(sum Summary, lines []probe.Line) *report.Outside {
	judge := func(promise string) report.Verdict {
		if sum.Promises[promise] {
			return report.Held
		}
		return report.Missed
	}
	return &report.Outside{
		Source:      fmt.Sprintf("clients in %d places, one record a second each; every acknowledged write audited", len(s.stack.Plan.Traffic.Locations)),
		Compression: 1, Floor: s.stack.Plan.PredictedFloor(), Width: bucketWidth, Marks: s.marks, Kills: s.kills,
		Numbers: []report.Number{
			{Name: "client_rto_s", Label: "clients served again after", Value: sum.ClientRTO, Unit: "s", Limit: "at most 60 s", Verdict: judge("client_rto_s <= 60")},
			{Name: "lost_writes", Label: "acknowledged writes not in the survivor", Value: float64(sum.LostWrites), Limit: "only inside the measured lag", Verdict: judge("lost_writes only inside the measured replication lag")},
			{Name: "client_rpo_s", Label: "age of the oldest of them", Value: sum.ClientRPO, Unit: "s"},
			{Name: "two_writers_s", Label: "two Regions wrote at once", Value: sum.TwoWriters, Unit: "s", Limit: "0", Verdict: judge("two_writers_s = 0")},
			{Name: "duplicate_effects", Label: "effects applied twice", Value: float64(sum.DuplicateEffects), Limit: "0", Verdict: judge("duplicate_effects = 0")},
			{Name: "kill_cost_s", Label: "dearest killed worker", Value: sum.KillCost, Unit: "s", Limit: "at most 5 s", Verdict: judge("kill_cost_s <= 5")},
			{Name: "failback_lost_writes", Label: "acknowledged writes lost by failback", Value: float64(sum.FailbackLost), Limit: "0", Verdict: judge("failback_lost_writes = 0")},
			{Name: "failback_downtime_s", Label: "longest gap during failback", Value: sum.FailbackDowntime, Unit: "s"},
			{Name: "acked_writes", Label: "acknowledged writes", Value: float64(sum.AckedWrites)},
		},
		Comparisons: []report.Comparison{{
			What: "failure to clients served", Tolerance: probeInterval,
			Own: seconds(sum.OwnRTO), Outside: seconds(sum.ClientRTO),
		}},
		Traffic: traffic(lines),
	}
}

func seconds(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }

// traffic counts attempts by location and bucket.
func traffic(lines []probe.Line) []report.Traffic {
	byPlace := map[string]map[time.Time]*report.Bucket{}
	for _, l := range lines {
		if l.Kind != probe.Record {
			continue
		}
		at := l.Started.Truncate(bucketWidth)
		if byPlace[l.Location] == nil {
			byPlace[l.Location] = map[time.Time]*report.Bucket{}
		}
		b := byPlace[l.Location][at]
		if b == nil {
			b = &report.Bucket{At: at, OK: map[plan.Region]int{}}
			byPlace[l.Location][at] = b
		}
		if l.OK {
			b.OK[plan.Region(l.Region)]++
		} else {
			b.Failed++
		}
	}
	var out []report.Traffic
	for place, buckets := range byPlace {
		t := report.Traffic{Location: place}
		for _, b := range buckets {
			t.Buckets = append(t.Buckets, *b)
		}
		slices.SortFunc(t.Buckets, func(a, b report.Bucket) int { return a.At.Compare(b.At) })
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b report.Traffic) int { return strings.Compare(a.Location, b.Location) })
	return out
}

// duplicates counts effects that workers applied more than once within a span:
// the same operation on the same thing. Watermarks repeat by design, as do
// notifications; lost answers count as applied.
func duplicates(calls []world.CallRecord, from, to time.Time) int {
	seen, n := map[string]bool{}, 0
	for _, c := range calls {
		applied := c.Outcome == "ok" || c.Outcome == "answer lost"
		if !c.Mutating || !applied || c.Time.Before(from) || c.Time.After(to) || !strings.HasPrefix(c.Caller, "AKIAWORKER") || repeats(c) {
			continue
		}
		key := fmt.Sprint(c.Service, c.Operation, c.Region, c.Params) // fmt prints maps sorted
		if seen[key] {
			n++
		}
		seen[key] = true
	}
	return n
}

func repeats(c world.CallRecord) bool {
	return c.Operation == "Publish" || c.Operation == "PutItem" ||
		strings.Contains(c.Params["Key"], "lifeline/watermark/")
}
