// Package s3control is Amazon S3 Control: Batch Replication jobs, one list per
// Region, and what public access the account blocks.
//
// It owns jobs, their states and their counts. What a job copies, and when a copy
// arrives, is S3's: a job over a cut network stays Active until the network is
// whole. Jobs end as Complete even when tasks failed; whoever waits for one must
// read the counts. It fails with S3 Control's own error codes.
//
// Not simulated: operations other than S3ReplicateObject, manifests that the
// caller wrote, priorities.
package s3control
