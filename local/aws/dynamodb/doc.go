// Package dynamodb is the simulated Amazon DynamoDB: tables, items, conditional
// writes, transactions, and global tables with asynchronous replication (MREC).
//
// It owns the state of every table in every Region and the replication between
// replicas: per item, last writer wins, delayed by a lag, halted while two
// Regions cannot reach each other and resumed when they can. It does not own
// wire formats, faults of single calls or the clock: those are wire's and world's.
//
// How it fails: as AWS does, with AWS's own error codes. A condition is judged
// on the local copy only. A write that was acknowledged in a Region that then
// goes dark stays there; it surfaces after the heal and loses to newer writes.
//
// Not simulated: multi-Region strong consistency, streams' contents, capacity
// and its throttling, legacy (pre-expression) parameters, PartiQL.
package dynamodb
