package main

import (
	"github.com/spf13/cobra"

	"lifeline/internal/runbook"
)

func (a *app) pause() *cobra.Command {
	return a.controlling(runbook.Pause, &cobra.Command{
		Use:     "pause",
		Short:   "Hold the run before its next step",
		Long:    "Hold the run before its next step. Steps under way end; the clocks go on.",
		Example: "  starter pause -f plan.yaml --as dana --reason 'checking with the network team'",
	})
}
