package demo

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"

	"lifeline/internal/report"
	lifeline "lifeline/internal/temporal"
	"lifeline/local/aws/world"
)

// holdAnswer is how long AWS's answer is withheld after the act was applied:
// time enough to kill the worker between act and confirm.
const holdAnswer = 8 * time.Second

// killInStep kills the worker that runs a step after AWS has applied its act and
// before the worker hears of it, and measures when another worker has taken over.
func (s *story) killInStep(ctx context.Context, step string, hold world.Fault, applied func(context.Context) (bool, error)) error {
	hold.Kind, hold.Latency, hold.Times = world.Hold, holdAnswer, 1
	id, err := s.stack.Control.Inject(ctx, hold)
	if err != nil {
		return err
	}
	defer func() { _ = s.stack.Control.Remove(context.WithoutCancel(ctx), id) }()
	if err := until(ctx, 5*time.Minute, step+" is applied", func() (bool, error) { return applied(ctx) }); err != nil {
		return err
	}
	pending, err := s.pending(ctx, step)
	if err != nil {
		return err
	}
	name, err := s.byIdentity(pending.GetLastWorkerIdentity())
	if err != nil {
		return err
	}
	at, err := s.stack.Process(name).Kill()
	if err != nil {
		return err
	}
	s.say("killed %s (SIGKILL) between act and confirm of %s", name, step)
	var taken time.Time
	err = until(ctx, 30*time.Second, "another worker takes "+step+" over", func() (bool, error) {
		again, err := s.pending(ctx, step)
		if err != nil {
			return false, err
		}
		if again == nil { // already done by the other one
			taken, err = s.completed(ctx, step)
			return err == nil, err
		}
		if again.GetAttempt() > pending.GetAttempt() && again.GetState() == enumspb.PENDING_ACTIVITY_STATE_STARTED {
			taken = again.GetLastStartedTime().AsTime()
			return true, nil
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	s.kills = append(s.kills, report.Kill{At: at, Worker: name, During: step + ", between act and confirm", Cost: taken.Sub(at)})
	s.say("%s went on with another worker after %.1f s", step, taken.Sub(at).Seconds())
	return s.stack.Launch(ctx, name)
}

// pending is the activity of that name that is under way; nil when none is.
func (s *story) pending(ctx context.Context, step string) (*workflowpb.PendingActivityInfo, error) {
	out, err := s.temp.DescribeWorkflowExecution(ctx, s.workflowID(), "")
	if err != nil {
		return nil, err
	}
	for _, a := range out.GetPendingActivities() {
		if a.GetActivityType().GetName() == step {
			return a, nil
		}
	}
	return nil, nil //nolint:nilnil // none is an answer
}

// completed is when the newest attempt of a finished step had begun.
func (s *story) completed(ctx context.Context, step string) (time.Time, error) {
	started, scheduled := map[int64]time.Time{}, map[int64]bool{}
	var last time.Time
	it := s.temp.GetWorkflowHistory(ctx, s.workflowID(), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for it.HasNext() {
		e, err := it.Next()
		if err != nil {
			return last, err
		}
		if a := e.GetActivityTaskScheduledEventAttributes(); a != nil && a.GetActivityType().GetName() == step {
			scheduled[e.GetEventId()] = true
		}
		if a := e.GetActivityTaskStartedEventAttributes(); a != nil && scheduled[a.GetScheduledEventId()] {
			started[e.GetEventId()] = e.GetEventTime().AsTime()
			last = e.GetEventTime().AsTime()
		}
	}
	if len(started) == 0 {
		return last, fmt.Errorf("step %s has not started", step)
	}
	return last, nil
}

// killWaiting kills the worker that holds the run's state while people think.
func (s *story) killWaiting(ctx context.Context) (time.Time, error) {
	identity := ""
	it := s.temp.GetWorkflowHistory(ctx, s.workflowID(), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for it.HasNext() {
		e, err := it.Next()
		if err != nil {
			return time.Time{}, err
		}
		if a := e.GetWorkflowTaskCompletedEventAttributes(); a != nil {
			identity = a.GetIdentity()
		}
	}
	name, err := s.byIdentity(identity)
	if err != nil {
		return time.Time{}, err
	}
	at, err := s.stack.Process(name).Kill()
	if err != nil {
		return at, err
	}
	s.say("killed %s (SIGKILL) while it waits for approval", name)
	s.kills = append(s.kills, report.Kill{At: at, Worker: name, During: "waiting for approval"})
	return at, nil
}

// byIdentity finds the process of ours that a Temporal identity names.
func (s *story) byIdentity(identity string) (string, error) {
	for _, name := range s.stack.Names() {
		if pid := s.stack.Process(name).PID(); pid > 0 && hasPID(identity, pid) {
			return name, nil
		}
	}
	return "", fmt.Errorf("no worker of ours has the identity %q", identity)
}

func hasPID(identity string, pid int) bool {
	for _, field := range strings.FieldsFunc(identity, func(r rune) bool { return r < '0' || r > '9' }) {
		if field == strconv.Itoa(pid) {
			return true
		}
	}
	return false
}

func (s *story) workflowID() string { return lifeline.WorkflowID(s.stack.Plan.Application) }
