package workflows

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows/kinds"
)

// each calls fn for every resource whose kind knows verb V, most critical tier
// first, and what a resource depends on before it.
func each[V any](p plan.Plan, fn func(V, plan.Resource) error) error {
	for _, res := range inOrder(p.Resources) {
		kind, ok := kinds.For(res.Kind)
		if !ok {
			return refused("resource %q has the unknown kind %q", res.Name, res.Kind)
		}
		if v, ok := kind.(V); ok {
			if err := fn(v, res); err != nil {
				return err
			}
		}
	}
	return nil
}

// inOrder sorts by tier, then by depth of dependencies, then as in the plan.
func inOrder(resources []plan.Resource) []plan.Resource {
	byName := map[string]plan.Resource{}
	for _, r := range resources {
		byName[r.Name] = r
	}
	var depth func(string, int) int
	depth = func(name string, seen int) int {
		deepest := 0
		if seen > len(resources) {
			return seen // a cycle: the plan's validation refuses it
		}
		for _, d := range byName[name].DependsOn {
			deepest = max(deepest, 1+depth(d, seen+1))
		}
		return deepest
	}
	out := slices.Clone(resources)
	slices.SortStableFunc(out, func(a, b plan.Resource) int {
		return cmp.Or(cmp.Compare(a.Tier, b.Tier), cmp.Compare(depth(a.Name, 0), depth(b.Name, 0)))
	})
	return out
}

// measure reads the data-loss window of every resource, counted back from ref.
// What can't be measured is unknown, never zero.
func (r *run) measure(ctx workflow.Context, ref time.Time) error {
	var losses []runbook.Loss
	err := each(r.in.Plan, func(k kinds.Meter, res plan.Resource) error {
		loss, err := k.Measure(ctx, r, res, ref)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			loss = runbook.Loss{Resource: res.Name, Objective: r.in.Plan.ObjectivesOf(res).RPO.D(), At: workflow.Now(ctx), Evidence: r.words(err)}
		}
		losses = append(losses, loss)
		return nil
	})
	r.report.Losses = losses
	return err
}

// risks are what the approvers of a promotion must acknowledge: a loss outside
// the objective, and a fence that could not be confirmed.
func (r *run) risks(promoted []plan.Resource) []runbook.Risk {
	var out []runbook.Risk
	names := map[string]bool{}
	for _, res := range promoted {
		names[res.Name] = true
	}
	for _, loss := range r.report.Losses {
		if names[loss.Resource] && loss.Exceeds() {
			out = append(out, loss.Risk())
		}
	}
	for _, res := range promoted {
		// A lease that will have lapsed before the one-way stage may begin
		// counts as confirmed: the stage waits for it.
		if runbook.FenceVerdict(r.layersOf(res), r.freeAt()) == runbook.FenceUnconfirmed {
			out = append(out, runbook.FenceRisk(res.Name, r.move.From))
		}
	}
	return out
}

func (r *run) layersOf(res plan.Resource) []runbook.LayerResult {
	out := []runbook.LayerResult{{Resource: res.Name, Result: runbook.FenceUnconfirmed, Evidence: "no layer"}}
	for _, l := range r.report.Layers {
		if l.Resource == res.Name {
			out = append(out, l)
		}
	}
	return out
}

// freeAt is when the last lease has lapsed.
func (r *run) freeAt() time.Time {
	var at time.Time
	for _, l := range r.report.Layers {
		if l.FreeAt.After(at) {
			at = l.FreeAt
		}
	}
	return at
}

// fence stops writers of the resources whose writer moves.
func (r *run) fence(ctx workflow.Context, promoted []plan.Resource) error {
	r.report.Fence = runbook.FenceNotNeeded
	if len(promoted) == 0 {
		return nil
	}
	r.report.Fence = runbook.FenceUnconfirmed
	for _, res := range promoted {
		kind, _ := kinds.For(res.Kind)
		fencer, ok := kind.(kinds.Fencer)
		if !ok {
			continue
		}
		err := fencer.Fence(ctx, r, res, func(l runbook.LayerResult) {
			r.report.Layers = append(r.report.Layers, l)
			if l.Epoch > 0 {
				r.report.Epoch = l.Epoch
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// settleFence waits until the lease has lapsed and joins the layers.
func (r *run) settleFence(ctx workflow.Context, promoted []plan.Resource) error {
	if len(promoted) == 0 || r.move.DryRun {
		return nil
	}
	if err := sleep(ctx, r.freeAt().Sub(workflow.Now(ctx)), "write lease lapses"); err != nil {
		return err
	}
	r.report.Fence = runbook.FenceConfirmed
	for _, res := range promoted {
		if runbook.FenceVerdict(r.layersOf(res), workflow.Now(ctx)) != runbook.FenceConfirmed {
			r.report.Fence = runbook.FenceUnconfirmed
		}
	}
	r.event(ctx, "gate", fmt.Sprintf("fence %s", r.report.Fence))
	return nil
}

// moving are the resources whose single writer has to move, in order.
func (r *run) moving(ctx workflow.Context) ([]plan.Resource, error) {
	var out []plan.Resource
	err := each(r.in.Plan, func(k kinds.Promoter, res plan.Resource) error {
		needed, err := k.NeedsPromotion(ctx, r, res)
		if err != nil && r.move.Class == runbook.Emergency && ctx.Err() == nil && !r.move.DryRun {
			// Traffic and the other tiers must not wait for one database. Whether
			// it has to move is asked again before it is promoted.
			r.event(ctx, "note", fmt.Sprintf("%s counts as not yet promoted: %s", res.Name, r.words(err)))
			needed, err = true, nil
		}
		if needed {
			out = append(out, res)
		}
		return err
	})
	return out, err
}
