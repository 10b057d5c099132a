package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	sdk "go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/types/known/timestamppb"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// fakeTemporal holds one run and judges messages by the same rules as a real
// one. It implements runs.
type fakeTemporal struct {
	mu       sync.Mutex
	plan     plan.Plan
	now      func() time.Time
	report   *runbook.Report // nil: nothing was ever started
	ended    chan struct{}   // closed when the run has ended
	failure  error           // how the run ended, when not by its report
	silent   bool            // no worker answers
	events   int64           // of the run's history
	dumb     error           // a worker answers that it can't
	down     error           // Temporal itself does not answer
	script   []func(*runbook.Report)
	admitted func(runbook.Input) runbook.Report
	schedule *client.Schedule         // nil: none was made
	proof    *runbook.ReadinessReport // what a proof of readiness finds
	past     []pastRun                // runs that ended before

	starts  []client.StartWorkflowOptions
	inputs  []runbook.Input
	names   []string
	updates []client.UpdateWorkflowOptions
	answers map[string]any
}

func (f *fakeTemporal) open() bool {
	return f.report != nil && !f.report.Status.Final() && f.failure == nil
}

// hold puts a run in place as if it had been started before.
func (f *fakeTemporal) hold(r runbook.Report) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.set(r)
}

func (f *fakeTemporal) set(r runbook.Report) {
	f.report, f.ended = &r, make(chan struct{})
	if r.Status.Final() {
		close(f.ended)
	}
}

// change applies one change to the run and ends it when that made it final.
func (f *fakeTemporal) change(do func(*runbook.Report)) {
	open := f.open()
	do(f.report)
	if open && !f.open() {
		close(f.ended)
	}
}

func (f *fakeTemporal) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, name any, args ...any) (client.WorkflowRun, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return nil, f.down
	}
	if f.proof != nil {
		f.starts, f.names = append(f.starts, o), append(f.names, fmt.Sprint(name))
		return &proofRun{fakeRun{f, o.ID, f.proof.RunID}}, nil
	}
	in, ok := args[0].(runbook.Input)
	if !ok {
		return nil, fmt.Errorf("start with %T", args[0])
	}
	if f.open() && f.report.WorkflowID == o.ID {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("already started", "request", f.report.RunID)
	}
	f.starts, f.inputs, f.names = append(f.starts, o), append(f.inputs, in), append(f.names, fmt.Sprint(name))
	r := runbook.Report{
		Application: in.Plan.Application, Runbook: in.Start.Runbook, WorkflowID: o.ID, RunID: fmt.Sprintf("run-%d", len(f.starts)),
		From: in.Start.From, To: in.Start.To, StartedBy: in.Start.By, DryRun: in.Start.DryRun, Started: f.now(),
		Status: runbook.Running, Phase: runbook.Assess, Objective: time.Minute,
	}
	if f.admitted != nil {
		got := f.admitted(in)
		r.Status, r.Phase, r.Summary, r.Safe, r.Next, r.Stages, r.Predicted, r.Estate = got.Status, got.Phase, got.Summary, got.Safe, got.Next, got.Stages, got.Predicted, got.Estate
	}
	f.set(r)
	return &fakeRun{f, o.ID, r.RunID}, nil
}

func (f *fakeTemporal) GetWorkflow(_ context.Context, id, run string) client.WorkflowRun {
	for _, p := range f.past {
		if p.run == run {
			return &endedRun{fakeRun{f, id, run}, p}
		}
	}
	return &fakeRun{f, id, run}
}

type fakeRun struct {
	*fakeTemporal
	id, run string
}

func (r *fakeRun) GetID() string                  { return r.id }
func (r *fakeRun) GetRunID() string               { return r.run }
func (r *fakeRun) GetFirstExecutionRunID() string { return r.run }
func (r *fakeRun) GetWithOptions(ctx context.Context, v any, _ client.WorkflowRunGetOptions) error {
	return r.Get(ctx, v)
}

// closedError is the error of a run that ended badly: the SDK's own can't be
// made outside of it.
type closedError struct{ causes []error }

func (c *closedError) Error() string   { return "workflow execution error" }
func (c *closedError) Unwrap() []error { return c.causes }

