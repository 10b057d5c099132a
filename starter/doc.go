// Command starter is the on-call command line: it starts runbooks, shows where
// they stand, carries people's signed decisions to them, and writes reports.
//
// It owns what people type and read: verbs, flags, exit codes, and texts that
// say what happened, what is safe now and what to type next. It does not own
// runbooks: they live in Temporal and go on when this command ends.
//
// It fails with a *trouble, which carries its promised exit code. Nothing is
// changed by a command that could not read its plan, prove who types, or reach
// Temporal.
package main
