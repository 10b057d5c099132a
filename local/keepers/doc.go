// Package keepers holds the tests that let setup's keepers build and keep
// things in the simulated AWS, with nothing in between: same clients, same
// items, the waves in which a run takes them.
//
// It owns no code. What it proves of an area: that a bare world gets everything,
// that a second look changes nothing, that what somebody changed by hand is
// found and repaired or only told, and that lost answers and throttling leave
// nothing twice.
package keepers
