package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes, as promised by -h.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	os.Exit(start(os.Args[1:], os.Stdout, os.Stderr))
}

// start runs the program until a signal ends it, and returns the exit code.
func start(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	set, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitDone
	}
	if err != nil {
		fmt.Fprintf(stderr, "temporal-server: %v\nTry temporal-server -h.\n", err)
		return exitUsage
	}
	if err := serve(ctx, set, stdout, newLogger(set, stderr, os.Exit)); err != nil {
		fmt.Fprintf(stderr, "temporal-server: %v\n", err)
		return exitFailed
	}
	return exitDone
}
