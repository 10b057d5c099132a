package workflows_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/runbook"
)

// TestUndisturbed_EveryRunbook_IsDone is what the disturbed runs are measured by.
func TestUndisturbed_EveryRunbook_IsDone(t *testing.T) {
	t.Parallel()
	for _, s := range settings() {
		t.Run(s.title, func(t *testing.T) {
			t.Parallel()
			w, before, rep := s.run(t, nil)
			require.Equal(t, runbook.Done, rep.Status, rep.Summary)
			w.requireSafe(t, before, rep)
		})
	}
}

// TestAbort_AtEveryActivity_OfEveryRunbook_LeavesASafeWorld orders an abort at
// every single activity: before it did anything, and when it has done it and the
// answer is still under way.
func TestAbort_AtEveryActivity_OfEveryRunbook_LeavesASafeWorld(t *testing.T) {
	t.Parallel()
	for _, s := range settings() {
		for title, what := range map[string]mischief{"before": abortsAt, "after": abortsIn} {
			t.Run(s.title+" "+title+" the act", func(t *testing.T) {
				t.Parallel()
				phases, undisturbed := s.abortEverywhere(t, what)
				if title == "after" {
					return // the run may be a stage further by the time the order comes
				}
				for _, stage := range undisturbed.Stages {
					if waits := !beside(stage.Name); waits && len(stage.Steps) > 0 {
						require.True(t, phases[stage.Name], "no abort came in %s: %v", stage.Name, slices.Sorted(maps.Keys(phases)))
					}
				}
			})
		}
	}
}

// abortEverywhere also says in which stages the aborted runs ended, and how an
// undisturbed run went.
func (s setting) abortEverywhere(t *testing.T, what mischief) (phases map[runbook.Stage]bool, undisturbed runbook.Report) {
	t.Helper()
	phases = map[runbook.Stage]bool{}
	full, _, undisturbed := s.run(t, nil)
	for name, times := range full.seen {
		// By name and not by place in the run: what runs side by side starts in
		// another order each time.
		for nth := range times {
			w, before, rep := s.run(t, when(name, nth+1, what))
			w.requireSafe(t, before, rep)
			phases[rep.Phase] = true
			if !begun(rep, "FailoverAurora") && !begun(rep, "SwitchoverAurora") && rep.Status != runbook.Done {
				require.Equal(t, runbook.Aborted, rep.Status, rep.Summary)
			}
		}
	}
	return phases, undisturbed
}

// TestFault_OfEveryActivity_LeavesASafeWorld is the fault matrix.
func TestFault_OfEveryActivity_LeavesASafeWorld(t *testing.T) {
	t.Parallel()
	for _, s := range settings() {
		full, _, _ := s.run(t, nil)
		for _, name := range slices.Sorted(maps.Keys(full.seen)) {
			for title, c := range map[string]struct {
				what  mischief
				times int32
			}{"permanent": {refuses, 1 << 20}, "throttled twice": {throttles, 2}, "answer lost": {loses, 1}} {
				t.Run(fmt.Sprintf("%s/%s %s", s.title, name, title), func(t *testing.T) {
					t.Parallel()
					w, before, rep := s.run(t, func(got call) mischief {
						if got.name == name && got.attempt <= c.times {
							return c.what
						}
						return nothing
					})
					w.requireSafe(t, before, rep)
					if c.what != refuses && !once(name) {
						require.Equal(t, runbook.Done, rep.Status, rep.Summary)
					}
				})
			}
		}
	}
}

// beside are the stages that only set something going and wait for nothing.
func beside(s runbook.Stage) bool { return s == runbook.Freeze || s == runbook.Prescale }

// once are the activities that are tried a single time by design: a silent
// observer has no voice.
func once(activity string) bool { return activity == "ObserveRegions" }

// TestNeeded_StepFails_RunIsNotDone: what a runbook promises, it has to have
// looked at or done.
func TestNeeded_StepFails_RunIsNotDone(t *testing.T) {
	t.Parallel()
	for _, s := range settings() {
		for _, name := range s.needs {
			t.Run(s.title+" "+name, func(t *testing.T) {
				t.Parallel()
				_, _, rep := s.run(t, func(c call) mischief {
					if c.name == name {
						return refuses
					}
					return nothing
				})
				require.NotEqual(t, runbook.Done, rep.Status)
				if name == "VerifyTransaction" {
					require.Equal(t, runbook.Verify, rep.Phase, "before the commit window")
				}
			})
		}
	}
}
