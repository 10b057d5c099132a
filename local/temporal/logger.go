package main

import (
	"context"
	"io"
	"log/slog"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// logger writes the server's log through slog. The server logs tags, slog
// attributes; nothing else differs, save that the server may end the process.
type logger struct {
	slog *slog.Logger
	exit func(code int)
}

func newLogger(set settings, w io.Writer, exit func(int)) logger {
	options := &slog.HandlerOptions{Level: set.LogLevel}
	var handler slog.Handler = slog.NewTextHandler(w, options)
	if set.LogFormat == "json" {
		handler = slog.NewJSONHandler(w, options)
	}
	return logger{slog: slog.New(handler), exit: exit}
}

func (l logger) Debug(msg string, tags ...tag.Tag) { l.write(slog.LevelDebug, msg, tags) }
func (l logger) Info(msg string, tags ...tag.Tag)  { l.write(slog.LevelInfo, msg, tags) }
func (l logger) Warn(msg string, tags ...tag.Tag)  { l.write(slog.LevelWarn, msg, tags) }
func (l logger) Error(msg string, tags ...tag.Tag) { l.write(slog.LevelError, msg, tags) }

// DPanic panics in development builds of the server; this one goes on.
func (l logger) DPanic(msg string, tags ...tag.Tag) { l.write(slog.LevelError, msg, tags) }

func (l logger) Panic(msg string, tags ...tag.Tag) {
	l.write(slog.LevelError, msg, tags)
	panic(msg)
}

// Fatal is how the server says that it can't go on, for example when one of its
// inner ports was taken between our check and its listen.
func (l logger) Fatal(msg string, tags ...tag.Tag) {
	l.write(slog.LevelError, msg, tags)
	l.exit(exitFailed)
}

// With returns a logger that adds the tags to every line.
func (l logger) With(tags ...tag.Tag) log.Logger {
	return logger{slog: slog.New(l.slog.Handler().WithAttrs(attrs(tags))), exit: l.exit}
}

// SLog hands the logger to the parts of the server that use slog themselves.
func (l logger) SLog() *slog.Logger { return l.slog }

func (l logger) write(level slog.Level, msg string, tags []tag.Tag) {
	ctx := context.Background()
	if l.slog.Enabled(ctx, level) {
		l.slog.LogAttrs(ctx, level, msg, attrs(tags)...) //nolint:sloglint // the server's own messages, static where they are written
	}
}

func attrs(tags []tag.Tag) []slog.Attr {
	out := make([]slog.Attr, 0, len(tags))
	for _, t := range tags {
		out = append(out, slog.Any(t.Key(), t.Value()))
	}
	return out
}
