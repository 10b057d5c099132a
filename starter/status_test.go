package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"lifeline/internal/runbook"
)

func TestStatus_ShowsStepsClocksAndWhoIsWaitedFor(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.expect(exitDone, "status PLAN")
	for _, want := range []string{
		"WAITING in approve", "40.0 s of 1 min 00 s (67 %)", "predicted 58.0 s at worst",
		"detect 4.0 s · decide 1.0 s · execute 35.0 s · unprotected 20.0 s…",
		"[##########----------] 10.0 s of at most 20.0 s", "EvacuateByObject", "(no way back)",
		"APPROVAL promote", "starter approve -f " + b.plan + " --as APPROVER --acknowledge data-loss:billing",
	} {
		require.Contains(t, b.out.String(), want)
	}
}

func TestStatus_NoWorker_ShowsWhatTemporalKnows(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.temporal.silent = true
	b.expect(exitDone, "status PLAN")
	for _, want := range []string{
		"no worker answered", "failover, us-east-1 → us-west-2, started by dana", "phase approve", "FailoverAurora", "attempt 3", "last heartbeat 2.0 s ago",
		"as soon as a worker polls lifeline-us-west-2",
	} {
		require.Contains(t, b.out.String(), want)
	}
	b.expect(exitDone, "status PLAN -o json")
	var got struct {
		Answers  bool        `json:"worker_answers"`
		Temporal serverFacts `json:"temporal"`
	}
	require.NoError(t, json.Unmarshal([]byte(b.out.String()), &got))
	require.Equal(t, "approve", got.Temporal.Phase)
	require.True(t, got.Temporal.Open)
}

// What has ended is read from Temporal; no worker needs to live.
func TestStatus_EndedRun_NeedsNoWorker(t *testing.T) {
	t.Parallel()
	for _, status := range []runbook.Status{runbook.Done, runbook.Stopped} {
		b := newBench(t)
		r := b.underWay()
		r.Status, r.Summary, r.Ended, r.Left = status, "the end", b.now, []string{"reconcile billing"}
		b.temporal.hold(r)
		b.temporal.silent = true
		b.expect(exitDone, "status PLAN")
		require.Contains(t, b.out.String(), strings.ToUpper(string(status)))
		require.Contains(t, b.out.String(), "left for people: reconcile billing")
		b.expect(exitDone, "report PLAN")
		require.Contains(t, b.out.String(), "the end")
	}
}

func TestStatus_JSON_IsTheReport(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.expect(exitDone, "status PLAN -o json")
	var got runbook.Report
	require.NoError(t, json.Unmarshal([]byte(b.out.String()), &got))
	require.Equal(t, *b.temporal.report, got)
}

func TestStatus_NeverStarted_SaysSo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.expect(exitFailed, "status PLAN")
	require.Contains(t, b.err.String(), "no such run is known")
	b.temporal.hold(b.underWay())
	b.expect(exitFailed, "status PLAN --run run-6")
	b.expect(exitDone, "status PLAN --run run-7")
}

func TestStatus_HostileTexts_DoNotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.underWay()
	r.Summary, r.Safe, r.Evidence.Why, r.Ballots[0].Question, r.Ballots[0].Risks[0].Text = "a\x1b[2J", "b\r", "c\x07", "d\x1b]0;x", "e\u202e"
	r.Stages[1].Steps[0].Error, r.Left, r.Losses[0].Evidence = "f\x1b[H", []string{"g\x1b"}, "h\x9b"
	b.temporal.hold(r)
	b.expect(exitDone, "status PLAN")
	for _, bad := range []string{"\x1b", "\r", "\x07", "\u202e", "\x9b"} {
		require.NotContains(t, b.out.String(), bad)
		for _, line := range statusLines(r, b.now, plainBar) {
			require.NotContains(t, line, bad, "the live picture shows these lines as they are")
		}
	}
}

func TestStatusWatch_NoTerminal_TellsLinesUntilTheEndAndItsCode(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.temporal.script = []func(*runbook.Report){
		func(*runbook.Report) {},
		func(r *runbook.Report) {
			r.Events = append(r.Events, runbook.Event{At: b.now, Kind: "note", Text: "promoted"})
		},
		func(r *runbook.Report) { r.Status, r.Summary, r.Ended = runbook.Stopped, "epoch taken", b.now },
	}
	b.expect(exitStopped, "status PLAN --watch")
	require.Equal(t, 1, strings.Count(b.out.String(), "APPROVAL promote"), "what was shown is no news")
	require.Contains(t, b.out.String(), "note: promoted")
}

func TestStatusWatch_EndedRun_IsShownOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.underWay()
	r.Status, r.Ended = runbook.Done, b.now
	b.temporal.hold(r)
	b.terminal = true
	b.expect(exitDone, "status PLAN --watch")
	require.Contains(t, b.out.String(), "DONE")
}

func newPicture(b *bench) *picture {
	a := &app{system: system{now: b.clock}, planFile: b.plan, output: "text"}
	return &picture{app: a, ask: func() tea.Msg {
		s, err := a.look(context.Background(), b.temporal, lockOf(b.temporal.plan, runbook.Failover))
		return seen{s, err}
	}}
}

