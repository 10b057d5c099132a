package report

import (
	"time"

	"lifeline/internal/runbook"
)

// page is what the template shows: every number is a text or a place by now.
type page struct {
	Title   string
	Head    runView
	Then    []runView
	Outside *outsideView
}

type fact struct {
	Name, Value string
}

// segment is one clock of the bar of clocks.
type segment struct {
	Name, Class, Took string
	Bar               bar
}

type clockView struct {
	Segments             []segment
	Limit                float64
	Objective, Predicted string
	Measured             string
	Unprotected          string
	State                runbook.RTOState
}

type lossView struct {
	Resource, Window, Objective, Evidence string
	Exceeds                               bool
}

type ballotView struct {
	runbook.Ballot
	When      string
	Decisions []decisionView
}

type decisionView struct {
	By, Verdict, At, Remark string
	Approve                 bool
}

type eventView struct {
	At, Offset, Kind, Text string
}

type servedView struct {
	Location, Region, At, Offset string
}

type runView struct {
	Title  string
	Tone   string // good, bad, warn or calm: the colour of the verdict
	Report runbook.Report
	Facts  []fact
	Clocks *clockView
	Origin string // what the axis counts from
	Ticks  []tick
	Rows   []ganttRow
	Moment []tick // evidence, decision, verification
	Losses []lossView
	Votes  []ballotView
	Events []eventView
	Served []servedView
	Left   []string
	// Estate and Register are of setup; Left then stands with them.
	Estate   *estateView
	Register *registerView
}

func newPage(d Document) page {
	p := page{Title: title(d.Report), Head: newRunView(d.Report)}
	if d.Register != nil {
		v := newRegisterView(*d.Register)
		p.Head.Register = &v
	}
	for _, r := range d.Then {
		p.Then = append(p.Then, newRunView(r))
	}
	if d.Outside != nil {
		v := newOutsideView(d)
		p.Outside = &v
	}
	return p
}

func newRunView(r runbook.Report) runView {
	s := newScale(r.Clocks.Failure, r.Started, asOf(r))
	zero := Zero(r)
	v := runView{
		Title: title(r), Tone: tone(r), Report: r, Facts: facts(r), Clocks: clocks(r),
		Origin: origin(r), Ticks: s.ticks(zero), Rows: gantt(r, s), Moment: moments(r, s),
		Losses: losses(r), Votes: votes(r), Events: events(r, zero), Served: served(r, zero),
		Left: r.Left, Estate: newEstateView(r),
	}
	if v.Estate != nil {
		v.Left = nil
	}
	return v
}

func origin(r runbook.Report) string {
	if r.Clocks.Failure.IsZero() {
		return "after the start, " + moment(r.Started)
	}
	return "after the failure, " + moment(r.Clocks.Failure)
}

func tone(r runbook.Report) string {
	switch r.Status {
	case runbook.Done:
		if r.RTOState == runbook.RTOMissed || r.RTOState == runbook.RTOBreached || incomplete(r) {
			return "warn"
		}
		return "good"
	case runbook.Failed, runbook.Stopped:
		return "bad"
	case runbook.Waiting, runbook.Held, runbook.Paused, runbook.Refused, runbook.Aborted, runbook.Reverted:
		return "warn"
	case runbook.Running:
		return "calm"
	}
	return "calm"
}

func facts(r runbook.Report) []fact {
	out := []fact{
		{"Started", r.Started.UTC().Format("2006-01-02 15:04:05 MST") + " by " + r.StartedBy},
		{"Ended", "still going on at " + moment(r.Now)},
		{"Workflow", r.WorkflowID},
		{"Run", r.RunID},
	}
	if !r.Ended.IsZero() {
		out[1].Value = r.Ended.UTC().Format("2006-01-02 15:04:05 MST") + ", after " + Span(r.Ended.Sub(r.Started))
	}
	if r.Fence != "" {
		out = append(out, fact{"Fence", string(r.Fence)})
	}
	if r.Estate != nil && r.Estate.Account != "" {
		out = append(out, fact{"Account", r.Estate.Account})
	}
	return out
}

// clocks draws detect, decide and execute against the objective. The time
// without protection has no objective and would dwarf them: it is a text.
func clocks(r runbook.Report) *clockView {
	if r.Clocks.Failure.IsZero() {
		return nil
	}
	spans := r.Clocks.Spans(asOf(r))
	whole := max(spans.RTO(), r.Objective, r.Predicted, time.Second)
	c := &clockView{
		Limit:     hundredth(float64(r.Objective) / float64(whole) * 100),
		Objective: Span(r.Objective), Predicted: positive(r.Predicted), Measured: Span(spans.RTO()),
		Unprotected: Span(spans.Unprotected), State: r.RTOState,
	}
	left := 0.0
	for _, part := range []struct {
		name string
		took time.Duration
	}{{"detect", spans.Detect}, {"decide", spans.Decide}, {"execute", spans.Execute}} {
		width := hundredth(float64(part.took) / float64(whole) * 100)
		c.Segments = append(c.Segments, segment{Name: part.name, Class: part.name, Took: Span(part.took), Bar: bar{hundredth(left), width}})
		left += width
	}
	return c
}

