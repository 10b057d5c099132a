package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows/kinds"
)

// stage is one phase of a runbook.
type stage struct {
	name   runbook.Stage
	title  string
	oneWay bool
	do     func(workflow.Context) error
}

func reversible(name runbook.Stage, title string, do func(workflow.Context) error) stage {
	return stage{name: name, title: title, do: do}
}

// oneWay marks the stage after which a run only moves forward.
func oneWay(name runbook.Stage, title string, do func(workflow.Context) error) stage {
	return stage{name: name, title: title, oneWay: true, do: do}
}

// run plays one runbook. It is the only mutable thing of a workflow; coroutines
// of one workflow never run at the same time, so it needs no lock.
type run struct {
	in     runbook.Input
	move   kinds.Move
	report runbook.Report

	id      string // outlives a reset; see kinds.Identity
	at      int    // index of the stage that plays
	passed  bool   // a one-way stage has begun: no undo from here
	paused  bool   // by a person
	faster  bool   // 80 % of the budget is gone: optional steps are skipped
	abortBy string // who ordered the abort
	cancel  workflow.CancelFunc
	undo    []*undoEntry
	skip    map[string]bool
	aside   []int               // by stage: how much still runs beside it
	stop    workflow.CancelFunc // ends the budget's timers
	marked  [3]string           // search attributes as last written
}

// newRun prepares a run of a runbook.
func newRun(ctx workflow.Context, name runbook.Name, in runbook.Input) *run {
	info := workflow.GetInfo(ctx)
	p := in.Plan
	return &run{
		in:   in,
		move: kinds.Move{Plan: p, Class: name.Class(), From: in.Start.From, To: in.Start.To, DryRun: in.Start.DryRun},
		id:   kinds.Identity(ctx),
		skip: map[string]bool{},
		report: runbook.Report{
			Application: p.Application, Runbook: name, WorkflowID: info.WorkflowExecution.ID, RunID: info.WorkflowExecution.RunID,
			From: in.Start.From, To: in.Start.To, StartedBy: in.Start.By, DryRun: in.Start.DryRun,
			Started: workflow.Now(ctx), Status: runbook.Running, Objective: p.Objectives.RTO.D(),
			Predicted: p.PredictedFloor(), RTOState: runbook.RTOInside,
		},
	}
}

// play runs the stages in order and ends the run, whatever happens.
func (r *run) play(ctx workflow.Context, stages ...stage) (runbook.Report, error) {
	ctx, r.cancel = workflow.WithCancel(ctx)
	r.aside = make([]int, len(stages))
	for _, s := range stages {
		r.report.Stages = append(r.report.Stages, runbook.StageRecord{Name: s.name, Title: s.title, OneWay: s.oneWay, State: runbook.Pending})
	}
	if err := r.listen(ctx); err != nil {
		return r.report, err
	}
	if err := r.admit(ctx); err != nil {
		return r.end(ctx, err)
	}
	for i, s := range stages {
		if err := r.playStage(ctx, i, s); err != nil {
			return r.end(ctx, err)
		}
	}
	return r.end(ctx, r.gather(ctx))
}

// admit refuses a run that nobody with a right to it started, or that sits on a
// queue which the suspect Region's workers poll.
func (r *run) admit(ctx workflow.Context) error {
	if err := r.in.Start.Admit(r.in.Plan, workflow.Now(ctx)); err != nil {
		return refused("%v", err)
	}
	if r.in.Start.Runbook != r.report.Runbook {
		return refused("the start was signed for %q, and this is %s", r.in.Start.Runbook, r.report.Runbook)
	}
	if !r.report.Runbook.Moves() {
		return nil
	}
	if problems := checkMove(r.in.Plan, r.in.Start); problems != nil {
		return refused("%v", problems)
	}
	if r.move.Class == runbook.Emergency && workflow.GetInfo(ctx).TaskQueueName == queueOf(r.move.From) {
		return refused("an emergency runbook may not run on the queue of %s, the Region it leaves", r.move.From)
	}
	return nil
}

func checkMove(p plan.Plan, s runbook.Start) error {
	roles := map[plan.Region]plan.Role{}
	for _, region := range p.Regions {
		roles[region.Name] = region.Role
	}
	for _, name := range []plan.Region{s.From, s.To} {
		if role, ok := roles[name]; !ok || role == plan.Witness {
			return fmt.Errorf("%q is no Region of the plan that serves traffic", name)
		}
	}
	if s.From == s.To {
		return fmt.Errorf("%s can't be left for itself", s.From)
	}
	return nil
}

func (r *run) playStage(ctx workflow.Context, i int, s stage) error {
	if err := r.unpaused(ctx); err != nil {
		return err
	}
	r.at, r.report.Phase = i, s.name
	if s.oneWay {
		if err := r.beforeOneWay(ctx); err != nil {
			return err
		}
	}
	rec := &r.report.Stages[i]
	rec.State, rec.Started = runbook.Active, workflow.Now(ctx)
	r.publish(ctx)
	err := s.do(ctx)
	rec.Ended = workflow.Now(ctx)
	rec.State = runbook.Succeeded
	if err != nil {
		rec.State = runbook.Broken
	}
	return err
}

// unpaused waits while a person holds the run. An abort ends a pause too, so the
// cancellation is asked for afterwards: nothing new begins in an aborted run.
func (r *run) unpaused(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return !r.paused }); err != nil {
		return err
	}
	return ctx.Err()
}

