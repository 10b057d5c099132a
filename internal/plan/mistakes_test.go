package plan_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

// mistake is one case of testdata/mistakes.txt:
//
//	[name of the mistake]            or [arc: name] for the second example
//	- text of a valid example        must occur there once; consecutive lines belong together
//	+ what somebody wrote instead
//	> the problems, exactly
//
// One case is one mistake, so the file reads as the list of everything that a
// plan is refused for.
type mistake struct {
	name  string
	edits []string // old, new, old, new
	want  string
}

func readMistakes(t *testing.T, path string) []mistake {
	t.Helper()
	src, err := os.ReadFile(path)
	require.NoError(t, err)
	var out []mistake
	last := byte(0)
	for line := range strings.SplitSeq(string(src), "\n") {
		if line == "" || line[0] == '#' {
			last = 0
			continue
		}
		m := &mistake{}
		if len(out) > 0 {
			m = &out[len(out)-1]
		}
		text := strings.TrimPrefix(line[1:], " ")
		sign := line[0]
		switch sign {
		case '[':
			out = append(out, mistake{name: strings.Trim(line, "[]")})
		case '>':
			m.want += text + "\n"
		case last:
			m.edits[len(m.edits)-1] += "\n" + text
		case '-', '+':
			m.edits = append(m.edits, text)
		default:
			require.Fail(t, "unreadable line", line)
		}
		last = line[0]
	}
	return out
}

func writeMistakes(t *testing.T, path string, all []mistake) {
	t.Helper()
	var b strings.Builder
	b.WriteString("# Everything that a plan is refused or warned for; mistakes_test.go explains the form.\n")
	for _, m := range all {
		b.WriteString("\n[" + m.name + "]\n")
		for i, e := range m.edits {
			sign := "- "
			if i%2 == 1 {
				sign = "+ "
			}
			b.WriteString(sign + strings.ReplaceAll(e, "\n", "\n"+sign) + "\n")
		}
		b.WriteString("> " + strings.ReplaceAll(strings.TrimSuffix(m.want, "\n"), "\n", "\n> ") + "\n")
	}
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
}

func TestParse_EveryMistake_IsReportedAtItsPlace(t *testing.T) {
	t.Parallel()
	path := filepath.Join("testdata", "mistakes.txt")
	all := readMistakes(t, path)
	require.Greater(t, len(all), 100)
	for i, m := range all {
		base, name := "patient-records.yaml", m.name
		if strings.HasPrefix(name, "arc: ") {
			base = "patient-records-arc.yaml"
		}
		require.Zero(t, len(m.edits)%2, "%s: each - needs a +", name)
		_, problems := plan.Parse("plan.yaml", []byte(edited(t, example(t, base), m.edits...)))
		require.NotEmpty(t, problems, name)
		got := problems.Error() + "\n"
		all[i].want = got
		if !updating() {
			require.Equal(t, m.want, got, name)
		}
	}
	if updating() {
		writeMistakes(t, path, all)
	}
}

// Files that no edit of an example could be: each has its golden output beside it.
func TestParse_BrokenFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "broken", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			t.Parallel()
			_, problems := plan.Load(f)
			require.Error(t, problems.Err())
			var b strings.Builder
			require.NoError(t, problems.Print(&b))
			golden(t, strings.TrimSuffix(f, ".yaml")+".golden", strings.ReplaceAll(b.String(), f, filepath.Base(f)))
		})
	}
}
