package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/report"
	"lifeline/internal/runbook"
)

// built is a run of setup that did most of its work, with every verdict that a
// report may hold.
func built() report.Document {
	e := &runbook.Estate{Account: "123456789012"}
	e.Add(runbook.AreaAccess, []runbook.ItemResult{
		{ID: "kms-key/us-west-2/alias/patient-records", Verdict: runbook.Created, Changes: []runbook.Property{{Name: "rotation", Want: "true"}}},
		{ID: "iam-role/us-east-1/patient-records-backup", Verdict: runbook.Changed, Changes: []runbook.Property{{Name: "attached", Have: "a", Want: "a\nb"}}},
		{ID: "iam-role/us-east-1/other", Verdict: runbook.InPlace},
	})
	e.Add(runbook.AreaBackup, []runbook.ItemResult{
		{ID: "backup-vault/us-west-2/patient-records", Resource: "records", Verdict: runbook.Created, Changes: []runbook.Property{{Name: "key", Want: "${kms-key/us-west-2/alias/patient-records#arn}"}}},
		{ID: "backup-selection/us-east-1/patient-records", Resource: "records", Verdict: runbook.Drifted, Why: "AWS lets nobody change it", Changes: []runbook.Property{{Name: "resources", Have: "x", Want: "y"}}},
		{ID: "backup-plan/us-east-1/patient-records", Resource: "records", Verdict: runbook.Blocked, Why: "waits for iam-role"},
	})
	r := runbook.Report{
		Application: "patient-records", Runbook: runbook.Setup, WorkflowID: "lifeline/patient-records/setup", RunID: "0198-run",
		StartedBy: "dana", Started: at(0), Now: at(90), Ended: at(90), Status: runbook.Done, Phase: "trigger",
		Summary: "setup of patient-records is done: 2 items created, 1 changed, 1 in place; 2 are left to people",
		Safe:    "what recovery relies on is in place", Next: "starter preview setup -f PLAN --as NAME", Objective: time.Minute, Predicted: 58 * time.Second, RTOState: runbook.RTOInside,
		Estate: e, Left: []string{"backup-selection/us-east-1/patient-records: AWS lets nobody change it"},
		Stages: []runbook.StageRecord{stage(runbook.Survey, "what is there, and what differs from the plan", 0, 30, step("SurveyArea", "access@", 1, 4, "1 to create, 1 to change, 1 in place"))},
	}
	reg := register()
	return report.Document{Report: r, Register: &reg}
}

func register() runbook.Register {
	p := plan.Plan{
		Application: "patient-records", Owner: "platform-on-call@patients.example", Objectives: plan.Objectives{RTO: plan.Duration(time.Minute), RPO: plan.Duration(5 * time.Second)},
		Resources: []plan.Resource{
			{Name: "records", Kind: plan.DynamoDBTable, Tier: 1},
			{Name: "web", Kind: plan.Service, Tier: 1, DependsOn: []string{"records", "images"}, Owner: "web@patients.example"},
			{Name: "images", Kind: plan.EBSVolume, Tier: 3},
		},
	}
	moved := sample().Report
	estate := &runbook.Estate{Account: "123456789012", Kept: map[string]map[string]int{"records": {"dynamodb-replica us-west-2": 1, "cloudwatch-alarm us-west-2": 3}}}
	return runbook.NewRegister(p, runbook.Past{
		Moves: []runbook.Report{moved}, Setup: &runbook.Report{RunID: "0198-run", Ended: at(-600), Estate: estate}, Proof: proof(),
	})
}

func proof() *runbook.ReadinessReport {
	r := &runbook.ReadinessReport{Application: "patient-records", RunID: "0197-run", Started: at(-300), Ended: at(-290), Digest: "abc", Next: "starter setup -f PLAN --as NAME", Checks: []runbook.CheckResult{
		{
			ID: "data/replicas-active/records", Subject: runbook.OnData, Title: "replicas are active", Resource: "records", Grade: runbook.Red, Why: "us-west-2 is CREATING",
			Fix: "let setup make it", Command: "starter setup -f PLAN --as NAME", Proofs: []runbook.Proof{{Read: "DescribeTable says CREATING", Region: "us-west-2", At: at(-299)}},
		},
		{ID: "access/caller", Subject: runbook.OnAccess, Title: "credentials work", Grade: runbook.Green, Proofs: []runbook.Proof{{Read: "STS says worker", Region: "us-west-2", At: at(-298)}}},
		{ID: "data/lag", Subject: runbook.OnData, Title: "lag is small", Grade: runbook.Unknown, Why: "could not be read: no answer"},
		{
			ID: runbook.UncoveredCheck, Subject: runbook.OnProof, Title: "every resource is in a plan", Grade: runbook.Amber, Why: "1 resource is in no plan",
			Proofs: []runbook.Proof{{Read: "3 of kind instance", Region: "us-east-1", At: at(-297)}, {Read: runbook.InNoPlan + "instance forgotten in us-east-1", At: at(-297)}},
		},
	}}
	before := &runbook.ReadinessReport{RunID: "0196-run", Checks: []runbook.CheckResult{
		{ID: "data/replicas-active/records", Grade: runbook.Green, Since: at(-9000)}, {ID: "access/caller", Grade: runbook.Green, Since: at(-9000)},
	}}
	r.Conclude(before)
	return r
}

