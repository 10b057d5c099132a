package cloudwatch

import (
	"math"
	"sort"
	"strconv"
	"strings"
	"time"
)

// keep is how many samples a metric holds; at one sample a second it is more
// than five hours, far longer than any drill.
const keep = 20000

// sample is what one PutMetricData entry says. values and counts are empty for
// a statistic set, which is why percentiles can't be had from such.
type sample struct {
	at             time.Time
	unit           string
	count, sum     float64
	min, max       float64
	values, counts []float64
}

func single(at time.Time, v float64, unit string) sample {
	return sample{at: at, unit: unit, count: 1, sum: v, min: v, max: v, values: []float64{v}, counts: []float64{1}}
}

// series is one metric's samples in order of time.
type series struct {
	id      metricID
	samples []sample
	last    time.Time // newest sample
}

func (s *series) add(p sample) {
	i := sort.Search(len(s.samples), func(i int) bool { return s.samples[i].at.After(p.at) })
	s.samples = append(s.samples, sample{})
	copy(s.samples[i+1:], s.samples[i:])
	s.samples[i] = p
	if len(s.samples) > keep {
		s.samples = append([]sample(nil), s.samples[len(s.samples)-keep:]...)
	}
	if p.at.After(s.last) {
		s.last = p.at
	}
}

// bucket is the statistics of one period.
type bucket struct {
	start time.Time
	sample
}

func (b *bucket) add(p sample) {
	if b.count == 0 {
		b.min, b.max, b.unit = p.min, p.max, p.unit
	}
	b.count += p.count
	b.sum += p.sum
	b.min = math.Min(b.min, p.min)
	b.max = math.Max(b.max, p.max)
	b.values = append(b.values, p.values...)
	b.counts = append(b.counts, p.counts...)
}

// buckets groups the samples of [from, to) into periods that are aligned to the
// clock, oldest first; periods without samples are left out. unit "" is any.
func (s *series) buckets(from, to time.Time, period time.Duration, unit string) []*bucket {
	var out []*bucket
	first := sort.Search(len(s.samples), func(i int) bool { return !s.samples[i].at.Before(from) })
	for _, p := range s.samples[first:] {
		if !p.at.Before(to) {
			break
		}
		if unit != "" && p.unit != unit {
			continue
		}
		start := p.at.UTC().Truncate(period)
		if len(out) == 0 || !out[len(out)-1].start.Equal(start) {
			out = append(out, &bucket{start: start})
		}
		out[len(out)-1].add(p)
	}
	return out
}

// stat reads a statistic of the bucket; ok is false when the name is none or the
// samples don't allow it.
func (b *bucket) stat(name string) (v float64, ok bool) {
	switch name {
	case "SampleCount":
		return b.count, true
	case "Sum":
		return b.sum, true
	case "Minimum":
		return b.min, true
	case "Maximum":
		return b.max, true
	case "Average":
		return b.sum / b.count, true
	}
	p, ok := percentile(name)
	if !ok || len(b.values) == 0 {
		return 0, false
	}
	return b.quantile(p), true
}

// percentile reads "p99" or "p99.9" as 0.99 or 0.999.
func percentile(name string) (float64, bool) {
	digits, ok := strings.CutPrefix(name, "p")
	if !ok {
		return 0, false
	}
	p, err := strconv.ParseFloat(digits, 64)
	if err != nil || p < 0 || p > 100 {
		return 0, false
	}
	return p / 100, true
}

// quantile is the smallest value that at least the fraction p of all values do
// not exceed (nearest rank).
func (b *bucket) quantile(p float64) float64 {
	order := make([]int, len(b.values))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(i, j int) bool { return b.values[order[i]] < b.values[order[j]] })
	total := 0.0
	for _, n := range b.counts {
		total += n
	}
	seen := 0.0
	for _, i := range order {
		seen += b.counts[i]
		if seen >= p*total {
			return b.values[i]
		}
	}
	return b.values[order[len(order)-1]]
}

// known says whether CloudWatch has a statistic of that name.
func known(stat string) bool {
	switch stat {
	case "SampleCount", "Sum", "Minimum", "Maximum", "Average":
		return true
	}
	_, ok := percentile(stat)
	return ok
}
