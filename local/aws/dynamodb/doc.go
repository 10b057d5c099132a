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
// A global table with multi-Region strong consistency acknowledges nothing that
// the majority of its three Regions can't agree on; a Region that is cut off still
// gives eventually consistent reads.
//
// Not simulated: streams' contents, capacity and its throttling (and so its Auto
// Scaling: global tables are billed on demand), restoring a table, legacy
// (pre-expression) parameters, PartiQL.
package dynamodb
