package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/runbook"
)

const acknowledged = " --acknowledge data-loss:billing"

func waiting(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.temporal.hold(b.underWay())
	return b
}

func TestApprove_ShowsWhatIsAskedAndCounts(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.expect(exitDone, "approve PLAN --as amara"+acknowledged, "--comment", "go ahead")
	for _, want := range []string{
		"Promote billing in us-west-2?", "2 different approvers, none of them dana", "2 of 3 observers", "billing: 42.0 s, objective 30.0 s",
		"RISK      data-loss:billing", "1 of 2 approved", "--as ANOTHER --acknowledge data-loss:billing",
	} {
		require.Contains(t, b.out.String(), want)
	}
	got := b.temporal.report.Ballots[0].Decisions[0]
	require.Equal(t, "amara", got.By)
	require.Equal(t, "go ahead", got.Comment)
	b.expect(exitDone, "approve PLAN --as bela"+acknowledged)
	require.Contains(t, b.out.String(), "2 of 2 approved, the request is granted")
	require.Equal(t, runbook.Granted, b.temporal.report.Ballots[0].Result)
}

func TestApprove_TypedTwice_CountsOnce(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.expect(exitDone, "approve PLAN --as amara"+acknowledged)
	b.expect(exitDone, "approve PLAN --as amara"+acknowledged)
	require.Len(t, b.temporal.report.Ballots[0].Decisions, 1)
	require.Equal(t, "nonce-1/amara/approve", b.temporal.updates[0].UpdateID)
	require.Equal(t, b.temporal.updates[0].UpdateID, b.temporal.updates[1].UpdateID)
	require.Equal(t, "run-7", b.temporal.updates[0].RunID, "never whatever run is the newest by then")
}

func TestApprove_ThenReject_IsADuplicateAndNotSilentlyApproved(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.expect(exitDone, "approve PLAN --as amara"+acknowledged)
	b.expect(exitRefused, "reject PLAN --as amara")
	require.Contains(t, b.err.String(), "has decided already")
}

func TestApprove_RiskNotNamed_Is4AndNothingIsSent(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.expect(exitRefused, "approve PLAN --as amara")
	require.Empty(t, b.temporal.updates)
	require.Contains(t, b.out.String(), "RISK      data-loss:billing", "the approver sees the risk first")
	require.Contains(t, b.err.String(), "starter approve -f "+b.plan+" --as amara --acknowledge data-loss:billing")
	b.expect(exitUsage, "approve PLAN --as amara --acknowledge data-loss:biling")
	require.Contains(t, b.err.String(), "did you mean data-loss:billing?")
	require.Empty(t, b.temporal.updates)
}

func TestApprove_ByTheStarter_Is4(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.temporal.report.StartedBy = "amara"
	b.expect(exitRefused, "approve PLAN --as amara"+acknowledged)
	require.Contains(t, b.err.String(), runbook.ErrStarter.Error())
	require.Contains(t, b.err.String(), "ask another approver")
}

func TestApprove_ByAnOperator_Is4(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.expect(exitRefused, "approve PLAN --as dana"+acknowledged)
	require.Contains(t, b.err.String(), runbook.ErrStranger.Error())
}

func TestApprove_Expired_Is4(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.temporal.report.Ballots[0].Expires = b.now
	b.expect(exitRefused, "approve PLAN --as amara"+acknowledged)
	require.Contains(t, b.err.String(), runbook.ErrExpired.Error())
}

func TestReject_ClosesTheRequestWithoutAcknowledging(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.expect(exitDone, "reject PLAN --as amara", "--comment", "it comes back")
	require.Equal(t, runbook.Rejected, b.temporal.report.Ballots[0].Result)
	require.Contains(t, b.out.String(), "the request is rejected")
}

func TestDecide_NothingAskedOrNothingRuns_Is4(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.temporal.report.Ballots = nil
	b.expect(exitRefused, "approve PLAN --as amara")
	require.Contains(t, b.err.String(), runbook.ErrNothingAsked.Error())

	done := b.underWay()
	done.Status = runbook.Done
	b.temporal.hold(done)
	b.expect(exitRefused, "reject PLAN --as amara")
	require.Contains(t, b.err.String(), "the last one ended at")

	b = newBench(t)
	b.expect(exitFailed, "approve PLAN --as amara")
	require.Contains(t, b.err.String(), "no such run is known")
}

