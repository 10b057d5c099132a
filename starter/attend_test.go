package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/runbook"
)

// Whoever proves or previews while no worker lives is told so, and what to start,
// and does not sit there for ten minutes.
func TestPreviewAndReadiness_NoWorkerLives_IsTold(t *testing.T) {
	t.Parallel()
	for line, worker := range map[string]string{
		"preview setup PLAN --as dana":                     "--setup",
		"preview failover PLAN --from us-east-1 --as dana": "--region REGION",
		"readiness PLAN":                                   "--setup",
	} {
		b := newBench(t)
		if line == "readiness PLAN" {
			b.temporal.proof = proof(true)
		}
		b.temporal.silent = true
		b.expect(exitUnreachable, line)
		require.Contains(t, b.err.String(), "no worker plays it", line)
		require.Contains(t, b.err.String(), "nothing was changed", line)
		require.Contains(t, b.err.String(), "worker -f "+b.plan+" "+worker, line)
	}
}

// A run that is played may take its time.
func TestUntaken_OnlyWhatNoWorkerHasTaken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.underWay()
	b.temporal.hold(r)
	a := &app{planFile: "plan.yaml"}
	at := target{r.WorkflowID, r.RunID}
	require.False(t, a.untaken(t.Context(), b.temporal, at))
	b.temporal.silent = true
	b.temporal.events = 2
	require.True(t, a.untaken(t.Context(), b.temporal, at))
	b.temporal.events = 9
	require.False(t, a.untaken(t.Context(), b.temporal, at), "a worker had it, and the next task has just been scheduled")
	b.temporal.down = errUntaken
	require.False(t, a.untaken(t.Context(), b.temporal, at), "that is another failure")
	require.Contains(t, a.startWorker(runbook.Readiness), "--setup")
}
