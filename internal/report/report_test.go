package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/report"
	"lifeline/internal/runbook"
)

// golden compares with testdata; UPDATE_GOLDEN=1 writes it anew, to be read in
// the diff before it is committed.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(path, got, 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "%s differs; look at it, then run with UPDATE_GOLDEN=1", name)
}

type writer = func(io.Writer, report.Document) error

func render(t *testing.T, write writer, d report.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b, d))
	return b.Bytes()
}

func TestWriters_WholeStory_LooksAsBefore(t *testing.T) {
	t.Parallel()
	golden(t, "story.html", render(t, report.HTML, sample()))
	golden(t, "story.txt", render(t, report.Text, sample()))
	golden(t, "story.json", render(t, report.JSON, sample()))
}

func TestJSON_ReadBack_IsTheSameDocument(t *testing.T) {
	t.Parallel()
	var back report.Document
	require.NoError(t, json.Unmarshal(render(t, report.JSON, sample()), &back))
	require.Equal(t, sample(), back)
}

// An empty report (a run that has only just begun) must not break any writer.
func TestWriters_EmptyReport_AreWhole(t *testing.T) {
	t.Parallel()
	html := string(render(t, report.HTML, report.Document{}))
	require.True(t, strings.HasSuffix(html, "</html>\n"))
	require.NotContains(t, html, "NaN")
	require.NotContains(t, html, "Seen from the outside")
	require.NotContains(t, html, "Clocks against")
	require.Contains(t, string(render(t, report.Text, report.Document{})), "Stages")
}

func TestHTML_HostileTexts_AreEscaped(t *testing.T) {
	t.Parallel()
	const evil = `<script>alert(1)</script>"'><img src=x onerror=y>`
	d := sample()
	r := &d.Report
	r.Summary, r.Safe, r.Next, r.StartedBy, r.Application = evil, evil, evil, evil, evil
	r.Stages[0].Title, r.Stages[0].Steps[0].Evidence, r.Stages[0].Steps[0].Name = evil, evil, evil
	r.Stages[0].State = runbook.State(evil)
	r.Ballots[0].Question, r.Ballots[0].Decisions[0].Comment, r.Ballots[0].Risks[0].Text = evil, evil, evil
	r.Events[0].Text, r.Left[0], r.Losses[0].Evidence, r.Evidence.Why = evil, evil, evil, evil
	r.RTOState = runbook.RTOState(evil)
	d.Outside.Source, d.Outside.Traffic[0].Location, d.Outside.Marks[0].Text = evil, evil, evil
	d.Outside.Traffic[0].Buckets[0].OK = map[plan.Region]int{evil: 3}
	html := string(render(t, report.HTML, d))
	require.NotContains(t, html, "<script")
	require.NotContains(t, html, "<img")
	require.Contains(t, html, "&lt;script&gt;")
}

func TestHTML_NothingIsFetched(t *testing.T) {
	t.Parallel()
	html := string(render(t, report.HTML, sample()))
	for _, fetch := range []string{"http://", "https://", "src=", "<link", "<script", "@import", "url("} {
		require.NotContains(t, html, fetch)
	}
}

func TestText_HostileTexts_DoNotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	d := sample()
	d.Report.Summary = "fine\x1b[2J\r\x07 \u202egnp"
	d.Report.Ballots[0].Decisions[0].Comment = "ok\x1b]0;owned\x07"
	d.Report.Events[0].Text = "two\nlines"
	text := string(render(t, report.Text, d))
	require.NotContains(t, text, "\x1b")
	require.NotContains(t, text, "\r")
	require.NotContains(t, text, "\u202e")
	require.Contains(t, text, "two lines")
}

func TestText_LossThatCouldNotBeMeasured_IsNotShownAsZero(t *testing.T) {
	t.Parallel()
	text := string(render(t, report.Text, sample()))
	require.Regexp(t, `billing\s+not measurable, objective 30\.0 s`, text)
}

func TestText_StepRepeatedUntilItSatisfies_IsOneLineWithTheLastWord(t *testing.T) {
	t.Parallel()
	text := string(render(t, report.Text, sample()))
	require.Equal(t, 1, strings.Count(text, "ObserveRegions"))
	require.Regexp(t, `ObserveRegions +T\+3\.4 s +800 ms +us-west-2  ×2\n +acted us-east-1 down for 3 looks`, text)
	require.NotContains(t, text, "2 looks")
}

func TestComparison_BeyondTolerance_Disagrees(t *testing.T) {
	t.Parallel()
	c := report.Comparison{Own: 10 * time.Second, Outside: 10500 * time.Millisecond, Tolerance: 500 * time.Millisecond}
	require.True(t, c.Agrees())
	c.Outside += time.Millisecond
	require.False(t, c.Agrees())
	c.Own, c.Outside = c.Outside, c.Own
	require.False(t, c.Agrees())
}

func TestSpan_ReadsAsPeopleSayIt(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{
		"0 s": 0, "840 ms": 840 * time.Millisecond, "41.2 s": 41200 * time.Millisecond, "3 min 05 s": 185 * time.Second,
		"2 h 10 min": 130 * time.Minute, "-1.5 s": -1500 * time.Millisecond, "1 min 00 s": time.Minute, "1 h 00 min": time.Hour,
	} {
		require.Equal(t, want, report.Span(d))
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.ErrUnsupported }

func TestWriters_BrokenPipe_IsReported(t *testing.T) {
	t.Parallel()
	for _, write := range []writer{report.HTML, report.JSON, report.Text} {
		require.ErrorIs(t, write(brokenPipe{}, sample()), errors.ErrUnsupported)
	}
}
