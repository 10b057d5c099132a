// Package dlm is the simulated Amazon Data Lifecycle Manager: custom policies
// that snapshot tagged volumes and instances on a schedule, copy the snapshots
// into other Regions, and delete them when they are old or too many.
//
// It owns the policies and knows which snapshots are theirs. The snapshots
// themselves are EC2's, and so is everything that can go wrong with them. A
// schedule counts from the wall clock at the moment in which the policy is made
// or changed, and runs from there at the world's pace.
//
// How it fails: calls with DLM's own codes. Runs fail silently, as on AWS: the
// policy's state becomes ERROR, with the reason beside it, when its role can't be
// assumed, a snapshot is refused, or a copy ends in error because its key can't
// be used. A later run that succeeds takes that back. In a dark Region no policy
// runs, and what it missed is not made up for.
package dlm
