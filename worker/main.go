package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once: the first may wait for a step.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], realSystem(os.Stdout, os.Stderr))
	stop()
	os.Exit(code)
}
