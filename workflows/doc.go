// Package workflows holds the runbooks, one file each, and the player that they
// share (run.go). A runbook is a list of stages and one short method for each.
//
// It owns order, gates, clocks, approvals, undo and what people are told. It
// does not own what a kind of resource does (kinds), nor any AWS call
// (activities). A run that fails carries its report in the error's details, and
// the status query still answers.
//
// Everything here is workflow code: no clock, randomness, I/O or map order. The
// safety rules and the tests that hold them are listed in INVARIANTS.md.
package workflows
