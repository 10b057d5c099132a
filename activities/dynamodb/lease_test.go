package dynamodb

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

const leaseKey = "leases/patient-records"

// held is a lease that was renewed some time before noon.
func held(by plan.Region, epoch int, ago time.Duration) item {
	return item{
		"application": value("patient-records"), "holder": value(string(by)), "epoch": number(int64(epoch)),
		"renewed": value(stamp(noon().Add(-ago))), "ttl_ms": number(10_000),
	}
}

func fenceOf(from, to plan.Region, dry bool) LeaseFence {
	return LeaseFence{
		Command: runbook.Command{DryRun: dry, Token: "t"}, Region: "us-east-2", Table: "leases",
		Application: "patient-records", From: from, To: to, TTL: 7 * time.Second, Timeout: cloud.SuspectTimeout,
	}
}

func leaseWorld(it item) (*fake, *Steps) {
	f := newFake()
	if it != nil {
		f.items[leaseKey] = it
	}
	return f, steps(noon, map[plan.Region]*fake{"us-east-2": f})
}

func TestFenceLease(t *testing.T) {
	t.Parallel()
	cloudtest.CheckChange(t, "dynamodb:UpdateItem", func() cloudtest.Change {
		f, s := leaseWorld(held("us-east-1", 4, 3*time.Second))
		return cloudtest.Change{
			Service: &f.Service, Operation: "UpdateItem",
			Run: func(ctx context.Context, dry bool) (runbook.Outcome, error) {
				r, err := s.FenceLease(ctx, fenceOf("us-east-1", "us-west-2", dry))
				return r.Outcome, err
			},
			Effects: func() int { return f.updates },
		}
	})
}

func TestFenceLease_RaisesTheEpoch_FreeWhenTheLastRenewalLapses(t *testing.T) {
	t.Parallel()
	f, s := leaseWorld(held("us-east-1", 4, 3*time.Second))
	r, err := s.FenceLease(t.Context(), fenceOf("us-east-1", "us-west-2", false))
	require.NoError(t, err)
	require.EqualValues(t, 5, r.Epoch)
	require.Equal(t, noon().Add(7*time.Second), r.FreeAt, "3 s of 10 s are over")
	require.Equal(t, "us-west-2", str(f.items[leaseKey], "holder"))
}

func TestFenceLease_LostAnswer_KnowsTheSameFreeAt(t *testing.T) {
	t.Parallel()
	f, s := leaseWorld(held("us-east-1", 4, 3*time.Second))
	f.Next("UpdateItem", cloudtest.Lost())
	_, err := s.FenceLease(t.Context(), fenceOf("us-east-1", "us-west-2", false))
	require.Error(t, err)
	s.Now = func() time.Time { return noon().Add(time.Minute) }
	r, err := s.FenceLease(t.Context(), fenceOf("us-east-1", "us-west-2", false))
	require.NoError(t, err)
	require.Equal(t, runbook.Already, r.Effect)
	require.EqualValues(t, 5, r.Epoch)
	require.Equal(t, noon().Add(7*time.Second), r.FreeAt, "not a TTL from the retry")
	require.Equal(t, 1, f.updates)
}

func TestFenceLease_RenewalSlipsIn_FreeAtCountsIt(t *testing.T) {
	t.Parallel()
	f, s := leaseWorld(held("us-east-1", 4, 3*time.Second))
	f.before = func() {
		f.before = nil
		f.items[leaseKey] = held("us-east-1", 4, 0)
	}
	r, err := s.FenceLease(t.Context(), fenceOf("us-east-1", "us-west-2", false))
	require.NoError(t, err)
	require.EqualValues(t, 5, r.Epoch)
	require.Equal(t, noon().Add(10*time.Second), r.FreeAt, "the renewal that slipped in holds for a whole TTL")
}

func TestFenceLease_AlwaysLosesTheRace_IsAConflict(t *testing.T) {
	t.Parallel()
	f, s := leaseWorld(held("us-east-1", 4, time.Hour))
	n := 0
	f.before = func() {
		n++
		f.items[leaseKey] = held("us-east-1", 4, time.Duration(n)*time.Millisecond)
	}
	_, err := s.FenceLease(t.Context(), fenceOf("us-east-1", "us-west-2", false))
	require.Equal(t, cloud.Conflict, cloud.KindOf(err))
	require.Equal(t, races, n)
	require.Zero(t, f.updates)
}

