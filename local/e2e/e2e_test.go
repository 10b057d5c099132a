package e2e_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/local/aws/probe"
	"lifeline/local/stack"
)

// fixture is a running stack with outside clients.
type fixture struct {
	*stack.Stack
	t      *testing.T
	ledger string
	probe  *stack.Process
}

// up starts everything on free ports.
func up(t *testing.T) *fixture {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "bin", "temporal-server"), "run make build first")
	dir := t.TempDir()
	s, err := stack.Start(t.Context(), stack.Options{
		Dir: dir, Bin: filepath.Join(root, "bin"), Plan: filepath.Join(root, "examples", "patient-records.yaml"),
		Setup: 60, Say: t.Logf, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	f := &fixture{Stack: s, t: t, ledger: filepath.Join(dir, "ledger.jsonl")}
	t.Cleanup(func() {
		if t.Failed() {
			f.keepLogs(filepath.Join(dir, "logs"), filepath.Join(root, "out", "e2e", t.Name()))
		}
		s.Close()
	})
	f.probe, err = s.Run("probe", "local", "probe", "-f", s.PlanFile, "--ledger", f.ledger)
	require.NoError(t, err)
	f.eventually(time.Minute, "every client is served", func() bool { return f.sound(time.Now().Add(-3 * time.Second)) })
	return f
}

// keepLogs saves the logs of a failed test, which end with the temporary folder.
func (f *fixture) keepLogs(from, to string) {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		f.t.Logf("logs: %v", err)
		return
	}
	f.t.Logf("logs: %s", to)
}

func (f *fixture) eventually(patience time.Duration, what string, ok func() bool) {
	f.t.Helper()
	require.Eventually(f.t, ok, patience, 200*time.Millisecond, what)
}

// lines is the ledger so far.
func (f *fixture) lines() []probe.Line {
	lines, err := probe.ReadLedger(f.ledger)
	if err != nil {
		return nil
	}
	return lines
}

// sound reports whether clients of every location and kind succeeded since t,
// and none failed.
func (f *fixture) sound(t time.Time) bool {
	type client struct {
		location string
		kind     probe.Kind
	}
	served := map[client]bool{}
	for _, l := range f.lines() {
		if l.Started.Before(t) {
			continue
		}
		if !l.OK {
			return false
		}
		served[client{l.Location, l.Kind}] = true
	}
	return len(served) == len(probe.Kinds())*len(f.Plan.Traffic.Locations)
}

// starter runs a command that must end with the code.
func (f *fixture) starter(code int, args ...string) stack.Answer {
	f.t.Helper()
	a, err := f.Starter(f.t.Context(), args...)
	require.NoError(f.t, err)
	require.Equal(f.t, code, a.Code, "starter %v\n%s%s", args, a.Stdout, a.Stderr)
	return a
}

func (f *fixture) status() runbook.Report {
	var rep runbook.Report
	a, err := f.Starter(f.t.Context(), "status", "-f", f.PlanFile, "-o", "json")
	if err == nil && a.Code == 0 {
		require.NoError(f.t, json.Unmarshal([]byte(a.Stdout), &rep))
	}
	return rep
}

// approve waits until the run asks, then lets people answer.
func (f *fixture) approve(people ...string) {
	f.t.Helper()
	for _, name := range people {
		var rep runbook.Report
		f.eventually(5*time.Minute, "approval is asked for", func() bool { rep = f.status(); return rep.Ballot() != nil })
		args := []string{"approve", "-f", f.PlanFile, "--as", name}
		for _, risk := range rep.Ballot().Risks {
			args = append(args, "--acknowledge", risk.Code)
		}
		f.starter(0, args...)
	}
}

// run plays a runbook to its end.
func (f *fixture) run(verb string, from, to plan.Region, people ...string) runbook.Report {
	f.t.Helper()
	p, err := f.Run("starter-"+verb, "starter", verb, "-f", f.PlanFile, "--from", string(from), "--to", string(to), "--as", "dana", "--wait")
	require.NoError(f.t, err)
	f.approve(people...)
	ctx, cancel := context.WithTimeout(f.t.Context(), 10*time.Minute)
	defer cancel()
	code, output, err := p.Wait(ctx)
	require.NoError(f.t, err)
	require.Zero(f.t, code, output)
	return f.status()
}

// TestPlannedMoves_ThereAndBack_LoseNothing moves a healthy application away and
// home again under live clients. A second start is refused meanwhile, whoever
// asks and for whatever runbook, and a killed Temporal server costs no step.
func TestPlannedMoves_ThereAndBack_LoseNothing(t *testing.T) {
	t.Parallel()
	f := up(t)
	home, away := f.Plan.TrafficRegions()[0], f.Plan.TrafficRegions()[1]

	p, err := f.Run("starter-first", "starter", "switchover", "-f", f.PlanFile, "--from", string(home), "--as", "dana", "--wait")
	require.NoError(t, err)
	f.eventually(time.Minute, "the first run asks", func() bool { rep := f.status(); return rep.Ballot() != nil })
	first := f.status()
	for _, verb := range []string{"switchover", "failover"} {
		a := f.starter(4, verb, "-f", f.PlanFile, "--from", string(home), "--as", "dana")
		require.Contains(t, a.Stderr, first.RunID, "the refusal names the run that holds the lock")
	}
	require.Equal(t, first.RunID, f.status().RunID)

	require.NoError(t, f.RestartTemporal(t.Context()))
	f.approve("amara", "bela")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	code, output, err := p.Wait(ctx)
	require.NoError(t, err)
	require.Zero(t, code, output)
	there := f.status()
	require.Equal(t, runbook.Done, there.Status)
	require.Equal(t, first.RunID, there.RunID)

	back := f.run("failback", away, home, "amara", "chidi")
	require.Equal(t, runbook.Done, back.Status, back.Summary)
	f.eventually(time.Minute, "clients are served at home", func() bool { return f.sound(time.Now().Add(-3 * time.Second)) })
	f.probe.Interrupt()

	lines := f.lines()
	sum := probe.Summarise(lines, probe.AuditResult{}, probe.Marks{})
	require.Zero(t, sum.TwoWritersSeconds)
	require.Zero(t, sum.EpochConflicts)
	for _, kind := range probe.Kinds() {
		require.Positive(t, sum.AckedWrites[kind])
	}
	for _, region := range []plan.Region{home, away} {
		f.eventually(time.Minute, "replication has brought every acknowledged write to "+string(region), func() bool {
			sum = probe.Summarise(lines, f.audit(region, lines), probe.Marks{})
			missing := 0
			for _, kind := range probe.Kinds() {
				missing += sum.LostWrites[kind] + sum.UnauditedWrites[kind]
			}
			return missing == 0
		})
	}
}

func (f *fixture) audit(region plan.Region, lines []probe.Line) probe.AuditResult {
	f.t.Helper()
	o, err := probe.FromPlan(f.Plan)
	require.NoError(f.t, err)
	spec, _ := f.Plan.Region(region)
	result, err := probe.Audit(f.t.Context(), lines, probe.AuditOptions{
		Endpoint: "http://" + spec.Endpoint + ":8080", Client: o.HTTPClient(o.Locations[0]),
	})
	require.NoError(f.t, err)
	return result
}
