// Package policy reads, checks and judges policy documents: the JSON in which
// IAM, KMS and SNS say who may do what.
//
// It owns the grammar and the verdict on one document. It doesn't own the
// documents, nor which of several applies. A document that breaks the grammar is
// an error in the words that AWS uses; conditions that it can't judge, such as
// dates and addresses, count as not met.
package policy
