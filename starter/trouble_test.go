package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"lifeline/internal/runbook"
	"lifeline/internal/temporal"
)

// full is an output that takes nothing: a full disk.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestRun_AnswerIsLost_Is1AndSaysWhatWasDone(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	for _, verb := range []string{"status", "approve --as amara" + acknowledged} {
		errs := &buffer{}
		args := append(strings.Fields(verb), "-f", b.plan)
		code := run(b.ctx, args, system{
			in: strings.NewReader(""), out: full{}, err: errs, now: b.clock, after: b.after, newID: b.id,
			env:  func(string) string { return b.dir },
			dial: func(context.Context) (runs, error) { return b.temporal, nil },
		})
		require.Equal(t, exitFailed, code)
		require.Contains(t, errs.String(), "no space left on device")
		require.Contains(t, errs.String(), "what was done stays done")
	}
	require.Len(t, b.temporal.updates, 1)
}

func TestConnect_ConfigurationIsBroken_Is2(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.dial = func(context.Context) (runs, error) {
		return nil, fmt.Errorf("%w: no profile nix", temporal.ErrConfiguration)
	}
	b.expect(exitUsage, "status PLAN")
	require.Contains(t, b.err.String(), "TEMPORAL_PROFILE")
}

func TestExplain_EveryAnswerHasANextCommand(t *testing.T) {
	t.Parallel()
	a := &app{planFile: "plan.yaml"}
	for name, c := range map[string]struct {
		err  error
		run  string
		code exitCode
	}{
		"a run id that is none": {serviceerror.NewInvalidArgument("Invalid RunId."), "123", exitUsage},
		"refused by Temporal":   {serviceerror.NewInvalidArgument("bad"), "", exitFailed},
		"no such run":           {serviceerror.NewNotFound("gone"), "", exitFailed},
		"no namespace":          {serviceerror.NewNamespaceNotFound("other"), "", exitUnreachable},
		"not available":         {serviceerror.NewUnavailable("down"), "", exitUnreachable},
		"something else":        {errors.New("?"), "", exitFailed},
	} {
		got := a.explain("look at", target{"lifeline/x", c.run}, c.err)
		require.Equal(t, c.code, got.code, name)
		require.NotEmpty(t, got.safe, name)
		require.NotEmpty(t, got.next, name)
	}
}

func TestPreview_Done_NeverTellsTheOutcomeOfARealRun(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.temporal.admitted = func(runbook.Input) runbook.Report {
		return runbook.Report{Status: runbook.Done, Summary: "dry run", Safe: "clients are served by us-west-2"}
	}
	b.expect(exitDone, "preview failover PLAN --from us-east-1 --as dana")
	require.NotContains(t, b.out.String(), "clients are served")
	require.Contains(t, b.out.String(), "safe now: nothing was changed")
	require.Contains(t, b.out.String(), "starter failover -f "+b.plan+" --from us-east-1 --to us-west-2 --as dana --wait")
}

func TestDecide_OnceDecided_TheWayOutIsAbort(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.expect(exitDone, "approve PLAN --as amara"+acknowledged)
	b.expect(exitRefused, "reject PLAN --as amara")
	require.Contains(t, b.err.String(), "starter abort -f "+b.plan)
}
