package runbook

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"lifeline/internal/plan"
)

const (
	// UncoveredCheck is the check of readiness that looks for what no plan covers.
	UncoveredCheck = "proof/uncovered"
	// InNoPlan begins each of its proofs that names such a resource: "in no plan:
	// bucket scans in us-east-1". Other proofs say what was looked at.
	InNoPlan = "in no plan: "
)

// Past is what earlier runs of an application left behind, as far as it could
// be read.
type Past struct {
	Moves []Report         // real moves that have ended, the newest first
	Setup *Report          // the newest run of setup, or preview of it, that looked at the estate
	Proof *ReadinessReport // the newest proof of readiness
	Notes []string         // what could not be read, and why
}

// Register is every resource of a plan with what is wanted, what the
// configuration can do, and what was measured: three values, never one for
// another.
type Register struct {
	Application string    `json:"application"`
	Account     string    `json:"account,omitempty"` // as the last setup read it
	Resources   []Entry   `json:"resources"`         // the most critical first
	Uncovered   Uncovered `json:"uncovered"`
	// Setup and Proof are the runs that Kept and Uncovered come from; nil when
	// there was none.
	Setup *Source  `json:"setup,omitempty"`
	Proof *Source  `json:"readiness,omitempty"`
	Notes []string `json:"notes,omitempty"` // what could not be read, and why
}

// Source is a run that something was read from.
type Source struct {
	Runbook Name      `json:"runbook"`
	RunID   string    `json:"run_id"`
	At      time.Time `json:"at"`
	DryRun  bool      `json:"dry_run,omitempty"`
	// Stale says that it was about another plan than this one.
	Stale bool `json:"stale,omitempty"`
}

// Entry is one resource.
type Entry struct {
	Name       string          `json:"name"`
	Kind       plan.Kind       `json:"kind"`
	Tier       int             `json:"tier"`
	Owner      string          `json:"owner,omitempty"` // the resource's, else the plan's
	DependsOn  []string        `json:"depends_on,omitempty"`
	Objective  plan.Objectives `json:"objective"`
	Capability Reach           `json:"capability"`
	Measured   Measured        `json:"measured"`
	// Kept is what the last setup found or put in place for this resource, as
	// Estate.Kept has it.
	Kept map[string]int `json:"kept,omitempty"`
	// Short says where capability or measurement falls short of the objective.
	Short []string `json:"short,omitempty"`
}

// Reach is what the configuration can do, computed.
type Reach struct {
	// RTO is the worst case from the failure, people left out; nil where no
	// runbook brings the resource back, since people have no worst case.
	RTO      *plan.Duration `json:"rto,omitempty"`
	By       string         `json:"by"`                 // the path that it is the worst case of
	Decision plan.Duration  `json:"decision,omitempty"` // how long people may take in addition
	RPO      plan.Duration  `json:"rpo_typical"`        // what is usually lost
	Bounded  bool           `json:"rpo_bounded"`        // somebody guarantees a limit
	Why      string         `json:"why,omitempty"`      // how its data reaches the other Region
	ByHand   string         `json:"by_hand,omitempty"`  // why no runbook brings it back
	Waits    []string       `json:"waits,omitempty"`    // dependencies that are back later
}

// Measured is what real moves took. A dry run measures nothing.
type Measured struct {
	// RTO is from the failure until clients were served; for a resource that was
	// promoted, until it had its new writer.
	RTO *Figure `json:"rto,omitempty"`
	// RPO is the data-loss window right before the one-way step, an upper bound.
	RPO *Figure `json:"rpo,omitempty"`
	// Pause is how long writes stood still in a planned move. No Region was lost,
	// so it says nothing about RTO.
	Pause *Figure `json:"planned_pause,omitempty"`
}

// Figure is one measured span and the run that measured it.
type Figure struct {
	Value   plan.Duration `json:"value"`
	Runbook Name          `json:"runbook"`
	RunID   string        `json:"run_id"`
	At      time.Time     `json:"at"` // when that run ended
}

