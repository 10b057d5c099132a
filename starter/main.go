package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the command at once, whatever it waits for.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], realSystem(os.Stdin, os.Stdout, os.Stderr))
	stop()
	os.Exit(int(code))
}
