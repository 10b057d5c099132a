package bench

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
	"lifeline/local/stack"
)

// How much faster AWS's own waits pass: while the application's estate is made,
// and while setup is measured. Its rate limits stay. Faster than that, what AWS does
// every minute by itself would take the machine from those who are measured.
const (
	building    = 2000
	compression = 120
)

// Result is out/bench/setup.json.
type Result struct {
	Resources         int     `json:"resources"` // items of AWS resources that setup keeps
	PlanResources     int     `json:"plan_resources"`
	TimeCompression   float64 `json:"time_compression"` // of AWS's own waits
	RateLimits        string  `json:"rate_limits"`
	Wall              float64 `json:"wall_s"` // of setup, from the command to its end
	Bound             float64 `json:"rate_limit_bound_s"`
	Ratio             float64 `json:"ratio"`
	PreviewWall       float64 `json:"preview_s"`
	PreviewBound      float64 `json:"preview_rate_limit_bound_s"`
	PreviewRatio      float64 `json:"preview_ratio"`
	Settling          int     `json:"runs_until_nothing_waits"` // beyond the first: archive rules wait for copies
	SecondWall        float64 `json:"second_run_s"`
	SecondMutations   int     `json:"second_run_mutations"`
	SecondCallsPer    float64 `json:"second_run_calls_per_resource"`
	Runs              []Phase `json:"runs"`
	LoadAverageBefore string  `json:"load_average_before"`
	LoadAverageAfter  string  `json:"load_average_after"`
}

// Phase is one command and what AWS saw of it.
type Phase struct {
	Command   string   `json:"command"`
	Wall      float64  `json:"wall_s"`
	Calls     int      `json:"calls"`
	Mutations int      `json:"mutations"`
	Throttled int      `json:"throttled"`
	Summary   string   `json:"summary"`
	Buckets   []Bucket `json:"buckets"` // the slowest

	report runbook.Report
}

// BenchmarkSetup shows the difference of a bare estate, builds it, and builds it
// again. Each number is measured once: a second measurement needs a second estate.
func BenchmarkSetup(b *testing.B) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(b, err)
	if _, err := os.Stat(filepath.Join(root, "bin", "temporal-server")); err != nil {
		b.Skipf("run make build first: %v", err)
	}
	out := Result{TimeCompression: compression, RateLimits: "in wall time, not compressed", LoadAverageBefore: load()}
	s := start(b, root)
	out.PlanResources = len(s.Plan.Resources)
	preview := s.play("preview", "setup")
	first := s.play("setup", "--wait")
	out.Settling = s.settle(first)
	second := s.play("setup", "--wait")
	out.LoadAverageAfter = load()
	out.Runs = []Phase{preview, first, second}
	for _, a := range second.report.Estate.Areas {
		out.Resources += a.Items
	}
	out.Wall, out.Bound, out.Ratio = first.ratio()
	out.PreviewWall, out.PreviewBound, out.PreviewRatio = preview.ratio()
	out.SecondWall, out.SecondMutations = second.Wall, second.Mutations
	out.SecondCallsPer = float64(second.Calls) / float64(out.Resources)
	write(b, filepath.Join(root, "out", "bench", "setup.json"), out)
	b.ReportMetric(out.Wall, "s")
	b.ReportMetric(out.Bound, "s-bound")
	b.ReportMetric(out.Ratio, "ratio")
	b.ReportMetric(out.PreviewRatio, "preview-ratio")
	b.ReportMetric(out.SecondCallsPer, "calls/resource-2nd")
	b.ReportMetric(0, "ns/op") // of no interest

	require.Zero(b, preview.Mutations, "a preview changes nothing")
	require.Zero(b, out.SecondMutations, "a second run changes nothing")
	require.LessOrEqual(b, out.SecondCallsPer, 3.0)
	require.Zero(b, second.report.Estate.Count(runbook.Created, runbook.Changed, runbook.Blocked, runbook.Missing, runbook.Unkept, runbook.Unavailable, runbook.Drifted), second.Summary)
}

