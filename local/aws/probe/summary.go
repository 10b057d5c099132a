package probe

import (
	"cmp"
	"slices"
	"time"
)

// Marks are the moments that somebody outside the run knows: when the Region was
// broken, and which planned moves were made.
type Marks struct {
	// Failed is when the failure began. Zero: at the first failed attempt.
	Failed time.Time `json:"failed,omitzero"`
	// Until ends the time that recovery is judged in. Zero: the first window
	// after Failed, or the end of the ledger.
	Until time.Time `json:"until,omitzero"`
	// Windows are the planned moves, such as the failback.
	Windows []Window `json:"windows,omitempty"`
}

// Window is a span of time with a name.
type Window struct {
	Name string    `json:"name"`
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

func (w Window) holds(t time.Time) bool { return !t.Before(w.From) && !t.After(w.To) }

// Recovery is how long clients of one location could not write one kind.
type Recovery struct {
	Seconds        float64   `json:"seconds"` // a lower bound unless Recovered
	FirstFailed    time.Time `json:"first_failed,omitzero"`
	Good           time.Time `json:"good,omitzero"` // end of the first success after which all succeed
	FailedAttempts int       `json:"failed_attempts"`
	Recovered      bool      `json:"recovered"`
}

// WindowSummary is what a planned move cost.
type WindowSummary struct {
	Window
	DowntimeSeconds map[Kind]float64 `json:"downtime_s"` // worst location
	Recovered       bool             `json:"recovered"`
	LostWrites      map[Kind]int     `json:"lost_writes"`
}

// Summary is what the clients went through.
type Summary struct {
	Attempts          int                          `json:"attempts"`
	Failed            time.Time                    `json:"failed,omitzero"` // the failure that is judged
	Recoveries        map[Kind]map[string]Recovery `json:"recoveries"`      // by location
	ClientRTO         map[Kind]float64             `json:"client_rto_s"`    // worst location
	Recovered         map[Kind]bool                `json:"recovered"`       // in every location
	ClientRPO         map[Kind]float64             `json:"client_rpo_s"`
	AckedWrites       map[Kind]int                 `json:"acked_writes"`
	LostWrites        map[Kind]int                 `json:"lost_writes"`
	UnauditedWrites   map[Kind]int                 `json:"unaudited_writes"` // acknowledged, but nobody could say whether they are there
	TwoWritersSeconds float64                      `json:"two_writers_s"`
	EpochConflicts    int                          `json:"epoch_conflicts"` // epochs under which two Regions acknowledged
	Duplicates        int                          `json:"duplicates"`      // acknowledgements of an id beyond its first
	Windows           []WindowSummary              `json:"windows,omitempty"`
}

// Summarise makes sums from a ledger, an audit of it (zero when none was made)
// and the marks. It is pure; the order of the lines doesn't matter.
func Summarise(ledger []Line, audit AuditResult, marks Marks) Summary {
	lines := inOrder(ledger)
	out := Summary{
		Attempts: len(lines), Recoveries: map[Kind]map[string]Recovery{}, ClientRTO: map[Kind]float64{}, Recovered: map[Kind]bool{},
		ClientRPO: map[Kind]float64{}, AckedWrites: map[Kind]int{}, LostWrites: map[Kind]int{}, UnauditedWrites: map[Kind]int{},
		TwoWritersSeconds: twoWriters(lines).Seconds(), EpochConflicts: epochConflicts(lines), Duplicates: duplicates(lines),
	}
	main := judged(lines, marks)
	out.Failed = main.From
	for kind, places := range byPlace(lines) {
		out.Recoveries[kind] = map[string]Recovery{}
		out.Recovered[kind] = true
		for location, attempts := range places {
			r := measure(attempts, main)
			out.Recoveries[kind][location] = r
			out.ClientRTO[kind] = max(out.ClientRTO[kind], r.Seconds)
			out.Recovered[kind] = out.Recovered[kind] && r.Recovered
		}
	}
	out.count(lines, audit, main.From)
	for _, w := range marks.Windows {
		out.Windows = append(out.Windows, summariseWindow(lines, audit, w))
	}
	return out
}

// inOrder sorts by start, and repairs attempts that a stepping clock made end
// before they began.
func inOrder(ledger []Line) []Line {
	lines := slices.Clone(ledger)
	for i := range lines {
		if lines[i].Ended.Before(lines[i].Started) {
			lines[i].Ended = lines[i].Started
		}
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Seq, b.Seq)) })
	return lines
}

