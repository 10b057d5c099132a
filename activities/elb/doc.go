// Package elb owns reading the health of load balancer targets. It changes
// nothing: creating load balancers needs the global control plane and has no
// place in an emergency. It fails with the kinds of package cloud.
package elb
