package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"lifeline/internal/runbook"
)

// controlFlags are the flags of abort, pause, resume and skip.
type controlFlags struct {
	who    who
	reason string
	wait   bool
}

// controlling makes the command of a verb that gives an order to a run.
func (a *app) controlling(order runbook.Order, c *cobra.Command) *cobra.Command {
	f := &controlFlags{}
	a.addPlan(c)
	a.addOf(c)
	f.who.add(c)
	c.Flags().StringVar(&f.reason, "reason", "", "why; it is signed and stays in the report")
	if order == runbook.Abort {
		c.Flags().BoolVar(&f.wait, "wait", false, "tell what is undone until the run has ended")
	}
	return a.verb(c, func(cmd *cobra.Command, args []string) error {
		step := ""
		if len(args) > 0 {
			step = args[0]
		}
		return a.control(cmd.Context(), order, step, *f)
	})
}

// control signs and sends one order to the run that holds the lock.
func (a *app) control(ctx context.Context, order runbook.Order, step string, f controlFlags) error {
	p, me, c, err := a.enter(ctx, f.who)
	if err != nil {
		return err
	}
	r, err := a.live(ctx, c, lockOf(p, a.meant()))
	if err != nil {
		return err
	}
	if order == runbook.Skip {
		if err := a.knownStep(step, r); err != nil {
			return err
		}
	}
	o := runbook.Control{By: me.name, Order: order, Step: step, Reason: f.reason, RunID: r.RunID}
	o.Signature = runbook.Sign(me.key, o.Message(p.Application))
	at := target{r.WorkflowID, r.RunID}
	if err := a.update(ctx, c, at, update{
		id: string(order) + "/" + me.name + "/" + a.newID(), name: runbook.UpdateControl, what: string(order) + " by " + me.name, arg: o, answer: &r,
	}); err != nil {
		return err
	}
	if f.wait {
		return a.followToEnd(ctx, c, at, r)
	}
	if a.output == "json" {
		return a.json(r)
	}
	a.say("%s taken: the run is %s in %s", string(order), string(r.Status), string(r.Phase))
	a.advise(a.afterOrder(o))
	return nil
}

// afterOrder says what an order means, and what to type next.
func (a *app) afterOrder(o runbook.Control) (safe, next string) {
	next = a.command("status", "--watch")
	switch o.Order {
	case runbook.Pause:
		return "steps under way end, nothing new begins; the clocks go on", a.command("resume", "--as", o.By)
	case runbook.Resume:
		return "the run goes on by itself", next
	case runbook.Skip:
		return "only an optional step that has not begun is left out; a name that no step has changes nothing", next
	case runbook.Abort:
		return "the run goes back to its last safe point by itself", next
	}
	return "", next
}

// knownStep catches a mistyped step. A run lists only what it knows so far:
// whether a step may be skipped is for the run to judge.
func (a *app) knownStep(step string, r runbook.Report) error {
	var all []string
	for _, stage := range r.Stages {
		for _, s := range stage.Steps {
			if !slices.Contains(all, s.Name) {
				all = append(all, s.Name)
			}
		}
	}
	if !slices.Contains(all, step) && len(nearest(step, all)) > 0 {
		return usage(a.command("status"), "the run has no step %q%s", step, didYouMean(step, all))
	}
	return nil
}
