// Package route53 is the simulated Amazon Route 53: hosted zones, records,
// health checks, and the answers that follow from them.
//
// It owns the API (control plane), the health of checks as a function of what
// checkers, metrics and routing controls report, and the choice of records for
// a question (data plane). It does not own sockets: package dns serves the
// answers, package checkers probes the endpoints and reports here.
//
// How it fails: the wire layer makes the API unreachable while us-east-1 is
// dark; answering and health go on from the last state, as on AWS. Records
// reach the answers only when their change is INSYNC, health changes after a
// propagation delay. When no record of a group is healthy all of them count as
// healthy (fail open).
//
// Latency, geoproximity and IP-based (CIDR) routing are refused, not guessed.
package route53
