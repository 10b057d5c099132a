package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.temporal.io/sdk/interceptor"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/internal/temporal"
	"lifeline/workflows"
)

// largestMessage bounds what a stranger can put into a run: a decision with a
// long comment has some 2 kB, and a report that outgrows Temporal's 2 MB could
// neither be shown nor be the run's result.
const largestMessage = 16 << 10

// guard stands at the door of every run. Whoever may write to the Temporal
// namespace can start a run and send it messages; a start carries its own plan,
// and with it the keys that its signatures are checked against. So a run is
// played only when its plan is one that this worker was started with.
type guard struct {
	interceptor.WorkerInterceptorBase
	plans []plan.Plan
}

// InterceptWorkflow puts the guard before one run.
func (g *guard) InterceptWorkflow(ctx workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	wrapped := g.WorkerInterceptorBase.InterceptWorkflow(ctx, next)
	return &door{interceptor.WorkflowInboundInterceptorBase{Next: wrapped}, g.plans}
}

type door struct {
	interceptor.WorkflowInboundInterceptorBase
	plans []plan.Plan
}

// ExecuteWorkflow asks once whether the run may begin. The answer is a fact of
// the history: workers that are started later with a changed plan must not turn
// a run away that has begun.
func (d *door) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	var why string
	verdict := workflow.SideEffect(ctx, func(ctx workflow.Context) any {
		return d.refusal(in.Args, workflow.GetInfo(ctx).WorkflowExecution.ID)
	})
	if err := verdict.Get(&why); err != nil {
		return nil, fmt.Errorf("read the guard's verdict: %w", err)
	}
	if why == "" {
		return d.Next.ExecuteWorkflow(ctx, in)
	}
	workflow.GetLogger(ctx).Error("a run was turned away", "stage", "", "why", why)
	var start runbook.Start
	if len(in.Args) == 1 {
		if given, ok := in.Args[0].(runbook.Input); ok {
			start = given.Start
		}
	}
	return nil, d.turnAway(ctx, start, why)
}

// refusal says why a run may not begin; empty when it may.
func (d *door) refusal(args []any, id string) string {
	if len(args) != 1 {
		return fmt.Sprintf("a runbook takes one input, and %d came", len(args))
	}
	switch in := args[0].(type) {
	case runbook.Input:
		return d.unfit(in, id)
	case workflows.AreaInput:
		// Its own first act is to ask the server who its parent is.
		return foreign(in.Input.Plan, d.plans)
	case workflows.ReadinessInput:
		return foreign(in.Plan, d.plans)
	}
	return fmt.Sprintf("a runbook takes a %T, and a %T came", runbook.Input{}, args[0])
}

// unfit says why a run that a person started may not begin.
func (d *door) unfit(in runbook.Input, id string) string {
	if size := sizeOf(in.Start); size > largestMessage {
		return fmt.Sprintf("the start has %d bytes; %d are allowed", size, largestMessage)
	}
	if why := foreign(in.Plan, d.plans); why != "" {
		return why
	}
	lock := temporal.IDOf(in.Plan.Application, in.Start.Runbook)
	switch {
	case in.Start.DryRun && !strings.HasPrefix(id, lock+"/preview/"):
		return fmt.Sprintf("a dry run may not hold the lock: its workflow id must begin with %s/preview/, and is %s", lock, short(id))
	case !in.Start.DryRun && id != lock:
		return fmt.Sprintf("the workflow id is the lock of the application: it must be %s, and is %s", lock, short(id))
	}
	return ""
}

// foreign says how a plan differs from those that are known; empty when it is
// one of them.
func foreign(p plan.Plan, known []plan.Plan) string {
	var names []string
	for _, k := range known {
		names = append(names, k.Application)
		if k.Application != p.Application {
			continue
		}
		parts := differences(p, k)
		if len(parts) == 0 {
			return ""
		}
		return fmt.Sprintf("the plan of this start is not the one that the workers were started with: it differs in %s. "+
			"Use the plan file that is deployed, or start the workers again with this one", strings.Join(parts, ", "))
	}
	return fmt.Sprintf("the workers of this queue were started for %s, and not for %q", strings.Join(names, ", "), short(p.Application))
}

// differences are the sections of the plan file that are not the same.
func differences(a, b plan.Plan) []string {
	left, right := sections(a), sections(b)
	names := map[string]bool{}
	for _, side := range []map[string]json.RawMessage{left, right} {
		for name := range side {
			if !bytes.Equal(left[name], right[name]) {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// sections are a plan as it travels: a plan that was sent and one that was read
// from a file are compared in the same form.
func sections(p plan.Plan) map[string]json.RawMessage {
	var out map[string]json.RawMessage
	text, err := json.Marshal(p)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		// Never equal to anything: what can't be compared is not let in.
		return map[string]json.RawMessage{err.Error(): text}
	}
	return out
}

// HandleSignal drops a signal that is larger than any of ours. It gets no answer
// anyway, and must not become a part of the run.
func (d *door) HandleSignal(ctx workflow.Context, in *interceptor.HandleSignalInput) error {
	size := 0
	for _, p := range in.Arg.GetPayloads() {
		size += len(p.GetData())
	}
	if size > largestMessage {
		workflow.GetLogger(ctx).Error("a signal was dropped: too large", "stage", "", "signal", short(in.SignalName), "bytes", size)
		return nil
	}
	return d.Next.HandleSignal(ctx, in)
}

// ValidateUpdate refuses an update that is larger than any of ours.
func (d *door) ValidateUpdate(ctx workflow.Context, in *interceptor.UpdateInput) error {
	if size := sizeOf(in.Args); size > largestMessage {
		return fmt.Errorf("%s has %d bytes; %d are allowed", short(in.Name), size, largestMessage)
	}
	return d.Next.ValidateUpdate(ctx, in)
}

// turnAway ends a run with a report, as the runbooks themselves do. Of the stranger's
// input it holds names alone, and those shortened.
func (d *door) turnAway(ctx workflow.Context, start runbook.Start, why string) error {
	info, now := workflow.GetInfo(ctx), workflow.Now(ctx)
	r := runbook.Report{
		Application: d.plans[0].Application, Runbook: runbook.Name(strings.ToLower(info.WorkflowType.Name)),
		From: plan.Region(short(string(start.From))), To: plan.Region(short(string(start.To))), StartedBy: short(start.By), DryRun: start.DryRun,
		WorkflowID: info.WorkflowExecution.ID, RunID: info.WorkflowExecution.RunID, Phase: "admission",
		Started: now, Now: now, Ended: now, Status: runbook.Refused, Summary: "turned away: " + why,
		Safe: "nothing was changed", Next: "starter validate -f PLAN, with the plan file that the workers have",
	}
	return sdk.NewApplicationErrorWithOptions(r.Summary, string(r.Status), sdk.ApplicationErrorOptions{NonRetryable: true, Details: []any{r}})
}

// sizeOf is the size of a message as it travels; what can't travel is too large.
func sizeOf(v any) int {
	text, err := json.Marshal(v)
	if err != nil {
		return largestMessage + 1
	}
	return len(text)
}

// short keeps a stranger's text from filling a history or log.
func short(s string) string {
	const most = 100
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}
