package kinds_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows/kinds"
)

// example is a plan that ships with Lifeline. One without a setup section gets
// what any would have.
func example(t *testing.T, name string) plan.Plan {
	t.Helper()
	p, problems := plan.Load(filepath.Join("..", "..", "examples", name))
	require.NoError(t, problems.Err())
	if p.Setup == nil {
		p.Setup = &plan.Setup{Drift: plan.Repair, Key: "alias/patient-records"}
		p.Monitoring = &plan.Monitoring{Topic: "patient-records-alarms", Silence: plan.Duration(26 * 60 * 60 * 1e9)}
		p.Trigger = &plan.Trigger{Function: "patient-records-trigger", Package: "bin/trigger.zip"}
	}
	return p
}

// levels are the areas by how they build on each other: what an item waits for is of
// its own area, or of an earlier level.
func levels() [][]runbook.Area {
	return [][]runbook.Area{
		{runbook.AreaAccess},
		{runbook.AreaStack, runbook.AreaStorage, runbook.AreaDatabases, runbook.AreaElasticDR},
		{runbook.AreaBackup, runbook.AreaTraffic},
		{runbook.AreaMonitoring},
		{runbook.AreaTrigger},
	}
}

func level(a runbook.Area) int {
	return slices.IndexFunc(levels(), func(l []runbook.Area) bool { return slices.Contains(l, a) })
}

// An item that waits for what no item makes, or for what is made after it, waits
// for ever.
func TestItems_WaitOnlyForWhatIsMadeBeforeThem(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "examples", "*.yaml"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 3)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			all, err := kinds.Items(kinds.Site{Plan: example(t, filepath.Base(file)), Account: "123456789012"})
			require.NoError(t, err)
			requireOrder(t, all)
			for _, area := range runbook.Areas() {
				requireWaves(t, all, area)
			}
		})
	}
}

// requireOrder demands that what an item waits for is made in its own area, or in
// an earlier level.
func requireOrder(t *testing.T, all []runbook.Item) {
	t.Helper()
	byID := map[string]runbook.Item{}
	for _, item := range all {
		byID[item.ID()] = item
		require.GreaterOrEqual(t, level(item.Area), 0, "%s is of no area that setup builds: %q", item.ID(), item.Area)
	}
	for _, item := range all {
		for _, id := range item.Waits() {
			other, made := byID[id]
			require.True(t, made, "%s waits for %s, which no item is", item.ID(), id)
			require.True(t, level(other.Area) < level(item.Area) || other.Area == item.Area,
				"%s (%s) waits for %s (%s), which is not made before it", item.ID(), item.Area, id, other.Area)
		}
	}
}

// requireWaves demands that the items of an area come one after another.
func requireWaves(t *testing.T, all []runbook.Item, area runbook.Area) {
	t.Helper()
	known := map[string]map[string]string{}
	var own []runbook.Item
	for _, item := range all {
		switch {
		case level(item.Area) < level(area):
			known[item.ID()] = nil
		case item.Area == area:
			own = append(own, item)
		}
	}
	_, rest := runbook.Waves(own, known)
	require.Empty(t, rest, "these of %s wait for each other", area)
}
