package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// The reference is the help itself, so that it can't grow old. UPDATE_GOLDEN=1
// writes it anew.
func TestReference_IsTheHelp(t *testing.T) {
	t.Parallel()
	a := &app{}
	var doc bytes.Buffer
	fmt.Fprint(&doc, "# starter: command line reference\n\nMade from `starter --help`; do not edit.\n\n")
	root := a.root()
	fmt.Fprintf(&doc, "```\n%s\n```\n", strings.TrimSpace(root.Long))
	for _, c := range root.Commands() {
		if c.Hidden || c.Name() == "help" {
			continue
		}
		fmt.Fprintf(&doc, "\n## starter %s\n\n%s\n\n```\n%s```\n", c.Name(), c.Short+".", helpOf(t, c))
	}
	path := filepath.Join("..", "docs", "reference", "cli.md")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, doc.Bytes(), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), doc.String(), "run with UPDATE_GOLDEN=1")
}

func helpOf(t *testing.T, c *cobra.Command) string {
	t.Helper()
	var b bytes.Buffer
	c.SetOut(&b)
	require.NoError(t, c.Help())
	return b.String()
}

func TestHelp_EveryVerbHasTheSameParts(t *testing.T) {
	t.Parallel()
	for _, c := range (&app{}).root().Commands() {
		require.NotEmpty(t, c.Short, c.Name())
		require.NotEmpty(t, c.Long, c.Name())
		require.Contains(t, c.Example, "starter "+c.Name())
	}
}

func TestHelp_PromisesTheExitCodes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, line := range []string{"", "--help", "help"} {
		b.expect(exitDone, line)
		for _, want := range []string{"0  done", "3  the plan is invalid", "130  interrupted"} {
			require.Contains(t, b.out.String(), want)
		}
	}
	b.expect(exitDone, "help failover")
	require.Contains(t, b.out.String(), "--from")
}
