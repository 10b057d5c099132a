package main

import (
	"cmp"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"lifeline/internal/plan"
	"lifeline/internal/report"
	"lifeline/internal/runbook"
	"lifeline/internal/temporal"
)

// serverFacts is what Temporal itself knows about a run, without any worker.
type serverFacts struct {
	RunID    string        `json:"run_id"`
	Status   string        `json:"status"`
	Queue    string        `json:"task_queue"`
	Phase    string        `json:"phase"`
	RTOState string        `json:"rto_state"`
	Runbook  string        `json:"runbook"`
	From     string        `json:"from"`
	To       string        `json:"to"`
	By       string        `json:"started_by"`
	Started  time.Time     `json:"started"`
	Closed   time.Time     `json:"closed,omitzero"`
	Pending  []pendingFact `json:"pending,omitempty"`
	Open     bool          `json:"open"`
}

// pendingFact is an activity that Temporal waits for.
type pendingFact struct {
	Step        string    `json:"step"`
	State       string    `json:"state"`
	Attempt     int32     `json:"attempt"`
	Heartbeat   time.Time `json:"last_heartbeat,omitzero"`
	LastFailure string    `json:"last_failure,omitempty"`
}

func factsOf(d *workflowservice.DescribeWorkflowExecutionResponse) serverFacts {
	info := d.GetWorkflowExecutionInfo()
	memo := texts(info.GetMemo().GetFields())
	found := texts(info.GetSearchAttributes().GetIndexedFields())
	f := serverFacts{
		RunID: info.GetExecution().GetRunId(), Status: info.GetStatus().String(), Queue: info.GetTaskQueue(),
		Phase: phase(found), RTOState: word(found, temporal.LifelineRtoState().GetName()),
		Started: info.GetStartTime().AsTime(),
		Runbook: word(memo, memoRunbook), From: word(memo, memoFrom), To: word(memo, memoTo), By: word(memo, memoBy),
		Open: info.GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_RUNNING || info.GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_PAUSED,
	}
	if info.GetCloseTime() != nil {
		f.Closed = info.GetCloseTime().AsTime()
	}
	for _, p := range d.GetPendingActivities() {
		pending := pendingFact{Step: p.GetActivityType().GetName(), State: p.GetState().String(), Attempt: p.GetAttempt(), LastFailure: p.GetLastFailure().GetMessage()}
		if p.GetLastHeartbeatTime() != nil {
			pending.Heartbeat = p.GetLastHeartbeatTime().AsTime()
		}
		f.Pending = append(f.Pending, pending)
	}
	return f
}

// texts decodes the payloads that are plain JSON; others (encrypted ones) are left out.
func texts(fields map[string]*commonpb.Payload) map[string]any {
	out := make(map[string]any, len(fields))
	for name, payload := range fields {
		var v any
		if err := converter.GetDefaultDataConverter().FromPayload(payload, &v); err == nil {
			out[name] = v
		}
	}
	return out
}

// word is a text, or "unknown".
func word(from map[string]any, name string) string {
	s, _ := from[name].(string)
	return cmp.Or(s, "unknown")
}

// phase is the stage that the run has written last.
func phase(found map[string]any) string {
	s, _ := found[temporal.LifelinePhase().GetName()].(string)
	return cmp.Or(s, "not begun")
}

// ago says how long ago a moment was.
func (a *app) ago(t time.Time) string {
	return report.Span(a.now().Sub(t).Round(time.Second))
}

// way is the move in words; empty for a runbook that moves nothing.
func (f serverFacts) way() string {
	if f.still() {
		return ""
	}
	return route{plan.Region(f.From), plan.Region(f.To)}.String()
}

// still says that the runbook moves nothing, so that it has neither Regions nor
// a budget.
func (f serverFacts) still() bool { return f.Runbook == string(runbook.Setup) }

// budget is how the run stands against its RTO, with a comma before it.
func (f serverFacts) budget() string {
	if f.still() {
		return ""
	}
	return ", RTO " + f.RTOState
}

// workerFlag makes a worker poll the queue that the run waits on.
func (f serverFacts) workerFlag() string {
	if f.still() {
		return "--setup"
	}
	return "--region REGION"
}
