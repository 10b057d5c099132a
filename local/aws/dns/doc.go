// Package dns is the authoritative name server of the simulated world: UDP and
// TCP on one port, EDNS0 with client subnet.
//
// It owns the wire side of DNS and following CNAMEs as far as this server knows
// the names. It does not own any record: Route 53 answers for its zones, and
// Resolvers answer for AWS-owned names below amazonaws.com.
//
// How it fails: never with a Region. Route 53's answering is spread over the
// world, so no blackout touches it. Names that nobody here knows are REFUSED.
package dns
