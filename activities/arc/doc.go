// Package arc owns the traffic switch by ARC routing controls. It talks only to
// the five cluster endpoints, which are data plane and outlive two Regions; the
// control-configuration API never belongs in an emergency.
//
// It never overrides safety rules: what a rule refuses is a Conflict for people.
// It fails with the kinds of package cloud; when no endpoint took the call, with
// the kind of the last one's failure.
package arc
