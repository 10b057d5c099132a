package steps_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/local/aws/world"
)

// suspect is how long one attempt may take in these tests: enough for a busy
// machine, and far below what a step gets in production.
const suspect = 700 * time.Millisecond

// change is a step that changes the world, with the way back.
type change struct {
	name string
	act  func(context.Context, *worker, runbook.Command) (runbook.Outcome, error)
	// undo is the product's own step back; nil where it has none.
	undo func(context.Context, *worker, runbook.Command) (runbook.Outcome, error)
	// restore is a person's way back where undo is nil.
	restore func(context.Context) error
	// look is the part of the world that the step is about, as AWS shows it.
	look func(context.Context) (any, error)
	// effects counts what can't be seen by looking at the end only: versions,
	// epochs, failovers. May be nil.
	effects func(context.Context) (int, error)
	// settled waits until the world has digested the last act; nil: at once.
	settled func(context.Context) error
	regions []plan.Region // that its calls go to; dark ones are never answered
	also    []string      // actions that AWS asks for beside those of the calls
}

// reversed is the way back as a change of its own.
func (c change) reversed() change {
	c.name, c.act, c.undo = c.name+" back", c.undo, c.act
	return c
}

// audit collects the IAM actions that steps were seen to need.
type audit struct {
	mu   sync.Mutex
	used map[string]bool
}

func (a *audit) add(actions ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, action := range actions {
		a.used[action] = true
	}
}

// action is the IAM action behind a logged call.
func action(c world.CallRecord) string {
	switch {
	case c.Service == "s3" && c.Operation == "HeadObject":
		return "s3:GetObject"
	case c.Service == "monitoring":
		return "cloudwatch:" + c.Operation
	}
	return c.Service + ":" + c.Operation
}

// needed are the IAM actions of what a worker has called.
func needed(w *worker) []string {
	actions := map[string]bool{}
	for _, c := range w.calls() {
		actions[action(c)] = true
	}
	return slices.Sorted(maps.Keys(actions))
}

// trial is one change under test in one world. Its subtests follow each other,
// and each begins and ends with the world as it was before the change.
type trial struct {
	change
	f      *fixture
	before any
	after  any
}

// prove plays a change in every way that it must survive.
func prove(t *testing.T, f *fixture, c change, a *audit) {
	t.Helper()
	tr := &trial{change: c, f: f}
	tr.before = tr.see(t)
	tr.rehearse(t)
	w := tr.actOnce(t)
	actions := append(needed(w), c.also...)
	a.add(actions...)
	tr.giveBack(t)
	var mutating []world.CallRecord
	for _, call := range w.changed() {
		if !slices.ContainsFunc(mutating, func(m world.CallRecord) bool { return m.Operation == call.Operation }) {
			mutating = append(mutating, call)
		}
	}
	for _, call := range mutating {
		tr.loseAnswer(t, call)
		tr.throttle(t, call)
	}
	for _, action := range actions {
		tr.deny(t, action)
	}
	tr.darken(t)
}

func (tr *trial) see(t *testing.T) any {
	t.Helper()
	if tr.settled != nil {
		require.NoError(t, tr.settled(within(t, patience)), tr.name)
	}
	seen, err := tr.look(t.Context())
	require.NoError(t, err, tr.name)
	return seen
}

func (tr *trial) count(t *testing.T) int {
	t.Helper()
	if tr.effects == nil {
		return 0
	}
	n, err := tr.effects(t.Context())
	require.NoError(t, err, tr.name)
	return n
}

func (tr *trial) command() runbook.Command {
	return runbook.Command{Token: runbook.Token("steps", tr.name)}
}

// rehearse plays a dry run: it says what it would do and does nothing.
func (tr *trial) rehearse(t *testing.T) {
	t.Helper()
	w := tr.f.worker()
	cmd := tr.command()
	cmd.DryRun = true
	outcome, err := tr.act(t.Context(), w, cmd)
	require.NoError(t, err, "%s dry", tr.name)
	require.Equal(t, runbook.Would, outcome.Effect, "%s dry", tr.name)
	require.NotEmpty(t, outcome.Evidence)
	for _, c := range w.calls() {
		require.False(t, c.Mutating, "%s: dry run called %s %s", tr.name, c.Service, c.Operation)
	}
	require.Equal(t, tr.before, tr.see(t), "%s dry", tr.name)
}

// actOnce acts, and finds a repetition harmless.
func (tr *trial) actOnce(t *testing.T) *worker {
	t.Helper()
	w, n := tr.f.worker(), tr.count(t)
	outcome, err := tr.act(t.Context(), w, tr.command())
	require.NoError(t, err, tr.name)
	require.Equal(t, runbook.Acted, outcome.Effect, tr.name)
	require.NotEmpty(t, outcome.Evidence, tr.name)
	last := w.changed()[len(w.changed())-1]
	require.Contains(t, ids(w.changed()), outcome.RequestID, "%s names a request that AWS knows, such as %s", tr.name, last.Operation)

	again := tr.f.worker()
	outcome, err = tr.act(runbook.FirstAttempt(t.Context()), again, tr.command())
	require.NoError(t, err, tr.name)
	require.Equal(t, runbook.Already, outcome.Effect, tr.name)
	require.True(t, outcome.Before, "%s: others did it, before this run's first attempt", tr.name)
	require.Empty(t, again.changed(), "%s repeated", tr.name)

	tr.after = tr.see(t)
	require.NotEqual(t, tr.before, tr.after, "%s is seen from outside", tr.name)
	if tr.effects != nil {
		require.Equal(t, n+1, tr.count(t), "%s acts once", tr.name)
	}
	return w
}

