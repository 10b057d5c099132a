// Package s3 owns the steps on objects: the switch object whose presence
// evacuates a Region, and watermarks and markers that show how far replication
// has come.
//
// It does not own bucket configuration, which is global control plane, nor the
// health check that looks at the switch object.
//
// It fails with the kinds of package cloud. An object that is not there is an
// answer, not a failure; a bucket that is not there is.
package s3
