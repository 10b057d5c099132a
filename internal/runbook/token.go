package runbook

import "github.com/google/uuid"

// Token is the idempotency token of an act: UUIDv5 of what identifies it
// (workflow id, stage, resource). The same act has the same token after a
// retry, a reset or a failover of Temporal itself.
func Token(parts ...string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(message("token", parts...))).String()
}
