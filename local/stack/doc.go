// Package stack runs Lifeline as production would, on one machine: Temporal,
// the simulated AWS, an estate, workers and outside clients, each its own
// process. The demo, `local up` and the end-to-end tests stand on it.
//
// It owns the processes that it starts and ends only those. It does not own
// what they do. A process that ends unasked is reported with the tail of its log.
package stack
