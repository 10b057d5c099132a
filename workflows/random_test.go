package workflows_test

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"testing"
	"time"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// TestRandom_FaultsOrdersAndWeather_LeaveASafeWorld plays every runbook many
// times in a world where anything may go wrong. A failing seed fails again: what
// befalls an attempt depends on the seed, its name and its number alone.
func TestRandom_FaultsOrdersAndWeather_LeaveASafeWorld(t *testing.T) {
	t.Parallel()
	const seeds = 40
	for _, s := range settings() {
		for seed := range uint64(seeds) {
			t.Run(fmt.Sprintf("%s/%d", s.title, seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				s.arrange(w)
				dice := rand.New(rand.NewPCG(seed, 1))
				w.mischief = randomly(seed, dice.IntN(12))
				w.weather(dice)
				w.crowd(dice)
				before := w.photo()
				w.requireSafe(t, before, w.play(s.workflow, w.start(s.runbook, s.from, s.to)))
			})
		}
	}
}

// randomly lets percent of all first attempts go wrong, and some repetitions.
func randomly(seed uint64, percent int) func(call) mischief {
	seen := map[string]int{}
	return func(c call) mischief {
		key := c.name + c.queue
		seen[key]++
		h := fnv.New64a()
		fmt.Fprintf(h, "%s/%d", key, seen[key])
		dice := rand.New(rand.NewPCG(seed, h.Sum64()))
		if dice.IntN(100) >= percent || c.attempt > 4 {
			return nothing
		}
		return []mischief{refuses, throttles, throttles, throttles, loses, loses, loses, abortsAt, abortsIn}[dice.IntN(9)]
	}
}

// weather lets Regions and observers come and go.
func (w *world) weather(dice *rand.Rand) {
	for range dice.IntN(4) {
		region := []plan.Region{east, east, west, "us-east-2"}[dice.IntN(4)]
		dark := dice.IntN(2) == 0
		observer := w.plan.Observers.Members[dice.IntN(3)].Name
		silent := dice.IntN(3) == 0
		w.change(time.Duration(1+dice.IntN(90))*time.Second, func() {
			w.down[region] = dark
			w.silent[observer] = silent
		})
	}
}

// crowd lets people approve, reject, hesitate, pause and abort.
func (w *world) crowd(dice *rand.Rand) {
	if dice.IntN(3) > 0 {
		w.approveWhenAsked()
	}
	reject, pause := dice.IntN(6) == 0, dice.IntN(4) == 0
	if reject {
		w.at(time.Duration(10+dice.IntN(60))*time.Second, func() { w.decide(w.decision("chidi", false)) })
	}
	if pause {
		at := time.Duration(1+dice.IntN(60)) * time.Second
		w.at(at, func() { w.order("dana", runbook.Pause, "") })
		w.at(at+30*time.Second, func() { w.order("dana", runbook.Resume, "") })
	}
	// Whoever has not decided by then gives up.
	w.at(time.Hour, func() { w.order("dana", runbook.Abort, "") })
}
