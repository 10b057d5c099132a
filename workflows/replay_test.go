package workflows_test

import (
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"lifeline/workflows"
)

// recordWith makes TestReplay record new histories first; see testdata/README.md.
var recordWith = flag.String("record", "", "`path` of a temporal-server program to record histories with")

// histories are the recorded runs, by file.
func histories(t *testing.T) map[string]*history.History {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "histories", "*.json"))
	require.NoError(t, err)
	out := map[string]*history.History{}
	for _, file := range files {
		f, err := os.Open(file)
		require.NoError(t, err)
		h, err := client.HistoryFromJSON(f, client.HistoryJSONOptions{})
		require.NoError(t, err, file)
		require.NoError(t, f.Close())
		out[strings.TrimSuffix(filepath.Base(file), ".json")] = h
	}
	return out
}

func replayer() worker.WorkflowReplayer {
	r := worker.NewWorkflowReplayer()
	workflows.Register(r)
	workflows.RegisterSetup(r)
	return r
}

func quiet() log.Logger { return log.NewStructuredLogger(slog.New(slog.DiscardHandler)) }

// TestReplay plays recorded histories against the code as it is now: a run that
// is under way when workers are replaced must go on with it.
func TestReplay(t *testing.T) {
	if *recordWith != "" {
		record(t, *recordWith)
	}
	all := histories(t)
	for _, name := range []string{"failover", "failover-aborted", "failover-running", "switchover", "failback", "setup", "setup-area"} {
		require.Contains(t, all, name, "recorded runs are missing")
	}
	for name, h := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, replay(h))
		})
	}
}

// idOf is the workflow id of a recorded run.
func idOf(h *history.History) string {
	return h.Events[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowId()
}

// replay plays a history under its own id, after which areas are named.
func replay(h *history.History) error {
	return replayer().ReplayWorkflowHistoryWithOptions(quiet(), h, worker.ReplayWorkflowHistoryOptions{OriginalExecution: workflow.Execution{ID: idOf(h)}})
}

// TestReplay_AfterAReset_StillBelievesItsApprovals: a reset gives the run a new
// id, and what people decided before it must count as before.
func TestReplay_AfterAReset_StillBelievesItsApprovals(t *testing.T) {
	t.Parallel()
	for name, h := range histories(t) {
		if name == "setup-area" {
			continue // a child, which is reset with its parent
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, replayer().ReplayWorkflowHistoryWithOptions(quiet(), h, worker.ReplayWorkflowHistoryOptions{
				OriginalExecution: workflow.Execution{ID: idOf(h), RunID: "the-run-after-the-reset"},
			}))
		})
	}
}

// TestReplay_OtherCode_IsNoticed proves that the tests above can fail.
func TestReplay_OtherCode_IsNoticed(t *testing.T) {
	t.Parallel()
	for name, h := range histories(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := slices.IndexFunc(h.GetEvents(), func(e *history.HistoryEvent) bool {
				return e.GetEventType() == enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
			})
			require.Positive(t, first)
			h.GetEvents()[first].GetActivityTaskScheduledEventAttributes().GetActivityType().Name = "GuessRegions"
			require.ErrorContains(t, replay(h), "nondeterministic")
		})
	}
}
