package temporal

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestDial_NobodyListens_SaysWhereAndHowToChangeIt(t *testing.T) {
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	t.Setenv("TEMPORAL_NAMESPACE", "recovery")
	t.Setenv("TEMPORAL_CONFIG_FILE", filepath.Join(t.TempDir(), "none.toml"))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := Dial(ctx, quiet())
	var unreachable *UnreachableError
	require.ErrorAs(t, err, &unreachable)
	require.Equal(t, "127.0.0.1:1", unreachable.Address)
	require.ErrorContains(t, err, "TEMPORAL_ADDRESS")
	require.ErrorContains(t, err, `"recovery"`)
}

func TestDial_ProfileFileCountsAndTheCallerSpeaksLast(t *testing.T) {
	file := filepath.Join(t.TempDir(), "temporal.toml")
	require.NoError(t, os.WriteFile(file, []byte("[profile.default]\naddress = \"temporal.example:7233\"\n"), 0o600))
	t.Setenv("TEMPORAL_CONFIG_FILE", file)
	// Setenv restores it after the test; set but empty would still beat the file.
	t.Setenv("TEMPORAL_ADDRESS", "")
	require.NoError(t, os.Unsetenv("TEMPORAL_ADDRESS"))
	var got client.Options
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Dial(ctx, quiet(), func(o *client.Options) { got = *o })
	require.Error(t, err)
	require.Equal(t, "temporal.example:7233", got.HostPort)
	require.Equal(t, "default", got.Namespace)
	require.NotNil(t, got.Logger)
}

func TestDial_BrokenProfileFile_IsNotUnreachable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "temporal.toml")
	require.NoError(t, os.WriteFile(file, []byte("[profile.default]\nno_such_key = \"x\"\n"), 0o600))
	t.Setenv("TEMPORAL_CONFIG_FILE", file)
	_, err := Dial(t.Context(), quiet())
	require.ErrorContains(t, err, "read Temporal configuration")
	var unreachable *UnreachableError
	require.NotErrorAs(t, err, &unreachable)
}

func TestNames_AreStable(t *testing.T) {
	t.Parallel()
	require.Equal(t, "lifeline-us-west-2", Queue("us-west-2"))
	require.Equal(t, "lifeline-observer-outside", ObserverQueue("outside"))
	require.Equal(t, "lifeline/patient-records", WorkflowID("patient-records"))
	for name, key := range map[string]temporal.SearchAttributeKeyKeyword{
		"LifelineApplication": LifelineApplication(), "LifelineRunbook": LifelineRunbook(),
		"LifelinePhase": LifelinePhase(), "LifelineRegion": LifelineRegion(), "LifelineRtoState": LifelineRtoState(),
	} {
		require.Equal(t, name, key.GetName())
	}
}
