package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPack_SameProgram_GivesTheSameBytes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	require.NoError(t, os.WriteFile(program, []byte("\x7fELF and so on"), 0o600))
	var packed [2][]byte
	for i := range packed {
		out := filepath.Join(dir, "out.zip")
		require.NoError(t, run([]string{out, program}))
		var err error
		packed[i], err = os.ReadFile(out)
		require.NoError(t, err)
	}
	require.Equal(t, packed[0], packed[1])

	archive, err := zip.NewReader(bytes.NewReader(packed[0]), int64(len(packed[0])))
	require.NoError(t, err)
	require.Len(t, archive.File, 1)
	require.Equal(t, "bootstrap", archive.File[0].Name)
	require.Equal(t, os.FileMode(0o755), archive.File[0].Mode().Perm(), "Lambda starts it")
	file, err := archive.File[0].Open()
	require.NoError(t, err)
	text, err := io.ReadAll(file)
	require.NoError(t, err)
	require.Equal(t, "\x7fELF and so on", string(text))
}

func TestRun_NoProgram_IsRefused(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, run(nil), "usage")
	require.ErrorIs(t, run([]string{filepath.Join(t.TempDir(), "out.zip"), filepath.Join(t.TempDir(), "none")}), os.ErrNotExist)
}
