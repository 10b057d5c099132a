// Package dlm owns the policies by which Data Lifecycle Manager snapshots groups
// of tagged volumes and copies the snapshots into the other Region.
//
// It does not own the volumes, their tags or the snapshots, and it never deletes
// a policy: one whose group has become empty snapshots nothing.
//
// It fails with the kinds of package cloud. DLM itself fails silently: a policy
// whose key or role can't be used only changes its state to ERROR, which is read
// as a difference here.
package dlm
