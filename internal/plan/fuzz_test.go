package plan_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

// Whatever the file: no panic, positions inside it, and a plan without errors
// can be computed with.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"patient-records.yaml", "patient-records-arc.yaml"} {
		f.Add([]byte(example(f, name)))
	}
	broken, err := filepath.Glob(filepath.Join("testdata", "broken", "*.yaml"))
	require.NoError(f, err)
	for _, path := range broken {
		src, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(src[:min(len(src), 4096)])
	}
	for _, odd := range []string{"", "\x00", "---", "? ", "a: |\n  b", "a: >-\n", "&a *a", "<<: {}", "{a: [}", "regions: [{}]", "regions: {a}", "'", "\"\\u", "%YAML 1.1\n---\n", "a:\n- b\n c"} {
		f.Add([]byte(odd))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		p, problems := plan.Parse("fuzz.yaml", src)
		requireInside(t, string(src), problems)
		require.NoError(t, problems.Print(&bytes.Buffer{}))
		if problems.Err() != nil {
			return
		}
		requireSound(t, p.Tree())
		require.NotZero(t, p.PredictedFloor())
		require.NotEmpty(t, p.LossTable())
		require.NoError(t, plan.Describe(&bytes.Buffer{}, p))
		require.NoError(t, p.Validate().Err())
	})
}
