// Package dynamodb owns the steps on DynamoDB: what of a global table has
// arrived in another Region, and the write lease that fences single writers.
//
// It does not own the application's side of the lease (renewing it, stopping
// when it lapses), and it never promotes anything: a global table has no writer.
//
// It fails with the kinds of package cloud. The lease is changed by conditional
// writes only; losing a race is looked at again a few times, then a Conflict.
package dynamodb
