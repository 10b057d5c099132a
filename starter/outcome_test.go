package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/runbook"
)

func TestOutcome_ARunThatAWSDidNotAnswer_HasTheCodeForThat(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rep  runbook.Report
		code exitCode
	}{
		"no answer from AWS": {runbook.Report{Status: runbook.Failed, Cause: "Unreachable"}, exitUnreachable},
		"denied by AWS":      {runbook.Report{Status: runbook.Failed, Cause: "Denied"}, exitFailed},
		"past the one-way":   {runbook.Report{Status: runbook.Stopped, Cause: "Unreachable"}, exitStopped},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var trouble *trouble
			require.ErrorAs(t, outcome(c.rep), &trouble)
			require.Equal(t, c.code, trouble.code)
		})
	}
	require.NoError(t, outcome(runbook.Report{Status: runbook.Done}))
}
