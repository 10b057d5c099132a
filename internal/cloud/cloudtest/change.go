package cloudtest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// Change is one change step in a fresh world.
type Change struct {
	Service *Service
	// Operation is the one that acts.
	Operation string
	// Run makes the step with an attempt timeout of 2 s.
	Run func(ctx context.Context, dryRun bool) (runbook.Outcome, error)
	// Effects is how often the world has been changed, counted in the world.
	Effects func() int
}

// CheckChange is what every change step must do: look, act and look again; act
// once however often it runs; act never in a dry run; name the missing
// permission; give up on a dark Region in time.
func CheckChange(t *testing.T, permission string, fresh func() Change) {
	t.Helper()
	t.Run("acts once, then finds it so", func(t *testing.T) {
		t.Parallel()
		c := fresh()
		o, err := c.Run(t.Context(), false)
		require.NoError(t, err)
		require.Equal(t, runbook.Acted, o.Effect)
		require.NotEmpty(t, o.Evidence)
		before := c.Effects()
		require.Positive(t, before)
		changes := len(c.Service.Changes())
		o, err = c.Run(t.Context(), false)
		require.NoError(t, err)
		require.Equal(t, runbook.Already, o.Effect)
		require.Equal(t, before, c.Effects())
		require.Len(t, c.Service.Changes(), changes, "what is so is not done again")
	})
	t.Run("dry run says and changes nothing", func(t *testing.T) {
		t.Parallel()
		c := fresh()
		o, err := c.Run(t.Context(), true)
		require.NoError(t, err)
		require.Equal(t, runbook.Would, o.Effect)
		require.NotEmpty(t, o.Evidence)
		require.Empty(t, c.Service.Changes())
		require.Zero(t, c.Effects())
	})
	t.Run("lost answer, retried: one effect", func(t *testing.T) {
		t.Parallel()
		once := fresh()
		_, err := once.Run(t.Context(), false)
		require.NoError(t, err)

		c := fresh()
		c.Service.Next(c.Operation, Lost())
		_, err = c.Run(t.Context(), false)
		require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
		require.Eventually(t, func() bool {
			_, err = c.Run(t.Context(), false)
			return err == nil
		}, time.Second, time.Millisecond)
		require.Equal(t, once.Effects(), c.Effects())
	})
	t.Run("denied names the permission", func(t *testing.T) {
		t.Parallel()
		c := fresh()
		c.Service.Always(c.Operation, Code("AccessDenied"))
		_, err := c.Run(t.Context(), false)
		require.Equal(t, cloud.Denied, cloud.KindOf(err))
		require.ErrorContains(t, err, "permission "+permission+" is missing")
	})
	t.Run("throttled is told apart", func(t *testing.T) {
		t.Parallel()
		c := fresh()
		c.Service.Next(c.Operation, Code("Throttling"))
		_, err := c.Run(t.Context(), false)
		require.Equal(t, cloud.Throttled, cloud.KindOf(err))
	})
	t.Run("dark Region is given up in time", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := fresh()
			c.Service.Always("", Hang())
			start := time.Now()
			_, err := c.Run(t.Context(), false)
			require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
			require.Equal(t, 2*time.Second, time.Since(start))
			require.Zero(t, c.Effects())
		})
	})
}
