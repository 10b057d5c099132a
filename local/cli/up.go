package cli

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
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
	bin, err := filepath.Abs(e.bin)
	if err != nil {
		return fmt.Errorf("folder of the programs: %w", err)
	}
	a.explain(s, bin)
	return s.Watch(ctx)
}

// explain says where everything is and what to type first. Every line can be
// pasted as it stands, wherever the shell stands.
func (a *app) explain(s *stack.Stack, bin string) {
	ui := fmt.Sprintf("http://127.0.0.1:%d", s.Ports.UI)
	if s.Process("temporal") == nil { // another one is used
		ui = "that of the Temporal at " + s.Temporal()
	}
	starter, local, lost := shellWord(filepath.Join(bin, "starter")), shellWord(filepath.Join(bin, "local")), string(s.Plan.Primary())
	lines := []string{
		"", "Everything runs.",
		"  Temporal UI     " + ui,
		"  simulated AWS   " + s.Endpoint() + "   (works with the AWS CLI: export AWS_ENDPOINT_URL)",
		fmt.Sprintf("  DNS             127.0.0.1:%d", s.Ports.DNS),
		"  plan            " + s.PlanFile,
		"  clients         " + filepath.Join(s.Dir(), "logs", "probe.log"),
		"", "In another terminal:",
		"  export TEMPORAL_ADDRESS=" + s.Temporal() + " XDG_CONFIG_HOME=" + shellWord(filepath.Join(s.Dir(), "config")) + " PLAN=" + shellWord(s.PlanFile),
		"  export AWS_ENDPOINT_URL=" + s.Endpoint() + " AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-west-2",
		"  " + starter + ` validate -f "$PLAN"`,
		"  " + local + " outage " + lost + " --endpoint " + s.Endpoint(),
		"  " + starter + ` failover -f "$PLAN" --from ` + lost + " --as dana --wait   # from five seconds later",
		"", "In a third one, after the same two exports:",
		"  " + starter + ` status -f "$PLAN" --watch`,
		"  " + starter + ` approve -f "$PLAN" --as amara   # it says what there is to acknowledge`,
		"  " + starter + ` approve -f "$PLAN" --as bela`,
		"", "And home again, approved by two as before:",
		"  " + local + " heal " + lost + " --endpoint " + s.Endpoint(),
		"  " + starter + ` failback -f "$PLAN" --to ` + lost + " --as dana --wait",
		"", "Ctrl-C here ends it all.",
	}
	_, _ = fmt.Fprintln(a.out, strings.Join(lines, "\n"))
}

// shellWord quotes a word that a shell would not take as it is.
func shellWord(s string) string {
	if regexp.MustCompile(`^[A-Za-z0-9_./@%+=:,~-]+$`).MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
