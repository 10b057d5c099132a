// Package arc owns the traffic switch by ARC routing controls. Its steps talk
// only to the five cluster endpoints, which are data plane and outlive two
// Regions; the control-configuration API never belongs in an emergency. Setup's
// keepers make the cluster and its parts through that API, long before, in the
// one Region that serves it.
//
// It never overrides safety rules: what a rule refuses is a Conflict for people.
// It fails with the kinds of package cloud; when no endpoint took the call, with
// the kind of the last one's failure.
package arc
