// Package elb owns reading load balancers: the health of their targets for the
// runbooks, their DNS names for setup. It changes nothing: creating load balancers
// needs the global control plane and has no place in an emergency. It fails with
// the kinds of package cloud.
package elb
