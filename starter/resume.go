package main

import (
	"github.com/spf13/cobra"

	"lifeline/internal/runbook"
)

func (a *app) resume() *cobra.Command {
	return a.controlling(runbook.Resume, &cobra.Command{
		Use:     "resume",
		Short:   "Let a paused run go on",
		Long:    "Let a paused run go on with its next step.",
		Example: "  starter resume -f plan.yaml --as dana",
	})
}
