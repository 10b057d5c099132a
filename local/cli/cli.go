package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"lifeline/local/aws/control"
	"lifeline/local/stack"
)

// Exit codes, as promised by the help.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitUnreachable = 7
	exitInterrupted = 130
)

// app is one run of the command line.
type app struct {
	out, err io.Writer
	endpoint string // of the simulated AWS that a verb talks to
}

// everything are the flags of verbs that start everything.
type everything struct {
	ports          stack.Ports
	plan, bin, dir string
}

// errRun marks what went wrong after the command was understood.
type errRun struct{ error }

func (e errRun) Unwrap() error { return e.error }

// errUsage marks what was understood and can't be meant.
type errUsage struct{ error }

func (e errUsage) Unwrap() error { return e.error }

// errSilent marks that nothing listens at the endpoint.
type errSilent struct{ error }

func (e errSilent) Unwrap() error { return e.error }

// Run runs the command line and returns its exit code.
func Run(ctx context.Context, args []string, out, errs io.Writer) int {
	a := &app{out: out, err: errs}
	root := &cobra.Command{
		Use: "local", Short: "One machine as production: simulated AWS, demos, faults",
		Long:         "One machine as production: simulated AWS, demos, faults.\n\nExit codes: 0 done, 1 failed, 2 usage, 7 nothing to talk to, 130 interrupted.",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.SetOut(out)
	root.SetErr(errs)
	root.SetArgs(args)
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(a.demo(), a.up(), a.aws(), a.outage(), a.heal(), a.calls(), a.probe())
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(errs, "local: %v\n", err)
	var ran errRun
	var wrong errUsage
	var silent errSilent
	switch {
	case ctx.Err() != nil:
		return exitInterrupted
	case !errors.As(err, &ran), errors.As(err, &wrong):
		fmt.Fprintln(errs, "next: local --help")
		return exitUsage
	case errors.As(err, &silent):
		fmt.Fprintln(errs, "next: is it running? make up starts it and prints its endpoint; name another one with --endpoint")
		return exitUnreachable
	default:
		return exitFailed
	}
}

// run wraps a verb's work so that its errors are told from typing errors.
func run(fn func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := fn(cmd, args); err != nil {
			return errRun{err}
		}
		return nil
	}
}

// client adds the flag of verbs that talk to a running simulator, and tells its
// silence from other errors.
func (a *app) client(c *cobra.Command) *cobra.Command {
	c.Flags().StringVar(&a.endpoint, "endpoint", defaultEndpoint, "where the simulated AWS listens")
	do := c.RunE
	c.RunE = func(cmd *cobra.Command, args []string) error {
		err := do(cmd, args)
		var network *net.OpError
		if errors.As(err, &network) {
			return errSilent{err}
		}
		return err
	}
	return c
}

const defaultEndpoint = "http://127.0.0.1:4566"

// again is a command for the same simulator.
func (a *app) again(command string) string {
	if a.endpoint == defaultEndpoint {
		return command
	}
	return command + " --endpoint " + a.endpoint
}

func (a *app) control() control.Client { return control.Client{Endpoint: a.endpoint} }

// add adds the flags, with the ports and the folder that are the verb's default.
func (e *everything) add(c *cobra.Command, d stack.Ports, dir string) {
	c.Flags().IntVar(&e.ports.Temporal, "temporal-port", d.Temporal, "Temporal (0: a free one)")
	c.Flags().IntVar(&e.ports.UI, "ui-port", d.UI, "Temporal UI (0: a free one)")
	c.Flags().IntVar(&e.ports.AWS, "port", d.AWS, "simulated AWS (0: a free one)")
	c.Flags().IntVar(&e.ports.DNS, "dns-port", d.DNS, "DNS (0: a free one)")
	c.Flags().StringVarP(&e.plan, "file", "f", filepath.Join("examples", "patient-records.yaml"), "the plan")
	c.Flags().StringVar(&e.bin, "bin", binaries(), "folder of the programs")
	c.Flags().StringVar(&e.dir, "out", dir, "folder of the results; an earlier run in it is removed")
}

// binaries is the folder that this program was built into.
func binaries() string {
	self, err := os.Executable()
	if err != nil {
		return "bin"
	}
	return filepath.Dir(self)
}