func TestFenceLease_RivalMovedItThere_IsDone(t *testing.T) {
	t.Parallel()
	f, s := leaseWorld(held("us-east-1", 4, 0))
	f.before = func() { f.items[leaseKey] = held("us-west-2", 9, 0) }
	r, err := s.FenceLease(t.Context(), fenceOf("us-east-1", "us-west-2", false))
	require.NoError(t, err)
	require.EqualValues(t, 9, r.Epoch)
	require.Zero(t, f.updates)
}

func TestFenceLease_NoLeaseYet_IsMadeAndFreeAfterAWholeTTL(t *testing.T) {
	t.Parallel()
	f, s := leaseWorld(nil)
	r, err := s.FenceLease(t.Context(), fenceOf("us-east-1", "us-west-2", false))
	require.NoError(t, err)
	require.EqualValues(t, 1, r.Epoch)
	require.Equal(t, noon().Add(7*time.Second), r.FreeAt, "the plan's TTL")
	require.Equal(t, 1, f.updates)
}

func TestFenceLease_UnknownRenewal_IsFreeAfterAWholeTTL(t *testing.T) {
	t.Parallel()
	it := held("us-east-1", 4, 0)
	delete(it, "renewed")
	_, s := leaseWorld(it)
	r, err := s.FenceLease(t.Context(), fenceOf("us-east-1", "us-west-2", false))
	require.NoError(t, err)
	require.EqualValues(t, 5, r.Epoch)
	require.Equal(t, noon().Add(10*time.Second), r.FreeAt)
}

func TestFenceLease_UnreadableEpoch_NeverFalls(t *testing.T) {
	t.Parallel()
	it := held("us-east-1", 4, 0)
	it["epoch"] = value("four")
	f, s := leaseWorld(it)
	_, err := s.FenceLease(t.Context(), fenceOf("us-east-1", "us-west-2", false))
	require.Equal(t, cloud.Invalid, cloud.KindOf(err))
	require.Zero(t, f.updates)
}

func TestFenceLease_SameRegionTwice_IsInvalid(t *testing.T) {
	t.Parallel()
	_, s := leaseWorld(nil)
	_, err := s.FenceLease(t.Context(), fenceOf("us-west-2", "us-west-2", false))
	require.Equal(t, cloud.Invalid, cloud.KindOf(err))
}

func TestFenceLease_DryRun_TellsWhenItWouldBeFree(t *testing.T) {
	t.Parallel()
	_, s := leaseWorld(held("us-east-1", 4, 3*time.Second))
	r, err := s.FenceLease(t.Context(), fenceOf("us-east-1", "us-west-2", true))
	require.NoError(t, err)
	require.EqualValues(t, 4, r.Epoch)
	require.Equal(t, noon().Add(7*time.Second), r.FreeAt)
}

func TestUnfenceLease_EpochRisesOnTheWayBackToo(t *testing.T) {
	t.Parallel()
	f, s := leaseWorld(held("us-east-1", 4, time.Second))
	_, err := s.FenceLease(t.Context(), fenceOf("us-east-1", "us-west-2", false))
	require.NoError(t, err)
	r, err := s.UnfenceLease(t.Context(), fenceOf("us-west-2", "us-east-1", false))
	require.NoError(t, err)
	require.EqualValues(t, 6, r.Epoch)
	require.Equal(t, "us-east-1", str(f.items[leaseKey], "holder"))
	require.Equal(t, number(6), f.items[leaseKey]["epoch"])
}

func TestDescribeLease(t *testing.T) {
	t.Parallel()
	_, s := leaseWorld(held("us-east-1", 4, 3*time.Second))
	ref := LeaseRef{Region: "us-east-2", Table: "leases", Application: "patient-records"}
	l, err := s.DescribeLease(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, Lease{Holder: "us-east-1", Epoch: 4, Renewed: noon().Add(-3 * time.Second), TTL: 10 * time.Second}, l)
	ref.Application = "other"
	_, err = s.DescribeLease(t.Context(), ref)
	require.Equal(t, cloud.NotFound, cloud.KindOf(err))
	ref.Table = "missing"
	_, err = s.DescribeLease(t.Context(), ref)
	require.Equal(t, cloud.NotFound, cloud.KindOf(err))
}
