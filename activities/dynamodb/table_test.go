package dynamodb

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// pair is a global table in two Regions whose replication takes lag.
func pair(lag time.Duration, now func() time.Time) (east, west *fake, s *Steps) {
	east, west = newFake(), newFake()
	east.after = func(key string, it item) {
		time.AfterFunc(lag, func() { west.With(func() { west.items[key] = it }) })
	}
	return east, west, steps(now, map[plan.Region]*fake{"us-east-1": east, "us-west-2": west})
}

func TestMeasureTableLag_ReadsWhatHasArrived(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, _, s := pair(400*time.Millisecond, time.Now)
		in := TableLag{Region: "us-west-2", Of: "us-east-1", Table: "records"}
		mark := TableWatermark{Region: "us-east-1", Table: "records"}
		wrote := time.Now().UTC()
		require.NoError(t, s.WriteTableWatermark(t.Context(), mark))

		w, err := s.MeasureTableLag(t.Context(), in)
		require.NoError(t, err)
		require.False(t, w.Found, "unknown is not zero")

		time.Sleep(500 * time.Millisecond) //nolint:forbidigo // fake time
		require.NoError(t, s.WriteTableWatermark(t.Context(), mark))
		w, err = s.MeasureTableLag(t.Context(), in)
		require.NoError(t, err)
		require.True(t, w.Found)
		require.True(t, w.At.Equal(wrote), "the second mark is still on its way")
		require.Equal(t, 500*time.Millisecond, w.Read.Sub(w.At))
		time.Sleep(time.Second) //nolint:forbidigo // fake time: let replication end
	})
}

func TestMeasureTableLag_BrokenMark_IsAnError(t *testing.T) {
	t.Parallel()
	_, west, s := pair(0, noon)
	west.items["records/lifeline#watermark#us-east-1"] = item{"at": value("yesterday")}
	_, err := s.MeasureTableLag(t.Context(), TableLag{Region: "us-west-2", Of: "us-east-1", Table: "records"})
	require.ErrorContains(t, err, "watermark of us-east-1")
}

func TestMeasureTableLag_DarkRegion_GivesUpInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, west, s := pair(0, time.Now)
		west.Always("", cloudtest.Hang())
		start := time.Now()
		_, err := s.MeasureTableLag(t.Context(), TableLag{Region: "us-west-2", Of: "us-east-1", Table: "records", Timeout: 2 * time.Second})
		require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
		require.Equal(t, 2*time.Second, time.Since(start))
	})
}

func TestWriteTableWatermark_Denied_NamesThePermission(t *testing.T) {
	t.Parallel()
	east, _, s := pair(0, noon)
	east.Always("PutItem", cloudtest.Code("AccessDeniedException"))
	err := s.WriteTableWatermark(t.Context(), TableWatermark{Region: "us-east-1", Table: "records"})
	require.ErrorContains(t, err, "permission dynamodb:PutItem is missing")
}

func caughtUp(token string, dry bool) TableCaughtUp {
	return TableCaughtUp{
		Command: runbook.Command{DryRun: dry, Token: token}, From: "us-east-1", To: "us-west-2",
		Table: "records", Interval: time.Second,
	}
}

func TestAwaitTableCaughtUp_WaitsForThisRunsMarker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		east, _, s := pair(2500*time.Millisecond, time.Now)
		for _, token := range []string{"first", "second"} {
			start := time.Now()
			o, err := s.AwaitTableCaughtUp(t.Context(), caughtUp(token, false))
			require.NoError(t, err)
			require.Equal(t, runbook.Acted, o.Effect)
			require.Equal(t, 3*time.Second, time.Since(start), "the last run's marker is not this one's")
		}
		require.Len(t, east.items, 1, "markers do not pile up")
	})
}

func TestAwaitTableCaughtUp_CutOff_IsNotYet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		east, _, s := pair(0, time.Now)
		east.after = nil
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := s.AwaitTableCaughtUp(ctx, caughtUp("t", false))
		require.Equal(t, cloud.NotYet, cloud.KindOf(err))
	})
}

func TestAwaitTableCaughtUp_DryRunWritesNothing_TokenIsNeeded(t *testing.T) {
	t.Parallel()
	east, _, s := pair(0, noon)
	o, err := s.AwaitTableCaughtUp(t.Context(), caughtUp("t", true))
	require.NoError(t, err)
	require.Equal(t, runbook.Would, o.Effect)
	require.Empty(t, east.items)
	_, err = s.AwaitTableCaughtUp(t.Context(), caughtUp("", false))
	require.Equal(t, cloud.Invalid, cloud.KindOf(err))
}

func TestDescribeReplicas_CountsTheAskedRegionToo(t *testing.T) {
	t.Parallel()
	_, _, s := pair(0, noon)
	r, err := s.DescribeReplicas(t.Context(), TableRef{Region: "us-east-1", Table: "records"})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"us-east-1": "ACTIVE", "us-west-2": "CREATING"}, r.Status)
}
