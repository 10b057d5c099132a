package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	sdk "go.temporal.io/sdk/temporal"

	"lifeline/internal/runbook"
)

func TestFailover_TakesTheLockAndIsSigned(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.temporal.script = []func(*runbook.Report){func(r *runbook.Report) { r.Phase = runbook.Freeze }}
	b.expect(exitDone, "failover PLAN --from us-east-1 --as dana")
	require.Equal(t, []string{"Failover"}, b.temporal.names)
	o, in := b.temporal.starts[0], b.temporal.inputs[0]
	require.Equal(t, "lifeline/patient-records", o.ID)
	require.Equal(t, "lifeline-us-west-2", o.TaskQueue, "not the queue of the Region that is left")
	require.Equal(t, 2*time.Second, o.WorkflowTaskTimeout)
	require.Equal(t, enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL, o.WorkflowIDConflictPolicy)
	require.Equal(t, enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, o.WorkflowIDReusePolicy)
	require.True(t, o.WorkflowExecutionErrorWhenAlreadyStarted)
	require.Zero(t, o.WorkflowExecutionTimeout, "a late failover is never killed by a timer")
	require.Equal(t, "dana", o.Memo[memoBy])
	require.Equal(t, 4, o.TypedSearchAttributes.Size())
	require.Equal(t, runbook.Start{By: "dana", Runbook: runbook.Failover, From: "us-east-1", To: "us-west-2", At: in.Start.At, Signature: in.Start.Signature}, in.Start)
	require.NoError(t, in.Start.Admit(in.Plan, b.clock()))
	require.Contains(t, b.out.String(), "starter status -f "+b.plan+" --watch")
}

func TestStart_EachRunbook_PlaysWhereItIsAwake(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][4]string{
		"switchover PLAN --from us-east-1 --as dana":              {"Switchover", "lifeline-us-west-2", "us-east-1", "us-west-2"},
		"switchover PLAN --from us-west-2 --as dana":              {"Switchover", "lifeline-us-east-1", "us-west-2", "us-east-1"},
		"failback PLAN --to us-east-1 --as dana":                  {"Failback", "lifeline-us-west-2", "us-west-2", "us-east-1"},
		"failback PLAN --from us-west-2 --as dana":                {"Failback", "lifeline-us-west-2", "us-west-2", "us-east-1"},
		"failover PLAN --from us-west-2 --to us-east-1 --as dana": {"Failover", "lifeline-us-east-1", "us-west-2", "us-east-1"},
	} {
		b := newBench(t)
		b.temporal.script = []func(*runbook.Report){func(r *runbook.Report) { r.Phase = runbook.Decide }}
		b.expect(exitDone, line)
		in := b.temporal.inputs[0]
		require.Equal(t, want, [4]string{b.temporal.names[0], b.temporal.starts[0].TaskQueue, string(in.Start.From), string(in.Start.To)}, line)
	}
}

func TestStart_Wait_ExitCodeIsTheRunsOutcome(t *testing.T) {
	t.Parallel()
	for status, code := range map[runbook.Status]exitCode{
		runbook.Done: 0, runbook.Failed: 1, runbook.Reverted: 1, runbook.Refused: 4, runbook.Aborted: 5, runbook.Stopped: 6,
	} {
		b := newBench(t)
		b.temporal.script = []func(*runbook.Report){
			func(r *runbook.Report) { r.Phase = runbook.Freeze },
			func(r *runbook.Report) {
				r.Status, r.Summary, r.Safe, r.Next = status, "the story", "sit still", "starter sleep"
			},
		}
		b.expect(code, "failover PLAN --from us-east-1 --as dana --wait")
		all := b.out.String() + b.err.String()
		for _, want := range []string{string(status), "the story", "safe now: sit still", "next:     starter sleep"} {
			require.Contains(t, all, want)
		}
	}
}

func TestStart_GateRefuses_WithoutWait_Is4(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.temporal.admitted = func(runbook.Input) runbook.Report {
		return runbook.Report{Status: runbook.Refused, Summary: "us-east-1 is healthy", Next: "starter switchover"}
	}
	b.expect(exitRefused, "failover PLAN --from us-east-1 --as dana")
	require.Contains(t, b.err.String(), "us-east-1 is healthy")
	require.Contains(t, b.err.String(), "starter switchover")
}

