package runbook

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

func registered() plan.Plan {
	return plan.Plan{
		Application: "patients", Owner: "platform", Objectives: plan.Objectives{RTO: plan.Duration(time.Minute), RPO: plan.Duration(time.Minute)},
		Resources: []plan.Resource{
			{Name: "images", Kind: plan.EBSVolume, Tier: 3},
			{Name: "billing", Kind: plan.AuroraGlobal, Tier: 2, Owner: "databases", DependsOn: []string{"records"}},
			{Name: "records", Kind: plan.DynamoDBTable, Tier: 1, Objectives: &plan.Objectives{RTO: plan.Duration(time.Second), RPO: plan.Duration(5 * time.Second)}},
		},
	}
}

func second(n int) time.Time { return time.Unix(1_800_000_000, 0).Add(time.Duration(n) * time.Second) }

func on(stage Stage, resource string, from, to int) StageRecord {
	return StageRecord{Name: stage, State: Succeeded, Started: second(from), Ended: second(to), Steps: []StepRecord{
		{Step: Step{Name: "Move", Resource: resource}, State: Succeeded, Started: second(from), Ended: second(to)},
	}}
}

// lostRegion is a failover that served after 24 s and promoted billing after 87 s.
func lostRegion() Report {
	return Report{
		Runbook: Failover, RunID: "f1", Status: Done, Ended: second(110),
		Clocks: Clocks{Failure: second(0), Evidence: second(4), Decided: second(5), Verified: second(24)},
		Losses: []Loss{{Resource: "records", Known: true, Window: 2 * time.Second}, {Resource: "billing"}},
		Stages: []StageRecord{on(Promote, "billing", 27, 87)},
	}
}

func plannedMove() Report {
	return Report{
		Runbook: Failback, RunID: "b1", Status: Done, Ended: second(500),
		Losses: []Loss{{Resource: "records", Known: true, Window: time.Second}},
		Stages: []StageRecord{on(Fence, "billing", 400, 410), on(Switchdata, "billing", 410, 440)},
	}
}

func resourceOf(t *testing.T, r Register, name string) Entry {
	t.Helper()
	i := slices.IndexFunc(r.Resources, func(e Entry) bool { return e.Name == name })
	require.GreaterOrEqual(t, i, 0)
	return r.Resources[i]
}

func TestRegister_NothingEverRan_ShowsWantedAndComputedAndNothingMeasured(t *testing.T) {
	t.Parallel()
	p := registered()
	r := NewRegister(p, Past{})
	require.Equal(t, []string{"records", "billing", "images"}, []string{r.Resources[0].Name, r.Resources[1].Name, r.Resources[2].Name}, "the most critical first")
	records := resourceOf(t, r, "records")
	require.Equal(t, plan.Duration(time.Second), records.Objective.RTO)
	require.Equal(t, plan.Duration(p.PredictedFloor()), *records.Capability.RTO)
	require.Equal(t, Measured{}, records.Measured)
	require.Equal(t, "platform", records.Owner)
	require.Equal(t, "databases", resourceOf(t, r, "billing").Owner)
	require.Nil(t, r.Setup)
	require.False(t, r.Uncovered.Known)
	require.Contains(t, r.Uncovered.Why, "never proved")
}

func TestRegister_Failover_MeasuresEachResourceByItsOwnWay(t *testing.T) {
	t.Parallel()
	r := NewRegister(registered(), Past{Moves: []Report{plannedMove(), lostRegion()}})
	records, billing, images := resourceOf(t, r, "records"), resourceOf(t, r, "billing"), resourceOf(t, r, "images")
	require.Equal(t, &Figure{plan.Duration(24 * time.Second), Failover, "f1", second(110)}, records.Measured.RTO)
	require.Equal(t, plan.Duration(2*time.Second), records.Measured.RPO.Value)
	require.Equal(t, plan.Duration(87*time.Second), billing.Measured.RTO.Value, "it was back with its new writer, not with the traffic")
	require.Nil(t, billing.Measured.RPO, "a loss that could not be measured is not zero")
	require.Equal(t, plan.Duration(40*time.Second), billing.Measured.Pause.Value)
	require.Equal(t, "b1", billing.Measured.Pause.RunID)
	require.Equal(t, Measured{}, images.Measured, "no runbook moves it, so no move measured it")
	require.Contains(t, records.Short, "the last measured RTO is 24s, objective 1s")
}

