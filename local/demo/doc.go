// Package demo tells the whole story once, in real time: a live estate, a dark
// Region, a failover with human approvals and killed workers, the way home, and
// figures that were measured from the outside.
//
// It asserts what it shows: Run fails unless every promise held. It trusts no
// run's own report: the figures come from the probe's ledger and AWS's call log.
package demo
