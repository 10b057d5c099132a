package main

import "github.com/spf13/cobra"

func (a *app) approve() *cobra.Command {
	return a.deciding(&cobra.Command{
		Use:   "approve",
		Short: "Allow what a run asks for, with your signature",
		Long: `Show what the run asks for, with evidence, measured losses and risks, and allow it
with your signature. Each risk must be named with --acknowledge. Who started the run
can't approve it. Typing the same approval twice counts once.`,
		Example: "  starter approve -f plan.yaml --as amara --acknowledge data-loss:billing",
	}, true)
}
