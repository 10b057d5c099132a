package plan_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

// TestMain adds -update: it writes what the code says now into the golden
// files, whose diff is then to be read by a person.
func TestMain(m *testing.M) {
	flag.Bool("update", false, "rewrite golden files")
	m.Run()
}

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// golden compares got with a file of testdata.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if updating() {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run with -update")
	require.Equal(t, string(want), got)
}

// example is the text of a checked-in plan.
func example(tb testing.TB, name string) string {
	tb.Helper()
	src, err := os.ReadFile(filepath.Join("..", "..", "examples", name))
	require.NoError(tb, err)
	return string(src)
}

// valid is the plan of the first example.
func valid(tb testing.TB) plan.Plan {
	tb.Helper()
	p, problems := plan.Parse("patient-records.yaml", []byte(example(tb, "patient-records.yaml")))
	require.Empty(tb, problems)
	return p
}

// withARC is the plan of the second example.
func withARC(tb testing.TB) plan.Plan {
	tb.Helper()
	p, problems := plan.Parse("patient-records-arc.yaml", []byte(example(tb, "patient-records-arc.yaml")))
	require.Empty(tb, problems)
	return p
}

// edited is the first example with each old text replaced by a new one; every
// old text must stand in it exactly once.
func edited(tb testing.TB, base string, oldNew ...string) string {
	tb.Helper()
	text := base
	for i := 0; i < len(oldNew); i += 2 {
		require.Equal(tb, 1, strings.Count(text, oldNew[i]), "%q must occur once", oldNew[i])
		text = strings.Replace(text, oldNew[i], oldNew[i+1], 1)
	}
	return text
}
