// Package rds owns the steps on Aurora global databases: what state they are in,
// planned and forced moves of the writer, and keeping the writes that a forced
// move cut off. Its keepers make what such a move needs ahead of time: members in
// another Region, read replicas, backups.
//
// It does not own the decision to promote, the fence before it or the measured
// lag (package cloudwatch).
//
// It fails with the kinds of package cloud. The two moves have no idempotency
// token in AWS, so each looks first: a move that is already under way to the
// same target is the wanted state, one to another target is a Conflict.
package rds
