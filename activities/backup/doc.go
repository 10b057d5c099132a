// Package backup owns what AWS Backup is told ahead of time: what may be backed
// up in a Region, the vaults with their keys, locks and notifications, the plan
// with its rules, and what is selected for it.
//
// It does not own what is wanted (the plan file says that), nor recovery points:
// nothing here deletes one. A compliance lock is made when it is asked for; that
// people have agreed to it is the caller's business.
//
// It fails with the kinds of package cloud. What can never work is refused before
// AWS is asked: a vault under AWS's own key, a template whose rules swallow those
// of the plan or don't fit the lock, a lock that nobody can change any more.
package backup
