package demo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/local/aws/world"
)

func kept() Summary {
	return Summary{
		ClientRTO: 25, OwnRTO: 24.5, PredictedFloor: 58, WorkerKills: 3, KillCost: 2.2, ProbeInterval: 1, AckedWrites: 100,
		Setup: SetupSummary{Created: 100, Ready: true, RedWhenBroken: true, ReadyAfterTheRepair: true},
	}
}

func TestPromises_EachBrokenFigure_BreaksItsPromiseAlone(t *testing.T) {
	t.Parallel()
	for name, held := range promises(kept()) {
		require.True(t, held, name)
	}
	for promise, spoil := range map[string]func(*Summary){
		"client_rto_s <= 60":                                   func(s *Summary) { s.ClientRTO, s.OwnRTO = 60.1, 60.1 },
		"client_rto_s <= 1.1 x predicted_floor_s":              func(s *Summary) { s.PredictedFloor = 20 },
		"lost_writes only inside the measured replication lag": func(s *Summary) { s.LostOutsideLag = 1 },
		"two_writers_s = 0":                                    func(s *Summary) { s.TwoWriters = 0.1 },
		"duplicate_effects = 0":                                func(s *Summary) { s.DuplicateEffects = 1 },
		"failback_lost_writes = 0":                             func(s *Summary) { s.FailbackLost = 1 },
		"kill_cost_s <= 5":                                     func(s *Summary) { s.KillCost = 5.1 },
		"own clocks within one probe interval":                 func(s *Summary) { s.OwnRTO = 23.9 },
		"every acknowledged write was audited":                 func(s *Summary) { s.Unaudited = 1 },
		"a second setup makes no mutating call":                func(s *Summary) { s.Setup.SecondRunMutations = 1 },
		"readiness is green, red when broken, green again":     func(s *Summary) { s.Setup.RedWhenBroken = false },
	} {
		sum := kept()
		spoil(&sum)
		for name, held := range promises(sum) {
			require.Equal(t, name != promise, held, "%s after spoiling %s", name, promise)
		}
	}
	require.False(t, promises(Summary{})["client_rto_s <= 60"], "a clock that never ran proves nothing")
}

func TestDuplicates_CountsWhatWorkersDidTwice(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	call := func(second int, caller, operation, key, outcome string) world.CallRecord {
		return world.CallRecord{
			Time: at.Add(time.Duration(second) * time.Second), Service: "s3", Operation: operation, Region: "us-west-2",
			Caller: caller, Outcome: outcome, Mutating: true, Params: map[string]string{"Key": key},
		}
	}
	const worker = "AKIAWORKERUSWEST2A00"
	calls := []world.CallRecord{
		call(1, worker, "PutObject", "evacuate/us-east-1", "ok"),
		call(2, worker, "PutObject", "evacuate/us-east-1", "answer lost"), // applied all the same
		call(3, worker, "PutObject", "evacuate/us-east-1/europe", "ok"),   // another thing
		call(4, worker, "PutObject", "evacuate/us-east-1", "throttled"),   // not applied
		call(5, "AKIASOMEBODYELSE0000", "PutObject", "evacuate/us-east-1", "ok"),
		call(6, worker, "PutObject", "lifeline/watermark/us-west-2", "ok"),
		call(7, worker, "PutObject", "lifeline/watermark/us-west-2", "ok"),
		call(60, worker, "PutObject", "evacuate/us-east-1", "ok"), // another run's
	}
	require.Equal(t, 1, duplicates(calls, at, at.Add(30*time.Second)))
	require.Equal(t, 0, duplicates(calls[:1], at, at.Add(30*time.Second)))
}