func (r *fakeRun) Get(ctx context.Context, v any) error {
	r.mu.Lock()
	ended := r.ended
	r.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-ended:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failure != nil {
		return &closedError{[]error{&sdk.WorkflowExecutionError{}, r.failure}}
	}
	if r.report.Status == runbook.Done {
		return copyInto(v, *r.report)
	}
	return &closedError{[]error{&sdk.WorkflowExecutionError{}, sdk.NewNonRetryableApplicationError(r.report.Summary, string(r.report.Status), nil, *r.report)}}
}

func copyInto(to, from any) error {
	b, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, to)
}

func (f *fakeTemporal) QueryWorkflow(ctx context.Context, _, _, kind string, _ ...any) (converter.EncodedValue, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return nil, f.down
	}
	if kind != runbook.QueryStatus {
		return nil, serviceerror.NewInvalidArgument("unknown query " + kind)
	}
	// The script goes on even when nobody hears the answer, and knows that the
	// person may have gone.
	if len(f.script) > 0 && ctx.Err() == nil {
		f.change(f.script[0])
		f.script = f.script[1:]
	}
	if f.dumb != nil {
		return nil, f.dumb
	}
	if f.silent {
		return nil, context.DeadlineExceeded
	}
	p, err := converter.GetDefaultDataConverter().ToPayloads(*f.report)
	if err != nil {
		return nil, err
	}
	return client.NewValue(p), nil
}

func (f *fakeTemporal) UpdateWorkflow(_ context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.silent {
		return nil, &client.WorkflowUpdateServiceTimeoutOrCanceledError{}
	}
	f.updates = append(f.updates, o)
	if answer, ok := f.answers[o.UpdateID]; ok {
		return &fakeUpdate{o, answer, nil}, nil
	}
	answer, err := f.judge(o)
	if err != nil {
		return &fakeUpdate{o, nil, sdk.NewApplicationError(err.Error(), "Refused")}, nil
	}
	if f.answers == nil {
		f.answers = map[string]any{}
	}
	f.answers[o.UpdateID] = answer
	return &fakeUpdate{o, answer, nil}, nil
}

func (f *fakeTemporal) judge(o client.UpdateWorkflowOptions) (any, error) {
	switch arg := o.Args[0].(type) {
	case runbook.Decision:
		if err := f.report.Ballot().Judge(arg, f.plan, f.report.StartedBy, f.now()); err != nil {
			return nil, err
		}
		b := f.report.Ballot()
		b.Count(arg, f.now())
		return *b, nil
	case runbook.Control:
		if err := arg.Admit(f.plan, f.report.RunID); err != nil {
			return nil, err
		}
		f.change(func(r *runbook.Report) {
			r.Events = append(r.Events, runbook.Event{At: f.now(), Kind: "order", Text: string(arg.Order) + " " + arg.Step + " " + arg.Reason})
			switch arg.Order {
			case runbook.Pause:
				r.Status = runbook.Paused
			case runbook.Abort:
				r.Status, r.Summary, r.Safe = runbook.Aborted, "aborted by "+arg.By, "everything was taken back"
			case runbook.Resume, runbook.Skip:
				r.Status = runbook.Running
			}
		})
		return *f.report, nil
	default:
		return nil, fmt.Errorf("update with %T", arg)
	}
}

type fakeUpdate struct {
	o      client.UpdateWorkflowOptions
	answer any
	err    error
}

func (u *fakeUpdate) WorkflowID() string { return u.o.WorkflowID }
func (u *fakeUpdate) RunID() string      { return u.o.RunID }
func (u *fakeUpdate) UpdateID() string   { return u.o.UpdateID }
func (u *fakeUpdate) Get(_ context.Context, v any) error {
	if u.err != nil {
		return u.err
	}
	return copyInto(v, u.answer)
}

