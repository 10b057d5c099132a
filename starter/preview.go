package main

import (
	"strings"

	"github.com/spf13/cobra"

	"lifeline/internal/runbook"
)

func (a *app) preview() *cobra.Command {
	f := &startFlags{dryRun: true}
	c := &cobra.Command{
		Use:   "preview RUNBOOK",
		Short: "Dry run: every check is made, nothing is changed",
		Long: `Play a runbook as a dry run: the same code makes every check and prints each act with
its Region, plane and reversibility, and the predicted time against the objective.
Nothing is changed and no lock is held: a real run may start meanwhile.`,
		Example: "  starter preview failover -f plan.yaml --from us-east-1 --as dana\n  starter preview setup -f plan.yaml --as dana",
		Args:    cobra.ArbitraryArgs,
	}
	a.addPlan(c)
	f.who.add(c)
	addRoute(c, f)
	return a.verb(c, func(cmd *cobra.Command, args []string) error {
		name, err := runbookNamed(args)
		if err != nil {
			return err
		}
		return a.start(cmd.Context(), name, *f)
	})
}

// runbookNamed reads the one argument that names a runbook.
func runbookNamed(args []string) (runbook.Name, error) {
	known := []string{string(runbook.Failover), string(runbook.Switchover), string(runbook.Failback), string(runbook.Setup)}
	if len(args) != 1 {
		return "", usage("starter preview failover --help", "name one runbook: %s", list(known))
	}
	if !contains(known, args[0]) {
		return "", usage("starter preview --help", "no runbook %q%s", strings.ToLower(args[0]), didYouMean(args[0], known))
	}
	return runbook.Name(args[0]), nil
}
