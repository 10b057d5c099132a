package workflows_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/encoding/protojson"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	lifeline "lifeline/internal/temporal"
	"lifeline/workflows"
)

// recorder plays one run on a real server.
type recorder struct {
	t *testing.T
	w *world
	c client.Client
}

// record plays each runbook on a real server, with stand-ins for its steps, and
// keeps the histories.
func record(t *testing.T, program string) {
	t.Helper()
	server, err := testsuite.StartDevServer(t.Context(), testsuite.DevServerOptions{
		ExistingPath: program, LogLevel: "error",
		ClientOptions: &client.Options{Identity: "recorder", Logger: quiet()},
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Stop()) }()
	for name, act := range map[string]func(recorder) client.WorkflowRun{
		"failover": recorder.failover, "failover-aborted": recorder.aborted, "failover-running": recorder.running,
		"switchover": recorder.switchover, "failback": recorder.failback,
	} {
		r := recorder{t: t, w: newWorld(t), c: server.Client()}
		r.hurry()
		stop := r.workers()
		run := act(r)
		r.keep(name, run)
		if name == "failover-running" {
			require.NoError(t, r.c.TerminateWorkflow(t.Context(), run.GetID(), run.GetRunID(), "recorded"))
		}
		stop()
	}
	recordSetup(t, server.Client())
}

// hurry shortens what the plan waits for: a recording lasts seconds.
func (r recorder) hurry() {
	w := r.w
	w.zero, w.now = time.Now(), time.Now
	w.plan.Lease.TTL = plan.Duration(time.Second)
	w.plan.Failover.CommitWindow = plan.Duration(time.Second)
	w.plan.Failback.StableFor, w.plan.Failback.StepPause = plan.Duration(time.Second), plan.Duration(100*time.Millisecond)
	w.plan.Assumptions = &plan.Assumptions{SwitchInterval: plan.Duration(100 * time.Millisecond), CheckerLag: plan.Duration(100 * time.Millisecond)}
}

func (r recorder) workers() (stop func()) {
	queues := []string{lifeline.Queue(west)}
	for _, m := range r.w.plan.Observers.Members {
		queues = append(queues, lifeline.ObserverQueue(m.Name))
	}
	var all []worker.Worker
	for _, queue := range queues {
		w := worker.New(r.c, queue, worker.Options{Identity: "recorder", Interceptors: []interceptor.WorkerInterceptor{&befalls{w: r.w}}})
		workflows.Register(w)
		for name, fn := range r.w.activities() {
			w.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
		}
		require.NoError(r.t, w.Start())
		all = append(all, w)
	}
	return func() {
		for _, w := range all {
			w.Stop()
		}
	}
}

func (r recorder) start(name string, in runbook.Input) client.WorkflowRun {
	run, err := r.c.ExecuteWorkflow(r.t.Context(), client.StartWorkflowOptions{ID: lifeline.WorkflowID(r.w.plan.Application), TaskQueue: lifeline.Queue(west)}, name, in)
	require.NoError(r.t, err)
	return run
}

// status asks the run for its report.
func (r recorder) status(run client.WorkflowRun) runbook.Report {
	var rep runbook.Report
	v, err := r.c.QueryWorkflow(r.t.Context(), run.GetID(), run.GetRunID(), runbook.QueryStatus)
	require.NoError(r.t, err)
	require.NoError(r.t, v.Get(&rep))
	return rep
}

// asked waits until the run asks for stage, with a request younger than nonce.
func (r recorder) asked(run client.WorkflowRun, stage runbook.Stage) runbook.Ballot {
	var b runbook.Ballot
	require.Eventually(r.t, func() bool {
		rep := r.status(run)
		if open := rep.Ballot(); open != nil && open.Stage == stage {
			b = *open
			return true
		}
		return false
	}, time.Minute, 50*time.Millisecond)
	return b
}

func (r recorder) word(b runbook.Ballot, by string) runbook.Decision {
	d := runbook.Decision{By: by, Approve: true, RunID: b.RunID, Stage: b.Stage, Nonce: b.Nonce}
	for _, risk := range b.Risks {
		d.Acknowledge = append(d.Acknowledge, risk.Code)
	}
	return r.w.sign(d)
}

