package backup

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTally_KeepsOfEachResourceTheLastJobAndTheLastFailure(t *testing.T) {
	t.Parallel()
	at := func(hour int) time.Time { return time.Date(2026, 11, 22, hour, 0, 0, 0, time.UTC) }
	told := tally{}
	for _, j := range []Job{
		{Resource: "b", State: "COMPLETED", At: at(9)},
		{Resource: "a", State: "COMPLETED", At: at(3)},
		{Resource: "a", State: "FAILED", At: at(1), Why: strings.Repeat("x", 300)},
		{Resource: "a", State: "EXPIRED", At: at(2)},
		{Resource: "a", State: "COMPLETED", At: at(4)},
		{Resource: "c", State: "PARTIAL", At: at(5)},
	} {
		told.add(j)
	}
	var states []string
	for _, j := range told.jobs() {
		require.LessOrEqual(t, len(j.Why), longestWhy)
		states = append(states, j.Resource+" "+j.State)
	}
	require.Equal(t, []string{"a EXPIRED", "a COMPLETED", "b COMPLETED", "c PARTIAL"}, states)
}

func TestVaultName(t *testing.T) {
	t.Parallel()
	require.Equal(t, "patients", vaultName("arn:aws:backup:us-east-1:123456789012:backup-vault:patients"))
}
