// Package drs owns what Elastic Disaster Recovery is told ahead of time: that the
// service is initialised in a Region, the templates that new servers start with,
// and how each source server replicates and would be launched.
//
// It does not own source servers: the agents on them register them, and setup
// only looks whether they are there. It stops, reverses and launches nothing.
//
// It fails with the kinds of package cloud. It refuses to change the encryption
// of a server that has data in the staging area: AWS would copy everything again,
// and until then the server could not be recovered.
package drs
