// Package estate builds what a plan describes, in any account that speaks AWS's
// API: tables, clusters, buckets, load-balanced compute, the record tree and
// the switch. It is the demo's stand-in for the setup of a real estate and uses
// nothing but the AWS SDK.
//
// It owns no simulation and no runbook. Building twice is refused by AWS's own
// "already exists" errors, which it returns: the demo always begins with a bare
// account.
package estate
