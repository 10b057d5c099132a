package workflows_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"lifeline/internal/runbook"
)

// position says when an item was written.
func (y *yard) position(id string) int {
	y.t.Helper()
	i := slices.Index(y.wrote, id)
	require.GreaterOrEqual(y.t, i, 0, "%s was not written", id)
	return i
}

// ofType are the ids of a type that were written, in order.
func (y *yard) ofType(kind string) []string {
	return slices.DeleteFunc(slices.Clone(y.wrote), func(id string) bool { return !strings.HasPrefix(id, kind+"/") })
}

// TestSetup_SlowReplica_HoldsUpNoAlarm_ButTheOneThatPages lets AWS make a replica
// only once alarms are there: an area has not to wait for another.
func TestSetup_SlowReplica_HoldsUpNoAlarm_ButTheOneThatPages(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	alarmed := make(chan struct{})
	y.before = func(ctx context.Context, item runbook.Item) error {
		switch item.Type {
		case "cloudwatch-alarm":
			if strings.Contains(item.Name, "records") {
				y.once.Do(func() { close(alarmed) })
			}
		case "dynamodb-replica":
			select {
			case <-alarmed:
			case <-time.After(20 * time.Second):
				return temporal.NewNonRetryableApplicationError("no alarm came before the replica", "Invalid", nil)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}
	rep := y.run(false)
	require.Equal(t, runbook.Done, rep.Status, "%s %v", rep.Summary, rep.Left)
	last := 0
	for _, item := range y.items() {
		if item.Area != runbook.AreaMonitoring && item.Area != runbook.AreaTrigger && !item.Given {
			last = max(last, y.position(item.ID()))
		}
	}
	pages := y.ofType("cloudwatch-composite-alarm")
	require.NotEmpty(t, pages)
	for _, page := range pages {
		require.Greater(t, y.position(page), last, "nobody is woken by what is still being made")
	}
}

// TestSetup_ItemOfAnotherAreaFails_OnlyThoseThatNeedItWait lets one bucket's
// replication fail: the alarms on it have nothing to watch, the others do.
func TestSetup_ItemOfAnotherAreaFails_OnlyThoseThatNeedItWait(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.refuse["s3-replication"] = "permission s3:PutReplicationConfiguration is missing"
	rep := y.run(false)
	require.Equal(t, runbook.Failed, rep.Status)
	waiting := map[string]bool{}
	for _, i := range rep.Estate.Of(runbook.Blocked) {
		waiting[i.ID] = true
	}
	for _, item := range y.items() {
		if item.Type != "cloudwatch-alarm" {
			continue
		}
		needs := slices.ContainsFunc(item.Waits(), func(id string) bool { return strings.HasPrefix(id, "s3-replication/") })
		require.Equal(t, needs, waiting[item.ID()], "%s", item.ID())
		if !needs {
			require.Contains(t, y.built, item.ID())
		}
	}
}

// TestSetup_SelectionForBackup_ComesAfterWhatItsResourceGets demands the order of
// areas within one resource, though the items don't refer to each other.
func TestSetup_SelectionForBackup_ComesAfterWhatItsResourceGets(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	require.Equal(t, runbook.Done, y.run(false).Status)
	var selections int
	for _, item := range y.items() {
		if item.Type != "backup-selection" || item.Resource == "" {
			continue
		}
		selections++
		for _, other := range y.items() {
			if other.Resource == item.Resource && !other.Given && (other.Area == runbook.AreaStorage || other.Area == runbook.AreaDatabases) {
				require.Less(t, y.position(other.ID()), y.position(item.ID()), "%s after %s", item.ID(), other.ID())
			}
		}
	}
	require.Positive(t, selections)
}
