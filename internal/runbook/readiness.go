package runbook

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Grade is the verdict of one check of readiness.
type Grade string

// Grades. Unknown is what could not be read: never green, since a failover
// would find out at the worst time.
const (
	Green   Grade = "green"
	Amber   Grade = "amber" // works, but worse than it should
	Red     Grade = "red"   // a failover would fail, or miss its objective
	Unknown Grade = "unknown"
)

// Subjects of checks, in the order in which they are shown.
const (
	OnTraffic = "traffic"
	OnData    = "data"
	OnCompute = "compute"
	OnBackups = "backups"
	OnAccess  = "access"
	OnParity  = "parity" // both Regions are alike
	OnProof   = "proof"  // drills, restore tests, and whether they are stale
)

// Subjects lists them.
func Subjects() []string {
	return []string{OnTraffic, OnData, OnCompute, OnBackups, OnAccess, OnParity, OnProof}
}

// Proof is one thing that a check read.
type Proof struct {
	Read   string    `json:"read"`   // what was read, and what it said
	Region string    `json:"region"` // where it was read; empty for what is computed
	At     time.Time `json:"at"`
}

// CheckResult is one check of readiness.
type CheckResult struct {
	ID       string  `json:"id"` // stable over runs: "data/replicas-active/records"
	Subject  string  `json:"subject"`
	Title    string  `json:"title"`
	Resource string  `json:"resource,omitempty"`
	Grade    Grade   `json:"grade"`
	Why      string  `json:"why"`
	Proofs   []Proof `json:"proofs,omitempty"`
	Fix      string  `json:"fix,omitempty"`     // what mends it
	Command  string  `json:"command,omitempty"` // the command to type for that
	// Since is when this grade was first seen in a row of runs, and Was the grade
	// of the run before, empty when there is none.
	Since time.Time `json:"since,omitzero"`
	Was   Grade     `json:"was,omitempty"`
}

// ReadinessReport says with evidence whether a failover would work now.
type ReadinessReport struct {
	Application string        `json:"application"`
	RunID       string        `json:"run_id"`
	Started     time.Time     `json:"started"`
	Ended       time.Time     `json:"ended"`
	Ready       bool          `json:"ready"` // no check is red or unknown
	Score       int           `json:"score"` // 0 to 100: the part of checks that are green, amber counts half
	Summary     string        `json:"summary"`
	Next        string        `json:"next"`
	Checks      []CheckResult `json:"checks"`
	// Digest is of the plan that was proved; proof of another plan is stale.
	Digest string `json:"digest"`
	// Previous is the run that Was and Since come from.
	Previous string `json:"previous,omitempty"`
}

// Conclude sorts the checks, takes over since when each has its grade, and
// writes the verdict. It returns the checks that have turned red since before:
// people are told once, and not on each run.
func (r *ReadinessReport) Conclude(before *ReadinessReport) (turned []CheckResult) {
	r.sort()
	was := map[string]CheckResult{}
	if before != nil {
		r.Previous = before.RunID
		for _, c := range before.Checks {
			was[c.ID] = c
		}
	}
	points, bad, worst := 0, 0, ""
	for i := range r.Checks {
		c := &r.Checks[i]
		c.Since = r.Started
		old, seen := was[c.ID]
		if seen {
			c.Was = old.Grade
		}
		if seen && old.Grade == c.Grade && !old.Since.IsZero() {
			c.Since = old.Since
		}
		switch c.Grade {
		case Green:
			points += 2
		case Amber:
			points++
		case Red, Unknown:
			bad++
			worst = cmp.Or(worst, c.Title+": "+cut(c.Why))
		}
		if c.Grade == Red && old.Grade != Red {
			turned = append(turned, *c)
		}
	}
	r.Ready = bad == 0 && len(r.Checks) > 0
	if len(r.Checks) > 0 {
		r.Score = points * 100 / (2 * len(r.Checks))
	}
	r.Summary = fmt.Sprintf("%s is ready: %d checks, score %d", r.Application, len(r.Checks), r.Score)
	if !r.Ready {
		r.Summary = fmt.Sprintf("%s is NOT ready: %d of %d checks are red or unknown, score %d; first: %s", r.Application, bad, len(r.Checks), r.Score, worst)
	}
	return turned
}

// sort puts the subjects in their order, and the worst first within each.
func (r *ReadinessReport) sort() {
	rank := map[Grade]int{Red: 0, Unknown: 1, Amber: 2, Green: 3}
	slices.SortStableFunc(r.Checks, func(a, b CheckResult) int {
		return cmp.Or(
			cmp.Compare(slices.Index(Subjects(), a.Subject), slices.Index(Subjects(), b.Subject)),
			cmp.Compare(rank[a.Grade], rank[b.Grade]), cmp.Compare(a.ID, b.ID))
	})
}
