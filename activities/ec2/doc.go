// Package ec2 owns the network fence: a deny-all rule in the network ACLs of the
// subnets that are left. Unlike security groups, network ACLs also cut
// connections that are already open.
//
// It owns rule number 1 in both directions and nothing else of an ACL. It
// refuses to touch an ACL that covers other subnets too: cutting those off was
// never asked for.
//
// For setup it also looks whether volumes are there, and puts tags on them by
// which Data Lifecycle Manager finds them; their other tags stay.
//
// It fails with the kinds of package cloud.
package ec2
