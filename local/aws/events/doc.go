// Package events is Amazon EventBridge: rules on the default event bus of each
// Region, their targets, and the events that simulated services and callers send.
//
// It owns rules, matching and delivery: to SNS topics, let in by the topic's and
// its key's policies, and to Lambda functions. Schedules run in AWS time divided by
// the compression. It doesn't own what happens behind a target.
//
// How it fails: with EventBridge's own codes. A delivery that fails is not repeated
// (AWS goes on for a day): it counts in FailedInvocations of AWS/Events, and nobody
// else is told, as on AWS. A dark Region loses its events. Other buses, targets of
// other kinds or in other Regions, archives and pipes are refused.
package events
