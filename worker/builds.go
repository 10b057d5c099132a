package main

import (
	"context"
	"fmt"
	"sync"

	"lifeline/activities/estate"
	"lifeline/activities/sts"
	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows/kinds"
)

// builds guards the steps that build: a step can be scheduled by anybody who may
// write to the namespace, past every runbook and its signatures. What it builds
// has to be what a plan of this worker wants, in this worker's account.
type builds struct {
	caller *sts.Steps
	plans  []plan.Plan

	mu      sync.Mutex
	account string
	wants   map[int]*kinds.Wants // by plan; a thousand items are not computed for each step
}

func (b *builds) wanted(ctx context.Context, items []runbook.Item) error {
	_, err := b.planOf(ctx, items)
	return err
}

// allowed lets nothing be built that nobody can take back, unless a quorum of the
// approvers has signed for it, of the very plan that wants it: whoever can schedule
// the step can't sign.
func (b *builds) allowed(ctx context.Context, in estate.Batch) error {
	if len(kinds.Irrevocable(in.Items)) == 0 {
		return nil
	}
	p, err := b.planOf(ctx, in.Items)
	if err != nil {
		return err
	}
	if err := in.Ballot.Recount(p, in.Starter, runbook.Approve, []runbook.Risk{{Code: runbook.Irrevocable}}); err != nil {
		return cloud.Errorf(cloud.Invalid, "turned away: nobody can take it back: %w", err)
	}
	return nil
}

// planOf is the plan of this worker that wants items.
func (b *builds) planOf(ctx context.Context, items []runbook.Item) (plan.Plan, error) {
	var why error
	for i, p := range b.plans {
		account, err := b.whose(ctx, p)
		if err != nil {
			return plan.Plan{}, err
		}
		wants, err := b.of(i, account)
		if why = err; why == nil {
			why = wants.Cover(items)
		}
		if why == nil {
			return p, nil
		}
	}
	return plan.Plan{}, cloud.Errorf(cloud.Invalid, "turned away: %w", why)
}

// of is what a plan wants; it is computed once.
func (b *builds) of(plan int, account string) (*kinds.Wants, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w := b.wants[plan]; w != nil {
		return w, nil
	}
	w, err := kinds.NewWants(kinds.Site{Plan: b.plans[plan], Account: account})
	if err != nil {
		return nil, err
	}
	if b.wants == nil {
		b.wants = map[int]*kinds.Wants{}
	}
	b.wants[plan] = w
	return w, nil
}

// whose is the account of this worker; it is asked for once.
func (b *builds) whose(ctx context.Context, p plan.Plan) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.account != "" {
		return b.account, nil
	}
	regions := p.TrafficRegions()
	caller, err := b.caller.DescribeCaller(ctx, sts.CallerIn{Region: regions[len(regions)-1]})
	if err != nil {
		return "", fmt.Errorf("whose account is it: %w", err)
	}
	b.account = caller.Account
	return b.account, nil
}
