package main

import (
	"github.com/spf13/cobra"

	"lifeline/internal/runbook"
)

func (a *app) abort() *cobra.Command {
	return a.controlling(runbook.Abort, &cobra.Command{
		Use:   "abort",
		Short: "Take the run back to its last safe point",
		Long: `Stop the run and undo, in reverse, what can be undone. After a one-way stage the run
stops where it is and says what is left: from there the way home is failback.
With --wait the exit code is 5 when everything was undone, 6 after a one-way stage.`,
		Example: "  starter abort -f plan.yaml --as dana --reason 'false alarm' --wait",
	})
}
