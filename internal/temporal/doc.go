// Package temporal owns what every process shares about Temporal: how to
// connect, the names of task queues and workflows, search attributes, and the
// interceptor that stands around every activity.
//
// It does not own runbooks or steps, and it does not start workers.
//
// It fails with *UnreachableError when Temporal cannot be talked to, and with
// ErrConfiguration when it is not known how; commands turn both into exit codes.
package temporal