// beforeOneWay is the last look before the point of no return: the epoch must
// still be ours, or somebody else has promoted meanwhile. From here undo would
// be wrong, so what was registered is dropped.
func (r *run) beforeOneWay(ctx workflow.Context) error {
	if r.report.Epoch == 0 || r.move.DryRun {
		return nil
	}
	lease, err := kinds.ReadLease(ctx, r)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		if !r.acknowledged([]runbook.Risk{epochUnread(err)}) {
			return refused("the write lease could not be read right before %s: %s", r.report.Phase, r.words(err))
		}
		r.event(ctx, "gate", "the epoch could not be read, as the approvers know: "+r.words(err))
		return nil
	}
	if lease.Holder != string(r.move.To) || lease.Epoch != r.report.Epoch {
		return refused("the write lease is at epoch %d held by %s, not at epoch %d held by %s: another promotion has happened", lease.Epoch, lease.Holder, r.report.Epoch, r.move.To)
	}
	return nil
}

// pass is called right before the first act that can't be taken back.
func (r *run) pass() {
	if !r.move.DryRun {
		r.passed = true
	}
}

// end closes the run: undoes what can be undone, tells people, and returns the
// report as result or inside the error.
func (r *run) end(ctx workflow.Context, cause error) (runbook.Report, error) {
	dctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	if r.stop != nil {
		r.stop()
	}
	r.cancel()
	// Nobody is asked any more, and a run that ends can't be held: whoever paused
	// it could not resume it either.
	r.report.Ballot().Withdraw(workflow.Now(dctx))
	r.paused = false
	if err := r.gather(dctx); err != nil {
		return r.report, err
	}
	r.conclude(dctx, cause)
	r.report.Ended = workflow.Now(dctx)
	r.publish(dctx)
	if r.newsworthy() {
		r.tell(dctx, string(r.report.Status), r.report.Summary)
	}
	err := workflow.Await(dctx, func() bool { return workflow.AllHandlersFinished(dctx) })
	if err = errors.Join(err, r.gather(dctx)); err != nil {
		return r.report, err
	}
	report := r.snapshot(dctx)
	if report.Status == runbook.Done {
		return report, nil
	}
	// The cause is told in words and never wrapped: a cancellation anywhere in
	// the tree would close the run as Canceled and lose the report.
	return report, temporal.NewApplicationErrorWithOptions(report.Summary, string(report.Status), temporal.ApplicationErrorOptions{
		NonRetryable: true, Details: []any{report},
	})
}

// gateError is a refusal by a gate: nothing is broken, something is not allowed.
type gateError struct{ why string }

func (e *gateError) Error() string { return e.why }

func refused(format string, args ...any) error { return &gateError{fmt.Sprintf(format, args...)} }

// revertError says that the commit window saw bad results.
type revertError struct{ why string }

func (e *revertError) Error() string { return e.why }

// conclude decides the status and undoes what the status demands.
func (r *run) conclude(ctx workflow.Context, cause error) {
	var gate *gateError
	var revert *revertError
	switch {
	case cause == nil:
		r.report.Status = runbook.Done
		r.report.Summary = r.success()
	case r.passed:
		r.report.Status = runbook.Stopped
		r.report.Summary = fmt.Sprintf("%s stopped in %s, after its point of no return: %s", r.report.Runbook, r.report.Phase, r.words(cause))
		r.keep()
	default:
		r.report.Status = runbook.Failed
		verb := "failed"
		switch {
		case r.abortBy != "" || temporal.IsCanceledError(cause):
			r.report.Status, verb = runbook.Aborted, "was aborted"
		case errors.As(cause, &gate):
			r.report.Status, verb = runbook.Refused, "was refused"
		case errors.As(cause, &revert):
			r.report.Status, verb = runbook.Reverted, "saw bad results"
		}
		r.report.Summary = fmt.Sprintf("%s %s in %s: %s", r.report.Runbook, verb, r.report.Phase, r.words(cause))
		r.report.Cause = kindOf(cause)
		r.takeBack(ctx)
	}
	r.report.Safe, r.report.Next = advice(&r.report)
}

// success is one sentence on what was done.
func (r *run) success() string {
	if e := r.report.Estate; e != nil {
		return r.built(e)
	}
	if r.move.DryRun {
		return fmt.Sprintf("dry run of %s from %s to %s: nothing was changed", r.report.Runbook, r.move.From, r.move.To)
	}
	out := fmt.Sprintf("%s from %s to %s is done", r.report.Runbook, r.move.From, r.move.To)
	if !r.report.Clocks.Verified.IsZero() {
		out += fmt.Sprintf("; clients were served %s after the failure (objective %s)", r.report.Clocks.Spans(r.report.Now).RTO().Round(100*time.Millisecond), r.report.Objective)
	}
	return out
}

// kindOf is the kind of the error that failed a step, as package cloud named it.
func kindOf(cause error) string {
	var app *temporal.ApplicationError
	if errors.As(cause, &app) {
		return app.Type()
	}
	return ""
}

// words tells a cause without Temporal's wrapping.
func (r *run) words(cause error) string {
	var app *temporal.ApplicationError
	switch {
	case temporal.IsCanceledError(cause) && r.abortBy != "":
		return "by order of " + r.abortBy
	case temporal.IsCanceledError(cause):
		return "the workflow was cancelled"
	case errors.As(cause, &app):
		return app.Message()
	default:
		return cause.Error()
	}
}
