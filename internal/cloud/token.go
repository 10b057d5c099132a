package cloud

import (
	"strings"

	"github.com/google/uuid"
)

// Token is an idempotency token: UUIDv5 of its parts (workflow id, stage and
// resource). The same step of the same run gives the same token on every retry
// and on every worker.
func Token(parts ...string) string {
	space := uuid.NewSHA1(uuid.NameSpaceDNS, []byte("lifeline"))
	// The unit separator keeps ("ab", "c") and ("a", "bc") apart.
	return uuid.NewSHA1(space, []byte(strings.Join(parts, "\x1f"))).String()
}
