// Command local lets one machine stand in for production: the simulated AWS,
// the demos, and tools to break and watch them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"lifeline/local/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends everything at once.
	context.AfterFunc(ctx, stop)
	code := cli.Run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
