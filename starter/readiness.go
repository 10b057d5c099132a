package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/temporal"

	"lifeline/internal/plan"
	"lifeline/internal/report"
	"lifeline/internal/runbook"
	"lifeline/internal/temporal"
)

// readinessName is the name that workers register the proof under.
const readinessName = "Readiness"

// proofFlags are the flags of the verb readiness.
type proofFlags struct {
	all  bool
	file string
}

func (a *app) readiness() *cobra.Command {
	f := &proofFlags{}
	c := &cobra.Command{
		Use:   "readiness",
		Short: "Prove that a failover would work now",
		Long: `Check everything that a failover relies on, with evidence: the record tree as it is
now, lag and watermarks, quotas and addresses, the newest restorable point in the
recovery Region, whether both Regions are alike, and how old the last drill is.
Nothing is changed. Each check that is not green names its fix.

Exit code 0 says ready, 4 says that a check is red or could not be read. With --out
the proof is also written as one file that needs nothing else, whatever it says.
To prove it every quarter of an hour: starter schedules --apply.`,
		Example: "  starter readiness -f plan.yaml --out readiness.html",
	}
	a.addPlan(c)
	c.Flags().BoolVar(&f.all, "all", false, "also show the checks that are green, and the evidence of every check")
	c.Flags().StringVar(&f.file, "out", "", "also write the whole proof to a file; .html, .json or .txt says how")
	return a.verb(c, func(cmd *cobra.Command, _ []string) error { return a.prove(cmd.Context(), *f) })
}

// prove runs one proof, or joins the one that runs, and shows it.
func (a *app) prove(ctx context.Context, f proofFlags) error {
	if f.file != "" {
		// A name that says nothing is told before anybody has waited.
		if _, err := formatOf(f.file); err != nil {
			return err
		}
	}
	p, err := a.loadPlan()
	if err != nil {
		return err
	}
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	o := proofOptions(p)
	run, err := c.ExecuteWorkflow(ctx, o, readinessName, map[string]any{"plan": p})
	if err != nil {
		return a.explain("start", target{workflow: o.ID}, err)
	}
	at := target{run.GetID(), run.GetRunID()}
	var r runbook.ReadinessReport
	waiting, stop := a.attended(ctx, c, at)
	defer stop()
	if err := a.awaitProof(waiting, run, &r); err != nil {
		if errors.Is(context.Cause(waiting), errUntaken) {
			return a.unattended(at, runbook.Readiness)
		}
		return a.unproved(ctx, at, err)
	}
	a.ownProof(&r)
	if err := a.showProof(r, f); err != nil {
		return err
	}
	if r.Ready {
		return nil
	}
	return &trouble{code: exitRefused, err: errors.New(r.Summary), safe: "nothing was changed: readiness only reads", next: r.Next}
}

// ownProof puts the plan that was typed into the advice of a proof.
func (a *app) ownProof(r *runbook.ReadinessReport) {
	own := func(s string) string { return strings.ReplaceAll(s, "-f PLAN", "-f "+shellWord(a.planFile)) }
	r.Next = own(r.Next)
	for i := range r.Checks {
		r.Checks[i].Command = own(r.Checks[i].Command)
	}
}

// showProof tells a proof, and writes it to the file that was named.
func (a *app) showProof(r runbook.ReadinessReport, f proofFlags) error {
	if a.output == "json" {
		if err := a.json(r); err != nil {
			return err
		}
	}
	for _, line := range proofLines(r, f.all) {
		a.say("%s", line)
	}
	if f.file == "" {
		return nil
	}
	whole, err := proofFile(r, f.file)
	if err != nil {
		return err
	}
	return a.save("readiness", f.file, whole)
}

// proofFile is the whole proof as the file's name says.
func proofFile(r runbook.ReadinessReport, file string) ([]byte, error) {
	format, err := formatOf(file)
	if err != nil {
		return nil, err
	}
	var whole bytes.Buffer
	switch format {
	case "html":
		err = report.ReadinessHTML(&whole, r)
	case "json":
		err = writeJSON(&whole, r)
	default:
		_, err = whole.WriteString(strings.Join(proofLines(r, true), "\n") + "\n")
	}
	return whole.Bytes(), err
}

// awaitProof waits for the end of the proof, and not for ever when no worker
// that may prove polls.
func (a *app) awaitProof(ctx context.Context, run client.WorkflowRun, r *runbook.ReadinessReport) error {
	ctx, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	return run.Get(ctx, r)
}

func (a *app) unproved(ctx context.Context, at target, err error) error {
	var closed *sdk.WorkflowExecutionError
	switch {
	case ctx.Err() != nil:
		return &trouble{code: exitInterrupted, err: fmt.Errorf("you stopped waiting for run %s", at.run), safe: "the proof goes on and changes nothing", next: a.command("readiness")}
	case errors.As(err, &closed):
		return &trouble{code: exitFailed, err: fmt.Errorf("prove readiness: %w", err), safe: "nothing was changed: readiness only reads", next: a.command("validate")}
	}
	return &trouble{
		code: exitUnreachable, err: fmt.Errorf("no proof within %s: %w", proofTimeout, err), safe: "nothing was changed: readiness only reads",
		next: a.startWorker(runbook.Readiness),
	}
}

// proofOptions let one proof run at a time; a second wish joins it.
func proofOptions(p plan.Plan) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID: temporal.IDOf(p.Application, runbook.Readiness), TaskQueue: temporal.SetupQueue,
		WorkflowExecutionTimeout: proofTimeout,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:            "readiness of " + p.Application,
		TypedSearchAttributes:    proofAttributes(p),
	}
}

func proofAttributes(p plan.Plan) sdk.SearchAttributes {
	return sdk.NewSearchAttributes(temporal.LifelineApplication().ValueSet(p.Application), temporal.LifelineRunbook().ValueSet(string(runbook.Readiness)))
}

// proofLines show a proof for people: what is not green first, with its fix.
func proofLines(r runbook.ReadinessReport, all bool) []string {
	lines := []string{textf("readiness of %s at %s: score %d", r.Application, r.Started.UTC().Format("2006-01-02 15:04:05 MST"), r.Score)}
	subject, green := "", 0
	for _, c := range r.Checks {
		if c.Grade == runbook.Green {
			green++
			if !all {
				continue
			}
		}
		if c.Subject != subject {
			subject = c.Subject
			lines = append(lines, textf("%s", subject))
		}
		lines = append(lines, checkLines(c, all)...)
	}
	return append(lines, textf("%d of %d checks are green", green, len(r.Checks)), textf("%s", r.Summary))
}

func checkLines(c runbook.CheckResult, all bool) []string {
	title := c.Title
	if c.Resource != "" {
		title += " (" + c.Resource + ")"
	}
	change := ""
	if c.Was != "" && c.Was != c.Grade {
		change = textf("  was %s", c.Was)
	} else if c.Was != "" && c.Grade != runbook.Green {
		change = textf("  since %s", c.Since.UTC().Format("2006-01-02 15:04 MST"))
	}
	lines := []string{textf("  %-8s %s%s", strings.ToUpper(string(c.Grade)), title, painted(change))}
	if c.Why != "" {
		lines = append(lines, textf("           %s", c.Why))
	}
	if all {
		for _, p := range c.Proofs {
			lines = append(lines, textf("           read %s %s: %s", p.Region, p.At.UTC().Format("15:04:05"), p.Read))
		}
	}
	if c.Fix != "" {
		lines = append(lines, textf("           fix:  %s", c.Fix))
	}
	if c.Command != "" {
		lines = append(lines, textf("           type: %s", c.Command))
	}
	return lines
}
