// Package ready holds the tests that let readiness prove an estate in the
// simulated AWS: the runbook itself, in Temporal's test environment, with the
// steps that a worker registers and the IAM policy that Lifeline ships.
//
// It owns no code. What it proves: that a healthy estate is green, that what a
// hand breaks is named, and that nothing is changed by looking.
package ready
