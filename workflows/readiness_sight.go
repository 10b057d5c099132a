package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows/kinds"
)

// observers demands that a quorum answers and sees every Region healthy. They are
// what lets a run go on without people, and without them it would hold.
func (r *readiness) observers(ctx workflow.Context) []runbook.CheckResult {
	rule := r.plan.Observers
	if len(rule.Members) == 0 {
		return nil
	}
	step := runbook.Step{Name: "ObserveRegions", Plane: runbook.Data, Reversibility: runbook.Reversible, Budget: 2 * oneLook}
	seen := sightings(ctx, step, rule.Members)
	now := workflow.Now(ctx)
	read := runbook.Proof{Read: fmt.Sprintf("%d of %d observers answered: %s", len(seen), len(rule.Members), sightingWords(seen)), At: now}
	c := runbook.CheckResult{
		ID: "traffic/observers", Subject: runbook.OnTraffic, Title: "enough observers answer", Proofs: []runbook.Proof{read},
		Fix: "start the observers that are silent, each where it stands", Command: "worker -f PLAN --observer NAME",
	}
	out := []runbook.CheckResult{kinds.Graded(ctx, c, nil, func(c *runbook.CheckResult) { c.Grade, c.Why = judgeObservers(rule, seen) })}
	for _, region := range r.plan.TrafficRegions() {
		e := runbook.Weigh(seen, rule, region, r.other(region), now)
		c := runbook.CheckResult{
			ID: "traffic/observed/" + string(region), Subject: runbook.OnTraffic, Title: "observers see " + string(region) + " healthy", Proofs: []runbook.Proof{read},
			Fix: "see what the observers see: the Region, or the network between", Command: "starter readiness -f PLAN --all",
		}
		out = append(out, kinds.Graded(ctx, c, nil, func(c *runbook.CheckResult) { c.Grade, c.Why = judgeSight(e) }))
	}
	return out
}

// other is a Region that would take over.
func (r *readiness) other(region plan.Region) plan.Region {
	for _, o := range r.plan.TrafficRegions() {
		if o != region {
			return o
		}
	}
	return region
}

// judgeObservers counts for each Region the observers that may speak of it: one
// that stands in a Region has no voice about it.
func judgeObservers(rule plan.Observers, seen []runbook.Sighting) (runbook.Grade, string) {
	words := fmt.Sprintf("%d of %d answer, %d are needed", len(seen), len(rule.Members), rule.Quorum)
	switch {
	case len(seen) < rule.Quorum:
		return runbook.Red, words + ": every run would hold"
	case len(seen) < len(rule.Members):
		var silent []string
		for _, m := range rule.Members {
			if !answered(seen, m.Name) {
				silent = append(silent, m.Name)
			}
		}
		return runbook.Amber, words + "; silent: " + strings.Join(silent, ", ")
	}
	return runbook.Green, words
}

func answered(seen []runbook.Sighting, name string) bool {
	for _, s := range seen {
		if s.Observer == name {
			return true
		}
	}
	return false
}

func judgeSight(e runbook.Evidence) (runbook.Grade, string) {
	if e.Finding != runbook.Healthy {
		return runbook.Red, fmt.Sprintf("%s: %s", e.Finding, e.Why)
	}
	return runbook.Green, e.Why
}

func sightingWords(seen []runbook.Sighting) string {
	var out []string
	for _, s := range seen {
		var regions []string
		for _, region := range workflow.DeterministicKeys(s.Regions) {
			v := s.Regions[region]
			state := "down"
			if v.Healthy {
				state = "healthy"
			}
			regions = append(regions, fmt.Sprintf("%s %s for %d looks", region, state, v.Rounds))
		}
		out = append(out, s.Observer+" sees "+strings.Join(regions, " and "))
	}
	return strings.Join(out, "; ")
}

// samePlan says when the last proof was of another plan: what it proved holds no
// more, and neither does what people remember of it.
func (r *readiness) samePlan(ctx workflow.Context, before *runbook.ReadinessReport) []runbook.CheckResult {
	if before == nil {
		return nil
	}
	c := runbook.CheckResult{
		ID: "proof/plan", Subject: runbook.OnProof, Title: "the last proof was of this very plan", Resource: r.plan.Application,
		Fix: "read what this proof says anew, and start the workers with this plan", Command: "starter readiness -f PLAN --all",
		Proofs: []runbook.Proof{{Read: fmt.Sprintf("run %s proved plan %s; this one is %s", before.RunID, before.Digest, r.report.Digest), At: workflow.Now(ctx)}},
	}
	return []runbook.CheckResult{kinds.Graded(ctx, c, nil, func(c *runbook.CheckResult) {
		c.Why = "plan " + r.report.Digest
		if before.Digest != r.report.Digest {
			c.Grade, c.Why = runbook.Amber, fmt.Sprintf("the last proof was of plan %s, this is plan %s: it is stale", before.Digest, r.report.Digest)
		}
	})}
}
