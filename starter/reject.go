package main

import "github.com/spf13/cobra"

func (a *app) reject() *cobra.Command {
	return a.deciding(&cobra.Command{
		Use:     "reject",
		Short:   "Refuse what a run asks for, with your signature",
		Long:    "Refuse what the run asks for. One rejection closes the request; the run then goes back\nto its last safe point and says what it did.",
		Example: "  starter reject -f plan.yaml --as bela --comment 'us-east-1 is coming back'",
	}, false)
}
