package cli

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"lifeline/internal/plan"
	"lifeline/local/aws/probe"
)

func (a *app) probe() *cobra.Command {
	var ledger, file string
	var every time.Duration
	var quiet bool
	c := &cobra.Command{
		Use: "probe", Short: "Be the clients: write and read from every location, keep a ledger",
		Long: "Be the clients: write and read from every location of the plan until interrupted. Every attempt is a line of the ledger, on disk before the next one.",
		Args: cobra.NoArgs,
		RunE: run(func(cmd *cobra.Command, _ []string) error {
			p, problems := plan.Load(file)
			if err := problems.Err(); err != nil {
				return err
			}
			o, err := probe.FromPlan(p)
			if err != nil {
				return err
			}
			o.Ledger, o.Logger = ledger, slog.New(slog.NewTextHandler(a.err, nil))
			o.Intervals[probe.Record] = every
			if !quiet {
				o.Seen = a.tell()
			}
			return probe.Run(cmd.Context(), o)
		}),
	}
	c.Flags().StringVarP(&file, "file", "f", "", "the plan, as `local up` has written it (required)")
	c.Flags().StringVar(&ledger, "ledger", "ledger.jsonl", "the ledger; an existing one is gone on with")
	c.Flags().DurationVar(&every, "interval", time.Second, "between two records of one client")
	c.Flags().BoolVar(&quiet, "quiet", false, "say nothing while all goes well")
	_ = c.MarkFlagRequired("file") // the flag exists: defined above
	return c
}

// tell prints a line whenever a client's luck changes.
func (a *app) tell() func(probe.Line) {
	type client struct {
		location string
		kind     probe.Kind
	}
	last := map[client]string{}
	lines := make(chan probe.Line, 1024)
	go func() {
		for l := range lines {
			state := l.Region
			if !l.OK {
				state = "failed: " + l.Error
			}
			k := client{l.Location, l.Kind}
			if last[k] != state {
				last[k] = state
				fmt.Fprintf(a.out, "%s %-14s %-9s %s\n", l.Started.UTC().Format("15:04:05.000"), l.Location, l.Kind, state)
			}
		}
	}()
	return func(l probe.Line) {
		select {
		case lines <- l:
		default: // a slow terminal must not slow the clients
		}
	}
}
