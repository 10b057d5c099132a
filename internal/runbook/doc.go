// Package runbook owns the words that all runbooks share: stages, steps,
// planes, reversibility, clocks, gates, approvals, fence results, the timeline
// and the report. It is pure: no AWS, no Temporal, no clock, no I/O, so that
// every decision in it can be tested without a fake and replayed.
package runbook
