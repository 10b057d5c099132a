// Package elbv2 is Elastic Load Balancing: application load balancers, their
// listeners, target groups and health checks.
//
// It owns the load balancers' state and their data plane: each one has a
// loopback address, each listener is a TCP listener on it that takes real HTTP,
// and each health check is a real HTTP request to the instance. It does not own
// instances or their network (package ec2), nor DNS, which asks Resolve and
// Healthy.
//
// When no target is healthy it fails open and tries them all; with no target at
// all it answers 503; a target that refuses makes it answer 502, one that stays
// silent 504. In a dark Region nothing answers, connections stall, and those
// that exist go on after the heal. Creating and deleting load balancers writes
// DNS records and so dies with us-east-1 in every Region.
package elbv2
