// Package s3control owns the copy of what a bucket held before its replication
// rule: one Batch Replication job for each direction, once.
//
// It does not own the rule, which the job follows, nor live replication. AWS
// forgets jobs 90 days after their end, so a tag on the bucket remembers that
// there was one. It fails with the kinds of package cloud; a job that failed, or
// could not copy everything, is a difference, and the next run of setup tries again.
package s3control
