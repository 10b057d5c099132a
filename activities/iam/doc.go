// Package iam owns the roles that services take on for Lifeline: who may take
// each on, and what it may do. A proof of readiness looks instance profiles up.
//
// It does not own roles that were there before: of these it adds what is missing
// and takes nothing away. IAM's control plane is in us-east-1, so none of this is
// ever called while a Region is being left. It fails with the kinds of package
// cloud.
package iam