func (f *fakeTemporal) DescribeWorkflowExecution(_ context.Context, id, run string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.down != nil:
		return nil, f.down
	case f.proof != nil:
		return &workflowservice.DescribeWorkflowExecutionResponse{PendingWorkflowTask: f.pending()}, nil
	case f.report == nil, f.report.WorkflowID != id, run != "" && run != f.report.RunID:
		return nil, serviceerror.NewNotFound("workflow not found")
	}
	info := &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: f.report.RunID}, Status: enums.WORKFLOW_EXECUTION_STATUS_RUNNING,
		StartTime: timestamppb.New(f.report.Started), TaskQueue: "lifeline-us-west-2", HistoryLength: f.events,
		Memo: &commonpb.Memo{Fields: payloads(map[string]string{
			memoBy: f.report.StartedBy, memoFrom: string(f.report.From), memoTo: string(f.report.To), memoRunbook: string(f.report.Runbook),
		})},
		SearchAttributes: &commonpb.SearchAttributes{IndexedFields: payloads(map[string]string{"LifelinePhase": string(f.report.Phase), "LifelineRtoState": "inside"})},
	}
	if !f.open() {
		info.Status, info.CloseTime = enums.WORKFLOW_EXECUTION_STATUS_FAILED, timestamppb.New(f.now())
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: info, PendingWorkflowTask: f.pending(),
		PendingActivities: []*workflowpb.PendingActivityInfo{{
			ActivityType: &commonpb.ActivityType{Name: "FailoverAurora"}, State: enums.PENDING_ACTIVITY_STATE_STARTED, Attempt: 3, LastHeartbeatTime: timestamppb.New(f.now().Add(-2 * time.Second)),
		}},
	}, nil
}

// pending is the task that waits for a worker while none lives.
func (f *fakeTemporal) pending() *workflowpb.PendingWorkflowTaskInfo {
	if !f.silent {
		return nil
	}
	return &workflowpb.PendingWorkflowTaskInfo{State: enums.PENDING_WORKFLOW_TASK_STATE_SCHEDULED}
}

func payloads(texts map[string]string) map[string]*commonpb.Payload {
	out := map[string]*commonpb.Payload{}
	for k, v := range texts {
		p, err := converter.GetDefaultDataConverter().ToPayload(v)
		if err != nil {
			panic(errors.Join(errors.New("encode "+k), err))
		}
		out[k] = p
	}
	return out
}

// ScheduleClient gives the schedules of this fake.
func (f *fakeTemporal) ScheduleClient() client.ScheduleClient { return &fakeSchedules{fakeTemporal: f} }

// fakeSchedules keep what was made, by id.
type fakeSchedules struct {
	client.ScheduleClient
	*fakeTemporal
}

func (f *fakeSchedules) Create(_ context.Context, o client.ScheduleOptions) (client.ScheduleHandle, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return nil, f.down
	}
	if f.schedule != nil {
		return nil, sdk.ErrScheduleAlreadyRunning
	}
	f.schedule = &client.Schedule{Spec: &o.Spec, Action: o.Action, State: &client.ScheduleState{Note: o.Note}, Policy: &client.SchedulePolicies{Overlap: o.Overlap, CatchupWindow: o.CatchupWindow}}
	return &fakeSchedule{fakeSchedules: f}, nil
}

func (f *fakeSchedules) GetHandle(context.Context, string) client.ScheduleHandle {
	return &fakeSchedule{fakeSchedules: f}
}

type fakeSchedule struct {
	client.ScheduleHandle
	*fakeSchedules
}

func (f *fakeSchedule) Describe(context.Context) (*client.ScheduleDescription, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return nil, f.down
	}
	if f.schedule == nil {
		return nil, serviceerror.NewNotFound("schedule not found")
	}
	return &client.ScheduleDescription{Schedule: *f.schedule, Info: client.ScheduleInfo{NumActions: 3, NextActionTimes: []time.Time{f.now().Add(time.Minute)}}}, nil
}

func (f *fakeSchedule) Update(_ context.Context, o client.ScheduleUpdateOptions) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	u, err := o.DoUpdate(client.ScheduleUpdateInput{Description: client.ScheduleDescription{Schedule: *f.schedule}})
	if err == nil {
		f.schedule = u.Schedule
	}
	return err
}

// proofRun is a proof of readiness that has ended.
type proofRun struct{ fakeRun }

func (r *proofRun) Get(ctx context.Context, v any) error {
	if r.silent {
		<-ctx.Done()
		return ctx.Err()
	}
	return copyInto(v, *r.proof)
}
