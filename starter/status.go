package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"lifeline/internal/runbook"
)

// statusFlags are the flags of the verb status.
type statusFlags struct {
	watch    bool
	register bool
	run      string
}

func (a *app) status() *cobra.Command {
	f := &statusFlags{}
	c := &cobra.Command{
		Use:   "status",
		Short: "Show where a run stands, and what waits for whom",
		Long: `Show the newest run: stages and steps with their progress, the four clocks against the
objective, what waits for whom. When no worker answers, it shows what Temporal itself
knows, and says so. With --watch it goes on until the run ends: as a live picture in a
terminal, as lines elsewhere; the exit code is then the run's.

With --register it shows every resource of the plan instead: what is wanted, what the
configuration can do, and what the last real moves measured, with owner, dependencies
and what setup keeps for it; and which resources of the account are in no plan.`,
		Example: "  starter status -f plan.yaml --watch\n  starter status -f plan.yaml --register",
	}
	a.addPlan(c)
	a.addOf(c)
	c.Flags().BoolVarP(&f.watch, "watch", "w", false, "go on showing until the run ends")
	c.Flags().BoolVar(&f.register, "register", false, "show the register of the plan's resources instead of a run")
	c.Flags().StringVar(&f.run, "run", "", "an earlier run's id (default: the newest)")
	return a.verb(c, func(cmd *cobra.Command, _ []string) error {
		if f.register {
			return a.showRegister(cmd.Context(), *f)
		}
		return a.showStatus(cmd.Context(), *f)
	})
}

func (a *app) showStatus(ctx context.Context, f statusFlags) error {
	p, err := a.loadPlan()
	if err != nil {
		return err
	}
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	at := lockOf(p, a.meant())
	at.run = f.run
	s, err := a.look(ctx, c, at)
	if err != nil {
		return err
	}
	at.run = s.facts.RunID
	if f.watch && s.facts.Open {
		if a.terminal && a.output == "text" {
			return a.watch(ctx, c, at, s)
		}
		a.showSight(s)
		if s.report != nil {
			return a.followToEnd(ctx, c, at, *s.report)
		}
		return a.followToEnd(ctx, c, at)
	}
	if a.output == "json" {
		return a.json(sightJSON(s))
	}
	a.showSight(s)
	return nil
}

// sightJSON is the report, or what Temporal knows when there is none.
func sightJSON(s sight) any {
	if s.report != nil {
		return s.report
	}
	return map[string]any{"worker_answers": s.told(), "why": s.noWorker.Error(), "temporal": s.facts}
}

func (a *app) showSight(s sight) {
	lines := a.factLines(s)
	if s.report != nil {
		lines = statusLines(*s.report, a.now(), plainBar)
		if b := s.report.Ballot(); b != nil {
			lines = append(lines, "  next:     "+a.command("approve", append([]string{"--as APPROVER"}, acknowledgements(*b)...)...))
		}
	}
	for _, line := range lines {
		a.say("%s", line)
	}
}

// factLines is the status without any worker.
func (a *app) factLines(s sight) []string {
	f := s.facts
	lines := []string{
		textf("%s; this is what Temporal itself knows (%v)", s.why(), s.noWorker),
		textf("%s%s, started by %s at %s (%s ago)", f.Runbook, f.way(), f.By, f.Started.UTC().Format(time.RFC3339), a.ago(f.Started)),
		textf("  Temporal says %s, phase %s%s, run %s", f.Status, f.Phase, f.budget(), f.RunID),
	}
	for _, p := range f.Pending {
		line := textf("  waits for %s, %s, attempt %d", p.Step, p.State, p.Attempt)
		if !p.Heartbeat.IsZero() {
			line += ", last heartbeat " + a.ago(p.Heartbeat) + " ago"
		}
		if p.LastFailure != "" {
			line += textf(", last failure: %s", p.LastFailure)
		}
		lines = append(lines, line)
	}
	switch {
	case !f.Open:
		return append(lines, "  safe now: unknown: "+endedOutside, "  next:     look at the run's history in the Temporal UI, then at what it has changed")
	case s.told():
		return append(lines, "  safe now: Temporal keeps the run", "  next:     "+s.next())
	default:
		return append(lines, "  safe now: Temporal keeps the run; it goes on as soon as a worker polls "+f.Queue,
			"  next:     start a worker: worker -f "+shellWord(a.planFile)+" "+f.workerFlag())
	}
}

// bar draws a fraction between 0 and 1; the state says in which colour.
type bar func(fraction float64, state runbook.State) painted
