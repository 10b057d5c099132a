package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/google/uuid"
	"go.temporal.io/sdk/client"

	"lifeline/internal/temporal"
)

// system is everything outside this program, so that tests can run whole
// commands in memory.
type system struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) string
	now      func() time.Time
	after    func(time.Duration) <-chan time.Time
	newID    func() string
	dial     func(context.Context) (runs, error)
	terminal bool // people look at out, and can press keys
}

func realSystem(in, out, err *os.File) system {
	return system{
		in: in, out: out, err: err,
		env: os.Getenv, now: time.Now, after: time.After, newID: uuid.NewString, dial: dial,
		terminal: term.IsTerminal(in.Fd()) && term.IsTerminal(out.Fd()),
	}
}

// dial connects to Temporal. The SDK's own log would stand between the lines
// that people read; what matters of it comes back as an error.
func dial(ctx context.Context) (runs, error) {
	return temporal.Dial(ctx, slog.New(slog.DiscardHandler), func(o *client.Options) {
		o.ConnectionOptions.GetSystemInfoTimeout = connectTimeout
	})
}
