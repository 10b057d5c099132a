// Package activities holds no code: each folder below owns the steps on one
// service. Its test collects the operations that their interfaces name into the
// IAM policy of the worker, deploy/policies/worker.json, so that the policy can
// neither lack an operation nor grant one too many.
package activities
