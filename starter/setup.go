package main

import (
	"errors"

	"github.com/spf13/cobra"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

func (a *app) setup() *cobra.Command {
	return a.starting(runbook.Setup, &cobra.Command{
		Use:   "setup",
		Short: "Build what recovery relies on, and keep it so",
		Long: `Read everything that the plan wants built ahead of time, compare, and act on the
difference alone: keys and roles, buckets and replication, replicas and retention,
backups, records and switches, alarms. What exists is adopted and never made anew;
nothing is ever deleted. A second run changes nothing.

See the difference first: starter preview setup. Only a vault lock in compliance mode
asks approvers, since nobody can take it back.`,
		Example: "  starter preview setup -f plan.yaml --as dana\n  starter setup -f plan.yaml --as dana --wait",
	})
}

// errNoSetup says that there is nothing to build.
var errNoSetup = errors.New("the plan has no setup: section, so setup has nothing to keep")

// buildable refuses what setup could not begin with.
func (a *app) buildable(p plan.Plan, f startFlags) error {
	if f.from != "" || f.to != "" {
		return usage(a.command("setup", "--as YOU"), "setup builds in all Regions of the plan: leave --from and --to out")
	}
	if p.Setup == nil {
		return &trouble{
			code: exitPlan, err: errNoSetup, safe: "nothing was started",
			next: "add setup: {drift: repair, key: alias/NAME} to the plan, then: starter validate -f " + shellWord(a.planFile),
		}
	}
	return nil
}
