package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/internal/runbook"
	"lifeline/workflows/kinds"
)

// undoEntry is a change that the run may have made, and how it is taken back.
// It is registered before the act, so it also covers an act whose answer was lost.
type undoEntry struct {
	change kinds.Undo
	of     runbook.Step
	before bool // others had done it; see runbook.Outcome
}

// undoLeast is the least time that one undo is given, retries included: nobody
// waits for it, and what stays behind is work for people.
const undoLeast = 15 * time.Second

func (r *run) register(c kinds.Change) *undoEntry {
	if c.Undo == nil || r.move.DryRun {
		return nil
	}
	entry := &undoEntry{change: *c.Undo, of: c.Step}
	r.undo = append(r.undo, entry)
	return entry
}

// settle brings the list of undos up to date after a change: its own entry may
// be about others' work, and what it has itself taken back needs no undo.
func (r *run) settle(done runbook.Step, entry *undoEntry, out runbook.Outcome) {
	if entry != nil {
		entry.before = out.Effect == runbook.Already && out.Before
	}
	takesBack := func(u *undoEntry) bool {
		s := u.change.Step
		return u != entry && s.Name == done.Name && s.Resource == done.Resource && s.Region == done.Region
	}
	if slices.ContainsFunc(r.undo, takesBack) {
		r.undo = slices.DeleteFunc(r.undo, func(u *undoEntry) bool { return u == entry || takesBack(u) })
	}
}

// takeBack undoes in reverse. What can't or must not be undone is said, and one
// failure does not keep the rest from being tried.
func (r *run) takeBack(ctx workflow.Context) {
	for i := len(r.undo) - 1; i >= 0; i-- {
		r.takeBackOne(ctx, r.undo[i])
	}
	r.undo = nil
}

func (r *run) takeBackOne(ctx workflow.Context, u *undoEntry) {
	if u.before {
		r.left(u.of, "it was so before this run")
		return
	}
	if u.change.Guard != nil {
		if ok, why := u.change.Guard(ctx); !ok {
			r.left(u.of, why)
			return
		}
	}
	step := u.change.Step
	step.Optional = false
	rec := runbook.StepRecord{Step: step, State: runbook.Undoing, Started: workflow.Now(ctx)}
	stage := &r.report.Stages[r.at]
	stage.Steps = append(stage.Steps, rec)
	i := len(stage.Steps) - 1
	r.publish(ctx)
	o := r.options(step, oneAttempt)
	o.RetryPolicy.MaximumAttempts = 0
	o.ScheduleToCloseTimeout = max(step.Budget, undoLeast)
	ctx = workflow.WithActivityOptions(ctx, o)
	var out runbook.Outcome
	err := workflow.ExecuteActivity(ctx, u.change.Activity, u.change.Input(r.command(step))).Get(ctx, &out)
	rec.State, rec.Ended = runbook.Undone, workflow.Now(ctx)
	rec.Effect, rec.Evidence, rec.Request = out.Effect, out.Evidence, out.RequestID
	if err != nil {
		rec.State, rec.Error = runbook.Left, r.words(err)
		r.left(u.of, "taking it back did not work: "+r.words(err))
	}
	stage.Steps[i] = rec
}

func (r *run) left(s runbook.Step, why string) {
	r.report.Left = append(r.report.Left, fmt.Sprintf("%s stays: %s", label(s), why))
}

// keep lists what stays in place after a one-way stage has begun.
func (r *run) keep() {
	for _, u := range r.undo {
		why := "the point of no return is passed"
		if u.before {
			why = "it was so before this run"
		}
		r.left(u.of, why)
	}
	r.undo = nil
}

// advice is what is safe now and what to type next, for each way to end.
func advice(rep *runbook.Report) (safe, next string) {
	command := func(verb string, from, to any) string {
		return fmt.Sprintf("starter %s -f PLAN --from %v --to %v --as NAME", verb, from, to)
	}
	if !rep.Runbook.Moves() {
		return adviceOnSetup(rep)
	}
	switch rep.Status {
	case runbook.Done:
		if rep.DryRun {
			return "nothing was changed", "when it is time: " + command(string(rep.Runbook), rep.From, rep.To)
		}
		if rep.Runbook == runbook.Failover {
			return fmt.Sprintf("clients are served by %s; %s stays evacuated until failback", rep.To, rep.From),
				"when " + string(rep.From) + " is healthy again: " + command("failback", rep.To, rep.From)
		}
		return fmt.Sprintf("clients are served by %s", rep.To), "starter report -f PLAN"
	case runbook.Stopped:
		return fmt.Sprintf("%s is or becomes the writer; nothing was taken back", rep.To),
			"mend the cause, then run the same command again: every step looks first and goes on from there"
	case runbook.Refused, runbook.Aborted, runbook.Failed, runbook.Reverted:
		if len(rep.Left) > 0 {
			return "not everything could be taken back: " + strings.Join(rep.Left, "; "), "starter report -f PLAN"
		}
		if rep.Runbook == runbook.Failover && rep.Evidence != nil && rep.Evidence.Finding == runbook.Healthy {
			return "everything that this run changed was taken back", fmt.Sprintf("%s is healthy; to leave it as planned: %s", rep.From, command("switchover", rep.From, rep.To))
		}
		return "everything that this run changed was taken back", "starter preview " + string(rep.Runbook) + " -f PLAN"
	case runbook.Running, runbook.Waiting, runbook.Paused, runbook.Held:
	}
	return "the run goes on", "starter status -f PLAN --watch"
}
