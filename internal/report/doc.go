// Package report owns the shape and the look of a run's story for people and
// machines: one self-contained HTML file, JSON, and plain text. A proof of
// readiness and the register of a plan's resources are told here too.
//
// It does not own what happened (package runbook does) and measures nothing itself:
// the outside view is handed in, and every writer is a pure function of what it
// is given. It reads no clock, no file and no network, so that the same
// Document gives the same bytes for ever.
//
// It fails only when the writer that it was given fails. Texts in a report come
// from AWS, from clients and from people; all of them are escaped for HTML and
// freed from control characters for terminals.
package report
