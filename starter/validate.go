package main

import (
	"github.com/spf13/cobra"

	"lifeline/internal/plan"
)

func (a *app) validate() *cobra.Command {
	c := &cobra.Command{
		Use:   "validate",
		Short: "Check a plan and compute what it can keep; offline",
		Long: `Check a plan without any network: every problem with its place and a hint; the
capability that the configuration can reach beside the objectives; and which Region
answers whom when a Region is lost.`,
		Example: "  starter validate -f plan.yaml",
	}
	a.addPlan(c)
	return a.verb(c, func(*cobra.Command, []string) error { return a.check() })
}

// check prints all problems and, of a valid plan, what it promises. Unlike the
// verbs that act it shows warnings too: here is the time to judge them.
func (a *app) check() error {
	if a.planFile == "" {
		return usage("starter validate -f PLAN", "no plan file was named")
	}
	p, problems := plan.Load(a.planFile)
	if a.output == "json" {
		return a.checkJSON(p, problems)
	}
	if len(problems.Errors()) > 0 {
		return a.invalid(problems)
	}
	if err := plan.Describe(a.out, p); err != nil {
		return err
	}
	if err := problems.Print(a.out); err != nil {
		return err
	}
	a.say("the plan is valid")
	return nil
}

// checkJSON answers scripts: an invalid plan is an answer too, with exit code 3.
func (a *app) checkJSON(p plan.Plan, problems plan.Problems) error {
	valid := len(problems.Errors()) == 0
	answer := map[string]any{"file": a.planFile, "valid": valid, "problems": problems}
	if valid {
		answer["application"], answer["capability"], answer["predicted_floor"] = p.Application, p.Capability(), plan.Duration(p.PredictedFloor())
	}
	if err := a.json(answer); err != nil {
		return err
	}
	if !valid {
		return a.invalid(problems)
	}
	return nil
}
