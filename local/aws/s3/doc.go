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
// Lifecycle rules are kept and checked but never carried out: nothing in
// Lifeline waits for days. It fails with S3's own error codes.
package s3