func readinessHTML(t *testing.T, r runbook.ReadinessReport) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, report.ReadinessHTML(&b, r))
	return b.String()
}

func TestSetup_LooksAsBefore(t *testing.T) {
	t.Parallel()
	golden(t, "setup.html", render(t, report.HTML, built()))
	golden(t, "setup.txt", render(t, report.Text, built()))
	golden(t, "setup.json", render(t, report.JSON, built()))
	golden(t, "readiness.html", []byte(readinessHTML(t, *proof())))
}

// Setup moves nothing: whatever only a move has must not stand there as if it
// had been measured.
func TestSetup_NothingOfAMove_IsShown(t *testing.T) {
	t.Parallel()
	d := built()
	d.Register = nil
	d.Report.Estate.Items = nil // a diff has arrows of its own
	for name, write := range map[string]writer{"html": report.HTML, "text": report.Text} {
		out := string(render(t, write, d))
		_, out, _ = strings.Cut(out, "</style>") // the looks name every class
		if name == "text" {
			out = string(render(t, write, d))
		}
		for _, nonsense := range []string{"→", "RTO", "bjective", "predicted", "Clocks", "0001", "Fence", "Evidence"} {
			require.NotContains(t, out, nonsense, name)
		}
	}
	var got struct {
		Report map[string]any `json:"report"`
	}
	require.NoError(t, json.Unmarshal(render(t, report.JSON, d), &got))
	for _, field := range []string{"from", "to", "clocks", "spans", "objective", "predicted", "rto_state"} {
		require.NotContains(t, got.Report, field)
	}
	require.Equal(t, "setup", got.Report["runbook"])
	require.Contains(t, got.Report, "estate")
}

func TestSetup_Page_ShowsAreasDifferenceLeftAndRegister(t *testing.T) {
	t.Parallel()
	html := string(render(t, report.HTML, built()))
	for _, want := range []string{
		"<th>drifted</th>", "<td>access</td>", "kms-key/us-west-2/alias/patient-records", "<del>a</del> → <ins>a, b</ins>",
		"(arn of kms-key/us-west-2/alias/patient-records)", "Left for people", "Register of patient-records, account 123456789012",
		"never measured", "dynamodb-replica (us-west-2)", "instance forgotten in us-east-1", `class="head warn"`,
	} {
		require.Contains(t, html, want)
	}
	require.Equal(t, 1, strings.Count(html, "<h2>Left for people"), "it is said once")
}

func TestSetup_DryRun_SaysWhatWouldBeLeft(t *testing.T) {
	t.Parallel()
	d := built()
	d.Report.DryRun, d.Report.Left = true, nil
	text := string(render(t, report.Text, d))
	require.Contains(t, text, "What setup would do; nothing was changed")
	require.Contains(t, text, "- backup-selection/us-east-1/patient-records: AWS lets nobody change it")
}

func TestSetup_MoreItemsThanAReportHolds_IsSaid(t *testing.T) {
	t.Parallel()
	d := built()
	d.Report.Estate.More = 7
	require.Contains(t, string(render(t, report.Text, d)), "and 7 more items")
	require.Contains(t, string(render(t, report.HTML, d)), "and 7 more items")
}

func TestRegister_EveryLineFits120Columns_WhateverTheNames(t *testing.T) {
	t.Parallel()
	r := register()
	long := strings.Repeat("x", 63)
	e := &r.Resources[0]
	e.Name, e.Owner, e.DependsOn = long, strings.Repeat("very-long-owner@example ", 12), []string{long, long, long}
	e.Kept = map[string]int{strings.Repeat("ä", 300): 2}
	e.Capability.Why = long
	r.Uncovered.Resources = []string{"arn:aws:x:" + strings.Repeat("y", 400)}
	r.Notes = []string{strings.Repeat("why ", 90)}
	var b bytes.Buffer
	require.NoError(t, report.RegisterText(&b, r))
	for line := range strings.Lines(b.String()) {
		require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimRight(line, "\n")), 120, line)
	}
	require.Contains(t, strings.ReplaceAll(b.String(), "\n", ""), long, "a name that is cut in the table stands in full below")
}

func TestRegister_ThreeValues_NeverShareACell(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	require.NoError(t, report.RegisterText(&b, register()))
	require.Regexp(t, `records +dynamodb-table +1 +objective +1m +5s\n +capability +\S+ +\S+ typical, no bound\n +measured +32\.6s +800ms at most\n`, b.String())
	require.Regexp(t, `images .*\n +capability +none: by hand .*\n +measured +never measured +never measured\n`, b.String())
	require.Regexp(t, `web .*\n +capability .*holds no data\n +measured +32\.6s +holds no data\n`, b.String())
	require.Contains(t, b.String(), "failover of 2026-11-22 03:01 UTC, run 0199-run")
	require.Contains(t, b.String(), "SHORT          no runbook brings it back")
}