// judged is the span in which recovery is judged.
func judged(lines []Line, marks Marks) Window {
	w := Window{From: marks.Failed, To: marks.Until}
	if w.From.IsZero() {
		if first := slices.IndexFunc(lines, func(l Line) bool { return !l.OK }); first >= 0 {
			w.From = lines[first].Started
		}
	}
	if !w.To.IsZero() {
		return w
	}
	for _, l := range lines {
		if l.Ended.After(w.To) {
			w.To = l.Ended
		}
	}
	for _, planned := range marks.Windows {
		if planned.From.After(w.From) && planned.From.Before(w.To) {
			w.To = planned.From
		}
	}
	return w
}

func byPlace(lines []Line) map[Kind]map[string][]Line {
	out := map[Kind]map[string][]Line{}
	for _, l := range lines {
		if out[l.Kind] == nil {
			out[l.Kind] = map[string][]Line{}
		}
		out[l.Kind][l.Location] = append(out[l.Kind][l.Location], l)
	}
	return out
}

// measure goes from the start of the first failed attempt to the end of the
// first success after which everything in the window succeeds. An attempt
// belongs to the window when it was under way in it: one that began before the
// failure and died of it counts.
func measure(attempts []Line, w Window) Recovery {
	var r Recovery
	var last time.Time // end of the last failed attempt
	for _, a := range attempts {
		if a.OK || a.Ended.Before(w.From) || a.Started.After(w.To) {
			continue
		}
		if r.FailedAttempts == 0 {
			r.FirstFailed = a.Started
		}
		r.FailedAttempts++
		if a.Ended.After(last) {
			last = a.Ended
		}
	}
	if r.FailedAttempts == 0 {
		r.Recovered = true
		return r
	}
	lastFailed := lastFailure(attempts, w)
	for _, a := range attempts {
		// What ended after the window can still prove that service was back.
		if a.OK && a.Started.After(lastFailed) && (r.Good.IsZero() || a.Ended.Before(r.Good)) {
			r.Good, r.Recovered = a.Ended, true
		}
	}
	end := last
	if r.Recovered {
		end = r.Good
	}
	r.Seconds = max(0, end.Sub(r.FirstFailed).Seconds())
	return r
}

// lastFailure is the start of the last failed attempt in a window.
func lastFailure(attempts []Line, w Window) time.Time {
	var last time.Time
	for _, a := range attempts {
		if !a.OK && !a.Ended.Before(w.From) && !a.Started.After(w.To) && a.Started.After(last) {
			last = a.Started
		}
	}
	return last
}

// count sums up acknowledged and lost writes; the age of the oldest lost one at
// the failure is the client's RPO.
func (s *Summary) count(lines []Line, audit AuditResult, failed time.Time) {
	for _, l := range lines {
		if !l.OK {
			continue
		}
		s.AckedWrites[l.Kind]++
		switch audit.verdict(l) {
		case Lost:
			s.LostWrites[l.Kind]++
			if !failed.IsZero() {
				s.ClientRPO[l.Kind] = max(s.ClientRPO[l.Kind], failed.Sub(l.Ended).Seconds())
			}
		case Unknown:
			s.UnauditedWrites[l.Kind]++
		case Present:
		}
	}
}

func duplicates(lines []Line) int {
	type write struct {
		kind Kind
		id   string
	}
	seen, n := map[write]bool{}, 0
	for _, l := range lines {
		if !l.OK {
			continue
		}
		w := write{l.Kind, l.ID}
		if seen[w] {
			n++
		}
		seen[w] = true
	}
	return n
}

func summariseWindow(lines []Line, audit AuditResult, w Window) WindowSummary {
	out := WindowSummary{Window: w, DowntimeSeconds: map[Kind]float64{}, Recovered: true, LostWrites: map[Kind]int{}}
	for kind, places := range byPlace(lines) {
		out.DowntimeSeconds[kind] = 0
		out.LostWrites[kind] = 0
		for _, attempts := range places {
			r := measure(attempts, w)
			out.DowntimeSeconds[kind] = max(out.DowntimeSeconds[kind], r.Seconds)
			out.Recovered = out.Recovered && r.Recovered
		}
	}
	for _, l := range lines {
		if l.OK && w.holds(l.Ended) && audit.verdict(l) == Lost {
			out.LostWrites[l.Kind]++
		}
	}
	return out
}
