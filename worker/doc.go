// Command worker plays runbooks and takes their steps: it connects to Temporal,
// registers workflows and activities, polls its Region's task queue, and serves
// metrics and health. It can also be an observer, and it writes its Region's
// watermarks.
//
// It owns process life: flags, options with their reasons, start, graceful end;
// and the guard that turns away runs of other plans than its own. It does not own
// what a runbook or step does.
//
// It fails at start with a promised exit code (2 usage, 3 plan invalid, 7
// Temporal not reachable) and later only when Temporal refuses it for good (1).
// AWS is not touched at start: a worker must come up while a Region is dark.
package main