func TestStart_Second_SaysWhoHoldsTheLock(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.temporal.hold(b.underWay())
	b.expect(exitRefused, "switchover PLAN --from us-east-1 --as amara")
	require.Empty(t, b.temporal.starts)
	for _, want := range []string{"run-7", "failover", "started by dana", "56.0 s ago", "approve", "status"} {
		require.Contains(t, b.err.String(), want)
	}
}

func TestPreview_WhileARunHoldsTheLock_ChangesNothing(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"preview failover PLAN --from us-east-1 --as dana", "failover PLAN --from us-east-1 --as dana --dry-run"} {
		b := newBench(t)
		b.temporal.hold(b.underWay())
		b.temporal.admitted = func(runbook.Input) runbook.Report {
			return runbook.Report{Status: runbook.Done, Summary: "would work", Predicted: 58 * time.Second, Stages: []runbook.StageRecord{{
				Name: runbook.Promote, OneWay: true, Title: "the writer moves", Steps: []runbook.StepRecord{{
					Step: runbook.Step{Name: "FailoverAurora", Resource: "billing", Region: "us-west-2", Plane: runbook.RegionalControl, Reversibility: runbook.OneWay}, Effect: runbook.Would, Evidence: "would fail over",
				}},
			}}}
		}
		b.expect(exitDone, line)
		o := b.temporal.starts[0]
		require.Equal(t, "lifeline/patient-records/preview/id-1", o.ID, "never the lock")
		require.Equal(t, 10*time.Minute, o.WorkflowExecutionTimeout)
		require.True(t, b.temporal.inputs[0].Start.DryRun)
		require.NoError(t, b.temporal.inputs[0].Start.Admit(b.temporal.plan, b.clock()))
		for _, want := range []string{"nothing was changed", "no way back", "FailoverAurora", "regional-control", "one-way", "would fail over", "58.0 s", "inside the objective"} {
			require.Contains(t, b.out.String(), want)
		}
	}
}

func TestStart_NoWorker_Is7AndSaysThatTheRunIsKept(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.temporal.silent = true
	b.expect(exitUnreachable, "failover PLAN --from us-east-1 --as dana")
	require.Contains(t, b.err.String(), "no worker plays it")
	require.Contains(t, b.err.String(), "Temporal keeps the run")
}

func TestStart_InterruptedWhileWaiting_Is130AndTheRunGoesOn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	b.ctx = ctx
	b.temporal.script = []func(*runbook.Report){func(*runbook.Report) {}, func(*runbook.Report) { cancel() }}
	b.expect(exitInterrupted, "failover PLAN --from us-east-1 --as dana --wait")
	require.Contains(t, b.err.String(), "the run goes on")
	require.Contains(t, b.err.String(), "starter status -f "+b.plan+" --watch")
}

func TestStart_TerminatedFromOutside_IsNoSuccess(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.temporal.script = []func(*runbook.Report){func(*runbook.Report) { b.temporal.failure = sdk.NewCanceledError() }}
	b.expect(exitFailed, "failover PLAN --from us-east-1 --as dana --wait")
	require.Contains(t, b.err.String(), "undid nothing")
}

func TestStart_WorkerSilentForAWhile_IsFollowedOn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	silent := func(on bool) func(*runbook.Report) {
		return func(*runbook.Report) { b.temporal.silent = on }
	}
	b.temporal.script = []func(*runbook.Report){silent(true), silent(true), silent(true), silent(true), silent(true), silent(true), silent(false), func(r *runbook.Report) { r.Status = runbook.Done }}
	b.expect(exitDone, "failover PLAN --from us-east-1 --as dana --wait")
	require.Equal(t, 1, strings.Count(b.out.String(), "no worker answers just now"))
	require.Contains(t, b.out.String(), "a worker answers again")
}

func TestStart_NewsAreToldOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stage := runbook.StageRecord{Name: runbook.Freeze, Title: "stop automation", State: runbook.Active, Started: b.now, Steps: []runbook.StepRecord{
		{Step: runbook.Step{Name: "FreezeScaling"}, State: runbook.Broken, Started: b.now, Ended: b.now.Add(time.Second), Error: "no answer\x1b[2J"},
	}}
	ask := b.underWay().Ballots[0]
	b.temporal.script = []func(*runbook.Report){
		func(r *runbook.Report) { r.Stages = []runbook.StageRecord{stage} },
		func(r *runbook.Report) { r.Ballots, r.Status = []runbook.Ballot{ask}, runbook.Waiting },
		func(*runbook.Report) {},
		func(r *runbook.Report) { r.Status = runbook.Done; r.Ballots[0].Result = runbook.Granted },
	}
	b.expect(exitDone, "failover PLAN --from us-east-1 --as dana --wait")
	for _, once := range []string{"stage freeze", "FreezeScaling", "APPROVAL promote", "--as APPROVER --acknowledge data-loss:billing"} {
		require.Equal(t, 1, strings.Count(b.out.String(), once), once)
	}
	require.NotContains(t, b.out.String(), "\x1b")
}

