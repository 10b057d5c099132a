package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lifeline/internal/report"
	"lifeline/internal/runbook"
)

// lookEvery is how often a followed run is asked for news: fast enough to feel
// live, and one query in flight at most.
const lookEvery = 500 * time.Millisecond

// followToEnd tells what happens until the run ends, and gives its outcome. What
// the reports shown before have told is not told again.
func (a *app) followToEnd(ctx context.Context, c runs, at target, shown ...runbook.Report) error {
	r, err := a.follow(ctx, c, at, nil, shown...)
	if err != nil {
		return a.unfollowed(ctx, at, err)
	}
	return a.finish(r)
}

// finish shows how a run ended.
func (a *app) finish(r runbook.Report) error {
	if a.output == "json" {
		if err := a.json(r); err != nil {
			return err
		}
		return outcome(r)
	}
	err := outcome(r)
	if err == nil {
		a.say("%s: %s", string(r.Status), r.Summary)
	}
	a.remind(r)
	if err != nil {
		return err
	}
	a.advise(r.Safe, r.Next)
	return nil
}

// reminders is how much of what is left is named at the end of a run; the status has
// all of it.
const reminders = 20

// remind names what a run has left for people.
func (a *app) remind(r runbook.Report) {
	for _, left := range r.Left[:min(len(r.Left), reminders)] {
		a.say("  left for people: %s", left)
	}
	if more := len(r.Left) - reminders; more > 0 {
		a.say("  left for people: %d more; %s tells all", more, a.command("status"))
	}
}

// advise says what is safe now and what to type next.
func (a *app) advise(safe, next string) {
	if safe != "" {
		a.say("  safe now: %s", safe)
	}
	if next != "" {
		a.say("  next:     %s", next)
	}
}

// followPreview waits for a dry run and shows what it would do.
func (a *app) followPreview(ctx context.Context, c runs, at target, name runbook.Name) error {
	waiting, stop := a.attended(ctx, c, at)
	defer stop()
	r, err := a.result(waiting, c, at)
	switch {
	case errors.Is(context.Cause(waiting), errUntaken):
		return a.unattended(at, name)
	case err != nil:
		return a.unfollowed(ctx, at, err)
	}
	if r.Status == runbook.Done {
		r.Safe = "nothing was changed"
		r.Next = a.command(string(r.Runbook), append(regionFlags(r), "--as", r.StartedBy, "--wait")...)
	}
	if a.output == "text" && len(r.Stages) > 0 {
		for _, line := range previewLines(r) {
			a.say("%s", line)
		}
	}
	return a.finish(r)
}

// followAdmission looks until the run is past its first gate, or has ended, or
// waits for something.
func (a *app) followAdmission(ctx context.Context, c runs, at target, name runbook.Name) error {
	limit := a.now().Add(admission)
	r, err := a.follow(ctx, c, at, func(r runbook.Report) bool {
		began := r.Phase != "" && r.Phase != runbook.Assess && r.Phase != runbook.Precheck
		return began || r.Status != runbook.Running || a.now().After(limit)
	})
	var silent *silentError
	switch {
	case errors.As(err, &silent):
		return &trouble{
			code: exitUnreachable, err: fmt.Errorf("the run was started, but no worker plays it: %w", err),
			safe: "Temporal keeps the run and its lock; it begins as soon as a worker polls its queue",
			next: a.startWorker(name),
		}
	case err != nil:
		return a.unfollowed(ctx, at, err)
	case r.Status.Final():
		return a.finish(r)
	}
	if a.output == "json" {
		return a.json(r)
	}
	a.say("%s in %s  %s", r.Status, r.Phase, r.Summary)
	a.advise("the run goes on by itself", a.command("status", "--watch"))
	return nil
}

