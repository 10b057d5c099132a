package main

import (
	"github.com/spf13/cobra"

	"lifeline/internal/runbook"
)

func (a *app) skip() *cobra.Command {
	return a.controlling(runbook.Skip, &cobra.Command{
		Use:     "skip STEP",
		Short:   "Leave out an optional step that has not begun",
		Long:    "Leave out an optional step that has not begun. Steps that keep data safe are not optional,\nand the run refuses to skip them.",
		Example: "  starter skip ScaleGroup -f plan.yaml --as dana",
		Args:    oneStep,
	})
}

func oneStep(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usage("starter skip STEP -f PLAN --as YOU; starter status shows the steps", "name one step")
	}
	return nil
}
