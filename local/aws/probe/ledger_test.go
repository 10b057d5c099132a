package probe_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/local/aws/probe"
)

func ledgerOf(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestLedger_AppendAndRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, err := probe.OpenLedger(path)
	require.NoError(t, err)
	want := attempts(probe.Record, "europe", "+-+")
	for n, line := range want {
		require.Equal(t, int64(n+1), l.Next())
		require.NoError(t, l.Append(line))
	}
	require.NoError(t, l.Close())
	got, err := probe.ReadLedger(path)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestLedger_PartialLastLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content string
		lines   int
		next    int64
	}{
		"empty":                 {"", 0, 1},
		"whole":                 {`{"seq":1}` + "\n" + `{"seq":7}` + "\n", 2, 8},
		"cut in the middle":     {`{"seq":1}` + "\n" + `{"seq":2,"ok":tr`, 1, 2},
		"only a cut line":       {`{"se`, 0, 1},
		"only the newline lost": {`{"seq":1}` + "\n" + `{"seq":2}`, 2, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := ledgerOf(t, c.content)
			got, err := probe.ReadLedger(path)
			require.NoError(t, err)
			require.Len(t, got, c.lines)

			l, err := probe.OpenLedger(path)
			require.NoError(t, err)
			require.Equal(t, c.next, l.Next())
			require.NoError(t, l.Append(probe.Line{Seq: c.next}))
			require.NoError(t, l.Close())
			got, err = probe.ReadLedger(path)
			require.NoError(t, err, "going on leaves a clean file")
			require.Len(t, got, c.lines+1)
			require.Equal(t, c.next, got[c.lines].Seq)
		})
	}
}

func TestLedger_DamageInTheMiddleIsAnError(t *testing.T) {
	t.Parallel()
	path := ledgerOf(t, `{"seq":1}`+"\n"+`{"seq":`+"\n"+`{"seq":3}`+"\n")
	_, err := probe.ReadLedger(path)
	require.ErrorContains(t, err, "line 2")
	_, err = probe.OpenLedger(path)
	require.ErrorContains(t, err, "line 2", "never cut what may hold measurements")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Len(t, content, 28)
}
