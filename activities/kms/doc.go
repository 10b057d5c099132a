// Package kms owns the customer-managed key of each Region: that it is there
// under its alias, is enabled and rotated, and lets the services use it that
// call it in their own name.
//
// It does not own who else may use the key: statements of the key policy that
// have other Sids, and grants, stay as they are. Nothing is ever deleted. It
// fails with the kinds of package cloud.
package kms
