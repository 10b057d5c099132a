package main

import (
	"github.com/spf13/cobra"

	"lifeline/internal/runbook"
)

func (a *app) failover() *cobra.Command {
	return a.starting(runbook.Failover, &cobra.Command{
		Use:   "failover",
		Short: "Leave a Region that is dark, without its help",
		Long: `Leave a Region that is dark. The run asks nothing of that Region: observers prove
that it is down, traffic moves, and two approvers allow the one-way step. It refuses
when the observers see the Region healthy; then use switchover.

The Region that is left must be named with --from: typing it is the confirmation.`,
		Example: "  starter failover -f plan.yaml --from us-east-1 --as dana --wait",
	})
}
