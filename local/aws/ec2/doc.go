// Package ec2 is Amazon EC2 as far as Lifeline needs it: VPCs with subnets,
// routes, gateways, endpoints, security groups and network ACLs, launch
// templates, instances, capacity reservations, and EBS: volumes, snapshots and
// their copies into other Regions.
//
// It owns the state of these, the software that instances run (a Boot function
// given at construction), and the network between instances: ACLs gate every
// packet, also those of connections that exist already; security groups are
// asked for new connections only, as on AWS, where they track. It does not own
// what the software does, nor load balancers, nor keys. Routes lead nothing
// anywhere, and volumes hold no bytes: a snapshot is its life cycle only.
//
// It fails with EC2's own error codes. A KMS key that can't be used shows only
// after the call was answered: as a volume or copy in error, as an instance that
// never runs. Times are AWS's, divided by the world's compression. In a dark
// Region no packet passes; timers go on, but a copy out of it stays pending.
package ec2