// Uncovered are the resources of the account that no plan covers.
type Uncovered struct {
	Known     bool     `json:"known"` // a proof of readiness could tell
	Why       string   `json:"why"`   // in words; when it isn't known, why not
	Resources []string `json:"resources,omitempty"`
}

// NewRegister puts a plan beside what earlier runs left behind.
func NewRegister(p plan.Plan, past Past) Register {
	r := Register{Application: p.Application, Notes: past.Notes, Uncovered: uncovered(past.Proof)}
	var kept map[string]map[string]int
	if s := past.Setup; s != nil && s.Estate != nil {
		r.Account, kept = s.Estate.Account, s.Estate.Kept
		r.Setup = &Source{Runbook: Setup, RunID: s.RunID, At: ended(*s), DryRun: s.DryRun}
	}
	if proof := past.Proof; proof != nil {
		r.Proof = &Source{Runbook: Readiness, RunID: proof.RunID, At: proof.Started, Stale: proof.Digest != p.Digest()}
	}
	for i, c := range p.Capability().Resources {
		e := entry(p, p.Resources[i], c)
		e.Measured, e.Kept = measure(p.Resources[i], past.Moves), maps.Clone(kept[e.Name])
		e.Short = e.shortfalls()
		r.Resources = append(r.Resources, e)
	}
	slices.SortStableFunc(r.Resources, func(a, b Entry) int { return a.Tier - b.Tier })
	return r
}

func entry(p plan.Plan, r plan.Resource, c plan.ResourceCapability) Entry {
	e := Entry{Name: r.Name, Kind: r.Kind, Tier: r.Tier, Owner: r.Owner, DependsOn: r.DependsOn, Objective: c.Objective}
	if e.Owner == "" {
		e.Owner = p.Owner
	}
	e.Capability = Reach{
		By: c.Path.Name, Decision: c.Decision, RPO: c.Loss.Typical, Bounded: c.Loss.Bounded, Why: c.Loss.Why, ByHand: c.ByHand, Waits: c.Waits,
	}
	if c.ByHand == "" {
		worst := plan.Duration(c.Path.Worst())
		e.Capability.RTO = &worst
	}
	return e
}

// shortfalls compares each value with the objective, and never with each other.
func (e Entry) shortfalls() []string {
	var out []string
	add := func(what string, value, limit plan.Duration) {
		if value > limit {
			out = append(out, fmt.Sprintf("%s %s, objective %s", what, plan.Duration(value.D().Round(100*time.Millisecond)).Brief(), limit.Brief()))
		}
	}
	if c := e.Capability; c.RTO == nil {
		out = append(out, "no runbook brings it back: it is kept "+c.ByHand)
	} else {
		add("the worst case is", *c.RTO+c.Decision, e.Objective.RTO)
	}
	if !e.Capability.Bounded {
		add("what is usually lost is", e.Capability.RPO, e.Objective.RPO)
	}
	if f := e.Measured.RTO; f != nil {
		add("the last measured RTO is", f.Value, e.Objective.RTO)
	}
	if f := e.Measured.RPO; f != nil {
		add("the last measured RPO is", f.Value, e.Objective.RPO)
	}
	return out
}

// uncovered reads what the last proof found. No proof, or one that couldn't
// look, is not the same as nothing.
func uncovered(proof *ReadinessReport) Uncovered {
	if proof == nil {
		return Uncovered{Why: "readiness was never proved"}
	}
	i := slices.IndexFunc(proof.Checks, func(c CheckResult) bool { return c.ID == UncoveredCheck })
	if i < 0 {
		return Uncovered{Why: "the last proof of readiness did not look for them"}
	}
	switch c := proof.Checks[i]; c.Grade {
	case Unknown:
		return Uncovered{Why: c.Why}
	case Green:
		return Uncovered{Known: true, Why: c.Why}
	default:
		out := Uncovered{Known: true, Why: c.Why}
		for _, p := range c.Proofs {
			if name, ok := strings.CutPrefix(p.Read, InNoPlan); ok {
				out.Resources = append(out.Resources, name)
			}
		}
		return out
	}
}
