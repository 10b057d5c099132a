package bench

import (
	"cmp"
	"math"
	"slices"
	"time"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Bucket is one of AWS's token buckets and what a run asked of it.
type Bucket struct {
	Service   string  `json:"service"`
	Region    string  `json:"region"`
	Operation string  `json:"operation,omitempty"` // empty: all of the service, or all changes
	Changes   bool    `json:"changes,omitempty"`
	Calls     int     `json:"calls"`
	PerSecond float64 `json:"per_second"`
	Burst     float64 `json:"burst"`
	Seconds   float64 `json:"seconds"` // at least, for these calls
	First     float64 `json:"first_s"` // since the command
	Last      float64 `json:"last_s"`
}

// throttled is how the call log writes that a bucket was empty.
const throttled = "throttled"

// buckets sorts calls into the buckets that they took tokens of, slowest first.
func buckets(begun time.Time, calls []world.CallRecord, limits map[wire.LimitKey]wire.Rate) []Bucket {
	type key struct {
		limit  wire.LimitKey
		region string
	}
	found := map[key]*Bucket{}
	for _, c := range calls {
		limit, rate, limited := wire.LimitOf(limits, c.Service, c.Operation)
		if !limited || c.Outcome == throttled {
			continue
		}
		at := key{limit, c.Region}
		if found[at] == nil {
			found[at] = &Bucket{
				Service: limit.Service, Region: c.Region, Operation: limit.Operation, Changes: limit.Mutating,
				PerSecond: rate.PerSecond, Burst: rate.Burst, First: math.Inf(1),
			}
		}
		found[at].Calls++
		when := c.Time.Sub(begun).Seconds()
		found[at].First, found[at].Last = min(found[at].First, when), max(found[at].Last, when)
	}
	out := make([]Bucket, 0, len(found))
	for _, b := range found {
		b.Seconds = max(0, float64(b.Calls)-b.Burst) / b.PerSecond
		out = append(out, *b)
	}
	slices.SortFunc(out, func(a, b Bucket) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Service+a.Region+a.Operation, b.Service+b.Region+b.Operation))
	})
	return out
}

// count counts the calls that a test says yes to.
func count(calls []world.CallRecord, yes func(world.CallRecord) bool) int {
	n := 0
	for _, c := range calls {
		if yes(c) {
			n++
		}
	}
	return n
}
