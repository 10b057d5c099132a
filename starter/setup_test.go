package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"lifeline/internal/runbook"
)

func TestSetup_HasALockOfItsOwn_SoThatAFailoverNeverWaitsForIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.temporal.script = []func(*runbook.Report){func(r *runbook.Report) { r.Phase = runbook.Approve }}
	b.expect(exitDone, "setup PLAN --as dana")
	require.Equal(t, []string{"Setup"}, b.temporal.names)
	o, in := b.temporal.starts[0], b.temporal.inputs[0]
	require.Equal(t, "lifeline/patient-records/setup", o.ID)
	require.Equal(t, "lifeline-setup", o.TaskQueue, "the workers of an emergency have no right to build")
	require.Equal(t, runbook.Setup, in.Start.Runbook)
	require.NoError(t, in.Start.Admit(in.Plan, b.clock()))
}

func TestPreviewSetup_ShowsADiffThatAPersonCanApprove(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.temporal.admitted = func(runbook.Input) runbook.Report {
		e := &runbook.Estate{}
		e.Add(runbook.AreaAccess, []runbook.ItemResult{
			{ID: "kms-key/us-west-2/alias/x", Verdict: runbook.ToCreate, Changes: []runbook.Property{{Name: "rotation", Want: "true"}}},
			{ID: "iam-role/us-east-1/y", Verdict: runbook.ToChange, Changes: []runbook.Property{{Name: "attached", Have: "a", Want: "a\nb"}}},
			{ID: "iam-role/us-east-1/z", Verdict: runbook.InPlace},
			{ID: "rds-instance/us-east-1/w", Verdict: runbook.Missing, Why: "the application makes it"},
			{ID: "backup-vault/us-west-2/v", Verdict: runbook.ToCreate, Changes: []runbook.Property{{Name: "key", Want: "${kms-key/us-west-2/alias/x#arn}"}}},
		})
		return runbook.Report{Status: runbook.Done, Summary: "would", Estate: e, Stages: []runbook.StageRecord{{Name: runbook.Survey}}}
	}
	b.expect(exitDone, "preview setup PLAN --as dana")
	for _, want := range []string{
		"access       1 missing, 2 to create, 1 to change, 1 in place",
		"+ kms-key/us-west-2/alias/x", "rotation = true",
		"~ iam-role/us-east-1/y", "attached: a → a, b",
		"! missing rds-instance/us-east-1/w", "the application makes it",
		"key = (arn of kms-key/us-west-2/alias/x)",
		"starter setup -f " + b.plan + " --as dana --wait",
	} {
		require.Contains(t, b.out.String(), want)
	}
	require.NotContains(t, b.out.String(), "iam-role/us-east-1/z")
	require.Contains(t, b.temporal.starts[0].ID, "lifeline/patient-records/setup/preview/")
}

func TestSetup_Wait_NamesWhatIsLeft(t *testing.T) {
	t.Parallel()
	for _, status := range []runbook.Status{runbook.Done, runbook.Failed} {
		b := newBench(t)
		left := slices.Repeat([]string{"a bucket waits"}, reminders+3)
		b.temporal.script = []func(*runbook.Report){func(r *runbook.Report) { r.Status, r.Summary, r.Left = status, "the end", left }}
		code := exitDone
		if status == runbook.Failed {
			code = exitFailed
		}
		b.expect(code, "setup PLAN --as dana --wait")
		require.Equal(t, reminders, strings.Count(b.out.String(), "left for people: a bucket waits"))
		require.Contains(t, b.out.String(), "left for people: 3 more; starter status -f "+b.plan+" --of setup tells all")
	}
}

func TestSetup_NoWorkerLives_NamesTheOneThatBuilds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.temporal.silent = true
	b.expect(exitUnreachable, "setup PLAN --as dana")
	require.Contains(t, b.err.String(), "worker -f "+b.plan+" --setup")
}

func TestSetup_RegionTyped_IsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.expect(exitUsage, "preview setup PLAN --as dana --from us-east-1")
	require.Contains(t, b.err.String(), "leave --from and --to out")
	require.Empty(t, b.temporal.starts)
}

func TestStatus_OfSetup_LooksAtItsOwnRun(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.temporal.hold(runbook.Report{Application: "patient-records", Runbook: runbook.Setup, WorkflowID: "lifeline/patient-records/setup", RunID: "r1", Status: runbook.Running, Phase: runbook.Survey, StartedBy: "dana"})
	b.expect(exitDone, "status PLAN --of setup")
	require.Contains(t, b.out.String(), "setup of patient-records, started by dana")
	b.expect(exitUsage, "status PLAN --of sleep")
	require.Contains(t, b.err.String(), "--of \"sleep\" is unknown")
}

func proof(ready bool) *runbook.ReadinessReport {
	r := &runbook.ReadinessReport{Application: "patient-records", RunID: "p1", Started: time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC), Checks: []runbook.CheckResult{
		{ID: "a", Subject: runbook.OnTraffic, Title: "the worst case is inside the objective", Grade: runbook.Green},
	}}
	if !ready {
		r.Checks = append(r.Checks, runbook.CheckResult{
			ID: "b", Subject: runbook.OnData, Title: "replicas are active", Resource: "records", Grade: runbook.Red, Why: "us-west-2 is CREATING",
			Fix: "wait, or run setup", Command: "starter setup -f PLAN --as NAME", Proofs: []runbook.Proof{{Read: "DescribeTable says CREATING", Region: "us-east-1"}},
		})
	}
	r.Conclude(nil)
	return r
}

func TestReadiness_Ready_Is0_NotReady_Is4_AndNamesTheFix(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.temporal.proof = proof(true)
	b.expect(exitDone, "readiness PLAN")
	require.Equal(t, "lifeline/patient-records/readiness", b.temporal.starts[0].ID)
	require.Equal(t, enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, b.temporal.starts[0].WorkflowIDConflictPolicy)
	require.Contains(t, b.out.String(), "1 of 1 checks are green")

	b = newBench(t)
	b.temporal.proof = proof(false)
	b.expect(exitRefused, "readiness PLAN --all")
	for _, want := range []string{"RED      replicas are active (records)", "us-west-2 is CREATING", "DescribeTable says CREATING", "fix:  wait, or run setup", "starter setup -f " + b.plan + " --as NAME"} {
		require.Contains(t, b.out.String(), want)
	}
	require.Contains(t, b.err.String(), "NOT ready")
}

func TestSchedules_Apply_MakesOneAndChangesItWithThePlan(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.expect(exitFailed, "schedules PLAN")
	require.Contains(t, b.err.String(), "not scheduled")
	b.expect(exitDone, "schedules PLAN --apply")
	s := b.temporal.schedule
	require.Equal(t, enums.SCHEDULE_OVERLAP_POLICY_SKIP, s.Policy.Overlap)
	require.Equal(t, time.Minute, s.Policy.CatchupWindow, "after an outage a year of proofs must not start at once")
	require.Equal(t, 15*time.Minute, s.Spec.Intervals[0].Every)
	action, ok := s.Action.(*client.ScheduleWorkflowAction)
	require.True(t, ok)
	require.Equal(t, "lifeline-setup", action.TaskQueue)
	s.State.Note = "plan of last week"
	b.expect(exitDone, "schedules PLAN")
	require.Contains(t, b.out.String(), "it proves an older plan")
	b.expect(exitDone, "schedules PLAN --apply")
	require.NotEqual(t, "plan of last week", b.temporal.schedule.State.Note)
}
