// Package kms is AWS Key Management Service: symmetric encryption keys, their
// aliases, policies, rotation, deletion and replicas in other Regions.
//
// It owns the keys, and really encrypts with them: a ciphertext of one Region is
// unreadable in another, unless the key is a multi-Region key that has a replica
// there. It says to the services which keys they can use and whether a key's policy
// lets them. It doesn't own grants (none are simulated) nor identity policies: a
// key policy that names the account admits every caller of the account.
//
// How it fails: with KMS's own codes. Asymmetric and HMAC keys, imported key
// material and key stores of the customer's own are refused, not faked.
package kms
