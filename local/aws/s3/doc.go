// Package s3 is Amazon S3: buckets with their configuration, objects with
// versions, and replication between buckets.
//
// It owns what is stored, who may read it without credentials, and when a
// replica arrives. Buckets live in one Region and their names in none. Creating
// and deleting buckets and writing their configuration needs us-east-1 to be
// reachable, whichever Region the bucket is in; reading and writing objects does
// not. Replication copies new versions only, keeps their ids, never copies
// replicas on, and waits while either Region is dark or the two are cut apart.
//
// Lifecycle rules are carried out once per AWS day. They leave alone what is
// still to be replicated or could not be, and what they do is not replicated.
// It fails with S3's own error codes.
//
// Not simulated: lists of rights (ACLs), object lock, restoring archived objects,
// notifications to anything but EventBridge, of which only the switch is kept.
package s3
