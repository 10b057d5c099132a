package workflows_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"lifeline/activities/estate"
	"lifeline/activities/sts"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	lifeline "lifeline/internal/temporal"
	"lifeline/workflows"
	"lifeline/workflows/kinds"
)

const buildersAccount = "123456789012"

// yard is an account in which anything can be built: it keeps what is written,
// and gives everything an ARN.
type yard struct {
	t    *testing.T
	env  *testsuite.TestWorkflowEnvironment
	plan plan.Plan
	keys map[string]ed25519.PrivateKey

	mu     sync.Mutex
	built  map[string]map[string]string
	asked  map[string][]string // properties that other items refer to, by id
	wrote  []string            // ids, in order
	refuse map[string]string   // by type: why AWS refuses a write
	deaf   map[string]bool     // by type: the endpoint has no such service
	told   []string
	// rejects makes the people say no.
	rejects bool
	largest int             // bytes of an area's answer
	shown   *runbook.Ballot // to who builds what nobody can take back
	// before runs before a write; its error is AWS's.
	before func(context.Context, runbook.Item) error
	once   sync.Once
}

func newYard(t *testing.T, changes ...func(*plan.Plan)) *yard {
	t.Helper()
	p, problems := plan.Load(filepath.Join("..", "examples", "patient-records.yaml"))
	require.NoError(t, problems.Err())
	for _, change := range changes {
		change(&p)
	}
	y := &yard{t: t, plan: p, keys: map[string]ed25519.PrivateKey{}, built: map[string]map[string]string{}, refuse: map[string]string{}, deaf: map[string]bool{}}
	for _, people := range [][]plan.Approver{p.Approvals.Approvers, p.Approvals.Operators} {
		for i := range people {
			public, private, err := ed25519.GenerateKey(nil)
			require.NoError(t, err)
			people[i].PublicKey = base64.StdEncoding.EncodeToString(public)
			y.keys[people[i].Name] = private
		}
	}
	y.asked = map[string][]string{}
	find := regexp.MustCompile(`\$\{([^#}]+)#([^}]+)\}`)
	for _, item := range y.items() {
		if item.Given {
			y.built[item.ID()] = maps.Clone(item.Want)
		}
		for _, value := range item.Want {
			for _, m := range find.FindAllStringSubmatch(value, -1) {
				y.asked[m[1]] = append(y.asked[m[1]], m[2])
			}
		}
	}
	return y
}

// items is what the plan wants.
func (y *yard) items() []runbook.Item {
	all, err := kinds.Items(kinds.Site{Plan: y.plan, Account: buildersAccount})
	require.NoError(y.t, err)
	return all
}

// survey judges a batch as the keepers do. Their own tests hold the loop; here it
// is the run that is tried.
func (y *yard) survey(_ context.Context, in estate.Batch) (estate.Results, error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	var out estate.Results
	for _, item := range in.Items {
		out.Results = append(out.Results, y.judge(item, in.Repair))
	}
	return out, nil
}

// judge is what a look at one item says; y.mu is held.
func (y *yard) judge(item runbook.Item, repair bool) runbook.ItemResult {
	have, found := y.built[item.ID()]
	r := runbook.ItemResult{ID: item.ID(), Resource: item.Resource, Verdict: runbook.InPlace}
	r.Changes = item.Difference(runbook.ItemState{Found: found, Have: have})
	switch {
	case y.deaf[item.Type]:
		r.Verdict, r.Why = runbook.Unavailable, "this endpoint does not serve it"
		return r
	case !found && item.Given:
		r.Verdict, r.Why = runbook.Missing, item.Why
		return r
	case !found:
		r.Verdict = runbook.ToCreate
		return r
	case len(r.Changes) > 0 && repair:
		r.Verdict = runbook.ToChange
	case len(r.Changes) > 0:
		r.Verdict, r.Why = runbook.Drifted, "the plan reports drift"
	}
	r.Out = map[string]string{}
	for _, name := range y.asked[item.ID()] {
		r.Out[name] = "made:" + item.ID() + "#" + name
	}
	return r
}

// converge builds a batch.
func (y *yard) converge(ctx context.Context, in estate.Batch) (estate.Results, error) {
	var out estate.Results
	if in.Ballot != nil {
		y.mu.Lock()
		y.shown = in.Ballot
		y.mu.Unlock()
	}
	for _, item := range in.Items {
		if y.before != nil {
			if err := y.before(ctx, item); err != nil {
				return out, err
			}
		}
		y.mu.Lock()
		out.Results = append(out.Results, y.build(item, in.Repair))
		y.mu.Unlock()
	}
	return out, nil
}

