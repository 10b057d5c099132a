package steps_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/activities/observe"
	"lifeline/activities/route53"
	"lifeline/activities/s3"
	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/local/aws/world"
)

// answers asks the real name server what every location is told; lost is empty
// when all should be at home.
func (f *fixture) answers(ctx context.Context, w *worker, lost plan.Region) (route53.Answers, error) {
	endpoints := map[plan.Region]string{}
	for _, r := range f.plan.Regions {
		if r.Endpoint != "" {
			endpoints[r.Name] = r.Endpoint
		}
	}
	return w.route53.VerifyAnswers(ctx, route53.AnswersInput{Traffic: f.plan.Traffic, Lost: lost, Endpoints: endpoints})
}

// answered waits until answers are as they should be; until then they are NotYet.
func (f *fixture) answered(t *testing.T, w *worker, lost plan.Region) {
	t.Helper()
	var got route53.Answers
	require.NoError(t, until(within(t, patience), "answers without "+string(lost), func() (bool, error) {
		var err error
		got, err = f.answers(t.Context(), w, lost)
		if err != nil {
			require.Equal(t, cloud.NotYet, cloud.KindOf(err), "%v", err)
		}
		return err == nil, err
	}))
	require.Len(t, got.ByLocation, len(f.plan.Traffic.Locations))
	for _, l := range f.plan.Traffic.Locations {
		want := l.Region
		if l.Region == lost {
			want = l.Fallback
		}
		require.Equal(t, string(want), got.ByLocation[l.Name].Region, l.Name)
		require.Equal(t, int(f.plan.Traffic.TTL.D().Seconds()), got.ByLocation[l.Name].TTL)
		require.Len(t, got.ByLocation[l.Name].Addresses, 1, l.Name)
	}
}

// served proves with a business transaction of every location who serves it.
func (f *fixture) served(t *testing.T, w *worker, lost plan.Region) {
	t.Helper()
	for _, l := range f.plan.Traffic.Locations {
		want, other := l.Region, l.Fallback
		if want == lost {
			want, other = other, want
		}
		in := observe.TransactionInput{Traffic: f.plan.Traffic, Location: l, Want: want, Timeout: unhurried}
		var result observe.TransactionResult
		require.NoError(t, until(within(t, patience), l.Name+" is served by "+string(want), func() (bool, error) {
			var err error
			result, err = w.observe.VerifyTransaction(t.Context(), in)
			return err == nil, err
		}))
		require.Equal(t, string(want), result.Region)
		status, err := get(t.Context(), f.client(t), f.url(want, "/records/"+result.ID))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status, "the record is in %s", want)
		in.Want = other
		// A busy machine may make a checker's answer late, and a Region sick for a moment.
		require.NoError(t, until(within(t, patience), l.Name+" is not served by "+string(other), func() (bool, error) {
			_, err := w.observe.VerifyTransaction(t.Context(), in)
			return cloud.KindOf(err) == cloud.NotYet, nil
		}))
	}
}

// holdEast is the object that keeps us-east-1 out, or one location of it.
func (f *fixture) holdEast(location string) s3.ObjectSwitch {
	return s3.ObjectSwitch{Region: west, Bucket: f.plan.Traffic.Switch.Buckets[west], Key: plan.SwitchKey(east, location)}
}

// TestTraffic_ByObject_MovesRealAnswers switches healthy Regions by nothing but
// the object: checkers, health checks, records and name server do the rest.
func TestTraffic_ByObject_MovesRealAnswers(t *testing.T) {
	t.Parallel()
	f := start(t, "patient-records.yaml", 10, nil)
	w := f.worker()
	f.answered(t, w, "")
	f.served(t, w, "")

	_, err := w.s3.EvacuateByObject(t.Context(), f.holdEast(""))
	require.NoError(t, err)
	f.answered(t, w, east)
	f.served(t, w, east)
	_, err = f.answers(t.Context(), w, "")
	require.Equal(t, cloud.NotYet, cloud.KindOf(err))
	require.ErrorContains(t, err, "north-america is still sent to us-west-2")

	// Home again, but one location at a time. The hold must be seen first.
	unhealthy := f.unhealthy()
	_, err = w.s3.EvacuateByObject(t.Context(), f.holdEast("europe"))
	require.NoError(t, err)
	eventually(t, "checkers see the hold", func() bool { return f.unhealthy() > unhealthy })
	_, err = w.s3.ReturnByObject(t.Context(), f.holdEast(""))
	require.NoError(t, err)
	require.NoError(t, until(within(t, patience), "north america is home", func() (bool, error) {
		got, err := f.answers(t.Context(), w, "")
		return got.ByLocation["north-america"].Region == string(east), ignoreNotYet(err)
	}))
	got, err := f.answers(t.Context(), w, "")
	require.Equal(t, cloud.NotYet, cloud.KindOf(err))
	require.Equal(t, string(west), got.ByLocation["europe"].Region, "europe is held")
	_, err = w.s3.ReturnByObject(t.Context(), f.holdEast("europe"))
	require.NoError(t, err)
	f.answered(t, w, "")
	f.served(t, w, "")
}

// unhealthy counts the health checks that answers are made without.
func (f *fixture) unhealthy() int {
	n := 0
	for _, id := range f.Route53.Checks() {
		if _, served, _ := f.Route53.Healthy(id); !served {
			n++
		}
	}
	return n
}

func ignoreNotYet(err error) error {
	if cloud.KindOf(err) == cloud.NotYet {
		return nil
	}
	return err
}

