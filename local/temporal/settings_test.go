package main

import (
	"io"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/dynamicconfig"
)

func TestParse_NoFlags_GivesTheDocumentedDefaults(t *testing.T) {
	t.Parallel()
	set, err := parse(nil, io.Discard)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", set.IP.String())
	require.Equal(t, 7233, set.Port)
	require.Equal(t, 8233, set.UIPort)
	require.Equal(t, "default", set.Namespace)
	require.Empty(t, set.File)
	require.Equal(t, actions{"update": true, "signal": true, "cancel": true}, set.UIActions)
	require.Equal(t, lifelineAttributes(), set.Attributes)
}

func TestParse_ArgumentsOfTheSDKsDevServer_AreUnderstood(t *testing.T) {
	t.Parallel()
	set, err := parse([]string{
		"server", "start-dev", "--ip", "localhost", "--port", "4001", "--namespace", "orders",
		"--dynamic-config-value", "frontend.enableServerVersionCheck=false",
		"--dynamic-config-value", "history.transferProcessorMaxPollRPS=7",
		"--dynamic-config-value", "some.word=plain",
		"--log-level", "never", "--log-format", "pretty", "--headless",
		"--db-filename", "x.db", "--ui-port", "4002", "--search-attribute", "Tier=Int",
	}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", set.IP.String())
	require.Equal(t, 4001, set.Port)
	require.Equal(t, 4002, set.UIPort)
	require.Equal(t, "orders", set.Namespace)
	require.Equal(t, "x.db", set.File)
	require.True(t, set.Headless)
	require.Equal(t, logLevelNever, set.LogLevel)
	require.Equal(t, enumspb.INDEXED_VALUE_TYPE_INT, set.Attributes["Tier"])
	require.Equal(t, enumspb.INDEXED_VALUE_TYPE_KEYWORD, set.Attributes["LifelinePhase"])
	require.Equal(t, false, set.Dynamic[dynamicconfig.MakeKey("frontend.enableServerVersionCheck")])
	require.Equal(t, 7, set.Dynamic[dynamicconfig.TransferProcessorMaxPollRPS.Key()], "a flag wins over tuning, as an integer")
	require.Equal(t, "plain", set.Dynamic[dynamicconfig.MakeKey("some.word")])
}

func TestParse_Refuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"an address others can reach": {[]string{"--ip", "0.0.0.0"}, "only loopback"},
		"a name for an address":       {[]string{"--ip", "db"}, "not an IP address"},
		"port zero":                   {[]string{"--port", "0", "--ui-port", "1"}, "--port 0"},
		"a port too high":             {[]string{"--port", "64999", "--ui-port", "70000"}, "--ui-port 70000"},
		"one port for both":           {[]string{"--port", "5000", "--ui-port", "5000"}, "both 5000"},
		"an unknown level":            {[]string{"--log-level", "loud"}, "--log-level"},
		"an unknown format":           {[]string{"--log-format", "xml"}, "--log-format"},
		"an unknown action":           {[]string{"--ui-actions", "update,destroy"}, `"destroy"`},
		"an attribute without a type": {[]string{"--search-attribute", "Tier"}, "name=Type"},
		"an unknown type":             {[]string{"--search-attribute", "Tier=Number"}, `"Number"`},
		"a setting without a value":   {[]string{"--dynamic-config-value", "x"}, "key=value"},
		"a stray word":                {[]string{"start"}, `"start"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(test.args, io.Discard)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestParse_SeveralProblems_ReportsAll(t *testing.T) {
	t.Parallel()
	_, err := parse([]string{"--ip", "0.0.0.0", "--port", "0", "--log-level", "loud"}, io.Discard)
	require.ErrorContains(t, err, "--ip")
	require.ErrorContains(t, err, "--port 0")
	require.ErrorContains(t, err, "--log-level")
}

func TestParse_LogLevel_IsCaseInsensitive(t *testing.T) {
	t.Parallel()
	set, err := parse([]string{"--log-level", "WARN"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, slog.LevelWarn, set.LogLevel)
}
