package drs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestISODuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"PT0S": 0, "PT5M30S": 5*time.Minute + 30*time.Second, "P1DT2H": 26 * time.Hour, "PT4.5S": 4500 * time.Millisecond, "P2W": 14 * 24 * time.Hour,
	} {
		got, ok := isoDuration(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "P", "5M", "P1M", "PT1D", "PTM", "PT5", "P1Y", "PT1X"} {
		_, ok := isoDuration(text)
		require.False(t, ok, text)
	}
}