func (r recorder) update(run client.WorkflowRun, name string, arg any) {
	h, err := r.c.UpdateWorkflow(r.t.Context(), client.UpdateWorkflowOptions{
		WorkflowID: run.GetID(), RunID: run.GetRunID(), UpdateName: name, Args: []any{arg}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	require.NoError(r.t, err)
	require.NoError(r.t, h.Get(r.t.Context(), nil))
}

func (r recorder) order(run client.WorkflowRun, o runbook.Order) {
	c := runbook.Control{By: "dana", Order: o, RunID: run.GetRunID(), Reason: "recording"}
	c.Signature = runbook.Sign(r.w.keys["dana"], c.Message(r.w.plan.Application))
	r.update(run, runbook.UpdateControl, c)
}

func (r recorder) approve(run client.WorkflowRun, stage runbook.Stage) {
	b := r.asked(run, stage)
	r.update(run, runbook.UpdateDecide, r.word(b, "amara"))
	r.update(run, runbook.UpdateDecide, r.word(b, "bela"))
}

func (r recorder) ends(run client.WorkflowRun, want runbook.Status) {
	var rep runbook.Report
	err := run.Get(r.t.Context(), &rep)
	if want == runbook.Done {
		require.NoError(r.t, err)
	}
	require.Equal(r.t, want, r.status(run).Status)
}

// failover is asked for traffic too, loses an answer, is paused and resumed, and
// hears one approver by signal.
func (r recorder) failover() client.WorkflowRun {
	r.w.plan.Approvals.Evacuate = "approval"
	r.w.mischief = func(c call) mischief {
		if c.name == "FenceLease" && c.attempt == 1 {
			return loses
		}
		return nothing
	}
	run := r.start(workflows.FailoverName, r.w.start(runbook.Failover, east, west))
	r.approve(run, runbook.Decide)
	b := r.asked(run, runbook.Approve)
	r.order(run, runbook.Pause)
	require.NoError(r.t, r.c.SignalWorkflow(r.t.Context(), run.GetID(), run.GetRunID(), runbook.SignalDecide, r.word(b, "chidi")))
	r.order(run, runbook.Resume)
	r.update(run, runbook.UpdateDecide, r.word(b, "amara"))
	r.ends(run, runbook.Done)
	return run
}

func (r recorder) running() client.WorkflowRun {
	run := r.start(workflows.FailoverName, r.w.start(runbook.Failover, east, west))
	b := r.asked(run, runbook.Approve)
	r.update(run, runbook.UpdateDecide, r.word(b, "amara"))
	return run
}

func (r recorder) aborted() client.WorkflowRun {
	run := r.running()
	r.order(run, runbook.Abort)
	r.ends(run, runbook.Aborted)
	return run
}

func (r recorder) switchover() client.WorkflowRun {
	r.w.down[east] = false
	run := r.start(workflows.SwitchoverName, r.w.start(runbook.Switchover, east, west))
	r.approve(run, runbook.Approve)
	r.ends(run, runbook.Done)
	return run
}

func (r recorder) failback() client.WorkflowRun {
	w := r.w
	w.down[east], w.writer, w.holder, w.epoch = false, west, west, 2
	w.objects["evacuate/us-east-1"], w.fenced["compute us-east-1"], w.frozen[east] = true, true, true
	run := r.start(workflows.FailbackName, w.start(runbook.Failback, west, east))
	r.approve(run, runbook.Approve)
	r.ends(run, runbook.Done)
	return run
}

// keep writes a history without the name of the machine that it was made on.
func (r recorder) keep(name string, run client.WorkflowRun) {
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	var h history.History
	events := r.c.GetWorkflowHistory(ctx, run.GetID(), run.GetRunID(), false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		require.NoError(r.t, err)
		// A sticky queue bears the name of the worker's machine.
		if q := e.GetWorkflowTaskScheduledEventAttributes().GetTaskQueue(); q.GetKind() == enums.TASK_QUEUE_KIND_STICKY {
			q.Name = "recorder"
		}
		h.Events = append(h.Events, e)
	}
	b, err := protojson.MarshalOptions{Indent: " "}.Marshal(&h)
	require.NoError(r.t, err)
	dir := filepath.Join("testdata", "histories")
	require.NoError(r.t, os.MkdirAll(dir, 0o750))
	require.NoError(r.t, os.WriteFile(filepath.Join(dir, name+".json"), append(b, '\n'), 0o600))
}