// site is a stack that is measured.
type site struct {
	*stack.Stack
	b *testing.B
}

func start(b *testing.B, root string) *site {
	b.Helper()
	p, problems := plan.Load(filepath.Join(root, "examples", "patient-records.yaml"))
	require.NoError(b, problems.Err())
	text, err := yaml.Marshal(grow(p, thousand()))
	require.NoError(b, err)
	dir := b.TempDir()
	file := filepath.Join(dir, "thousand.yaml")
	require.NoError(b, os.WriteFile(file, text, 0o600))
	s, err := stack.Start(b.Context(), stack.Options{
		Dir: filepath.Join(dir, "run"), Bin: filepath.Join(root, "bin"), Plan: file, Setup: building,
		Say: b.Logf, Logger: slog.New(slog.DiscardHandler), Bare: true, WallRates: true, SetupOnly: true,
	})
	require.NoError(b, err)
	require.NoError(b, s.Control.SetCompression(b.Context(), compression))
	b.Cleanup(func() {
		s.Close()
		if b.Failed() {
			_ = os.CopyFS(filepath.Join(root, "out", "bench", fmt.Sprintf("logs-%d", os.Getpid())), os.DirFS(filepath.Join(dir, "run", "logs")))
		}
	})
	return &site{s, b}
}

// play types one command and sees what AWS saw.
func (s *site) play(words ...string) Phase {
	s.b.Helper()
	begun := time.Now()
	a, err := s.Starter(s.b.Context(), append(words, "-f", s.PlanFile, "--as", "dana", "-o", "json")...)
	out := Phase{Command: "starter " + strings.Join(words, " "), Wall: time.Since(begun).Seconds()}
	require.NoError(s.b, err)
	begin := strings.Index(a.Stdout, "{")
	require.NotEqual(s.b, -1, begin, "%s: exit %d, no report: %s", out.Command, a.Code, a.Stderr)
	require.NoError(s.b, json.Unmarshal([]byte(a.Stdout[begin:]), &out.report))
	require.Zero(s.b, a.Code, "%s: %s\n%s", out.Command, a.Stderr, strings.Join(out.report.Left, "\n"))
	require.NotNil(s.b, out.report.Estate)
	calls, err := s.Control.Calls(s.b.Context(), begun)
	require.NoError(s.b, err)
	calls = slices.DeleteFunc(calls, func(c world.CallRecord) bool { return c.Caller != stack.AccessKey("worker-setup") })
	out.Calls, out.Summary = len(calls), out.report.Summary
	out.Mutations = count(calls, func(c world.CallRecord) bool { return c.Mutating && c.Outcome != throttled })
	out.Throttled = count(calls, func(c world.CallRecord) bool { return c.Outcome == throttled })
	out.Buckets = buckets(begun, calls, wire.DefaultLimits())
	s.b.Logf("%s: %.1f s, %d calls; %s", out.Command, out.Wall, out.Calls, out.Summary)
	return out
}

// settle runs setup until nothing waits any more: a bucket's objects are archived
// only once those that were there before have been copied, which AWS takes its time
// for. It says how many runs that took.
func (s *site) settle(last Phase) int {
	s.b.Helper()
	runs := 0
	for ; last.report.Estate.Count(runbook.Blocked) > 0; runs++ {
		require.Less(s.b, runs, 10, "the copies don't end")
		last = s.play("setup", "--wait")
	}
	return runs
}

func (p Phase) ratio() (wall, bound, ratio float64) {
	if len(p.Buckets) == 0 || p.Buckets[0].Seconds == 0 {
		return p.Wall, 0, 0
	}
	return p.Wall, p.Buckets[0].Seconds, p.Wall / p.Buckets[0].Seconds
}

// load is what else the machine did: 1, 5 and 15 minutes.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

func write(b *testing.B, file string, out Result) {
	b.Helper()
	require.NoError(b, os.MkdirAll(filepath.Dir(file), 0o750))
	text, err := json.MarshalIndent(out, "", "  ")
	require.NoError(b, err)
	require.NoError(b, os.WriteFile(file, append(text, '\n'), 0o600))
}
