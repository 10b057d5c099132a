package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/temporal"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/internal/temporal"
)

const (
	// taskTimeout is how long Temporal waits for a worker that took a workflow
	// task and died, before another worker gets it: part of what a killed worker
	// costs. The tasks themselves take milliseconds.
	taskTimeout = 2 * time.Second
	// previewTimeout ends a dry run that no worker plays: it changes nothing, so
	// that nothing is lost with it.
	previewTimeout = 10 * time.Minute
	// admission is how long a start without --wait looks whether a gate refuses.
	admission = 15 * time.Second
)

// startFlags are the flags of the verbs that start a runbook.
type startFlags struct {
	who      who
	from, to string
	dryRun   bool
	wait     bool
}

// starting makes the command of a verb that starts a runbook.
func (a *app) starting(name runbook.Name, c *cobra.Command) *cobra.Command {
	f := &startFlags{}
	a.addPlan(c)
	f.who.add(c)
	if name.Moves() {
		addRoute(c, f)
	}
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "only check, and print each act; the same as: starter preview "+string(name))
	c.Flags().BoolVar(&f.wait, "wait", false, "tell what happens until the run has ended")
	return a.verb(c, func(cmd *cobra.Command, _ []string) error {
		return a.start(cmd.Context(), name, *f)
	})
}

func addRoute(c *cobra.Command, f *startFlags) {
	c.Flags().StringVar(&f.from, "from", "", "the Region that is left")
	c.Flags().StringVar(&f.to, "to", "", "the Region that takes over (default: the other one that serves traffic)")
}

// start starts a runbook and follows it: to its end with --wait or as a dry
// run, else until it is known that no gate refused it.
func (a *app) start(ctx context.Context, name runbook.Name, f startFlags) error {
	p, err := a.loadPlan()
	if err != nil {
		return err
	}
	way := route{}
	if name.Moves() {
		way, err = a.routeOf(p, name, f.from, f.to)
	} else if err = a.buildable(p, f); err == nil {
		a.of = string(name)
	}
	if err != nil {
		return err
	}
	me, err := a.identify(p, f.who)
	if err != nil {
		return err
	}
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	in := runbook.Input{Plan: p, Start: a.wish(p, name, way, me, f.dryRun)}
	opts := a.startOptions(in)
	run, err := c.ExecuteWorkflow(ctx, opts, workflowName(name), in)
	if err != nil {
		return a.notStarted(ctx, c, target{workflow: opts.ID}, err)
	}
	at := target{run.GetID(), run.GetRunID()}
	word := "started"
	if f.dryRun {
		word = "dry run of"
	}
	a.say("%s %s of %s%s", word, name, p.Application, way)
	a.say("  run   %s  %s", at.workflow, at.run)
	if f.dryRun {
		return a.followPreview(ctx, c, at, name)
	}
	if f.wait {
		return a.followToEnd(ctx, c, at)
	}
	return a.followAdmission(ctx, c, at, name)
}

// wish is the signed start.
func (a *app) wish(p plan.Plan, name runbook.Name, way route, me signer, dryRun bool) runbook.Start {
	s := runbook.Start{By: me.name, Runbook: name, From: way.from, To: way.to, At: a.now().UTC(), DryRun: dryRun}
	s.Signature = runbook.Sign(me.key, s.Message(p.Application))
	return s
}

// workflowName is the name that the workers register a runbook under.
func workflowName(name runbook.Name) string {
	return strings.ToUpper(string(name[:1])) + string(name[1:])
}