// build brings one item to what is wanted; y.mu is held.
func (y *yard) build(item runbook.Item, repair bool) runbook.ItemResult {
	before := y.judge(item, repair)
	if before.Verdict != runbook.ToCreate && before.Verdict != runbook.ToChange {
		return before
	}
	if why := y.refuse[item.Type]; why != "" {
		before.Verdict, before.Why, before.Out = runbook.Unkept, why, nil
		return before
	}
	for _, value := range item.Want {
		require.NotContains(y.t, value, "${", "%s was written with an open reference", item.ID())
	}
	y.built[item.ID()] = maps.Clone(item.Want)
	y.wrote = append(y.wrote, item.ID())
	after := y.judge(item, repair)
	after.Verdict = map[runbook.Verdict]runbook.Verdict{runbook.ToCreate: runbook.Created, runbook.ToChange: runbook.Changed}[before.Verdict]
	after.Changes = before.Changes
	return after
}

// run plays Setup once and returns its report, also from an error.
func (y *yard) run(dry bool, people ...string) runbook.Report {
	y.t.Helper()
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	y.env = suite.NewTestWorkflowEnvironment()
	y.env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: 10 * time.Second})
	y.env.SetTestTimeout(5 * time.Minute) // of a busy machine with the race detector
	y.env.SetOnChildWorkflowCompletedListener(func(_ *workflow.Info, result converter.EncodedValue, err error) {
		var out workflows.AreaOutput
		if err == nil && result.Get(&out) == nil {
			text, _ := json.Marshal(out)
			y.largest = max(y.largest, len(text))
		}
	})
	start := runbook.Start{By: "dana", Runbook: runbook.Setup, At: time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC), DryRun: dry}
	y.env.SetStartTime(start.At)
	id := lifeline.IDOf(y.plan.Application, runbook.Setup)
	if dry {
		id += "/preview/1"
	}
	y.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: id, TaskQueue: lifeline.SetupQueue})
	workflows.RegisterSetup(y.env)
	y.env.RegisterActivityWithOptions(y.survey, activity.RegisterOptions{Name: "SurveyItems"})
	y.env.RegisterActivityWithOptions(y.converge, activity.RegisterOptions{Name: "ConvergeItems"})
	y.env.RegisterActivityWithOptions(func(context.Context, sts.CallerIn) (sts.Caller, error) {
		return sts.Caller{Account: buildersAccount, ARN: "arn:aws:iam::123456789012:role/setup"}, nil
	}, activity.RegisterOptions{Name: "DescribeCaller"})
	y.env.RegisterActivityWithOptions(func(context.Context, any) error {
		y.mu.Lock()
		defer y.mu.Unlock()
		y.told = append(y.told, "told")
		return nil
	}, activity.RegisterOptions{Name: "Notify"})
	for i, name := range people {
		y.env.RegisterDelayedCallback(func() { y.approve(name) }, time.Minute+time.Duration(i)*time.Second)
	}
	start.Signature = runbook.Sign(y.keys["dana"], start.Message(y.plan.Application))
	y.env.ExecuteWorkflow(workflows.SetupName, runbook.Input{Plan: y.plan, Start: start})
	require.True(y.t, y.env.IsWorkflowCompleted())
	return y.report()
}

func (y *yard) report() runbook.Report {
	var rep runbook.Report
	err := y.env.GetWorkflowError()
	if err == nil {
		require.NoError(y.t, y.env.GetWorkflowResult(&rep))
		return rep
	}
	var app *temporal.ApplicationError
	require.ErrorAs(y.t, err, &app)
	require.NoError(y.t, app.Details(&rep), "%v", err)
	return rep
}

func (y *yard) approve(by string) {
	v, err := y.env.QueryWorkflow(runbook.QueryStatus)
	require.NoError(y.t, err)
	var rep runbook.Report
	require.NoError(y.t, v.Get(&rep))
	b := rep.Ballot()
	require.NotNil(y.t, b, "nobody was asked")
	d := runbook.Decision{By: by, Approve: !y.rejects, RunID: b.RunID, Stage: b.Stage, Nonce: b.Nonce}
	for _, risk := range b.Risks {
		d.Acknowledge = append(d.Acknowledge, risk.Code)
	}
	d.Signature = runbook.Sign(y.keys[by], d.Message(y.plan.Application))
	y.env.SignalWorkflow(runbook.SignalDecide, d)
}

func TestSetup_BareAccount_EverythingIsBuiltOnce_AndASecondRunChangesNothing(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	rep := y.run(false)
	require.Equal(t, runbook.Done, rep.Status, rep.Summary+"\n"+strings.Join(rep.Left, "\n"))
	for _, item := range y.items() {
		require.Contains(t, y.built, item.ID())
	}
	once := slices.Clone(y.wrote)
	slices.Sort(once)
	require.Len(t, slices.Compact(slices.Clone(once)), len(once), "nothing is written twice")
	require.Equal(t, len(once), rep.Estate.Count(runbook.Created))

	y.wrote, y.told = nil, nil
	rep = y.run(false)
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Empty(t, y.wrote)
	require.Empty(t, y.told, "not even a message is sent")
	require.Equal(t, len(y.items()), rep.Estate.Count(runbook.InPlace))
	require.Empty(t, rep.Estate.Items)
}