func TestDecide_NoWorker_Is7AndNothingIsSent(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.temporal.silent = true
	b.expect(exitUnreachable, "approve PLAN --as amara"+acknowledged)
	require.Empty(t, b.temporal.updates)
	require.Contains(t, b.err.String(), "see that a worker polls lifeline-us-west-2")
}

// The worker may die between the question and the answer.
func TestDecide_WorkerDiesBeforeTheAnswer_Is7AndRepeatingIsSafe(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	a := &app{system: system{now: b.clock}, planFile: b.plan}
	b.temporal.silent = true
	err := a.update(t.Context(), b.temporal, target{"lifeline/patient-records", "run-7"}, update{what: "approve by amara"})
	got := asTrouble(err)
	require.Equal(t, exitUnreachable, got.code)
	require.Contains(t, got.safe, "typing it again is safe")
}

func TestDecide_Print_GivesAPayloadThatTheRunAccepts(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.expect(exitDone, "approve PLAN --as amara --print"+acknowledged)
	require.Empty(t, b.temporal.updates)
	var d runbook.Decision
	require.NoError(t, json.Unmarshal([]byte(b.out.String()), &d), "the output is the payload alone")
	require.NoError(t, b.temporal.report.Ballot().Judge(d, b.temporal.plan, "dana", b.clock()))
	d.Comment = "changed on the way"
	require.ErrorIs(t, b.temporal.report.Ballot().Judge(d, b.temporal.plan, "dana", b.clock()), runbook.ErrSignature)
	require.Contains(t, b.err.String(), `"decide"`)
}

func TestDecide_JSON_IsTheBallot(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.expect(exitDone, "approve PLAN --as amara -o json"+acknowledged)
	var got runbook.Ballot
	require.NoError(t, json.Unmarshal([]byte(b.out.String()), &got))
	require.Equal(t, "nonce-1", got.Nonce)
	require.Len(t, got.Decisions, 1)
}

func TestControl_EachOrder_IsSignedForThisRun(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]runbook.Control{
		"pause PLAN --as dana --reason checking": {Order: runbook.Pause, Reason: "checking"},
		"resume PLAN --as dana":                  {Order: runbook.Resume},
		"skip ScaleGroup PLAN --as dana":         {Order: runbook.Skip, Step: "ScaleGroup"},
		"abort PLAN --as dana":                   {Order: runbook.Abort},
	} {
		b := waiting(t)
		b.expect(exitDone, line)
		got, ok := b.temporal.updates[0].Args[0].(runbook.Control)
		require.True(t, ok)
		want.By, want.RunID, want.Signature = "dana", "run-7", got.Signature
		require.Equal(t, want, got)
		require.NoError(t, got.Admit(b.temporal.plan, "run-7"))
		require.Contains(t, b.out.String(), string(want.Order)+" taken")
	}
}

func TestControl_SecondPause_IsAnOrderOfItsOwn(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.expect(exitDone, "pause PLAN --as dana")
	b.expect(exitDone, "resume PLAN --as dana")
	b.expect(exitDone, "pause PLAN --as dana")
	require.Equal(t, runbook.Paused, b.temporal.report.Status)
	require.NotEqual(t, b.temporal.updates[0].UpdateID, b.temporal.updates[2].UpdateID)
}

func TestAbort_Wait_Is5WhenEverythingWasUndone(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.expect(exitAborted, "abort PLAN --as dana --wait")
	require.Contains(t, b.err.String(), "everything was taken back")
}

func TestSkip_Mistyped_NamesTheStep(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.expect(exitUsage, "skip ScaleGruop PLAN --as dana")
	require.Contains(t, b.err.String(), "did you mean ScaleGroup?")
	require.Empty(t, b.temporal.updates)
	b.expect(exitDone, "skip NotYetKnown PLAN --as dana")
	require.Len(t, b.temporal.updates, 1, "whether a step may be skipped is for the run to judge")
}

func TestBallot_ExpiryIsShown(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	lines := strings.Join(ballotLines(*b.temporal.report.Ballot(), *b.temporal.report), "\n")
	require.Contains(t, lines, b.now.Add(4*time.Minute).Format(time.RFC3339))
}
