package main

import (
	"context"
	"fmt"
	"sync"

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
}

func (b *builds) wanted(ctx context.Context, items []runbook.Item) error {
	var why error
	for _, p := range b.plans {
		account, err := b.whose(ctx, p)
		if err != nil {
			return err
		}
		if why = kinds.Wanted(kinds.Site{Plan: p, Account: account}, items); why == nil {
			return nil
		}
	}
	return cloud.Errorf(cloud.Invalid, "turned away: %w", why)
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
