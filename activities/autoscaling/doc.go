// Package autoscaling owns the steps on Auto Scaling groups: freezing what could
// remove capacity during an incident, growing the survivor, and taking the
// compute of a Region that is left to zero.
//
// It does not wait for instances and it never scales in, except to fence. What a
// step changes it first remembers in a tag of the group, so that its undo gives
// back exactly what was, on any worker and after any crash.
//
// It fails with the kinds of package cloud.
package autoscaling
