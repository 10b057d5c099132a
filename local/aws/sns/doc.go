// Package sns is Amazon SNS: topics, subscriptions and published messages.
//
// It owns the topics and a log of every message, which tests and the demo read.
// It delivers to http and https endpoints for real, with three attempts, after
// they confirmed; to Lambda functions whose policy lets it; to the in-process
// protocol "log" by calling a Go function; to any other protocol it doesn't deliver, and says so in the log.
// Nothing is delivered out of a dark Region, and nothing ever leaves this machine.
// It fails with SNS's own codes. An encrypted topic takes the messages of an alarm or
// of another service only if the key's policy lets the service use the key, which
// that of AWS's own key (alias/aws/sns) never does; only the alarm's history tells.
package sns
