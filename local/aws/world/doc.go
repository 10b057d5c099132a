// Package world is the ground that all simulated AWS services stand on: the
// account, the Regions, one clock with its compression, the faults that are in
// force, who can reach whom, the loopback addresses, and the log of every call.
//
// It does not own HTTP, protocols or the state of any service. It fails only at
// construction time of an address range (see VIP); everything else is memory.
package world
