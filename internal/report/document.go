package report

import (
	"time"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Document is everything that is told about a run.
type Document struct {
	Report runbook.Report `json:"report"`
	// Then lists the runs that followed and belong to the same story, e.g. the
	// failback after a failover.
	Then []runbook.Report `json:"then,omitempty"`
	// Outside is nil when nobody measured from the outside.
	Outside *Outside `json:"outside,omitempty"`
	// Register stands beside a run of setup: what it keeps, and for what.
	Register *runbook.Register `json:"register,omitempty"`
}

// Outside is what was seen of the application without asking the run.
type Outside struct {
	Source      string        `json:"source"`                // who measured, and how often
	Compression float64       `json:"time_compression"`      // AWS time divided by wall time; 1 is real time
	Floor       time.Duration `json:"predicted_floor"`       // fastest recovery that the configuration allows
	Numbers     []Number      `json:"numbers,omitempty"`     // the results, most important first
	Comparisons []Comparison  `json:"comparisons,omitempty"` // the run's own clocks against the outside
	Width       time.Duration `json:"bucket"`                // of one bucket in Traffic
	Traffic     []Traffic     `json:"traffic,omitempty"`
	Marks       []Mark        `json:"marks,omitempty"`
	Kills       []Kill        `json:"kills,omitempty"`
}

// Number is one measured result.
type Number struct {
	Name    string  `json:"name"` // as in the summary file: "client_rto_s"
	Label   string  `json:"label"`
	Value   float64 `json:"value"`
	Unit    string  `json:"unit,omitempty"`
	Limit   string  `json:"limit,omitempty"` // what was promised, in words: "at most 60 s"
	Verdict Verdict `json:"verdict,omitempty"`
}

// Verdict says whether a promise held.
type Verdict string

// Verdicts. A number without a promise has none.
const (
	Unjudged Verdict = ""
	Held     Verdict = "held"
	Missed   Verdict = "missed"
)

// Comparison sets one span of the run's own clocks beside the same span
// measured from the outside.
type Comparison struct {
	What      string        `json:"what"`
	Own       time.Duration `json:"own"`
	Outside   time.Duration `json:"outside"`
	Tolerance time.Duration `json:"tolerance"`
}

// Agrees reports whether both are as close as they were promised to be.
func (c Comparison) Agrees() bool { return (c.Own - c.Outside).Abs() <= c.Tolerance }

// Traffic is what the clients of one location saw over time.
type Traffic struct {
	Location string   `json:"location"`
	Buckets  []Bucket `json:"buckets"`
}

// Bucket counts the attempts that began within one span of time.
type Bucket struct {
	At     time.Time           `json:"at"`
	OK     map[plan.Region]int `json:"ok,omitempty"`
	Failed int                 `json:"failed,omitempty"`
}

// Mark is a moment worth drawing: the outage, the healing.
type Mark struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// Kill is a worker process that was killed on purpose.
type Kill struct {
	At     time.Time     `json:"at"`
	Worker string        `json:"worker"`
	During string        `json:"during"` // what it was doing
	Cost   time.Duration `json:"cost"`   // how much later the run went on because of it
}

// runs are all runs of the story, in order.
func (d Document) runs() []runbook.Report {
	return append([]runbook.Report{d.Report}, d.Then...)
}
