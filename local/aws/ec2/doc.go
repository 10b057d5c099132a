// Package ec2 is Amazon EC2 as far as Lifeline needs it: VPCs with subnets,
// security groups and network ACLs, launch templates, and instances.
//
// It owns the state of these, the software that instances run (a Boot function
// given at construction), and the network between instances: ACLs gate every
// packet, also those of connections that exist already; security groups are
// asked for new connections only, as on AWS, where they track. It does not own
// what the software does, nor load balancers.
//
// It fails with EC2's own error codes. Times are AWS's, divided by the world's
// compression. In a dark Region no packet passes; timers go on.
package ec2
