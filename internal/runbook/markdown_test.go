package runbook

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

func story() Report {
	return Report{
		Application: "patient-records", Runbook: Failover, From: suspect, To: survivor, StartedBy: "dana",
		Status: Waiting, Phase: Approve, Now: at(40), Objective: time.Minute, RTOState: RTOHalf,
		Clocks: Clocks{Failure: at(0)}, Spans: Spans{Detect: 5 * time.Second, Decide: time.Second, Execute: 24 * time.Second},
		Stages: []StageRecord{
			{Name: Assess, State: Succeeded, Started: at(5), Ended: at(6), Steps: []StepRecord{{State: Succeeded}, {State: Broken}, {State: Skipped}}},
			{Name: Promote, State: Active, OneWay: true, Started: at(30), Steps: []StepRecord{{State: Active}}},
			{Name: Commit, State: Pending},
		},
		Ballots: []Ballot{{Result: Open, Quorum: 2, Expires: at(60), Question: "promote?", Risks: []Risk{{Code: "c", Text: "t"}}, Decisions: []Decision{{Approve: true}, {}}}},
		Left:    []string{"one thing"},
	}
}

func TestMarkdown_SaysWhatAnOperatorNeeds(t *testing.T) {
	t.Parallel()
	got := Markdown(story())
	for _, want := range []string{
		"failover of patient-records: us-east-1 → us-west-2", "**waiting** in *approve*, started by dana",
		"**waits for approval** (1 of 2, until 12:01:00): promote?", "`c`: t",
		"| 5s | 1s | 24s | 30s | 1m0s | half |",
		"| assess | done | 1s | 2 of 3, 1 failed |", "| promote (one-way) | active | 10s | 0 of 1 |", "| commit | pending |  | 0 of 0 |",
		"- left: one thing",
	} {
		require.Contains(t, got, want)
	}
}

func TestMarkdown_BeforeTheFailureIsKnown_ShowsNoClocks(t *testing.T) {
	t.Parallel()
	r := story()
	r.Clocks = Clocks{}
	r.Ballots = nil
	got := Markdown(r)
	require.NotContains(t, got, "detect")
	require.NotContains(t, got, "approval")
}

// What people type must not break out of its cell, or become markup in the UI.
func TestMarkdown_TextOfPeopleStaysText(t *testing.T) {
	t.Parallel()
	r := story()
	nasty := "a|b\n| forged | done |\r\n<script>alert(1)</script>[click](http://evil.example)c\\|d"
	r.From, r.To = plan.Region(nasty), plan.Region(nasty)
	r.Application, r.StartedBy, r.Left = nasty, nasty, []string{nasty}
	r.Ballots[0].Question = nasty
	r.Ballots[0].Risks[0] = Risk{Code: "`" + nasty, Text: nasty}
	got := Markdown(r)
	require.NotContains(t, got, "<script>")
	for line := range strings.SplitSeq(got, "\n") {
		require.False(t, strings.HasPrefix(line, "| forged"), line)
	}
	require.NotContains(t, got, "a|b")
	require.NotContains(t, got, "</script>[click", "no link")
	require.NotContains(t, strings.ReplaceAll(got, `\\\|`, ""), `c\|d`, "a backslash can't take ours away")
	require.NotContains(t, got, "``", "a risk's code can't end its own quotes")
}
