package temporal

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

func TestVerdict_KindDecidesWhetherAndWhen(t *testing.T) {
	t.Parallel()
	cases := map[cloud.Kind]struct {
		final  bool
		delay  time.Duration
		benign bool
	}{
		cloud.Invalid:     {final: true},
		cloud.NotFound:    {final: true},
		cloud.Denied:      {final: true},
		cloud.Conflict:    {},
		cloud.Quota:       {delay: 5 * time.Second},
		cloud.Throttled:   {delay: time.Second},
		cloud.NotYet:      {benign: true},
		cloud.Unreachable: {},
		cloud.Unknown:     {},
	}
	for kind, want := range cases {
		// Wrapped on the way up: the verdict must come out on top all the same.
		err := Verdict(t.Context(), fmt.Errorf("fence billing: %w", cloud.Errorf(kind, "because")))
		spoken, ok := err.(*temporal.ApplicationError) //nolint:errorlint // Temporal itself looks at the outermost error only
		require.True(t, ok, kind)
		require.Equal(t, string(kind), spoken.Type())
		require.Equal(t, want.final, spoken.NonRetryable(), kind)
		require.Equal(t, want.delay, spoken.NextRetryDelay(), kind)
		require.Equal(t, want.benign, spoken.Category() == temporal.ApplicationErrorCategoryBenign, kind)
		require.Equal(t, "fence billing: because", spoken.Message())
	}
}

func TestVerdict_NotConfirmedIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	var spoken *temporal.ApplicationError
	require.ErrorAs(t, Verdict(t.Context(), fmt.Errorf("evacuate: %w", runbook.ErrNotConfirmed)), &spoken)
	require.Equal(t, "NotYet", spoken.Type())
	require.False(t, spoken.NonRetryable())
}

func TestVerdict_CancelledStaysCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := fmt.Errorf("await: %w", context.Canceled)
	var spoken *temporal.ApplicationError
	require.ErrorAs(t, Verdict(ctx, cancelled), &spoken, "somebody else's cancellation is a failure like any other")
	cancel()
	require.ErrorIs(t, Verdict(ctx, cancelled), context.Canceled)
	require.NotErrorAs(t, Verdict(ctx, cancelled), &spoken)
}

func TestVerdict_LeavesWhatSpeaksForItself(t *testing.T) {
	t.Parallel()
	require.NoError(t, Verdict(t.Context(), nil))
	own := temporal.NewNonRetryableApplicationError("done for", "Own", nil)
	require.Equal(t, own, Verdict(t.Context(), fmt.Errorf("wrapped: %w", own)))
}

func TestWorkerInterceptor_SitsAroundActivities(t *testing.T) {
	t.Parallel()
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{NewWorkerInterceptor()}})
	denied := func(context.Context) error { return fmt.Errorf("step: %w", cloud.Errorf(cloud.Denied, "no")) }
	env.RegisterActivity(denied)
	_, err := env.ExecuteActivity(denied)
	var spoken *temporal.ApplicationError
	require.ErrorAs(t, err, &spoken)
	require.Equal(t, "Denied", spoken.Type())
	require.True(t, spoken.NonRetryable())
}

func TestWorkerInterceptor_HeartbeatsWhileTheStepRuns(t *testing.T) {
	t.Parallel()
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{NewWorkerInterceptor()}})
	beats := make(chan struct{}, 64)
	env.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) { beats <- struct{}{} })
	waiting := func(ctx context.Context) error {
		select {
		case <-beats:
			return nil
		case <-ctx.Done():
			return errors.New("no heartbeat came")
		}
	}
	env.RegisterActivity(waiting)
	_, err := env.ExecuteActivity(waiting)
	require.NoError(t, err)
}

func TestVerdict_StoppedByALostHeartbeat_IsTriedAgain_ByAnOrderIsCancelled(t *testing.T) {
	t.Parallel()
	for title, c := range map[string]struct {
		cause error
		again bool
	}{
		"no answer to a heartbeat": {context.DeadlineExceeded, true},
		"Temporal was away":        {serviceerror.NewUnavailable("connection lost"), true},
		"ordered by the run":       {temporal.NewCanceledError(), false},
		"worker ends":              {nil, false},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(c.cause)
			stopped := fmt.Errorf("step: %w", context.Canceled)
			got := Verdict(ctx, stopped)
			var app *temporal.ApplicationError
			if !c.again {
				require.Equal(t, stopped, got)
				return
			}
			require.ErrorAs(t, got, &app)
			require.False(t, app.NonRetryable())
			require.NotErrorIs(t, got, context.Canceled, "the SDK would report it as cancelled")
		})
	}
}

func TestPulse_FourBeatsWithinTheTimeout_NeverMoreThanTwoASecond(t *testing.T) {
	t.Parallel()
	for timeout, want := range map[time.Duration]time.Duration{
		0: HeartbeatEvery, 2 * time.Second: HeartbeatEvery, time.Second: HeartbeatEvery, 16 * time.Second: 4 * time.Second,
	} {
		require.Equal(t, want, pulse(timeout), "%s", timeout)
	}
}

func TestBeat_EveryHalfSecondUntilStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		stop := beat(t.Context(), HeartbeatEvery, func(context.Context) { n.Add(1) })
		time.Sleep(2*time.Second + time.Millisecond) //nolint:forbidigo // fake time
		stop()
		require.EqualValues(t, 4, n.Load())
		time.Sleep(time.Hour) //nolint:forbidigo // fake time
		require.EqualValues(t, 4, n.Load())
	})
}

// What a first attempt finds done is others' work; what a repetition finds may
// be this run's own, and must be taken back with it.
func TestWorkerInterceptor_OnlyAFirstAttemptFindsOthersWork(t *testing.T) {
	t.Parallel()
	for fails, others := range map[int32]bool{0: true, 1: false} {
		env := (&testsuite.WorkflowTestSuite{}).NewTestWorkflowEnvironment()
		env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{NewWorkerInterceptor()}})
		env.RegisterActivityWithOptions(func(ctx context.Context) (runbook.Outcome, error) {
			if activity.GetInfo(ctx).Attempt <= fails {
				return runbook.Outcome{}, errors.New("the answer was lost")
			}
			done := func(context.Context) (bool, string, error) { return true, "it is so", nil }
			return runbook.Act{Check: done}.Run(ctx, false)
		}, activity.RegisterOptions{Name: "Fence"})
		env.ExecuteWorkflow(func(ctx workflow.Context) (out runbook.Outcome, err error) {
			ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
			err = workflow.ExecuteActivity(ctx, "Fence").Get(ctx, &out)
			return out, err
		})
		var out runbook.Outcome
		require.NoError(t, env.GetWorkflowResult(&out))
		require.Equal(t, others, out.Before, "after %d failures", fails)
	}
}
