package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// decideFlags are the flags of approve and reject.
type decideFlags struct {
	who         who
	acknowledge []string
	comment     string
	print       bool
}

func (a *app) deciding(c *cobra.Command, approve bool) *cobra.Command {
	f := &decideFlags{}
	a.addPlan(c)
	a.addOf(c)
	f.who.add(c)
	if approve {
		c.Flags().StringSliceVar(&f.acknowledge, "acknowledge", nil, "the code of a risk that you accept; once for each risk")
	}
	c.Flags().StringVar(&f.comment, "comment", "", "why; it is signed and stays in the report")
	c.Flags().BoolVar(&f.print, "print", false, "send nothing; print the signed decision, to be pasted into the Temporal UI")
	return a.verb(c, func(cmd *cobra.Command, _ []string) error {
		return a.decide(cmd.Context(), approve, *f)
	})
}

// decide shows what is asked, then signs and sends one person's word on it.
func (a *app) decide(ctx context.Context, approve bool, f decideFlags) error {
	p, me, c, err := a.enter(ctx, f.who)
	if err != nil {
		return err
	}
	r, err := a.live(ctx, c, lockOf(p, a.meant()))
	if err != nil {
		return err
	}
	b := r.Ballot()
	if b == nil {
		return &trouble{
			code: exitRefused, err: fmt.Errorf("%s of %s is %s in %s: %w", r.Runbook, r.Application, r.Status, r.Phase, runbook.ErrNothingAsked),
			safe: "nothing was decided", next: a.command("status"),
		}
	}
	if !f.print {
		for _, line := range ballotLines(*b, r) {
			a.say("%s", line)
		}
	}
	if approve {
		if err := a.mustAcknowledge(*b, f); err != nil {
			return err
		}
	}
	d := runbook.Decision{By: me.name, Approve: approve, RunID: b.RunID, Stage: b.Stage, Nonce: b.Nonce, Acknowledge: f.acknowledge, Comment: f.comment}
	d.Signature = runbook.Sign(me.key, d.Message(p.Application))
	if f.print {
		return a.printDecision(d)
	}
	return a.send(ctx, c, target{r.WorkflowID, r.RunID}, d)
}

// enter does what every order to a run begins with: read the plan, prove who
// types, reach Temporal.
func (a *app) enter(ctx context.Context, w who) (plan.Plan, signer, runs, error) {
	p, err := a.loadPlan()
	if err != nil {
		return plan.Plan{}, signer{}, nil, err
	}
	me, err := a.identify(p, w)
	if err != nil {
		return plan.Plan{}, signer{}, nil, err
	}
	c, err := a.connect(ctx)
	return p, me, c, err
}

// live is the report of a run that has not ended. Orders and decisions need it:
// they name the run, and what exactly is asked.
func (a *app) live(ctx context.Context, c runs, at target) (runbook.Report, error) {
	s, err := a.look(ctx, c, at)
	switch {
	case err != nil:
		return runbook.Report{}, err
	case !s.facts.Open:
		return runbook.Report{}, &trouble{
			code: exitRefused, err: fmt.Errorf("no run of %s is under way; the last one ended at %s", at.workflow, s.facts.Closed.UTC().Format("2006-01-02 15:04:05 MST")),
			safe: "nothing was changed", next: a.command("status"),
		}
	case s.report == nil:
		return runbook.Report{}, &trouble{
			code: exitUnreachable, err: fmt.Errorf("run %s: %s: %w", s.facts.RunID, s.why(), s.noWorker),
			safe: "Temporal keeps the run; nothing was sent", next: s.next(),
		}
	}
	return *s.report, nil
}