func TestSetup_Drift_IsRepaired_OrReportedWhereThePlanSaysSo(t *testing.T) {
	t.Parallel()
	for drift, verdict := range map[plan.Drift]runbook.Verdict{plan.Repair: runbook.Changed, plan.ReportOnly: runbook.Drifted} {
		t.Run(string(drift), func(t *testing.T) {
			t.Parallel()
			y := newYard(t)
			y.plan.Setup.Drift = drift
			require.Equal(t, runbook.Done, y.run(false).Status)
			id := runbook.ItemID("kms-key", "us-west-2", "alias/patient-records")
			require.Equal(t, "true", y.built[id]["rotation"])
			y.built[id]["rotation"] = "false"
			y.built[id]["by hand"] = "not ours to judge"
			rep := y.run(false)
			require.Equal(t, runbook.Done, rep.Status, rep.Summary)
			require.Len(t, rep.Estate.Items, 1)
			require.Equal(t, verdict, rep.Estate.Items[0].Verdict)
			require.Equal(t, []runbook.Property{{Name: "rotation", Have: "false", Want: "true"}}, rep.Estate.Items[0].Changes)
			require.Equal(t, drift == plan.Repair, y.built[id]["rotation"] == "true")
			require.Equal(t, drift == plan.ReportOnly, len(rep.Left) == 1, rep.Left)
		})
	}
}

func TestSetup_OneTypeIsRefused_RestIsDone_AndTheRunSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.refuse["kms-key"] = "permission kms:CreateKey is missing"
	rep := y.run(false)
	require.Equal(t, runbook.Failed, rep.Status)
	require.Contains(t, strings.Join(rep.Left, "\n"), "kms:CreateKey")
	keys := slices.DeleteFunc(y.items(), func(i runbook.Item) bool { return i.Type != "kms-key" })
	require.Equal(t, len(keys), rep.Estate.Count(runbook.Unkept))
	require.Positive(t, rep.Estate.Count(runbook.Blocked), "what needs the key waits for it")
	require.Positive(t, rep.Estate.Count(runbook.Created), "and what doesn't is built")

	y.refuse = nil
	require.Equal(t, runbook.Done, y.run(false).Status, "the next run goes on from there")
}

func TestSetup_ServiceThatTheEndpointLacks_IsNamed_AndFailsNothing(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.deaf["backup-plan"] = true
	rep := y.run(false)
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Equal(t, 1, rep.Estate.Count(runbook.Unavailable))
	require.Contains(t, strings.Join(rep.Left, "\n"), "backup-plan/")
}

func TestSetup_GivenResourceIsNotThere_IsMissing_AndNothingIsMadeInItsPlace(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	var gone runbook.Item
	for _, item := range y.items() {
		if item.Given && item.Resource == "records" {
			gone = item
		}
	}
	require.NotEmpty(t, gone.Type)
	delete(y.built, gone.ID())
	rep := y.run(false)
	require.Equal(t, runbook.Failed, rep.Status)
	require.NotContains(t, y.built, gone.ID())
	require.Contains(t, strings.Join(rep.Left, "\n"), gone.ID())
}

func TestSetup_ComplianceLock_WaitsForAQuorum(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.plan.Backup.Lock = &plan.VaultLock{Mode: "compliance", MinDays: 7, MaxDays: 400, CoolingOffDays: 3}
	rep := y.run(false, "amara", "bela")
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Len(t, rep.Ballots, 1)
	require.Len(t, rep.Ballots[0].Decisions, 2)
	require.Contains(t, rep.Ballots[0].Risks[0].Text, "lock")
	require.NoError(t, y.shown.Recount(y.plan, rep.StartedBy, runbook.Approve, rep.Ballots[0].Risks), "the step that builds it sees the signatures")

	rep = y.run(false)
	require.Empty(t, rep.Ballots, "nobody is asked about what is in place")
}

func TestSetup_ComplianceLock_Rejected_BuildsNothing(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.plan.Backup.Lock = &plan.VaultLock{Mode: "compliance", MinDays: 7, MaxDays: 400, CoolingOffDays: 3}
	y.rejects = true
	rep := y.run(false, "amara")
	require.Equal(t, runbook.Refused, rep.Status, rep.Summary)
	require.Empty(t, y.wrote)
}

func TestSetupArea_StartedByAnybodyElse_IsRefused(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: 10 * time.Second})
	workflows.RegisterSetup(env)
	env.RegisterActivityWithOptions(y.converge, activity.RegisterOptions{Name: "ConvergeItems"})
	env.ExecuteWorkflow(workflows.SetupAreaName, workflows.AreaInput{Input: runbook.Input{Plan: y.plan}, Area: runbook.AreaAccess, Account: buildersAccount, Change: true})
	require.ErrorContains(t, env.GetWorkflowError(), "is set up by")
	require.Empty(t, y.wrote)
}