func ids(calls []world.CallRecord) []string {
	out := make([]string, len(calls))
	for i, c := range calls {
		out[i] = c.RequestID
	}
	return out
}

// giveBack takes the change back and finds the world exactly as it was.
func (tr *trial) giveBack(t *testing.T) {
	t.Helper()
	if tr.settled != nil {
		require.NoError(t, tr.settled(within(t, patience)), tr.name)
	}
	if tr.undo == nil {
		require.NoError(t, tr.restore(within(t, patience)), tr.name)
	} else {
		_, err := tr.undo(t.Context(), tr.f.worker(), tr.command())
		require.NoError(t, err, "undo %s", tr.name)
	}
	require.Equal(t, tr.before, tr.see(t), "undo %s restores", tr.name)
}

// loseAnswer drops the answer to an applied call. The step doesn't know what
// happened; tried again it ends with the effect there once.
func (tr *trial) loseAnswer(t *testing.T, call world.CallRecord) {
	t.Helper()
	w, n := tr.f.worker(), tr.count(t)
	w.suffer(world.Fault{Kind: world.LoseAnswer, Service: call.Service, Operation: call.Operation, Times: 1})
	_, err := tr.act(t.Context(), w, tr.command())
	if len(tr.regions) < 5 { // a cluster of endpoints has a next one to ask
		require.Error(t, err, "%s without the answer to %s", tr.name, call.Operation)
		require.Equal(t, cloud.Unreachable, cloud.KindOf(err), "%s without the answer to %s: %v", tr.name, call.Operation, err)
	}
	// Tried again as Temporal does, for as long as nobody answers.
	for range 3 {
		if err == nil || cloud.KindOf(err) != cloud.Unreachable {
			break
		}
		_, err = tr.act(t.Context(), w, tr.command())
	}
	require.NoError(t, err, "%s after the answer to %s was lost", tr.name, call.Operation)
	require.Contains(t, outcomes(w), "answer lost")
	require.Equal(t, tr.after, tr.see(t), "%s after the answer to %s was lost", tr.name, call.Operation)
	if tr.effects != nil {
		require.Equal(t, n+1, tr.count(t), "%s acts once although the answer to %s was lost", tr.name, call.Operation)
	}
	tr.giveBack(t)
}

func outcomes(w *worker) []string {
	var out []string
	for _, c := range w.calls() {
		out = append(out, c.Outcome)
	}
	return out
}

// throttle refuses a call twice for being one too many.
func (tr *trial) throttle(t *testing.T, call world.CallRecord) {
	t.Helper()
	w := tr.f.worker()
	w.suffer(world.Fault{Kind: world.Throttle, Service: call.Service, Operation: call.Operation, Times: 2})
	_, err := tr.act(t.Context(), w, tr.command())
	for range 3 { // tried again as Temporal does
		if err == nil {
			break
		}
		require.Contains(t, []cloud.Kind{cloud.Throttled, cloud.Unreachable}, cloud.KindOf(err), "%s throttled at %s: %v", tr.name, call.Operation, err)
		_, err = tr.act(t.Context(), w, tr.command())
	}
	require.NoError(t, err, "%s after it was throttled", tr.name)
	require.Contains(t, outcomes(w), "throttled")
	require.Equal(t, tr.after, tr.see(t), "%s throttled at %s", tr.name, call.Operation)
	tr.giveBack(t)
}

// deny takes one action out of the policy: the error names it, and what was done
// before it can be taken back.
func (tr *trial) deny(t *testing.T, action string) {
	t.Helper()
	_, err := tr.act(t.Context(), tr.f.worker(action), tr.command())
	require.Error(t, err, "%s without %s", tr.name, action)
	require.Equal(t, cloud.Denied, cloud.KindOf(err), "%s without %s: %v", tr.name, action, err)
	require.ErrorContains(t, err, action)
	if tr.undo != nil { // half an act is taken back by completing it first
		_, err = tr.act(t.Context(), tr.f.worker(), tr.command())
		require.NoError(t, err, "%s with %s again", tr.name, action)
		require.Equal(t, tr.after, tr.see(t), "%s with %s again", tr.name, action)
		tr.giveBack(t)
	}
}

// darken takes the Regions of the calls away: the step ends in time.
func (tr *trial) darken(t *testing.T) {
	t.Helper()
	w := tr.f.worker()
	w.timeout = suspect
	for _, region := range tr.regions {
		w.suffer(world.Fault{Kind: world.Blackout, Region: string(region)})
	}
	inTime(t, tr.name, len(tr.regions), func() error {
		_, err := tr.act(t.Context(), w, tr.command())
		return err
	})
	require.Equal(t, tr.before, tr.see(t), "%s into the dark", tr.name)
}

// inTime demands that a step ends, unreachable, when that many attempts have
// run out.
func inTime(t *testing.T, name string, attempts int, step func() error) {
	t.Helper()
	started := time.Now()
	err := step()
	took := time.Since(started)
	require.Error(t, err, "%s into the dark", name)
	require.Equal(t, cloud.Unreachable, cloud.KindOf(err), "%s into the dark: %v", name, err)
	require.GreaterOrEqual(t, took, suspect, "%s asked", name)
	// Well below the default that a step would have without its own timeout.
	require.Less(t, took, time.Duration(attempts)*suspect+2*time.Second, "%s into the dark", name)
}