func TestPicture_FollowsTheRunAndLeavesAtItsEnd(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	p := newPicture(b)
	_, again := p.Update(p.Init()())
	require.NotNil(t, again, "it asks again")
	require.Contains(t, p.text(), "APPROVAL promote")
	require.Contains(t, p.text(), "q leaves; the run goes on")
	b.temporal.change(func(r *runbook.Report) { r.Status, r.Ended = runbook.Done, b.now })
	_, quit := p.Update(p.ask())
	require.IsType(t, tea.QuitMsg{}, quit())
	require.Contains(t, p.text(), "DONE")
}

func TestPicture_TemporalGone_KeepsTheLastPictureAndSaysSo(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	p := newPicture(b)
	p.Update(p.ask())
	b.temporal.down = context.DeadlineExceeded
	p.Update(p.ask())
	require.Contains(t, p.text(), "APPROVAL promote")
	require.Contains(t, p.text(), "no answer just now")
}

func TestPicture_Keys(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	p := newPicture(b)
	_, quit := p.Update(tea.KeyPressMsg{Code: 'q', Text: "q"})
	require.IsType(t, tea.QuitMsg{}, quit())
	require.False(t, p.interrupted)
	_, quit = p.Update(tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl})
	require.IsType(t, tea.QuitMsg{}, quit())
	require.True(t, p.interrupted)
}

func TestPicture_NarrowWindow_NoLineIsWider(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	p := newPicture(b)
	p.Update(tea.WindowSizeMsg{Width: 40, Height: 20})
	p.Update(p.ask())
	for line := range strings.SplitSeq(p.text(), "\n") {
		require.LessOrEqual(t, lipgloss.Width(line), 40)
	}
}

func TestPicture_LowWindow_KeepsTheClocksAndWhoIsWaitedFor(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	p := newPicture(b)
	p.Update(p.ask())
	require.Greater(t, strings.Count(p.text(), "\n"), 14)
	p.Update(tea.WindowSizeMsg{Width: 200, Height: 14})
	text := p.text()
	require.LessOrEqual(t, strings.Count(text, "\n")+1, 14)
	for _, want := range []string{"failover of patient-records", "RTO", "clocks", "lines more in a higher window", "RISK", "q leaves"} {
		require.Contains(t, text, want)
	}
}

func TestStatus_PausedWhileItAsks_SaysBoth(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.temporal.change(func(r *runbook.Report) { r.Status = runbook.Paused })
	b.expect(exitDone, "status PLAN")
	require.Contains(t, b.out.String(), "APPROVAL promote")
	require.Contains(t, b.out.String(), "somebody types: resume")
}

func TestStatus_AdviceOfTheRun_NamesThePlanThatWasTyped(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.underWay()
	r.Status, r.Ended, r.Next = runbook.Done, b.now, "starter failback -f PLAN --to us-east-1"
	b.temporal.hold(r)
	b.expect(exitDone, "status PLAN")
	require.Contains(t, b.out.String(), "starter failback -f "+b.plan+" --to us-east-1")
}

// A report that is too large can't be fetched: a worker has answered all the same.
func TestStatus_WorkerCanNotTell_IsNoSilence(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.temporal.dumb = serviceerror.NewQueryFailed("payloads exceeded the error limit")
	b.expect(exitDone, "status PLAN")
	require.NotContains(t, b.out.String(), "no worker answered")
	require.NotContains(t, b.out.String(), "start a worker")
	require.Contains(t, b.out.String(), "payloads exceeded the error limit")
	b.expect(exitUnreachable, "approve PLAN --as amara"+acknowledged)
	require.Contains(t, b.err.String(), "could not tell")
}

func TestStatus_EndedFromOutside_SaysThatNothingWasUndone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.underWay()
	r.Status = runbook.Done
	b.temporal.hold(r)
	b.temporal.silent, b.temporal.failure = true, errors.New("terminated")
	b.expect(exitDone, "status PLAN")
	require.Contains(t, b.out.String(), "undid nothing by itself")
	require.NotContains(t, b.out.String(), "start a worker")
}

func TestShellWord_CanBePasted(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{"out/up/plan.yaml": "out/up/plan.yaml", "my plan.yaml": "'my plan.yaml'", "it's": `'it'\''s'`, "$(x)": "'$(x)'"} {
		require.Equal(t, want, shellWord(word))
	}
}

func TestStepLines_RepeatedLook_IsOneLine(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	look := func(second int) runbook.StepRecord {
		at := b.now.Add(time.Duration(second) * time.Second)
		return runbook.StepRecord{Step: runbook.Step{Name: "ObserveRegions"}, State: runbook.Succeeded, Started: at, Ended: at.Add(time.Second)}
	}
	lines := stageLines(runbook.StageRecord{Name: runbook.Assess, State: runbook.Active, Steps: []runbook.StepRecord{look(0), look(3), look(6)}}, b.now, plainBar)
	require.Len(t, lines, 2)
	require.Contains(t, lines[1], "7.0 s  ×3")
}
