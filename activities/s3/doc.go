// Package s3 owns the steps on objects: the switch object whose presence
// evacuates a Region, and watermarks and markers that show how far replication
// has come. For setup it keeps buckets and their configurations, which are global
// control plane: no runbook of an emergency calls them.
//
// It does not own the health check that looks at the switch object, nor rules,
// statements and tags that others put on a bucket: they stay. No bucket and no
// object of the application is ever deleted.
//
// It fails with the kinds of package cloud. An object that is not there is an
// answer, not a failure; a bucket that is not there is.
package s3
