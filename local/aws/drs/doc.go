// Package drs is the simulated AWS Elastic Disaster Recovery: source servers
// that replicate into a Region, points in time to recover from, and jobs that
// launch and terminate recovery instances.
//
// It owns the servers, their replication, and the jobs. Recovery instances are
// instances of the simulated EC2, launched from a launch template there that DRS
// makes for each server and of which it takes the default version, as on AWS. It
// holds no bytes, and it doesn't run the SSM documents of launch actions: a
// function given at construction says how each ends. The agent on a source
// server is a call of Register. Copied private addresses, launching into existing
// instances and source networks are not simulated.
//
// How it fails: with DRS's own codes. Everything but InitializeService is refused
// in a Region where the service was not initialized. A job ends COMPLETED whatever
// becomes of its servers. A server whose Region is dark lags at once and is
// STALLED after some minutes; it can be launched from what was replicated. Lag and
// time stamps are wall-clock time, waits are AWS's, divided by the compression.
package drs
