package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) outage() *cobra.Command {
	return a.client(&cobra.Command{
		Use: "outage REGION", Short: "Make a Region dark: control planes, data plane, replication",
		Long: "Make a Region dark: control planes, data plane, replication, and the global control planes that live there (Route 53 and IAM in us-east-1, ARC configuration in us-west-2).",
		Args: cobra.ExactArgs(1),
		RunE: run(func(cmd *cobra.Command, args []string) error {
			if err := a.known(cmd, args[0]); err != nil {
				return err
			}
			if err := a.control().Outage(cmd.Context(), args[0]); err != nil {
				return err
			}
			fmt.Fprintf(a.out, "%s is dark since %s\nnext: in five seconds, when the observers are sure: starter failover -f PLAN --from %s --as NAME --wait\nlater: %s\n",
				args[0], time.Now().UTC().Format(time.RFC3339), args[0], a.again("local heal "+args[0]))
			return nil
		}),
	})
}

func (a *app) heal() *cobra.Command {
	return a.client(&cobra.Command{
		Use: "heal REGION", Short: "End every fault of a Region",
		Args: cobra.ExactArgs(1),
		RunE: run(func(cmd *cobra.Command, args []string) error {
			if err := a.known(cmd, args[0]); err != nil {
				return err
			}
			if err := a.control().Heal(cmd.Context(), args[0]); err != nil {
				return err
			}
			fmt.Fprintf(a.out, "%s works again since %s\nnext: starter failback -f PLAN --to %s --as NAME --wait\n", args[0], time.Now().UTC().Format(time.RFC3339), args[0])
			return nil
		}),
	})
}

// known refuses a mistyped Region before anything is broken.
func (a *app) known(cmd *cobra.Command, region string) error {
	facts, err := a.control().Facts(cmd.Context())
	if err != nil {
		return err
	}
	if !slices.Contains(facts.Regions, region) {
		return errUsage{fmt.Errorf("no Region %q here; there are %s", region, strings.Join(facts.Regions, ", "))}
	}
	return nil
}

func (a *app) calls() *cobra.Command {
	var since time.Duration
	var mutating bool
	c := &cobra.Command{
		Use: "calls", Short: "Show the calls that AWS received",
		Args: cobra.NoArgs,
		RunE: run(func(cmd *cobra.Command, _ []string) error {
			calls, err := a.control().Calls(cmd.Context(), time.Now().Add(-since))
			if err != nil {
				return err
			}
			for _, c := range calls {
				if mutating && !c.Mutating {
					continue
				}
				fmt.Fprintf(a.out, "%s %-12s %-28s %-12s %-22s %s %s\n", c.Time.UTC().Format("15:04:05.000"), c.Service, c.Operation, c.Region, c.Caller, c.RequestID, c.Outcome)
			}
			return nil
		}),
	}
	c.Flags().DurationVar(&since, "since", 10*time.Minute, "how far back")
	c.Flags().BoolVar(&mutating, "mutating", false, "only calls that change something")
	return a.client(c)
}
