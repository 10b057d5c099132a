package main

import (
	"context"
	"io"
	"log/slog"
)

// newLogger logs JSON lines. Every line has the keys app, run and stage, so that
// a search for one run finds all of it; outside a run they are empty.
func newLogger(w io.Writer, app, region string) *slog.Logger {
	json := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelInfo, ReplaceAttr: rename})
	return slog.New(&complete{Handler: json}).With("app", app, "region", region)
}

// rename gives the SDK's keys the names that all of Lifeline uses.
func rename(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case "RunID":
		a.Key = "run"
	case "WorkflowID":
		a.Key = "workflow"
	case "WorkflowType":
		a.Key = "runbook"
	case "ActivityType":
		a.Key = "step"
	case "ActivityID":
		a.Key = "activity"
	case "TaskQueue":
		a.Key = "queue"
	case "WorkerID":
		a.Key = "worker"
	case "Namespace":
		a.Key = "namespace"
	case "Attempt":
		a.Key = "attempt"
	case "Error":
		a.Key = "error"
	}
	return a
}

// complete adds the keys that a line lacks.
type complete struct {
	slog.Handler
	run, stage bool
}

// WithAttrs remembers which keys the logger has.
func (c *complete) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := &complete{Handler: c.Handler.WithAttrs(attrs), run: c.run, stage: c.stage}
	for _, a := range attrs {
		next.note(a)
	}
	return next
}

// WithGroup keeps the keys outside the group.
func (c *complete) WithGroup(name string) slog.Handler {
	return &complete{Handler: c.Handler.WithGroup(name), run: true, stage: true}
}

func (c *complete) note(a slog.Attr) {
	switch a.Key {
	case "run", "RunID":
		c.run = true
	case "stage":
		c.stage = true
	}
}

// Handle writes the line, completed.
func (c *complete) Handle(ctx context.Context, r slog.Record) error {
	has := complete{run: c.run, stage: c.stage}
	r.Attrs(func(a slog.Attr) bool {
		has.note(a)
		return true
	})
	r = r.Clone()
	if !has.run {
		r.AddAttrs(slog.String("run", ""))
	}
	if !has.stage {
		r.AddAttrs(slog.String("stage", ""))
	}
	return c.Handler.Handle(ctx, r)
}
