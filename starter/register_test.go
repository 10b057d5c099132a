package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	sdk "go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/types/known/timestamppb"

	"lifeline/internal/runbook"
)

// pastRun is a run that ended before: a report, a proof, or an error.
type pastRun struct {
	kind, workflow, run string
	ended               time.Time
	value               any
}

// endedRun answers with what a past run left behind.
type endedRun struct {
	fakeRun
	past pastRun
}

func (r *endedRun) Get(_ context.Context, v any) error {
	switch value := r.past.value.(type) {
	case error:
		return value
	case runbook.Report:
		if value.Status != runbook.Done {
			return &closedError{[]error{&sdk.WorkflowExecutionError{}, sdk.NewNonRetryableApplicationError("x", "x", nil, value)}}
		}
	}
	return copyInto(v, r.past.value)
}

// ListWorkflow knows the two ways in which starter asks: by id, or by type.
func (f *fakeTemporal) ListWorkflow(_ context.Context, in *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return nil, f.down
	}
	out := &workflowservice.ListWorkflowExecutionsResponse{}
	for _, p := range f.past {
		byID, byType := fmt.Sprintf("WorkflowId = '%s' ", p.workflow), fmt.Sprintf("WorkflowType = '%s' AND LifelineApplication = 'patient-records' ", p.kind)
		if !strings.HasPrefix(in.GetQuery(), byID) && !strings.HasPrefix(in.GetQuery(), byType) {
			continue
		}
		out.Executions = append(out.Executions, &workflowpb.WorkflowExecutionInfo{
			Execution: &commonpb.WorkflowExecution{WorkflowId: p.workflow, RunId: p.run},
			Status:    enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, CloseTime: timestamppb.New(p.ended),
		})
	}
	return out, nil
}

// lived is a bench whose application has been set up, proved, lost and moved.
func lived(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	move := b.underWay()
	move.RunID, move.Status, move.Ended = "f1", runbook.Done, b.now
	refused := runbook.Report{RunID: "f2", Runbook: runbook.Failover, Status: runbook.Refused}
	half, whole := builtEstate(runbook.Broken), builtEstate(runbook.Succeeded)
	half.RunID, half.Status, whole.RunID = "s2", runbook.Failed, "s1"
	found := proof(false)
	found.Checks = append(found.Checks, runbook.CheckResult{ID: runbook.UncoveredCheck, Subject: runbook.OnProof, Grade: runbook.Amber, Why: "1 is in no plan", Proofs: []runbook.Proof{{Read: runbook.InNoPlan + "bucket forgotten"}}})
	ago := func(hours int) time.Time { return b.now.Add(-time.Duration(hours) * time.Hour) }
	lock, builds, proves := "lifeline/patient-records", "lifeline/patient-records/setup", "lifeline/patient-records/readiness"
	b.temporal.past = []pastRun{
		{"Failover", lock, "f1", ago(5), move},
		{"Failover", lock, "f2", ago(1), refused},
		{"Failover", lock, "f3", ago(2), &closedError{[]error{&sdk.WorkflowExecutionError{}}}},
		{"Setup", builds, "s1", ago(30), whole},
		{"Setup", builds, "s2", ago(3), half},
		{"Readiness", proves, "p0", ago(9), *proof(true)},
		{"Readiness", proves, "p1", ago(4), *found},
	}
	return b
}

func builtEstate(survey runbook.State) runbook.Report {
	e := &runbook.Estate{Account: "123456789012"}
	if survey == runbook.Succeeded {
		e.Add(runbook.AreaDatabases, []runbook.ItemResult{{ID: "dynamodb-replica/us-west-2/patient-records", Resource: "records", Verdict: runbook.Created}})
	}
	return runbook.Report{
		Application: "patient-records", Runbook: runbook.Setup, WorkflowID: "lifeline/patient-records/setup", Status: runbook.Done, StartedBy: "dana",
		Started: time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC), Ended: time.Date(2026, 11, 21, 3, 9, 0, 0, time.UTC), Estate: e,
		Stages: []runbook.StageRecord{{Name: runbook.Survey, State: survey}},
	}
}

func TestRegister_NothingEverRan_StillShowsObjectiveAndCapability(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.expect(exitDone, "status PLAN --register")
	for _, want := range []string{"objective   10m", "capability", "never measured", "setup has not run yet", "readiness was never proved", "platform-on-call@patients.example", "records, billing, documents"} {
		require.Contains(t, b.out.String(), want)
	}
	for line := range strings.Lines(b.out.String()) {
		require.LessOrEqual(t, utf8.RuneCountInString(line), 121, line)
	}
}

func TestRegister_EarlierRuns_TellMeasuredKeptAndUncovered(t *testing.T) {
	t.Parallel()
	b := lived(t)
	b.expect(exitDone, "status PLAN --register -o json")
	var r runbook.Register
	require.NoError(t, json.Unmarshal([]byte(b.out.String()), &r))
	require.Equal(t, "123456789012", r.Account)
	require.Equal(t, "s1", r.Setup.RunID, "the newer one did not look at everything")
	require.Equal(t, "p1", r.Proof.RunID, "the newest proof")
	require.True(t, r.Proof.Stale)
	require.True(t, r.Uncovered.Known)
	require.Equal(t, "bucket forgotten", r.Uncovered.Resources[0])
	by := map[string]runbook.Entry{}
	for _, e := range r.Resources {
		by[e.Name] = e
	}
	require.Equal(t, map[string]int{"dynamodb-replica us-west-2": 1}, by["records"].Kept)
	require.Equal(t, "f1", by["records"].Measured.RTO.RunID)
	require.Equal(t, 40*time.Second, by["records"].Measured.RTO.Value.D())
	require.Equal(t, 42*time.Second, by["billing"].Measured.RPO.Value.D())
	require.Nil(t, by["billing"].Measured.RTO, "its promotion had not succeeded")
	require.Empty(t, r.Notes)
}

