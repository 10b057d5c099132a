package observe

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func at(s int) time.Time { return time.Date(2026, 11, 22, 12, 0, s, 0, time.UTC) }

func TestRun_CountsEqualLooks(t *testing.T) {
	t.Parallel()
	var r run
	require.Equal(t, Verdict{}, r.verdict(), "nothing seen yet")
	for s, healthy := range []bool{true, true, false, false, false} {
		r.finish(r.begin(at(s)), healthy, "")
	}
	require.Equal(t, Verdict{Healthy: false, Rounds: 3, Since: at(2), Until: at(4)}, r.verdict())
}

func TestRun_HangingLook_CountsAtItsStart(t *testing.T) {
	t.Parallel()
	var r run
	r.finish(r.begin(at(0)), true, "")
	hanging := r.begin(at(1))
	r.finish(r.begin(at(2)), false, "refused")
	require.Equal(t, Verdict{Healthy: false, Rounds: 1, Since: at(2), Until: at(2), Detail: "refused"}, r.verdict(),
		"an unfinished look is not waited for")
	r.finish(hanging, false, "timeout")
	require.Equal(t, Verdict{Healthy: false, Rounds: 2, Since: at(1), Until: at(2), Detail: "refused"}, r.verdict(),
		"the failure began when the look that hung began")
}

func TestRun_HangingLookThatSucceeds_DoesNotUndoNewerOnes(t *testing.T) {
	t.Parallel()
	var r run
	slow := r.begin(at(0))
	r.finish(r.begin(at(1)), false, "")
	r.finish(r.begin(at(2)), false, "")
	r.finish(slow, true, "")
	require.Equal(t, Verdict{Healthy: false, Rounds: 2, Since: at(1), Until: at(2)}, r.verdict())
	require.Empty(t, r.tail, "settled looks are not kept")
}
