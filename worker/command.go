package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"lifeline/internal/plan"
	"lifeline/internal/temporal"
)

// Exit codes, a part of those that starter promises.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitPlan        = 3
	exitUnreachable = 7
)

// connectTimeout: a Temporal that does not answer for this long is not
// reachable; whoever supervises this process starts it again.
const connectTimeout = 5 * time.Second

// system is everything outside this program, so that tests can run it in memory.
type system struct {
	out, err io.Writer
	pid      int
	host     func() (string, error)
	dial     func(context.Context, *slog.Logger, ...func(*client.Options)) (client.Client, error)
}

func realSystem(out, err io.Writer) system {
	return system{out: out, err: err, pid: os.Getpid(), host: os.Hostname, dial: temporal.Dial}
}

// flags are what was typed.
type flags struct {
	plan       string
	trust      []string
	region     string
	also       []string
	observer   string
	watermarks bool
	setup      bool
	metrics    string
}

// coded is an error with its exit code.
type coded struct {
	code int
	err  error
}

func (c *coded) Error() string { return c.err.Error() }
func (c *coded) Unwrap() error { return c.err }

// run runs the worker until ctx ends and gives the exit code.
func run(ctx context.Context, args []string, s system) int {
	cmd := newCommand(s)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	code := exitUsage
	var c *coded
	if errors.As(err, &c) {
		code = c.code
	}
	_, _ = fmt.Fprintf(s.err, "worker: %v\n", err)
	return code
}

func newCommand(s system) *cobra.Command {
	f := &flags{}
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Play Lifeline's runbooks and take their steps",
		Long: `worker polls the task queue of the Region that it stands in, plays runbooks and takes
their steps. Run at least two in each Region of the plan, and one observer for each
of the plan's observers; one more, with --setup, builds the estate and proves readiness.
SIGTERM ends a worker gracefully; a killed one is replaced by any other within seconds.

It plays only runs of the plan that it was started with: a start names the keys that
its own signatures are checked against. After a change of the plan start all workers
again; runs under way go on.

Temporal is found by the standard TEMPORAL_* variables and profile file, AWS by the
standard AWS variables and profiles.

Exit codes: 0 ended as asked; 1 Temporal refused it; 2 usage; 3 plan invalid;
7 Temporal not reachable.`,
		Example: `  worker -f plan.yaml --region us-west-2 --watermarks --metrics :9090
  worker -f plan.yaml --observer observer-on-premises
  worker -f plan.yaml --setup`,
		SilenceErrors: true, SilenceUsage: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return start(cmd.Context(), s, *f) },
	}
	cmd.SetOut(s.out)
	cmd.SetErr(s.err)
	cmd.Flags().StringVarP(&f.plan, "file", "f", "", "the plan file (required)")
	cmd.Flags().StringSliceVar(&f.trust, "trust", nil, "further plan files whose runs it may play; a run of any other plan is turned away")
	cmd.Flags().StringVar(&f.region, "region", "", "the Region that this worker stands in; it polls its task queue")
	cmd.Flags().StringSliceVar(&f.also, "also", nil, "further Regions whose task queues it may serve")
	cmd.Flags().StringVar(&f.observer, "observer", "", "be this observer of the plan")
	cmd.Flags().BoolVar(&f.watermarks, "watermarks", false, "write the Region's watermarks, by which data loss is measured")
	cmd.Flags().BoolVar(&f.setup, "setup", false, "play setup and readiness; needs a wider AWS role (deploy/policies/setup.json) than the other workers should have")
	cmd.Flags().StringVar(&f.metrics, "metrics", "", "address of /metrics (Prometheus), /healthz and /readyz, e.g. :9090")
	return cmd
}

// check reads the plans, the worker's own first, and judges the flags against it.
func (f flags) check() ([]plan.Plan, error) {
	if f.plan == "" {
		return nil, &coded{exitUsage, errors.New("no plan file was named; add -f PLAN")}
	}
	var plans []plan.Plan
	for _, file := range append([]string{f.plan}, f.trust...) {
		p, problems := plan.Load(file)
		if wrong := problems.Errors(); len(wrong) > 0 {
			return nil, &coded{exitPlan, fmt.Errorf("the plan is invalid, nothing was started:\n%w", wrong.Err())}
		}
		plans = append(plans, p)
	}
	return plans, f.fit(plans[0])
}

func (f flags) fit(p plan.Plan) error {
	var regions, observers []string
	for _, r := range p.Regions {
		regions = append(regions, string(r.Name))
	}
	for _, o := range p.Observers.Members {
		observers = append(observers, o.Name)
	}
	if f.region == "" && f.observer == "" && !f.setup {
		return &coded{exitUsage, errors.New("nothing to do; add --region REGION, --observer NAME, or --setup")}
	}
	for _, r := range append(slices.Clone(f.also), f.region) {
		if r != "" && !slices.Contains(regions, r) {
			return &coded{exitUsage, fmt.Errorf("the plan has no Region %q; it has %s", r, strings.Join(regions, ", "))}
		}
	}
	if f.observer != "" && !slices.Contains(observers, f.observer) {
		return &coded{exitUsage, fmt.Errorf("the plan has no observer %q; it has %s", f.observer, strings.Join(observers, ", "))}
	}
	if f.watermarks && f.region == "" {
		return &coded{exitUsage, errors.New("--watermarks needs --region: a watermark tells where it was written")}
	}
	return nil
}