// TestTraffic_RegionDark_IsSeenLeftAndServed is the emergency as observers,
// clients and the status document tell it.
func TestTraffic_RegionDark_IsSeenLeftAndServed(t *testing.T) {
	t.Parallel()
	f := start(t, "patient-records.yaml", 10, func(p *plan.Plan) {
		p.Observers.Interval, p.Observers.Timeout = plan.Duration(100*time.Millisecond), plan.Duration(suspect)
	})
	w := f.worker()
	sampler := observe.NewSampler("observer-us-west-2", f.plan)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); sampler.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	watching := observe.New(sampler)
	verdict := func(region plan.Region, healthy bool) func() bool {
		return func() bool {
			o, err := watching.ObserveRegions(t.Context(), observe.ObserveInput{})
			v := o.Regions[string(region)]
			return err == nil && v.Healthy == healthy && v.Rounds >= f.plan.Observers.Rounds
		}
	}
	eventually(t, "both Regions look healthy", func() bool { return verdict(east, true)() && verdict(west, true)() })

	dark := time.Now()
	f.World.Inject(world.Fault{Kind: world.Blackout, Region: string(east)})
	eventually(t, "the dark Region is seen", verdict(east, false))
	o, err := watching.ObserveRegions(t.Context(), observe.ObserveInput{})
	require.NoError(t, err)
	require.True(t, o.Regions[string(west)].Healthy)
	// A look that hung when the lights went out began a moment before.
	require.True(t, o.Regions[string(east)].Since.After(dark.Add(-suspect)), "no evidence from before the failure")
	_, err = w.observe.MeasureServed(t.Context(), observe.ServedInput{Traffic: f.plan.Traffic, Endpoint: "use1.patients.example", Timeout: suspect})
	require.Equal(t, cloud.Unreachable, cloud.KindOf(err))

	moved := time.Now()
	_, err = w.s3.EvacuateByObject(t.Context(), f.holdEast(""))
	require.NoError(t, err)
	f.answered(t, w, east)
	f.served(t, w, east)
	f.countsClients(t, w, moved)
}

// countsClients finds that the status document counts real clients only, and
// that waiting for them ends with them or with its time.
func (f *fixture) countsClients(t *testing.T, w *worker, since time.Time) {
	t.Helper()
	in := observe.ServedInput{Traffic: f.plan.Traffic, Endpoint: "usw2.patients.example", Since: since, Timeout: unhurried}
	alone, err := w.observe.AwaitServed(t.Context(), observe.ServedAwait{
		ServedInput: in, Locations: []string{"europe"}, Until: time.Now().Add(suspect),
	})
	require.NoError(t, err)
	require.Empty(t, alone.First, "the run's own proofs are no clients")

	id := "client-of-europe"
	wrote, err := post(t.Context(), f.client(t), f.url(west, "/records"), id, "europe")
	require.NoError(t, err)
	seen, err := w.observe.AwaitServed(within(t, patience), observe.ServedAwait{
		ServedInput: in, Locations: []string{"europe"}, Until: time.Now().Add(patience),
	})
	require.NoError(t, err)
	require.Equal(t, string(west), seen.Region)
	require.WithinRange(t, seen.First["europe"], wrote.started, wrote.ended)
	require.Equal(t, int64(1), seen.Count["europe"])
	in.Since = time.Now()
	late, err := w.observe.MeasureServed(t.Context(), in)
	require.NoError(t, err)
	require.Empty(t, late.First)
}

// TestTraffic_ByRoutingControl_MovesRealAnswers turns controls: first with both
// Regions healthy, then with us-east-1 and ever more endpoints dark.
func TestTraffic_ByRoutingControl_MovesRealAnswers(t *testing.T) {
	t.Parallel()
	f := start(t, "patient-records-arc.yaml", 10, nil)
	w := f.worker()
	w.timeout = suspect
	c := f.controlSwitch()
	f.answered(t, w, "")

	// Healthy: the RECOVERY_CONTROL check alone takes its CALCULATED parent down.
	outcome, err := c.act(t.Context(), w, runbook.Command{})
	require.NoError(t, err)
	require.Equal(t, runbook.Acted, outcome.Effect)
	f.answered(t, w, east)
	f.served(t, w, east)
	_, err = c.undo(t.Context(), w, runbook.Command{})
	require.NoError(t, err)
	f.answered(t, w, "")

	// Dark, and with it one endpoint; then one more, and one more.
	f.World.Inject(world.Fault{Kind: world.Blackout, Region: string(east)})
	last := f.plan.Traffic.Switch.ClusterEndpoints[4]
	for _, failing := range []string{"", "eu-west-1", "ap-northeast-1"} {
		if failing != "" {
			f.World.Inject(world.Fault{Kind: world.Brownout, Region: failing, Service: "route53-recovery-cluster"})
		}
		for range 3 { // in three orders of endpoints
			_, err = c.act(t.Context(), w, runbook.Command{})
			require.NoError(t, err, "failing: %s", failing)
			states, err := f.controlStates(t.Context(), last)
			require.NoError(t, err)
			require.Equal(t, map[plan.Region]string{east: "Off", west: "On"}, states)
			_, err = c.undo(t.Context(), w, runbook.Command{})
			require.NoError(t, err, "failing: %s", failing)
			states, err = f.controlStates(t.Context(), last)
			require.NoError(t, err)
			require.Equal(t, map[plan.Region]string{east: "On", west: "On"}, states)
		}
	}
	_, err = c.act(t.Context(), w, runbook.Command{})
	require.NoError(t, err)
	f.answered(t, w, east)
	f.served(t, w, east)
	f.refusesBothOff(t, w)

	f.World.Heal(string(east))
	_, err = c.undo(t.Context(), w, runbook.Command{})
	require.NoError(t, err)
	f.answered(t, w, "")
}
