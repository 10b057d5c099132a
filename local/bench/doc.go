// Package bench measures how setup copes with an estate of a thousand items: on
// the real Temporal server, with the worker that builds as a process of its own,
// on the simulated AWS with its rate limits in force. `make bench` runs it and
// leaves out/bench/setup.json.
//
// It owns the estate, which code makes from an example plan, and the yardstick:
// how long AWS's rate limits alone make such a run. Each call in AWS's log takes a
// token of one bucket: of its service, in its Region, for its class (a single
// operation, changes, or everything else; wire.DefaultLimits). A bucket begins
// full and refills at its rate, so n calls of it can't be answered in less than
//
//	max(0, n - burst) / refill
//
// seconds, and a run is bound by the slowest of its buckets: the maximum over all.
// Calls that were throttled took no token and count for nothing. Nobody can be
// faster, whatever is done side by side; the ratio is how much slower setup is.
//
// AWS's own waits (a replica that is created, a table that becomes active) are
// compressed, so that they don't hide what setup itself costs. Rate limits are
// not: they count in wall time.
//
// It fails when setup does, and when it breaks a promise that the machine has no
// part in: no change and at most three calls for each item in a second run. How
// close it comes to the bound is measured, and told.
package bench
