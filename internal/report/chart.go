package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// scale maps moments to percent of a chart's width.
type scale struct {
	from, to time.Time
}

// newScale spans the moments given; an empty or zero-length span is widened to a second.
func newScale(moments ...time.Time) scale {
	var s scale
	for _, t := range moments {
		if t.IsZero() {
			continue
		}
		if s.from.IsZero() || t.Before(s.from) {
			s.from = t
		}
		if t.After(s.to) {
			s.to = t
		}
	}
	if !s.to.After(s.from) {
		s.to = s.from.Add(time.Second)
	}
	return s
}

// at is a moment's place in percent, kept inside the chart.
func (s scale) at(t time.Time) float64 {
	p := float64(t.Sub(s.from)) / float64(s.to.Sub(s.from)) * 100
	return hundredth(min(100, max(0, p)))
}

// bar places a span. It is never thinner than can be seen.
func (s scale) bar(from, to time.Time) bar {
	const thinnest = 0.5
	left := s.at(from)
	width := max(thinnest, hundredth(s.at(to)-left))
	return bar{Left: min(left, 100-thinnest), Width: width}
}

type bar struct {
	Left, Width float64
}

func hundredth(f float64) float64 { return math.Round(f*100) / 100 }

// tick is one labelled line of a time axis.
type tick struct {
	Left float64
	Text string
}

// ticks are about five round moments counted from zero.
func (s scale) ticks(zero time.Time) []tick {
	const wanted = 5
	step := roundStep(s.to.Sub(s.from) / wanted)
	if zero.IsZero() {
		zero = s.from
	}
	first := s.from.Sub(zero).Truncate(step)
	var out []tick
	for d := first; !zero.Add(d).After(s.to); d += step {
		if at := zero.Add(d); !at.Before(s.from) {
			out = append(out, tick{Left: s.at(at), Text: axis(d)})
		}
	}
	return out
}

// axis labels a tick as shortly as its step allows.
func axis(d time.Duration) string {
	switch {
	case d != 0 && d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d != 0 && d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d%time.Second == 0:
		return fmt.Sprintf("%d s", d/time.Second)
	default:
		return Span(d)
	}
}

// roundStep is the next round span that people count in.
func roundStep(d time.Duration) time.Duration {
	steps := []time.Duration{
		100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
		time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour,
	}
	for _, s := range steps {
		if s >= d {
			return s
		}
	}
	return d.Round(24 * time.Hour)
}

// ganttRow is a stage or one of its steps.
type ganttRow struct {
	Name, Where, Detail, Took string
	State                     runbook.State
	Stage, OneWay             bool
	Times                     int
	Bars                      []stateBar
}

// stateBar is one attempt.
type stateBar struct {
	bar
	State runbook.State
}

// gantt draws what took how long, in the order of the runbook; a repeated step
// is one row with a bar for each time.
func gantt(r runbook.Report, s scale) []ganttRow {
	var rows []ganttRow
	bars := func(row *ganttRow, from, to time.Time, state runbook.State) {
		if !from.IsZero() {
			row.Bars = append(row.Bars, stateBar{s.bar(from, ended(to, r)), state})
		}
	}
	for _, stage := range r.Stages {
		row := ganttRow{
			Name: capital(string(stage.Name)), Detail: stage.Title, State: stage.State, Stage: true, OneWay: stage.OneWay,
			Took: length(stage.Started, stage.Ended), Times: 1,
		}
		bars(&row, stage.Started, stage.Ended, stage.State)
		rows = append(rows, row)
		for _, step := range Repeats(stage.Steps) {
			row := ganttRow{
				Name: step.Name, Where: where(step.Step), Detail: cmp.Or(step.Error, step.Evidence), State: step.State,
				OneWay: step.Reversibility == runbook.OneWay, Took: length(step.All[0].Started, step.Ended), Times: len(step.All),
			}
			for _, one := range step.All {
				bars(&row, one.Started, one.Ended, one.State)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// ended is when something ended; what still goes on lasts until the report's last moment.
func ended(t time.Time, r runbook.Report) time.Time {
	if t.IsZero() {
		return asOf(r)
	}
	return t
}

// column is one bucket of a location's traffic, as rectangles of a chart that
// is 100 high: served by each Region from the ground up, failures on top.
type column struct {
	X     int
	Parts []part
}

type part struct {
	Y, Height float64
	Class     string
}

// trafficRow is one location's chart.
type trafficRow struct {
	Location, Tally string
	Count           int
	Columns         []column
}

// trafficRows draws all locations on one time axis.
func trafficRows(o Outside, regions []plan.Region, s scale) []trafficRow {
	width := max(o.Width, time.Millisecond)
	rows := make([]trafficRow, 0, len(o.Traffic))
	for _, t := range o.Traffic {
		most := 1
		for _, b := range t.Buckets {
			most = max(most, total(b))
		}
		row := trafficRow{Location: t.Location, Tally: tally(t), Count: int(s.to.Sub(s.from) / width)}
		for _, b := range t.Buckets {
			row.Columns = append(row.Columns, column{X: int(b.At.Sub(s.from) / width), Parts: parts(b, regions, float64(most))})
		}
		rows = append(rows, row)
	}
	return rows
}

func total(b Bucket) int {
	n := b.Failed
	for _, ok := range b.OK {
		n += ok
	}
	return n
}

func parts(b Bucket, regions []plan.Region, most float64) []part {
	var out []part
	top := 100.0
	add := func(n int, class string) {
		if n > 0 {
			h := float64(n) / most * 100
			top -= h
			out = append(out, part{Y: hundredth(top), Height: hundredth(h), Class: class})
		}
	}
	for i, region := range regions {
		add(b.OK[region], regionClass(i))
	}
	add(b.Failed, "failed")
	return out
}

// regionClass names the colour of the i-th Region; colours come again after four.
func regionClass(i int) string { return [...]string{"r0", "r1", "r2", "r3"}[i%4] }

// regionsOf lists the Regions of a story: the one that is left, the one that
// takes over, then all others that served anybody.
func regionsOf(d Document) []plan.Region {
	out := []plan.Region{d.Report.From, d.Report.To}
	if d.Outside == nil {
		return out
	}
	seen := map[plan.Region]int{}
	for _, t := range d.Outside.Traffic {
		for _, b := range t.Buckets {
			for region := range b.OK {
				seen[region]++
			}
		}
	}
	for _, region := range sortedRegions(seen) {
		if !slices.Contains(out, region) {
			out = append(out, region)
		}
	}
	return out
}
