// Package sts owns the question who is calling: the account in which setup
// builds, and the identity that builds.
//
// It does not own taking on roles, which the SDK's configuration does. It asks
// Regional endpoints only, since the global one dies with us-east-1. It fails
// with the kinds of package cloud.
package sts
