// Package observe owns what is seen from outside: an observer's running look at
// every Region, business transactions as clients make them, and what a Region's
// application says that it served. It calls no AWS API.
//
// It does not own the verdict of several observers (package runbook), and it
// changes nothing but the records that its transactions write, whose ids begin
// with "lifeline-verify-".
//
// It fails with the kinds of package cloud: Unreachable when nobody answers,
// NotYet when the wrong Region does. A look at an unhealthy Region is an
// observation, not a failure.
package observe