func TestRegister_NothingEverRan_SaysSo(t *testing.T) {
	t.Parallel()
	r := register()
	r.Setup, r.Proof, r.Uncovered = nil, nil, runbook.Uncovered{Why: "readiness was never proved"}
	var b bytes.Buffer
	require.NoError(t, report.RegisterText(&b, r))
	for _, want := range []string{"setup has not run yet", "readiness has not run yet", "In no plan: not known: readiness was never proved", "in place       not known"} {
		require.Contains(t, b.String(), want)
	}
}

func TestReadiness_Page_HasScoreEvidenceAndSinceWhen(t *testing.T) {
	t.Parallel()
	html := readinessHTML(t, *proof())
	for _, want := range []string{
		"not ready", `class="head bad"`, "<b>37</b>", "DescribeTable says CREATING", "red since 2026-11-22 02:55:00 UTC, was green before",
		"green since 2026-11-22 00:30:00 UTC", "let setup make it", "<code>starter setup -f PLAN --as NAME</code>", "no evidence was kept", "0 of 2 green", "run 0196-run",
	} {
		require.Contains(t, html, want)
	}
	require.Less(t, strings.Index(html, "<h2>Data"), strings.Index(html, "<h2>Access"), "subjects in their order")
	ready := *proof()
	ready.Ready, ready.Checks = true, ready.Checks[:0]
	require.Contains(t, readinessHTML(t, ready), `class="head good"`)
}

func TestReadiness_UnknownSubjectOrGrade_IsStillShown_AndNeverGreen(t *testing.T) {
	t.Parallel()
	r := *proof()
	r.Checks = append(r.Checks, runbook.CheckResult{Subject: "moon", Title: "a new check", Grade: "purple"})
	html := readinessHTML(t, r)
	require.Contains(t, html, "<h2>Moon")
	require.Contains(t, html, `<b class="grade bad">purple</b>`)
}

func TestSetupAndReadiness_HostileTexts_AreEscaped_AndNothingIsFetched(t *testing.T) {
	t.Parallel()
	const evil = `<script>alert(1)</script>"'><img src=x onerror=y>`
	d := built()
	for i := range d.Report.Estate.Items {
		item := &d.Report.Estate.Items[i]
		item.ID, item.Why, item.Resource = evil, evil, evil
		item.Verdict = runbook.Verdict(evil)
		item.Changes = []runbook.Property{{Name: evil, Have: evil, Want: evil}}
	}
	d.Report.Estate.Areas[0].Area = evil
	d.Report.Left[0], d.Report.Estate.Account = evil, evil
	reg := d.Register
	reg.Account, reg.Uncovered.Why, reg.Notes, reg.Setup.RunID = evil, evil, []string{evil}, evil
	reg.Uncovered.Resources[0] = evil
	e := &reg.Resources[0]
	e.Name, e.Owner, e.DependsOn, e.Short, e.Kept = evil, evil, []string{evil}, []string{evil}, map[string]int{evil: 1}
	p := *proof()
	p.Summary, p.Next, p.Application, p.RunID, p.Digest = evil, evil, evil, evil, evil
	c := &p.Checks[0]
	c.Title, c.Why, c.Fix, c.Command, c.Resource, c.Subject, c.Grade, c.Was = evil, evil, evil, evil, evil, evil, evil, evil
	c.Proofs[0] = runbook.Proof{Read: evil, Region: evil}
	for _, html := range []string{string(render(t, report.HTML, d)), readinessHTML(t, p)} {
		require.NotContains(t, html, "<script")
		require.NotContains(t, html, "<img")
		require.Contains(t, html, "&lt;script&gt;")
		for _, fetch := range []string{"http://", "https://", "<link", "@import", "url("} {
			require.NotContains(t, html, fetch)
		}
	}
}

func TestSetup_HostileTexts_DoNotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	const evil = "fine\x1b[2J\r\u202egnp\nsecond"
	d := built()
	d.Report.Estate.Items[0].Why, d.Report.Estate.Items[0].Changes[0].Want = evil, evil
	d.Register.Resources[0].Owner, d.Register.Uncovered.Resources[0], d.Register.Resources[0].Name = evil, evil, evil
	text := string(render(t, report.Text, d))
	for _, bad := range []string{"\x1b", "\r", "\u202e", "\nsecond"} {
		require.NotContains(t, text, bad)
	}
}

func TestReadinessAndRegister_BrokenPipe_IsReported(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, report.ReadinessHTML(brokenPipe{}, *proof()), errors.ErrUnsupported)
	require.ErrorIs(t, report.RegisterText(brokenPipe{}, register()), errors.ErrUnsupported)
}
