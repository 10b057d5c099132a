package main

import (
	"github.com/spf13/cobra"

	"lifeline/internal/runbook"
)

func (a *app) switchover() *cobra.Command {
	return a.starting(runbook.Switchover, &cobra.Command{
		Use:   "switchover",
		Short: "Move out of a healthy Region as planned; nothing is lost",
		Long: `Move out of a healthy Region, e.g. before maintenance. Both Regions must be healthy:
writes stop, replication catches up, the writer moves, and no acknowledged write is
lost. It refuses when the Region that is left is not healthy; then use failover.`,
		Example: "  starter switchover -f plan.yaml --from us-east-1 --as dana",
	})
}
