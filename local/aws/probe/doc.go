// Package probe measures the application from the outside: clients in several
// places that resolve its name, write, read back, and keep a ledger of every
// attempt.
//
// It owns the clients with their DNS caches and connections, the ledger, the
// audit of what was acknowledged, and the sums made from both. It does not own
// the times at which somebody broke or mended something: these marks are handed
// in. It knows nothing of AWS or of the run that it judges.
//
// How it fails: an attempt never fails the probe, it becomes a line. A ledger
// that cannot be written ends the probe at once, since measurements that are not
// kept are worth nothing. A killed probe leaves every finished line behind and
// goes on with the next number.
package probe
