package runbook

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFenceVerdict(t *testing.T) {
	t.Parallel()
	yes, no := LayerResult{Result: FenceConfirmed}, LayerResult{Result: FenceUnconfirmed}
	lapses := LayerResult{Result: FenceConfirmed, FreeAt: at(10)}
	for name, c := range map[string]struct {
		layers []LayerResult
		now    time.Time
		want   FenceResult
	}{
		"nothing to fence":               {nil, at(0), FenceNotNeeded},
		"nothing confirmed":              {[]LayerResult{no, no}, at(0), FenceUnconfirmed},
		"one layer is enough":            {[]LayerResult{no, yes}, at(0), FenceConfirmed},
		"a lease that has not lapsed":    {[]LayerResult{lapses}, at(9), FenceUnconfirmed},
		"a lease that lapses now":        {[]LayerResult{lapses}, at(10), FenceConfirmed},
		"another layer before the lease": {[]LayerResult{lapses, yes}, at(0), FenceConfirmed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, FenceVerdict(c.layers, c.now))
		})
	}
}

func TestLoss_Exceeds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		loss Loss
		want bool
	}{
		"inside":             {Loss{Known: true, Window: time.Second, Objective: time.Minute}, false},
		"exactly":            {Loss{Known: true, Window: time.Minute, Objective: time.Minute}, false},
		"outside":            {Loss{Known: true, Window: time.Minute + 1, Objective: time.Minute}, true},
		"unknown":            {Loss{Objective: time.Minute}, true},
		"unknown is no zero": {Loss{Window: 0, Objective: time.Hour}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, c.loss.Exceeds())
		})
	}
}

func TestLoss_Risk_NamesWhatWasMeasured(t *testing.T) {
	t.Parallel()
	known := Loss{Resource: "billing", Known: true, Window: 90 * time.Second, Objective: 30 * time.Second}.Risk()
	require.Equal(t, Risk{Code: "data-loss:billing", Text: "billing may lose the writes of the last 1m30s; the objective is 30s", Loss: 90 * time.Second}, known)
	unknown := Loss{Resource: "billing", Objective: 30 * time.Second}.Risk()
	require.Contains(t, unknown.Text, "could not be measured")
	require.Zero(t, unknown.Loss)
}

func TestRisk_Covers(t *testing.T) {
	t.Parallel()
	minute := Risk{Code: "data-loss:billing", Loss: time.Minute}
	anyLoss := Risk{Code: "data-loss:billing"}
	for name, c := range map[string]struct {
		named, now Risk
		want       bool
	}{
		"the same":                     {minute, minute, true},
		"smaller":                      {minute, Risk{Code: minute.Code, Loss: time.Second}, true},
		"up to double":                 {minute, Risk{Code: minute.Code, Loss: 2 * time.Minute}, true},
		"more than double":             {minute, Risk{Code: minute.Code, Loss: 2*time.Minute + 1}, false},
		"not measured any more":        {minute, anyLoss, false},
		"whoever accepts an unknown":   {anyLoss, minute, true},
		"an unknown and an unknown":    {anyLoss, anyLoss, true},
		"of another resource":          {minute, Risk{Code: "data-loss:records", Loss: time.Second}, false},
		"a fence is no loss":           {anyLoss, FenceRisk("billing", suspect), false},
		"a fence that was named":       {FenceRisk("billing", suspect), FenceRisk("billing", suspect), true},
		"a fence of another resource":  {FenceRisk("billing", suspect), FenceRisk("orders", suspect), false},
		"an unknown of somewhere else": {anyLoss, Risk{Code: "data-loss:records"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, c.named.Covers(c.now))
		})
	}
}

func TestCheckRules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		class Class
		step  Step
		says  string
	}{
		"data plane elsewhere":            {Emergency, Step{Name: "S", Plane: Data, Region: "us-west-2"}, ""},
		"regional control elsewhere":      {Emergency, Step{Name: "S", Plane: RegionalControl, Region: "us-west-2"}, ""},
		"global control plane":            {Emergency, Step{Name: "S", Plane: GlobalControl}, "global control plane"},
		"global, even as best effort":     {Emergency, Step{Name: "S", Plane: GlobalControl, BestEffort: true}, "global control plane"},
		"the suspect Region":              {Emergency, Step{Name: "S", Plane: Data, Region: string(suspect)}, "not best effort"},
		"the suspect Region, if it can":   {Emergency, Step{Name: "S", Plane: Data, Region: string(suspect), BestEffort: true}, ""},
		"planned: global control plane":   {Planned, Step{Name: "S", Plane: GlobalControl}, ""},
		"planned: the Region that's left": {Planned, Step{Name: "S", Plane: Data, Region: string(suspect)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := CheckRules(c.class, c.step, suspect)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestName_Class(t *testing.T) {
	t.Parallel()
	require.Equal(t, Emergency, Failover.Class())
	require.Equal(t, Planned, Switchover.Class())
	require.Equal(t, Planned, Failback.Class())
	require.Equal(t, Planned, Name("drill").Class())
}

func TestStatus_Final(t *testing.T) {
	t.Parallel()
	for _, s := range []Status{Running, Waiting, Paused, Held, "unheard of"} {
		require.False(t, s.Final(), s)
	}
	for _, s := range []Status{Done, Failed, Refused, Aborted, Stopped, Reverted} {
		require.True(t, s.Final(), s)
	}
}

func TestReport_Ballot_IsTheOpenOne(t *testing.T) {
	t.Parallel()
	require.Nil(t, (&Report{}).Ballot())
	require.Nil(t, (&Report{Ballots: []Ballot{{Result: Open}, {Result: Granted}}}).Ballot())
	r := Report{Ballots: []Ballot{{Result: Lapsed}, {Result: Open, Nonce: "n"}}}
	r.Ballot().Escalated++
	require.Equal(t, 1, r.Ballots[1].Escalated, "it can be counted on")
}