// unfollowed explains why the run could not be followed to its end.
func (a *app) unfollowed(ctx context.Context, at target, err error) error {
	switch {
	case ctx.Err() != nil:
		return &trouble{
			code: exitInterrupted, err: fmt.Errorf("you stopped watching run %s", at.run),
			safe: "the run goes on; stopping to watch changes nothing", next: a.command("status", "--watch"),
		}
	case errors.Is(err, errNoReport):
		return &trouble{
			code: exitFailed, err: err,
			safe: "unknown: " + endedOutside,
			next: a.command("report") + ", and look at the history in the Temporal UI",
		}
	default:
		return a.explain("follow", at, err)
	}
}

// endedOutside says what a run is that ended and left no report.
const endedOutside = "it was ended from outside (terminated, cancelled or timed out) and undid nothing by itself"

// silentError says that no worker answered for as long as it was waited.
type silentError struct{ err error }

func (s *silentError) Error() string { return s.err.Error() }
func (s *silentError) Unwrap() error { return s.err }

// follow tells the news of a run until it ends, or until enough says so. With
// enough, a run whose workers are silent is given up; without, it is followed
// for ever, since Temporal keeps it and workers come back.
func (a *app) follow(ctx context.Context, c runs, at target, enough func(runbook.Report) bool, shown ...runbook.Report) (runbook.Report, error) {
	end := a.awaitEnd(ctx, c, at)
	n := &news{app: a, known: map[string]bool{}}
	for _, r := range shown {
		n.learn(r)
	}
	silent := 0
	for {
		select {
		case e := <-end:
			if e.err == nil {
				n.tell(e.report)
			}
			return e.report, e.err
		case <-ctx.Done():
			return runbook.Report{}, ctx.Err()
		case <-a.after(lookEvery):
		}
		r, err := a.query(ctx, c, at)
		if err != nil {
			silent++
			if enough != nil && silent >= patience {
				return runbook.Report{}, &silentError{err}
			}
			n.silence(ctx)
			continue
		}
		silent = 0
		n.tell(r)
		// A final status may be a moment older than the end that is awaited.
		if enough != nil && !r.Status.Final() && enough(r) {
			return r, nil
		}
	}
}

// patience is how many queries in a row may stay unanswered.
const patience = 4

type ending struct {
	report runbook.Report
	err    error
}

// awaitEnd waits for the run's result beside the queries. An answer that is
// lost on the way is asked for again: the run does not depend on this wait.
func (a *app) awaitEnd(ctx context.Context, c runs, at target) <-chan ending {
	end := make(chan ending, 1)
	go func() {
		for {
			r, err := a.result(ctx, c, at)
			if err == nil || ctx.Err() != nil || !unreachable(err) {
				end <- ending{r, err}
				return
			}
			select {
			case <-ctx.Done():
			case <-a.after(2 * time.Second):
			}
		}
	}()
	return end
}

// previewLines list what a dry run would do, step by step.
func previewLines(r runbook.Report) []string {
	lines := []string{"nothing was changed; a real run would do this:"}
	for _, stage := range r.Stages {
		mark := ""
		if stage.OneWay {
			mark = "  (no way back)"
		}
		lines = append(lines, textf("%s: %s%s", stage.Name, stage.Title, mark))
		for _, s := range stage.Steps {
			effect := string(s.Effect)
			if effect == "" {
				effect = string(s.State)
			}
			text := s.Evidence
			if s.Error != "" {
				text = s.Error
			}
			lines = append(lines, textf("  %-8s %-24s %-24s %-16s %-12s %s", effect, s.Name, place(s.Step), s.Plane, s.Reversibility, text))
		}
	}
	if r.Estate != nil {
		return append([]string{"nothing was changed; a real run would do this:"}, report.EstateLines(*r.Estate)...)
	}
	verdict := "inside"
	if r.Predicted > r.Objective {
		verdict = "OUTSIDE"
	}
	return append(lines, textf("predicted %s at worst, %s the objective of %s", report.Span(r.Predicted), verdict, report.Span(r.Objective)))
}

// regionFlags are the Regions as they are typed; none where nothing moves.
func regionFlags(r runbook.Report) []string {
	if !r.Runbook.Moves() {
		return nil
	}
	return []string{"--from", string(r.From), "--to", string(r.To)}
}