func TestStart_Mistyped_Is2AndNothingStarts(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"failovre PLAN --from us-east-1 --as dana": "did you mean failover?",
		"stauts":                         "did you mean status?",
		"xyzzy":                          `no verb "xyzzy"`,
		"failover PLAN --form us-east-1": "did you mean --from?",
		"failover PLAN --as dana":        "name the Region that is left: --from",
		"failover PLAN --from us-esat-1 --as dana":                "did you mean us-east-1?",
		"failover PLAN --from us-east-2 --as dana":                "is a witness and serves no traffic",
		"failover PLAN --from us-east-1 --to us-east-1 --as dana": "both",
		"failback PLAN --as dana":                                 "name the Region to come home to",
		"failover PLAN --from us-east-1":                          "who are you?",
		"failover PLAN --from us-east-1 --as dnaa":                "did you mean dana?",
		"failover --from us-east-1 --as dana":                     "no plan file",
		"failover PLAN us-east-1 --as dana":                       "takes no argument",
		"preview PLAN":                                            "name one runbook",
		"preview failovr PLAN":                                    "did you mean failover?",
		"status PLAN -o yaml":                                     "text or json",
		"keygen":                                                  "name one person",
		"skip PLAN --as dana":                                     "name one step",
	} {
		b := newBench(t)
		b.expect(exitUsage, line)
		require.Contains(t, b.err.String(), want, line)
		require.Contains(t, b.err.String(), "next:", line)
		require.Empty(t, b.temporal.starts)
	}
}

func TestStart_PlanInvalid_Is3WithEveryProblem(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	text, err := os.ReadFile(b.plan)
	require.NoError(t, err)
	bad := strings.Replace(strings.Replace(string(text), "ttl: 20s", "ttl: soon", 1), "quorum: 2", "qourum: 2", 1)
	require.NoError(t, os.WriteFile(b.plan, []byte(bad), 0o600))
	for _, line := range []string{"failover PLAN --from us-east-1 --as dana", "validate PLAN", "approve PLAN --as amara", "status PLAN"} {
		b.expect(exitPlan, line)
		require.Contains(t, b.err.String(), "soon", line)
		require.Contains(t, b.err.String(), "qourum", line)
		require.Regexp(t, `plan\.yaml:\d+:\d+`, b.err.String())
	}
	b.expect(exitPlan, "validate -f "+b.dir+"/missing.yaml")
}

func TestAnyVerb_TemporalNotReachable_Is7(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"failover PLAN --from us-east-1 --as dana", "status PLAN", "approve PLAN --as amara", "abort PLAN --as dana", "report PLAN",
	} {
		b := newBench(t)
		b.dial = func(context.Context) (runs, error) { return nil, errors.New("connection refused") }
		b.expect(exitUnreachable, line)
		require.Contains(t, b.err.String(), "TEMPORAL_ADDRESS", line)

		b = newBench(t)
		b.temporal.down = serviceerror.NewUnavailable("shutting down")
		b.expect(exitUnreachable, line)
	}
}

func TestConnect_HangingServer_HasADeadline(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.dial = func(ctx context.Context) (runs, error) {
		deadline, ok := ctx.Deadline()
		require.True(t, ok)
		require.LessOrEqual(t, time.Until(deadline), 5*time.Second)
		return nil, context.DeadlineExceeded
	}
	b.expect(exitUnreachable, "status PLAN")
}

func TestStart_SearchAttributesMissing_SaysWhatToDo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.temporal.down = serviceerror.NewInvalidArgument("Namespace default has no mapping defined for search attribute LifelineRegion")
	b.expect(exitUnreachable, "failover PLAN --from us-east-1 --as dana")
	require.Contains(t, b.err.String(), "start a Lifeline worker")
}

func TestAnyError_OutputJSON_IsJSON(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.expect(exitUsage, "failover PLAN --as dana -o json")
	require.Empty(t, b.out.String())
	require.JSONEq(t, `{"error":{"exit_code":2,"what":"name the Region that is left: --from, one of us-east-1, us-west-2","safe":"nothing was changed","next":"starter failover -f `+b.plan+` --from REGION --as YOU"}}`, b.err.String())
}
