package stack

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const examplePlan = "../../examples/patient-records.yaml"

func TestTakeFolder_RunUnderWay_IsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "up")
	held, err := takeFolder(dir, true)
	require.NoError(t, err)
	key := filepath.Join(dir, "dana.key")
	require.NoError(t, os.WriteFile(key, nil, 0o600))
	for _, fresh := range []bool{true, false} {
		_, err = takeFolder(dir, fresh)
		require.ErrorContains(t, err, "in use by a run that is under way")
		require.FileExists(t, key)
	}
	require.NoError(t, held.Close())
	again, err := takeFolder(dir, true)
	require.NoError(t, err)
	require.NoFileExists(t, key, "an earlier run is removed")
	require.NoError(t, again.Close())
}

func TestEmpty_FilesOfOthers_AreKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mine := filepath.Join(dir, "thesis.txt")
	require.NoError(t, os.WriteFile(mine, nil, 0o600))
	require.ErrorContains(t, Empty(dir), "name another folder")
	require.FileExists(t, mine)
}

func TestEmpty_Link_RemovesNothingBehindIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	held, err := takeFolder(filepath.Join(dir, "real"), true)
	require.NoError(t, err)
	require.NoError(t, held.Close())
	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(filepath.Join(dir, "real"), link))
	require.NoError(t, Empty(link))
	require.FileExists(t, filepath.Join(dir, "real", marker))
}

// What is refused is refused before the last run is removed.
func TestStart_Refused_LastRunStays(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "up")
	held, err := takeFolder(dir, true)
	require.NoError(t, err)
	require.NoError(t, held.Close())
	for why, o := range map[string]Options{
		"can't be read": {Plan: "nowhere.yaml"},
		"make build":    {Plan: examplePlan, Bin: "nowhere"},
	} {
		o.Dir, o.Fresh = dir, true
		_, err := Start(t.Context(), o)
		require.ErrorContains(t, err, why)
		require.FileExists(t, filepath.Join(dir, marker))
	}
}

func TestClaim_NoPort_IsNotCalledTaken(t *testing.T) {
	t.Parallel()
	for _, port := range []int{-1, 65536} {
		require.ErrorContains(t, claim(t.Context(), &port), "is no port")
	}
}

func TestInherited_NothingOfSomebodysRealAccount(t *testing.T) {
	t.Parallel()
	mine := []string{"PATH=/bin", "AWS_SESSION_TOKEN=secret", "AWS_ENDPOINT_URL_S3=https://elsewhere", "TEMPORAL_API_KEY=secret"}
	require.Equal(t, []string{"PATH=/bin"}, Inherited(mine))
	require.Equal(t, []string{"PATH=/bin", "TEMPORAL_API_KEY=secret", "TEMPORAL_ADDRESS=cloud:7233"}, Inherited(append(mine, "TEMPORAL_ADDRESS=cloud:7233")))
	require.Len(t, mine, 4, "the caller's list is as it was")
}
