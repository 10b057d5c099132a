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
	var network *net.OpError
	switch {
	case ctx.Err() != nil:
		return exitInterrupted
	case !errors.As(err, &ran):
		fmt.Fprintln(errs, "next: local --help")
		return exitUsage
	case errors.As(err, &network):
		fmt.Fprintln(errs, "next: is it running? start it with: make up")
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

// client adds the flag of verbs that talk to a running simulator.
func (a *app) client(c *cobra.Command) *cobra.Command {
	c.Flags().StringVar(&a.endpoint, "endpoint", "http://127.0.0.1:4566", "where the simulated AWS listens")
	return c
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
