// Package cloudwatch is the simulated Amazon CloudWatch: metrics, metric alarms and
// composite alarms, one independent state per Region, and the text of dashboards.
//
// It owns metric samples, their statistics, alarms, their evaluation and their
// history. It does not own what an alarm action does: actions go to the Actions
// interface that the assembler passes in.
//
// How it fails: a dark Region accepts no samples, evaluates no alarm and fires
// no action. Refused requests carry CloudWatch's own error codes. Samples are
// kept per metric up to a cap, after which the oldest are dropped.
//
// Periods are AWS durations: in a compressed world a 60 s period covers
// 60 s / compression of wall time, while all timestamps stay wall clock.
package cloudwatch
