// Package checkers is the fleet of Route 53 health checkers: one prober per
// endpoint check and checker Region, each at the check's own request interval.
//
// It owns the probes (connect, request, search string, consecutive counts) and
// their pace. It does not own what a check's health is: it reports what each
// checker thinks to Route 53, which counts the votes.
//
// How it fails: checkers in a dark Region stop; the others go on. A report is
// never an error of this package: an endpoint that can't be resolved, reached or
// understood is a failed probe.
//
// All times are AWS times: in a compressed world intervals and timeouts shrink
// alike.
package checkers
