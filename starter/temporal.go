package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/internal/temporal"
)

const (
	// connectTimeout: a Temporal that does not answer for this long is not
	// reachable; a person waits for the answer.
	connectTimeout = 5 * time.Second
	// queryTimeout: a worker answers a query in milliseconds, or is not there.
	queryTimeout = 3 * time.Second
	// updateTimeout also covers a worker that takes over a killed one's run.
	updateTimeout = 15 * time.Second
)

// runs is the part of the Temporal client that the verbs use.
type runs interface {
	ExecuteWorkflow(ctx context.Context, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error)
	GetWorkflow(ctx context.Context, workflowID, runID string) client.WorkflowRun
	QueryWorkflow(ctx context.Context, workflowID, runID, queryType string, args ...any) (converter.EncodedValue, error)
	UpdateWorkflow(ctx context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error)
	ScheduleClient() client.ScheduleClient
	ListWorkflow(ctx context.Context, request *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error)
	DescribeWorkflowExecution(ctx context.Context, workflowID, runID string) (*workflowservice.DescribeWorkflowExecutionResponse, error)
}

// target is one run: a run id that is empty means the newest.
type target struct {
	workflow, run string
}

// An application's runs that move a Region share one id; setup has its own.
func lockOf(p plan.Plan, of runbook.Name) target {
	return target{workflow: temporal.IDOf(p.Application, of)}
}

// connect reaches Temporal within connectTimeout.
func (a *app) connect(ctx context.Context) (runs, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	c, err := a.dial(ctx)
	switch {
	case err == nil:
		return c, nil
	case errors.Is(err, temporal.ErrConfiguration):
		return nil, usage("check TEMPORAL_PROFILE and TEMPORAL_CONFIG_FILE, then type the same command again", "%w", err)
	default:
		return nil, notReachable(err)
	}
}

func notReachable(err error) *trouble {
	return &trouble{
		code: exitUnreachable, err: err,
		safe: "nothing was changed by this command; runs that were started before are kept by Temporal",
		next: "check TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and the network, then type the same command again",
	}
}

// explain turns what Temporal answered into trouble. What was being done comes
// first: "ask for the status".
func (a *app) explain(doing string, at target, err error) *trouble {
	wrapped := fmt.Errorf("%s %s: %w", doing, at.workflow, err)
	var notFound *serviceerror.NotFound
	var noNamespace *serviceerror.NamespaceNotFound
	var invalid *serviceerror.InvalidArgument
	switch {
	case errors.As(err, &invalid) && at.run != "":
		return usage("leave --run away for the newest run, or copy the id from the Temporal UI", "%s %s, run %q: %w", doing, at.workflow, at.run, err)
	case errors.As(err, &noNamespace):
		return notReachable(wrapped)
	case errors.As(err, &notFound):
		begin := a.command("failover", "--from REGION --as YOU")
		if a.meant() == runbook.Setup {
			begin = a.command("setup", "--as YOU")
		}
		return &trouble{
			code: exitFailed, err: fmt.Errorf("%s %s: no such run is known", doing, at.workflow),
			safe: "nothing was changed", next: "check the plan's application and TEMPORAL_NAMESPACE, or start one: " + begin,
		}
	case unreachable(err):
		return notReachable(wrapped)
	default:
		return &trouble{
			code: exitFailed, err: wrapped, safe: "what Temporal has accepted before is kept; whether this was is not known",
			next: "look before you repeat it: " + a.command("status"),
		}
	}
}

func unreachable(err error) bool {
	var unavailable *serviceerror.Unavailable
	var deadline *serviceerror.DeadlineExceeded
	var denied *serviceerror.PermissionDenied
	return errors.As(err, &unavailable) || errors.As(err, &deadline) || errors.As(err, &denied) ||
		errors.Is(err, context.DeadlineExceeded)
}
