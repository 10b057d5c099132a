package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/activities/estate"
	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows/kinds"
)

// A step can be scheduled past every runbook: it builds nothing for ever on nobody's
// signature.
func TestBuilds_LockForEver_NeedsSignatures(t *testing.T) {
	t.Parallel()
	p := loadPlan(t)
	b := &builds{plans: []plan.Plan{p}}
	items := func() []runbook.Item {
		all, err := kinds.Items(kinds.Site{Plan: p, Account: "123456789012"})
		require.NoError(t, err)
		return all
	}
	require.Empty(t, kinds.Irrevocable(items()))
	require.NoError(t, b.allowed(estate.Batch{Items: items()}), "what can be taken back needs none")

	p.Backup.Lock = &plan.VaultLock{Mode: "compliance", MinDays: 7, MaxDays: 400, CoolingOffDays: 3}
	locks := kinds.Irrevocable(items())
	require.NotEmpty(t, locks)
	for name, ballot := range map[string]*runbook.Ballot{
		"none": nil, "granted by nobody": {Stage: runbook.Approve, Result: runbook.Granted},
		"granted by a forger": {Stage: runbook.Approve, Result: runbook.Granted, Decisions: []runbook.Decision{
			{By: p.Approvals.Approvers[0].Name, Approve: true, Stage: runbook.Approve, Acknowledge: []string{runbook.Irrevocable}, Signature: "Zm9yZ2Vk"},
		}},
	} {
		err := b.allowed(estate.Batch{Items: locks, Ballot: ballot, Starter: "dana"})
		require.ErrorContains(t, err, "nobody can take it back", name)
		require.Equal(t, cloud.Invalid, cloud.KindOf(err), "no other try changes that")
	}
}
