// Package reasons proves that docs/dependencies.md gives a reason for every
// direct requirement of every module, and keeps none for what is gone. It owns
// no code: only the test that reads the go.mod files beside the page.
package reasons
