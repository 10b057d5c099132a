package cli

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"lifeline/local/demo"
	"lifeline/local/stack"
)

// demo takes free ports: it is in nobody's way.
func (a *app) demo() *cobra.Command {
	var e everything
	c := &cobra.Command{
		Use: "demo", Short: "Black out a Region, fail over, fail back; exits 0 only if every promise held",
		Args: cobra.NoArgs,
		RunE: run(func(cmd *cobra.Command, _ []string) error {
			return demo.Run(cmd.Context(), demo.Options{Dir: e.dir, Bin: e.bin, Plan: e.plan, Ports: e.ports, Out: a.out})
		}),
	}
	e.add(c, stack.Ports{}, filepath.Join("out", "demo"))
	return c
}

func (a *app) up() *cobra.Command {
	var e everything
	c := &cobra.Command{
		Use: "up", Short: "Start Temporal, AWS, workers and clients, and leave them running until Ctrl-C",
		Args: cobra.NoArgs,
		RunE: run(func(cmd *cobra.Command, _ []string) error { return a.stayUp(cmd.Context(), e) }),
	}
	e.add(c, stack.DefaultPorts(), filepath.Join("out", "up"))
	return c
}

func (a *app) stayUp(ctx context.Context, e everything) error {
	begun := time.Now()
	s, err := stack.Start(ctx, stack.Options{
		Dir: e.dir, Bin: e.bin, Plan: e.plan, Ports: e.ports, Setup: 60, Logger: slog.New(slog.DiscardHandler), Fresh: true,
		Say: func(format string, args ...any) {
			fmt.Fprintf(a.out, "%6.1fs  %s\n", time.Since(begun).Seconds(), fmt.Sprintf(format, args...))
		},
	})
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.Run("probe", "local", "probe", "-f", s.PlanFile, "--ledger", filepath.Join(s.Dir(), "ledger.jsonl")); err != nil {
		return err
	}
	ui := fmt.Sprintf("http://127.0.0.1:%d", s.Ports.UI)
	if s.Process("temporal") == nil { // another one is used
		ui = "that of the Temporal at " + s.Temporal()
	}
	fmt.Fprintf(a.out, `
Everything runs.
  Temporal UI     %s
  simulated AWS   %s   (works with the AWS CLI: export AWS_ENDPOINT_URL)
  DNS             127.0.0.1:%d
  plan            %s
  clients         %s

In another terminal:
  export TEMPORAL_ADDRESS=%s AWS_ENDPOINT_URL=%s AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-west-2 XDG_CONFIG_HOME=%s
  bin/starter validate -f %s
  bin/local outage %s --endpoint %s
  bin/starter failover -f %s --from %s --as dana --wait
  bin/starter status -f %s --watch
  bin/starter approve -f %s --as amara      (and once more --as bela)
  bin/local heal %s --endpoint %s
  bin/starter failback -f %s --to %s --as dana --wait      (approved by two again)

Ctrl-C ends it all.
`, ui, s.Endpoint(), s.Ports.DNS, s.PlanFile, filepath.Join(s.Dir(), "logs", "probe.log"),
		s.Temporal(), s.Endpoint(), filepath.Join(s.Dir(), "config"), s.PlanFile, s.Plan.Primary(), s.Endpoint(),
		s.PlanFile, s.Plan.Primary(), s.PlanFile, s.PlanFile, s.Plan.Primary(), s.Endpoint(),
		s.PlanFile, s.Plan.Primary())
	return s.Watch(ctx)
}
