// Package dnsclient owns asking DNS the way Lifeline must: the authoritative
// servers themselves, as a client of a given place (EDNS Client Subnet, RFC
// 7871), and never a cache.
//
// It does not own what an answer means. It fails with the kinds of package
// cloud: a server that does not answer is Unreachable; a name without an address
// is an answer, not a failure.
package dnsclient
