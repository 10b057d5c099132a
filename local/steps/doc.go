// Package steps holds the tests that play the product's real activities on the
// simulated AWS, with nothing in between: same clients, same policy, real DNS,
// real load balancers, real time divided by one factor.
//
// It owns no code. What it proves of a step: that it acts once, reads back,
// repeats harmlessly, says what it would do without doing it, gives back exactly
// what was, and ends in time when a Region is dark.
package steps
