package runbook

import "time"

// Clocks holds the moments that the four clocks run between. RTO counts from
// Failure, not from the start of the workflow.
type Clocks struct {
	Failure   time.Time `json:"failure"`            // start of the first failed look, by quorum
	Evidence  time.Time `json:"evidence"`           // the observers' verdict was complete
	Decided   time.Time `json:"decided,omitzero"`   // policy or people allowed traffic to leave
	Verified  time.Time `json:"verified,omitzero"`  // every location was served by the other Region
	Protected time.Time `json:"protected,omitzero"` // replication runs again
}

// Spans are the four clocks. Total is their sum and equals the wall clock from
// Failure to the last known moment.
type Spans struct {
	Detect      time.Duration `json:"detect"`
	Decide      time.Duration `json:"decide"`
	Execute     time.Duration `json:"execute"`
	Unprotected time.Duration `json:"unprotected"`
	Total       time.Duration `json:"total"`
}

// RTO is the part of the spans that the objective is about.
func (s Spans) RTO() time.Duration { return s.Detect + s.Decide + s.Execute }

// Spans reads the clocks at now: a clock that was not stopped still runs, and
// the ones after it have not started.
func (c Clocks) Spans(now time.Time) Spans {
	marks := [...]time.Time{c.Evidence, c.Decided, c.Verified, c.Protected}
	var spans [len(marks)]time.Duration
	last := c.Failure
	for i, mark := range marks {
		if last.IsZero() {
			break
		}
		if mark.IsZero() {
			spans[i] = max(0, now.Sub(last))
			break
		}
		spans[i] = max(0, mark.Sub(last))
		last = later(last, mark)
	}
	s := Spans{Detect: spans[0], Decide: spans[1], Execute: spans[2], Unprotected: spans[3]}
	s.Total = s.Detect + s.Decide + s.Execute + s.Unprotected
	return s
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// RTOState says how much of the budget is used up.
type RTOState string

// RTO states, the values of the search attribute LifelineRtoState.
const (
	RTOInside   RTOState = "inside"
	RTOHalf     RTOState = "half"     // 50 %: people were told
	RTOLate     RTOState = "late"     // 80 %: escalated, the faster branch is taken
	RTOBreached RTOState = "breached" // 100 %: recorded and paged; the run goes on
	RTOMet      RTOState = "met"      // verified inside the objective
	RTOMissed   RTOState = "missed"   // verified, but late
)

// Threshold is one point of the budget at which something is done.
type Threshold struct {
	Percent int
	State   RTOState
	At      time.Time
}

// Thresholds are the points of a budget that starts at the failure.
func Thresholds(failure time.Time, objective time.Duration) []Threshold {
	at := func(percent int) time.Time {
		return failure.Add(objective * time.Duration(percent) / 100)
	}
	return []Threshold{
		{50, RTOHalf, at(50)},
		{80, RTOLate, at(80)},
		{100, RTOBreached, at(100)},
	}
}