func TestRegister_WhatProvesNothing_MeasuresNothing(t *testing.T) {
	t.Parallel()
	dry, aborted, unserved := lostRegion(), lostRegion(), lostRegion()
	dry.DryRun = true
	aborted.Status = Aborted
	unserved.Clocks.Verified = time.Time{}
	unserved.Losses = nil
	r := NewRegister(registered(), Past{Moves: []Report{dry, aborted, unserved}})
	for _, e := range r.Resources {
		require.Equal(t, Measured{}, e.Measured, e.Name)
	}
	planned := NewRegister(registered(), Past{Moves: []Report{plannedMove()}})
	require.Nil(t, resourceOf(t, planned, "billing").Measured.RTO, "no Region was lost")
	require.Nil(t, resourceOf(t, planned, "records").Measured.RPO)
	stopped := lostRegion()
	stopped.Status, stopped.Stages[0].State, stopped.Stages[0].Steps = Stopped, Broken, nil
	half := NewRegister(registered(), Past{Moves: []Report{stopped}})
	require.Nil(t, resourceOf(t, half, "billing").Measured.RTO, "it never got its writer")
	require.NotNil(t, resourceOf(t, half, "records").Measured.RTO)
}

func TestRegister_ResourceThatNoRunbookBringsBack_HasNoWorstCase(t *testing.T) {
	t.Parallel()
	images := resourceOf(t, NewRegister(registered(), Past{}), "images")
	require.Nil(t, images.Capability.RTO)
	require.NotEmpty(t, images.Capability.ByHand)
	require.Contains(t, images.Short[0], "no runbook brings it back")
}

func TestRegister_WhatSetupKeeps_IsCountedOnceOverSurveyAndBuilding(t *testing.T) {
	t.Parallel()
	e := &Estate{Account: "123456789012"}
	e.Add(AreaDatabases, []ItemResult{
		{ID: "dynamodb-replica/us-west-2/patients", Resource: "records", Verdict: ToCreate},
		{ID: "dynamodb-backups/us-east-1/patients", Resource: "records", Verdict: InPlace},
		{ID: "kms-key/us-east-1/alias/x", Verdict: InPlace},
	})
	require.Equal(t, map[string]map[string]int{"records": {"dynamodb-backups us-east-1": 1}}, e.Kept, "what is only planned protects nothing")
	e.Add(AreaDatabases, []ItemResult{{ID: "dynamodb-replica/us-west-2/patients", Resource: "records", Verdict: Created}})
	r := NewRegister(registered(), Past{Setup: &Report{RunID: "s1", Ended: second(9), Estate: e}})
	require.Equal(t, map[string]int{"dynamodb-backups us-east-1": 1, "dynamodb-replica us-west-2": 1}, resourceOf(t, r, "records").Kept)
	require.Equal(t, &Source{Runbook: Setup, RunID: "s1", At: second(9)}, r.Setup)
	require.Equal(t, "123456789012", r.Account)
}

func TestRegister_Uncovered_UnknownIsNotNone(t *testing.T) {
	t.Parallel()
	p := registered()
	proof := func(c ...CheckResult) Past {
		return Past{Proof: &ReadinessReport{RunID: "p1", Digest: p.Digest(), Checks: c}}
	}
	read := []Proof{{Read: "7 of kind bucket", Region: "us-east-1"}, {Read: InNoPlan + "bucket scans in us-east-1"}}
	for name, c := range map[string]struct {
		past  Past
		known bool
		want  []string
	}{
		"nobody looked": {past: proof()},
		"unreadable":    {past: proof(CheckResult{ID: UncoveredCheck, Grade: Unknown, Why: "denied", Proofs: read})},
		"all covered":   {past: proof(CheckResult{ID: UncoveredCheck, Grade: Green, Proofs: read}), known: true},
		"some are not":  {past: proof(CheckResult{ID: UncoveredCheck, Grade: Amber, Proofs: read}), known: true, want: []string{"bucket scans in us-east-1"}},
	} {
		got := NewRegister(p, c.past)
		require.Equal(t, c.known, got.Uncovered.Known, name)
		require.Equal(t, c.want, got.Uncovered.Resources, name)
		require.False(t, got.Proof.Stale, name)
	}
	stale := proof()
	stale.Proof.Digest = "another plan"
	require.True(t, NewRegister(p, stale).Proof.Stale)
}
