package cli_test

import (
	"bytes"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/local/aws/control"
	"lifeline/local/aws/world"
	"lifeline/local/cli"
)

// typed runs a command line as typed.
func typed(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = cli.Run(t.Context(), args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func served(t *testing.T) (*world.World, string) {
	t.Helper()
	w := world.New(world.Options{})
	t.Cleanup(w.Close)
	s := httptest.NewServer(control.New(w, control.Options{}))
	t.Cleanup(s.Close)
	return w, s.URL
}

func TestOutageAndHeal_BreakAndMendARegion(t *testing.T) {
	t.Parallel()
	w, endpoint := served(t)
	code, out, _ := typed(t, "outage", "us-east-1", "--endpoint", endpoint)
	require.Zero(t, code)
	require.True(t, w.Dark("us-east-1"))
	require.Contains(t, out, "starter failover")
	require.Contains(t, out, "local heal us-east-1 --endpoint "+endpoint, "the hint works for this simulator")
	code, _, _ = typed(t, "heal", "us-east-1", "--endpoint", endpoint)
	require.Zero(t, code)
	require.False(t, w.Dark("us-east-1"))
}

func TestOutage_MistypedRegion_BreaksNothingAndNamesThem(t *testing.T) {
	t.Parallel()
	w, endpoint := served(t)
	code, _, errs := typed(t, "outage", "us-east1", "--endpoint", endpoint)
	require.Equal(t, 2, code)
	require.Contains(t, errs, "us-east-1, us-west-2")
	require.Empty(t, w.Faults())
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		code int
	}{
		"help":            {[]string{"--help"}, 0},
		"unknown verb":    {[]string{"outrage"}, 2},
		"unknown flag":    {[]string{"calls", "--sinc", "1m"}, 2},
		"missing Region":  {[]string{"outage"}, 2},
		"no such plan":    {[]string{"up", "-f", "nowhere.yaml"}, 1},
		"nothing to call": {[]string{"calls", "--endpoint", "http://127.0.0.1:1"}, 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, _, errs := typed(t, c.args...)
			require.Equal(t, c.code, code, errs)
		})
	}
}
