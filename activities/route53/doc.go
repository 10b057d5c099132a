// Package route53 owns reading what Route 53 tells clients, by asking its
// authoritative servers. It calls no Route 53 API: that is a global control
// plane, which may be as dark as the Region that is left, and traffic is never
// moved by editing records.
//
// It fails with the kinds of package cloud: NotYet while a location still gets
// the old answer, Unreachable when no name server answers.
package route53
