// Package e2e holds tests of everything together: real processes, the real
// Temporal server, the simulated AWS, outside clients. They need the programs in
// bin/ (make build) and take minutes, since time is real.
package e2e
