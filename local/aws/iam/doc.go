// Package iam is AWS Identity and Access Management: roles, their policies,
// instance profiles and service-linked roles.
//
// It owns the documents and says, for STS and the services, which roles exist and
// whom they trust. It doesn't enforce what a role may do: package world keeps the
// allow list of a caller.
//
// There is one state for all Regions, and a change is in force at once, while real
// ones take seconds to spread. How it fails: with IAM's own codes; while us-east-1
// is dark nothing can be changed or read, but RoleExists, Trusts and Take go on
// from the last state, as authorization does on AWS.
package iam
