package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/log/tag"
)

func TestUIConfig_TakesAwayWhatIsNotAllowed(t *testing.T) {
	t.Parallel()
	allowed, err := parseActions("update,start")
	require.NoError(t, err)
	c := uiConfig(settings{UIActions: allowed})
	require.False(t, c.DisableWriteActions)
	require.False(t, c.WorkflowUpdateDisabled)
	require.False(t, c.StartWorkflowDisabled)
	for name, disabled := range map[string]bool{
		"signal": c.WorkflowSignalDisabled, "cancel": c.WorkflowCancelDisabled,
		"terminate": c.WorkflowTerminateDisabled, "reset": c.WorkflowResetDisabled,
		"pause": c.WorkflowPauseDisabled, "batch": c.BatchActionsDisabled, "activity": c.ActivityCommandsDisabled,
	} {
		require.True(t, disabled, name)
	}
}

func TestUIConfig_AllAndNone(t *testing.T) {
	t.Parallel()
	all, err := parseActions("all")
	require.NoError(t, err)
	require.False(t, uiConfig(settings{UIActions: all}).WorkflowTerminateDisabled)
	none, err := parseActions("none")
	require.NoError(t, err)
	require.True(t, uiConfig(settings{UIActions: none}).DisableWriteActions)
}

func TestCompareAttributes(t *testing.T) {
	t.Parallel()
	keyword, text := enumspb.INDEXED_VALUE_TYPE_KEYWORD, enumspb.INDEXED_VALUE_TYPE_TEXT
	wanted := map[string]enumspb.IndexedValueType{"A": keyword, "B": keyword}

	missing, err := compareAttributes(wanted, map[string]enumspb.IndexedValueType{"B": keyword, "Else": text})
	require.NoError(t, err)
	require.Equal(t, map[string]enumspb.IndexedValueType{"A": keyword}, missing)

	_, err = compareAttributes(wanted, map[string]enumspb.IndexedValueType{"A": text, "B": text})
	require.ErrorContains(t, err, "attribute A is of type Text")
	require.ErrorContains(t, err, "attribute B is of type Text")
}

func TestFreePorts_AllDiffer(t *testing.T) {
	t.Parallel()
	found, err := freePorts(t.Context(), "127.0.0.1", 20)
	require.NoError(t, err)
	seen := map[int]bool{}
	for _, port := range found {
		require.False(t, seen[port], "port %d twice", port)
		seen[port] = true
	}
	require.Len(t, seen, 20)
}

func TestEnsureSchema_HalfASchemaFromAKill_IsThrownAway(t *testing.T) {
	t.Parallel()
	db := database(settings{File: filepath.Join(t.TempDir(), "temporal.db")})
	require.NoError(t, os.WriteFile(db.DatabaseName+".new", []byte("half a schema"), 0o600))
	require.NoError(t, ensureSchema(db))
	content, err := os.ReadFile(db.DatabaseName)
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(content, []byte("SQLite format 3")))
	_, err = os.Stat(db.DatabaseName + ".new")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestLogger_WritesTagsAndEndsTheProcessOnFatal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	code := -1
	log := newLogger(settings{LogFormat: "json"}, &out, func(c int) { code = c })
	log.Debug("hidden")
	log.With(tag.NewStringTag("shard", "1")).Fatal("can't listen", tag.NewStringTag("port", "4"))
	require.Equal(t, exitFailed, code)
	require.NotContains(t, out.String(), "hidden")
	require.Contains(t, out.String(), `"msg":"can't listen","shard":"1","port":"4"`)
	require.Panics(t, func() { log.Panic("broken") })
}