// moments marks on the timeline where one clock stops and the next begins.
func moments(r runbook.Report, s scale) []tick {
	var out []tick
	for _, m := range []struct {
		text string
		at   time.Time
	}{{"failure", r.Clocks.Failure}, {"evidence", r.Clocks.Evidence}, {"decided", r.Clocks.Decided}, {"verified", r.Clocks.Verified}} {
		if !m.at.IsZero() {
			out = append(out, tick{Left: s.at(m.at), Text: m.text})
		}
	}
	return out
}

func losses(r runbook.Report) []lossView {
	out := make([]lossView, 0, len(r.Losses))
	for _, l := range r.Losses {
		out = append(out, lossView{l.Resource, window(l), Span(l.Objective), l.Evidence, l.Exceeds()})
	}
	return out
}

func votes(r runbook.Report) []ballotView {
	out := make([]ballotView, 0, len(r.Ballots))
	for _, b := range r.Ballots {
		v := ballotView{Ballot: b, When: "asked at " + moment(b.Asked) + ", would have lapsed at " + moment(b.Expires)}
		if b.Result == runbook.Open {
			v.When = "asked at " + moment(b.Asked) + ", lapses at " + moment(b.Expires)
		}
		for _, d := range b.Decisions {
			v.Decisions = append(v.Decisions, decisionView{d.By, verdict(d), moment(d.Received), remark(d), d.Approve})
		}
		out = append(out, v)
	}
	return out
}

func events(r runbook.Report, zero time.Time) []eventView {
	out := make([]eventView, 0, len(r.Events))
	for _, e := range r.Events {
		out = append(out, eventView{moment(e.At), offset(e.At, zero), e.Kind, e.Text})
	}
	return out
}

func served(r runbook.Report, zero time.Time) []servedView {
	out := make([]servedView, 0, len(r.Served))
	for _, s := range r.Served {
		out = append(out, servedView{s.Location, string(s.Region), moment(s.At), offset(s.At, zero)})
	}
	return out
}

type legend struct {
	Name, Class string
}

type numberView struct {
	Number
	Shown string
}

type comparisonView struct {
	What, Own, Outside, Tolerance string
	Agrees                        bool
}

type killView struct {
	At, Worker, During, Cost string
}

type outsideView struct {
	Source, Compression, Floor string
	Numbers                    []numberView
	Comparisons                []comparisonView
	Legend                     []legend
	Rows                       []trafficRow
	Ticks, Marks               []tick
	Kills                      []killView
}

func newOutsideView(d Document) outsideView {
	o := *d.Outside
	regions := regionsOf(d)
	v := outsideView{Source: o.Source, Compression: compression(o.Compression), Floor: positive(o.Floor)}
	for _, n := range o.Numbers {
		v.Numbers = append(v.Numbers, numberView{n, number(n)})
	}
	for _, c := range o.Comparisons {
		v.Comparisons = append(v.Comparisons, comparisonView{c.What, Span(c.Own), Span(c.Outside), Span(c.Tolerance), c.Agrees()})
	}
	for i, region := range regions {
		v.Legend = append(v.Legend, legend{"served by " + string(region), regionClass(i)})
	}
	v.Legend = append(v.Legend, legend{"failed", "failed"})
	s := trafficScale(o)
	v.Rows = trafficRows(o, regions, s)
	v.Ticks = s.ticks(Zero(d.Report))
	for _, m := range o.Marks {
		v.Marks = append(v.Marks, tick{s.at(m.At), m.Text + " " + offset(m.At, Zero(d.Report))})
	}
	for _, k := range o.Kills {
		v.Marks = append(v.Marks, tick{s.at(k.At), "worker killed " + offset(k.At, Zero(d.Report))})
		v.Kills = append(v.Kills, killView{moment(k.At), k.Worker, k.During, Span(k.Cost)})
	}
	return v
}

// trafficScale spans all buckets, the last one to its end.
func trafficScale(o Outside) scale {
	var all []time.Time
	for _, t := range o.Traffic {
		for _, b := range t.Buckets {
			all = append(all, b.At, b.At.Add(o.Width))
		}
	}
	return newScale(all...)
}