// startOptions make the workflow id the application's lock. A dry run changes
// nothing and must never keep a real failover waiting: it has an id of its own.
func (a *app) startOptions(in runbook.Input) client.StartWorkflowOptions {
	s, app := in.Start, in.Plan.Application
	o := client.StartWorkflowOptions{
		ID:                                       temporal.IDOf(app, s.Runbook),
		TaskQueue:                                queueOf(s),
		WorkflowTaskTimeout:                      taskTimeout,
		WorkflowIDConflictPolicy:                 enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowIDReusePolicy:                    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            fmt.Sprintf("%s%s, started by %s", s.Runbook, route{s.From, s.To}, s.By),
		StaticDetails:                            a.details(in),
		Memo: map[string]any{
			memoBy: s.By, memoFrom: string(s.From), memoTo: string(s.To), memoRunbook: string(s.Runbook),
		},
		TypedSearchAttributes: sdk.NewSearchAttributes(
			temporal.LifelineApplication().ValueSet(app),
			temporal.LifelineRunbook().ValueSet(string(s.Runbook)),
			temporal.LifelineRegion().ValueSet(string(s.To)),
			temporal.LifelineRtoState().ValueSet(string(runbook.RTOInside)),
		),
	}
	if s.DryRun {
		o.ID += "/preview/" + a.newID()
		o.WorkflowExecutionTimeout = previewTimeout
		o.StaticSummary = "dry run: " + o.StaticSummary
	}
	return o
}

// queueOf is where a run is played: by the workers of a Region that is not left,
// or by those that may build.
func queueOf(s runbook.Start) string {
	if !s.Runbook.Moves() {
		return temporal.SetupQueue
	}
	return temporal.Queue(route{s.From, s.To}.awake(s.Runbook))
}

// startWorker says which worker to start, so that a runbook is played.
func (a *app) startWorker(name runbook.Name) string {
	if name.Moves() {
		return "start a worker in the Region that takes over: worker -f " + shellWord(a.planFile) + " --region REGION"
	}
	return "start a worker that builds and proves: worker -f " + shellWord(a.planFile) + " --setup"
}

// Memo keys, which name the holder of the lock even when no worker lives.
const (
	memoBy      = "started_by"
	memoFrom    = "from"
	memoTo      = "to"
	memoRunbook = "runbook"
)

// details are shown in the Temporal UI; Markdown.
func (a *app) details(in runbook.Input) string {
	if !in.Start.Runbook.Moves() {
		return fmt.Sprintf("**%s** of **%s**.\n\n- status: `%s`\n", in.Start.Runbook, in.Plan.Application, a.command("status", "--watch"))
	}
	return fmt.Sprintf("**%s** leaves **%s** for **%s**.\n\n- objectives: RTO %s, RPO %s\n- status: `%s`\n- abort: `%s`\n",
		in.Plan.Application, in.Start.From, in.Start.To, in.Plan.Objectives.RTO, in.Plan.Objectives.RPO,
		a.command("status", "--watch"), a.command("abort", "--as YOU"))
}

// notStarted says why a runbook did not start; most often another one runs.
func (a *app) notStarted(ctx context.Context, c runs, at target, err error) error {
	var held *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &held) {
		return a.lockHeld(ctx, c, target{at.workflow, held.RunId})
	}
	var invalid *serviceerror.InvalidArgument
	if errors.As(err, &invalid) && strings.Contains(strings.ToLower(err.Error()), "search attribute") {
		return &trouble{
			code: exitUnreachable, err: fmt.Errorf("start %s: %w", at.workflow, err), safe: "nothing was started",
			next: "start a Lifeline worker: it says how to add the missing search attributes",
		}
	}
	return a.explain("start", at, err)
}

// lockHeld says which run holds the application's lock, since when and by whom.
// It asks Temporal alone, since no worker may live.
func (a *app) lockHeld(ctx context.Context, c runs, at target) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	t := &trouble{
		code: exitRefused, err: fmt.Errorf("another run holds the lock of %s: run %s", at.workflow, at.run),
		safe: "nothing was started; the run under way goes on", next: a.command("status", "--watch"),
	}
	d, err := c.DescribeWorkflowExecution(ctx, at.workflow, at.run)
	if err != nil {
		return t
	}
	f := factsOf(d)
	t.err = fmt.Errorf("another run holds the lock of %s: a %s%s, started by %s at %s (%s ago), phase %s, run %s",
		at.workflow, f.Runbook, f.way(), f.By, f.Started.UTC().Format(time.RFC3339), a.ago(f.Started), f.Phase, at.run)
	return t
}
