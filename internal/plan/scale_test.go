package plan_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

// durations collects every duration of a value with its path.
func durations(v reflect.Value, path string, into map[string]time.Duration) {
	switch v.Kind() { //nolint:exhaustive // the kinds that plans are made of
	case reflect.Int64:
		if d, ok := v.Interface().(plan.Duration); ok {
			into[path] = d.D()
		}
	case reflect.Pointer:
		if !v.IsNil() {
			durations(v.Elem(), path, into)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			durations(v.Field(i), path+"."+v.Type().Field(i).Name, into)
		}
	case reflect.Slice:
		for i := range v.Len() {
			durations(v.Index(i), path+"[]", into)
		}
	}
}

func TestScale_DividesEveryDuration(t *testing.T) {
	t.Parallel()
	p := valid(t)
	a := p.Assumed()
	p.Assumptions = &a
	before, after := map[string]time.Duration{}, map[string]time.Duration{}
	durations(reflect.ValueOf(p), "", before)
	durations(reflect.ValueOf(p.Scale(10)), "", after)
	require.Greater(t, len(before), 20)
	require.Len(t, after, len(before))
	for path, d := range before {
		require.Equal(t, d/10, after[path], path)
	}
}

func TestScale_PredictsTheScaledFloor(t *testing.T) {
	t.Parallel()
	require.Equal(t, 5800*time.Millisecond, valid(t).Scale(10).PredictedFloor())
	require.Equal(t, 4200*time.Millisecond, withARC(t).Scale(10).PredictedFloor())
}

func TestScale_SharesNothing(t *testing.T) {
	t.Parallel()
	p := valid(t)
	s := p.Scale(2)
	s.Resources[0].Regions["us-east-1"]["table"] = "other"
	s.Resources[0].Objectives.RTO = 1
	s.Resources[1].Fence[0] = "other"
	s.Traffic.Switch.Buckets["us-east-1"] = "other"
	s.Lease.Table = "other"
	s.Approvals.Approvers[0].Name = "other"
	require.Equal(t, valid(t), p)
}

func TestScale_KeepsEverythingElse(t *testing.T) {
	t.Parallel()
	p := valid(t)
	s := p.Scale(1)
	require.Equal(t, plan.DefaultAssumptions(), *s.Assumptions)
	s.Assumptions = nil
	require.Equal(t, p, s)
}

func TestScale_NothingVanishes(t *testing.T) {
	t.Parallel()
	p := valid(t)
	p.Failback.StepPause = 0
	s := p.Scale(1e12)
	require.Equal(t, time.Millisecond, s.Traffic.TTL.D())
	require.Zero(t, s.Failback.StepPause, "what is zero stays zero")
	for _, odd := range []float64{0, -3} {
		require.Equal(t, p.Traffic.TTL, p.Scale(odd).Traffic.TTL)
	}
}
