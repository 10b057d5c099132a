// Package keep owns the loop that brings things in AWS to a wanted state: read
// many at once, compare, write only what differs, read again until it is so.
//
// It does not own what is wanted (the plan says that) nor how a type is read
// and written: each activities package brings a Keeper for every type that it
// knows. Nothing is ever deleted here; a Keeper has no verb for it.
//
// It fails for each item by itself. A passing failure (throttled, no answer,
// busy) is tried again until the deadline, always after a new look, so an answer
// that was lost makes no second resource.
package keep
