// Package cloudwatch owns reading metrics that gates depend on. It reads them
// only in the Region that must survive: the other Region's metrics go dark with
// it. Missing data means unknown, never zero. It fails with the kinds of
// package cloud.
package cloudwatch
