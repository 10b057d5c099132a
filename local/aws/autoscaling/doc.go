// Package autoscaling is EC2 Auto Scaling: groups that keep as many instances
// running as they were told to.
//
// It owns the groups, their members and their activities, and one loop that
// compares wish and reality: it launches, registers with target groups, drains,
// terminates and replaces. Suspended processes really don't happen. It does not
// own instances (package ec2) nor the health of targets (package elbv2). In a
// dark Region the loop stands still; a launch that EC2 refuses becomes a failed
// activity and is tried again later.
package autoscaling
