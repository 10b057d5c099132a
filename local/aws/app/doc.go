// Package app is the records application: what the plan's load-balanced
// instances run. It writes records to a replicated table, invoices to a
// single-writer database and documents to a bucket, and tells over HTTP what it
// does.
//
// It owns the HTTP API, the write lease that decides which Region may accept
// invoices, and the count of what a Region acknowledged. It does not own the
// stores (they come through small interfaces), the watermarks (Lifeline's
// workers write them) or the raising of the lease's epoch (Lifeline does).
//
// How it fails: a Region that cannot renew its lease stops accepting invoices
// by itself, before the lease's time to live is over, and answers 503
// {"error":"read-only"}; records and documents go on with the local stores. An
// instance whose Region is dark answers nothing; when the Region comes back it
// starts as after a boot: it accepts no invoice before it has read the lease.
package app
