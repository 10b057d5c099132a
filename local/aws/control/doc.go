// Package control is the HTTP API by which people and demos break and mend the
// simulated AWS, and read what really happened in it: faults, outages, calls,
// facts. It owns the paths below /_lifeline/ and the Go client for them; it does
// not own what a fault does (world) or how a call is answered (wire).
//
// It serves loopback clients only, without authentication. Every refusal is JSON
// with one sentence that says what is wrong; unknown members are refused, since a
// misspelt fault that matches everything would be worse than none.
package control
