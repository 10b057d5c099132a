package main

import (
	"crypto/ed25519"
	"encoding/base64"
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
	b := &builds{plans: []plan.Plan{p}, account: "123456789012"}
	items := func() []runbook.Item {
		all, err := kinds.Items(kinds.Site{Plan: p, Account: "123456789012"})
		require.NoError(t, err)
		return all
	}
	require.Empty(t, kinds.Irrevocable(items()))
	require.NoError(t, b.allowed(t.Context(), estate.Batch{Items: items()}), "what can be taken back needs none")

	b.wants = nil // the plan changes here, as no worker's does
	p.Backup.Lock = &plan.VaultLock{Mode: "compliance", MinDays: 7, MaxDays: 400, CoolingOffDays: 3}
	locks := kinds.Irrevocable(items())
	require.NotEmpty(t, locks)
	for name, ballot := range map[string]*runbook.Ballot{
		"none": nil, "granted by nobody": {Stage: runbook.Approve, Result: runbook.Granted},
		"granted by a forger": {Stage: runbook.Approve, Result: runbook.Granted, Decisions: []runbook.Decision{
			{By: p.Approvals.Approvers[0].Name, Approve: true, Stage: runbook.Approve, Acknowledge: []string{runbook.Irrevocable}, Signature: "Zm9yZ2Vk"},
		}},
	} {
		err := b.allowed(t.Context(), estate.Batch{Items: locks, Ballot: ballot, Starter: "dana"})
		require.ErrorContains(t, err, "nobody can take it back", name)
		require.Equal(t, cloud.Invalid, cloud.KindOf(err), "no other try changes that")
	}
}

// A worker of several plans believes the approvers of the one whose lock it is.
func TestBuilds_LockForEver_OtherPlansApproversDoNotCount(t *testing.T) {
	t.Parallel()
	lock := &plan.VaultLock{Mode: "compliance", MinDays: 7, MaxDays: 400, CoolingOffDays: 3}
	signed := func(application string) (plan.Plan, *runbook.Ballot) {
		p := loadPlan(t)
		p.Application, p.Backup.Lock = application, lock
		ballot := &runbook.Ballot{RunID: "run", Stage: runbook.Approve, Nonce: "nonce", Result: runbook.Granted}
		for i := range p.Approvals.Approvers[:p.Approvals.Quorum] {
			public, private, err := ed25519.GenerateKey(nil)
			require.NoError(t, err)
			p.Approvals.Approvers[i].PublicKey = base64.StdEncoding.EncodeToString(public)
			d := runbook.Decision{
				By: p.Approvals.Approvers[i].Name, Approve: true, RunID: "run", Stage: runbook.Approve, Nonce: "nonce", Acknowledge: []string{runbook.Irrevocable},
			}
			d.Signature = runbook.Sign(private, d.Message(application))
			ballot.Decisions = append(ballot.Decisions, d)
		}
		return p, ballot
	}
	ours, own := signed("patient-records")
	others, foreign := signed("another")
	b := &builds{plans: []plan.Plan{ours, others}, account: "123456789012"}
	all, err := kinds.Items(kinds.Site{Plan: ours, Account: b.account})
	require.NoError(t, err)
	locks := kinds.Irrevocable(all)
	require.NotEmpty(t, locks)
	require.NoError(t, b.allowed(t.Context(), estate.Batch{Items: locks, Ballot: own, Starter: "dana"}))
	require.ErrorContains(t, b.allowed(t.Context(), estate.Batch{Items: locks, Ballot: foreign, Starter: "dana"}), "nobody can take it back")
}
