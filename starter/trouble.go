package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"lifeline/internal/cloud"
	"lifeline/internal/report"
	"lifeline/internal/runbook"
)

// exitCode is a promise to scripts: see exitCodes for the words.
type exitCode int

// Exit codes.
const (
	exitDone        exitCode = 0
	exitFailed      exitCode = 1
	exitUsage       exitCode = 2
	exitPlan        exitCode = 3
	exitRefused     exitCode = 4
	exitAborted     exitCode = 5
	exitStopped     exitCode = 6
	exitUnreachable exitCode = 7
	exitInterrupted exitCode = 130
)

const exitCodes = `Exit codes:
    0  done
    1  the runbook failed, or its commit window took traffic back;
       no such run is known; an answer or file could not be written
    2  usage: the command was not understood
    3  the plan is invalid
    4  refused by a gate, an approval rule, or the lock of a run under way; not ready
    5  aborted and undone
    6  stopped after a one-way stage: only forward, or failback
    7  Temporal or AWS not reachable, or no worker answers
  130  interrupted; a run that was started goes on`

// trouble is an error that a tired person can act on.
type trouble struct {
	code exitCode
	err  error  // what happened
	safe string // what is safe now
	next string // the next command to type
}

// Error says what happened.
func (t *trouble) Error() string { return t.err.Error() }

// Unwrap gives the cause.
func (t *trouble) Unwrap() error { return t.err }

func usage(next, format string, args ...any) *trouble {
	return &trouble{code: exitUsage, err: fmt.Errorf(format, args...), safe: "nothing was changed", next: next}
}

// asTrouble gives any error its exit code. What cobra itself refuses is usage.
func asTrouble(err error) *trouble {
	var t *trouble
	if errors.As(err, &t) {
		return t
	}
	return usage("starter --help", "%w", err)
}

// print writes the error for people, or as JSON for scripts.
func (t *trouble) print(w io.Writer, asJSON bool) {
	if asJSON {
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
			"exit_code": t.code, "what": t.Error(), "safe": t.safe, "next": t.next,
		}})
		return
	}
	lines := strings.Split(t.Error(), "\n")
	for i, line := range lines {
		lines[i] = report.Printable(line)
	}
	text := "starter: " + strings.Join(lines, "\n") + "\n"
	if t.safe != "" {
		text += "  safe now: " + report.Printable(t.safe) + "\n"
	}
	if t.next != "" {
		text += "  next:     " + report.Printable(t.next) + "\n"
	}
	_, _ = io.WriteString(w, text)
}

// codeOf is the exit code of a run that ended with this status.
func codeOf(s runbook.Status) exitCode {
	switch s {
	case runbook.Done:
		return exitDone
	case runbook.Refused:
		return exitRefused
	case runbook.Aborted:
		return exitAborted
	case runbook.Stopped:
		return exitStopped
	case runbook.Failed, runbook.Reverted, runbook.Running, runbook.Waiting, runbook.Paused, runbook.Held:
		return exitFailed
	}
	return exitFailed
}

// outcome is nil for a run that kept its promise, else its trouble.
func outcome(r runbook.Report) error {
	code := codeOf(r.Status)
	if code == exitDone {
		return nil
	}
	// The run knows why a step failed; a missing answer from AWS has a code of its own.
	if r.Status == runbook.Failed && r.Cause == string(cloud.Unreachable) {
		code = exitUnreachable
	}
	return &trouble{code: code, err: fmt.Errorf("%s of %s is %s: %s", r.Runbook, r.Application, r.Status, report.Printable(r.Summary)), safe: r.Safe, next: r.Next}
}