func TestRegister_RunThatCanNotBeRead_IsNoted(t *testing.T) {
	t.Parallel()
	b := lived(t)
	b.temporal.past = append(b.temporal.past, pastRun{"Failover", "lifeline/patient-records", "f9", b.now, serviceerror.NewInternal("disk")})
	b.expect(exitDone, "status PLAN --register")
	require.Contains(t, b.out.String(), "not known: wait for run f9: disk")
}

func TestRegister_TemporalDown_Is7_AndOneRunIsNotMeant(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.expect(exitUsage, "status PLAN --register --watch")
	b.expect(exitUsage, "status PLAN --register --of setup")
	b.temporal.down = serviceerror.NewUnavailable("down")
	b.expect(exitUnreachable, "status PLAN --register")
}

func TestReport_OfSetup_ShowsDifferenceAndRegister(t *testing.T) {
	t.Parallel()
	b := lived(t)
	r := builtEstate(runbook.Succeeded)
	r.RunID, r.Started = "s9", b.now.Add(-time.Minute)
	b.temporal.hold(r)
	file := filepath.Join(b.dir, "setup.html")
	b.expect(exitDone, "report PLAN --of setup --out "+file)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, want := range []string{"What setup did", "The difference", "dynamodb-replica/us-west-2/patient-records", "Register of patient-records", "run s9", "never measured", "bucket forgotten"} {
		require.Contains(t, string(text), want)
	}
	require.NotContains(t, string(text), "Clocks against")
	b.expect(exitDone, "report PLAN --of setup")
	require.Contains(t, b.out.String(), "Register of patient-records")
}

func TestReport_OfSetup_WithoutList_IsToldAnyway(t *testing.T) {
	t.Parallel()
	b := lived(t)
	b.temporal.hold(builtEstate(runbook.Succeeded))
	b.dial = func(context.Context) (runs, error) { return deaf{b.temporal}, nil }
	b.expect(exitDone, "report PLAN --of setup")
	require.Contains(t, b.out.String(), "not known: list earlier runs: no right to list")
	require.Contains(t, b.out.String(), "dynamodb-replica (us-west-2)")
}

// deaf is a Temporal that answers everything but lists.
type deaf struct{ *fakeTemporal }

func (deaf) ListWorkflow(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	return nil, serviceerror.NewPermissionDenied("no right to list", "")
}

func TestStatus_OfSetup_CountsAreas_AndKnowsNoRTO(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := builtEstate(runbook.Succeeded)
	r.Status, r.RunID, r.Phase = runbook.Waiting, "s1", runbook.Approve
	r.Ballots = []runbook.Ballot{{Stage: runbook.Approve, Question: "lock it for ever?", Quorum: 2, Result: runbook.Open}}
	b.temporal.hold(r)
	b.expect(exitDone, "status PLAN --of setup")
	require.Contains(t, b.out.String(), "area      databases    1 created")
	require.Contains(t, b.out.String(), "starter approve -f "+b.plan+" --of setup --as APPROVER", "and not the approval of a failover")
	b.temporal.silent = true
	b.expect(exitDone, "status PLAN --of setup")
	require.NotContains(t, b.out.String(), ", RTO")
	require.Contains(t, b.out.String(), "worker -f "+b.plan+" --setup")
}

func TestSetup_LockHeld_NamesNoRegions(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := builtEstate(runbook.Active)
	r.Status, r.RunID = runbook.Running, "s1"
	b.temporal.hold(r)
	b.expect(exitRefused, "setup PLAN --as dana")
	require.Contains(t, b.err.String(), "a setup, started by dana")
	require.Contains(t, b.err.String(), "starter status -f "+b.plan+" --of setup --watch")
}

func TestReadiness_Out_WritesTheWholeProof_WhateverItSays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.temporal.proof = proof(false)
	for name, want := range map[string][]string{
		"p.html": {"<!doctype html>", "DescribeTable says CREATING", "the worst case is inside the objective", "starter setup -f " + b.plan},
		"p.json": {`"ready": false`}, "p.txt": {"GREEN", "read us-east-1"},
	} {
		file := filepath.Join(b.dir, name)
		b.expect(exitRefused, "readiness PLAN --out "+file)
		require.Contains(t, b.out.String(), "wrote "+file)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, w := range want {
			require.Contains(t, string(text), w, name)
		}
	}
	started := len(b.temporal.starts)
	b.expect(exitUsage, "readiness PLAN --out p.docx")
	require.Len(t, b.temporal.starts, started, "nobody waits for a file that can't be written")
	b.expect(exitFailed, "readiness PLAN --out "+filepath.Join(b.dir, "missing", "p.html"))
	require.Contains(t, b.err.String(), "starter readiness")
}
