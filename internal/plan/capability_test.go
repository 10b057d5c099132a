package plan_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

func seconds(n float64) plan.Duration { return plan.Duration(n * float64(time.Second)) }

// The domain handbook's table (4.2), computed.
func TestCapability_Automatic_MatchesTheHandbook(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		interval, ttl float64
		threshold     int
		want          time.Duration
	}{
		{30, 60, 3, 168 * time.Second},
		{10, 60, 3, 108 * time.Second},
		{10, 20, 2, 58 * time.Second},
		{10, 20, 3, 68 * time.Second},
		{10, 1, 1, 29 * time.Second},
	} {
		p := valid(t)
		p.Traffic.HealthCheck.Interval, p.Traffic.HealthCheck.Threshold, p.Traffic.TTL = seconds(c.interval), c.threshold, seconds(c.ttl)
		require.Equal(t, c.want, p.Capability().Automatic.Worst())
	}
}

func TestCapability_Example(t *testing.T) {
	t.Parallel()
	c := valid(t).Capability()
	require.Equal(t, "10s x 2 + 6s + 10s + 20s + 2s = 58s", c.Automatic.String())
	require.Equal(t, "10s x 1 + 6s + 10s + 20s + 2s = 48s", c.Manual.String())
	require.Equal(t, "500ms x 6 + 2s + 5s + 10s x 1 + 6s + 10s + 20s + 2s = 58s", c.Observed.String())
	require.Equal(t, 58*time.Second, valid(t).PredictedFloor())
}

// A routing control changes the check's status itself: nobody has to notice it.
func TestCapability_RoutingControl_NeedsNoDetection(t *testing.T) {
	t.Parallel()
	c := withARC(t).Capability()
	require.Equal(t, "10s + 20s + 2s = 32s", c.Manual.String())
	require.Equal(t, "500ms x 6 + 2s + 5s + 10s + 20s + 2s = 42s", c.Observed.String())
	require.Equal(t, 42*time.Second, withARC(t).PredictedFloor())
}

func TestPredictedFloor_WithApproval_CountsOnNobody(t *testing.T) {
	t.Parallel()
	p := withARC(t)
	p.Approvals.Evacuate = plan.EvacuateApproval
	require.Equal(t, 58*time.Second, p.PredictedFloor())
}

func TestCapability_Promotion_WaitsForEvidenceLeaseAndAWS(t *testing.T) {
	t.Parallel()
	billing := valid(t).Capability().Resources[1]
	require.Equal(t, "billing", billing.Name)
	require.Equal(t, "500ms x 6 + 2s + 5s + 10s + 5m = 5m20s", billing.Path.String())
	require.Equal(t, 140*time.Second, billing.Typical.D())
	require.Equal(t, 4*time.Minute, billing.Decision.D())
	require.Equal(t, 9*time.Minute+20*time.Second, billing.Worst())

	p := valid(t)
	p.Resources[1].Fence = []plan.FenceLayer{plan.FenceCompute}
	require.Equal(t, 5*time.Minute+10*time.Second, p.Capability().Resources[1].Path.Worst(), "without the lease there is no lease to wait for")

	p.Traffic.TTL = plan.Duration(time.Hour)
	slow := p.Capability().Resources[1]
	require.Greater(t, slow.Path.Worst(), time.Hour, "traffic moves in parallel and counts when it is slower")
	require.GreaterOrEqual(t, slow.Typical.D(), time.Hour)
}

func TestCapability_OthersNeedNoDecision(t *testing.T) {
	t.Parallel()
	for _, r := range valid(t).Capability().Resources {
		if r.Kind == plan.AuroraGlobal {
			continue
		}
		require.Zero(t, r.Decision, r.Name)
		require.Equal(t, 58*time.Second, r.Path.Worst(), r.Name)
		require.Equal(t, r.Path.Worst(), r.Typical.D(), r.Name)
	}
}

func TestCapability_Loss_IsNeverPresentedAsGuaranteed(t *testing.T) {
	t.Parallel()
	want := map[plan.Kind]time.Duration{plan.DynamoDBTable: time.Second, plan.AuroraGlobal: time.Second, plan.S3Bucket: 15 * time.Minute, plan.Service: 0}
	for _, r := range valid(t).Capability().Resources {
		require.Equal(t, want[r.Kind], r.Loss.Typical.D(), r.Name)
		require.Equal(t, r.Kind == plan.Service, r.Loss.Bounded, "only what holds nothing loses nothing")
		require.NotEmpty(t, r.Loss.Why)
	}
}

func TestCapability_DependencyThatIsBackLater_IsNamed(t *testing.T) {
	t.Parallel()
	r := valid(t).Capability().Resources
	require.Equal(t, []string{"billing"}, r[3].Waits)
	require.Empty(t, r[0].Waits)
}

func TestCapability_ObjectivesOfTheApplication_AreInherited(t *testing.T) {
	t.Parallel()
	p := valid(t)
	p.Resources[0].Objectives = nil
	require.Equal(t, p.Objectives, p.Capability().Resources[0].Objective)
}

func TestAssumed_TakesThePlansNumbersAndKeepsTheRest(t *testing.T) {
	t.Parallel()
	p := valid(t)
	require.Equal(t, plan.DefaultAssumptions(), p.Assumed())
	p.Assumptions = &plan.Assumptions{Propagation: seconds(3), PromotionWorst: seconds(400)}
	want := plan.DefaultAssumptions()
	want.Propagation, want.PromotionWorst = seconds(3), seconds(400)
	require.Equal(t, want, p.Assumed())
	require.Equal(t, 51*time.Second, p.Capability().Automatic.Worst())
}

func TestSwitchDelay_IsWhatTheManualPathCounts(t *testing.T) {
	t.Parallel()
	p := valid(t)
	require.Equal(t, 16*time.Second, p.SwitchDelay())
	p.Assumptions = &plan.Assumptions{SwitchInterval: seconds(30)}
	require.Equal(t, 36*time.Second, p.SwitchDelay())
	require.Equal(t, 68*time.Second, p.Capability().Manual.Worst())
}

func TestCapability_AsJSON_ReadsLikeThePlan(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(valid(t).Capability().Manual)
	require.NoError(t, err)
	require.JSONEq(t, `{"name":"switch","legs":[
		{"what":"switch checks","text":"10s x 1","time":"10s"},
		{"what":"checker lag","text":"6s","time":"6s"},
		{"what":"propagation","text":"10s","time":"10s"},
		{"what":"TTL","text":"20s","time":"20s"},
		{"what":"client reconnect","text":"2s","time":"2s"}]}`, string(b))
}
