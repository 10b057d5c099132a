package workflows_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

func TestSetup_Preview_ShowsTheDifference_AndChangesNothing(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	before := len(y.built)
	rep := y.run(true)
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Len(t, y.built, before)
	require.Empty(t, y.wrote)
	require.Equal(t, len(y.items())-before, rep.Estate.Count(runbook.ToCreate))
	require.Contains(t, rep.Summary, "nothing was changed")
}

func TestSetup_Preview_WhatIsInsideSomethingThatNobodyCanMake_WaitsForIt(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.deaf["backup-plan"] = true
	rep := y.run(true)
	e := rep.Estate
	waits := 0
	for _, i := range e.Items {
		if strings.HasPrefix(i.ID, "backup-selection/") {
			require.Equal(t, runbook.Blocked, i.Verdict, i.ID)
			require.Contains(t, i.Why, "backup-plan/us-east-1/")
			waits++
		}
	}
	require.Positive(t, waits)
	require.NotZero(t, e.Count(runbook.ToCreate), "the rest is told as ever")
	require.Contains(t, rep.Summary, "can't be made as things are")
}

// Temporal takes no answer of more than 2 MB; an area of thousands of items has to
// fit, before and after they are made.
func TestSetup_ThousandsOfItems_FitIntoEachAnswer(t *testing.T) {
	t.Parallel()
	const most = 700_000
	y := newYard(t, func(p *plan.Plan) {
		for i := range 500 {
			r := p.Resources[0]
			r.Name = fmt.Sprintf("table-%03d", i)
			r.Regions = map[plan.Region]plan.Identifiers{"us-east-1": {"table": r.Name}, "us-west-2": {"table": r.Name}}
			p.Resources = append(p.Resources, r)
		}
	})
	require.Greater(t, len(y.items()), 3000)
	for _, dry := range []bool{true, false, false} {
		y.largest = 0
		rep := y.run(dry)
		require.Equal(t, runbook.Done, rep.Status, rep.Summary)
		require.Less(t, y.largest, most)
		text, err := json.Marshal(rep)
		require.NoError(t, err)
		require.Less(t, len(text), most)
	}
}
