package main

import (
	"github.com/spf13/cobra"

	"lifeline/internal/runbook"
)

func (a *app) failback() *cobra.Command {
	return a.starting(runbook.Failback, &cobra.Command{
		Use:   "failback",
		Short: "Come home after a failover; planned, approved, nothing is lost",
		Long: `Come home to the Region that was left. It must have been healthy for the plan's time;
replication runs again in both directions and catches up; after approval the writer
moves home, then traffic, location by location; fences are released last.

Name the Region to come home to with --to, or the one that serves now with --from.`,
		Example: "  starter failback -f plan.yaml --to us-east-1 --as dana --wait",
	})
}