// mustAcknowledge demands that each risk is named, and nothing that is no risk.
func (a *app) mustAcknowledge(b runbook.Ballot, f decideFlags) error {
	codes := make([]string, len(b.Risks))
	for i, risk := range b.Risks {
		codes[i] = risk.Code
	}
	for _, typed := range f.acknowledge {
		if !slices.Contains(codes, typed) {
			return usage("look at the risks above", "%q is no risk of this request%s", typed, didYouMean(typed, codes))
		}
	}
	for _, code := range codes {
		if !slices.Contains(f.acknowledge, code) {
			return &trouble{
				code: exitRefused, err: fmt.Errorf("%w: %s", runbook.ErrUnacknowledged, code), safe: "nothing was decided",
				next: "if you accept every risk: " + a.command("approve", append([]string{"--as", f.who.name}, acknowledgements(b)...)...),
			}
		}
	}
	return nil
}

// printDecision gives the payload alone on the output, and the way to send it beside it.
func (a *app) printDecision(d runbook.Decision) error {
	_, _ = fmt.Fprintf(a.err, "nothing was sent. In the Temporal UI open the run, choose Send an Update (or a Signal),\nname %q, encoding json/plain, and paste this as its input:\n", runbook.UpdateDecide)
	return a.json(d)
}

// send delivers a decision. Its id makes a repeated command harmless: the same
// word of the same person on the same request is one Update.
func (a *app) send(ctx context.Context, c runs, at target, d runbook.Decision) error {
	word := "reject"
	if d.Approve {
		word = "approve"
	}
	var b runbook.Ballot
	if err := a.update(ctx, c, at, update{
		id: d.Nonce + "/" + d.By + "/" + word, name: runbook.UpdateDecide, what: word + " by " + d.By, arg: d, answer: &b,
	}); err != nil {
		return err
	}
	if a.output == "json" {
		return a.json(b)
	}
	granted := 0
	for _, o := range b.Decisions {
		if o.Approve {
			granted++
		}
	}
	a.say("%s counted: %d of %d approved, the request is %s", word, granted, b.Quorum, string(b.Result))
	if b.Result == runbook.Open {
		a.advise("the run waits for the others", a.command("approve", append([]string{"--as ANOTHER"}, acknowledgements(b)...)...))
		return nil
	}
	a.advise("the run goes on by itself", a.command("status", "--watch"))
	return nil
}

// update is one message to a run that has an answer.
type update struct {
	id, name, what string
	arg, answer    any
}

// update sends a message and waits for the answer of the run.
func (a *app) update(ctx context.Context, c runs, at target, u update) error {
	ctx, cancel := context.WithTimeout(ctx, updateTimeout)
	defer cancel()
	handle, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		UpdateID: u.id, WorkflowID: at.workflow, RunID: at.run, UpdateName: u.name, Args: []any{u.arg},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, u.answer)
	}
	var refused *temporal.ApplicationError
	var slow *client.WorkflowUpdateServiceTimeoutOrCanceledError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return &trouble{code: exitRefused, err: fmt.Errorf("%s was refused: %s", u.what, refused.Message()), safe: "nothing was changed", next: a.nextAfterRefusal(refused.Message())}
	case errors.As(err, &slow), errors.Is(err, context.DeadlineExceeded):
		return &trouble{
			code: exitUnreachable, err: fmt.Errorf("%s was sent, but no worker answered within %s: %w", u.what, updateTimeout, err),
			safe: "it counts once at most: typing it again is safe", next: "type the same command again; or --print it and send it as a Signal in the Temporal UI, which waits for a worker",
		}
	default:
		return a.explain("send "+u.what+" to", at, err)
	}
}

// nextAfterRefusal points on from what the run answered.
func (a *app) nextAfterRefusal(why string) string {
	switch {
	case strings.Contains(why, runbook.ErrStarter.Error()), strings.Contains(why, runbook.ErrStranger.Error()):
		return "ask another approver of the plan"
	case strings.Contains(why, runbook.ErrDuplicate.Error()):
		return "a word that was given stays; to stop the run: " + a.command("abort", "--as YOU", "--wait")
	default:
		return a.command("status")
	}
}
