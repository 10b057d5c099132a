// Package cloud owns how Lifeline talks to AWS: one configuration per Region,
// one attempt per call with its own deadline, rate limits shared by everything
// in the process, and the one place where errors get their kind.
//
// It does not own the operations: each activities package declares the few it
// calls and builds its client with PerRegion.
//
// It fails with *Error, which says what kind of failure it was, where, and for
// a denial which permission is missing. Nothing is retried here: Temporal
// retries, and in break-glass the person does.
package cloud
