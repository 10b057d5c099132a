// Package route53 owns two things that never meet. The steps of a run read what
// Route 53 tells clients, by asking its authoritative servers: they call no
// Route 53 API, which is a global control plane and may be as dark as the Region
// that is left, and traffic is never moved by editing records. The keepers of
// setup make the zone, its health checks and its records, long before.
//
// It fails with the kinds of package cloud: NotYet while a location still gets
// the old answer, Unreachable when no name server answers.
package route53
