// Package cli is the command line of bin/local, one file per verb. It owns
// flags, help and exit codes: 0 done, 1 failed, 2 usage, 7 nothing to talk to,
// 130 interrupted. What the verbs do lives elsewhere.
package cli
