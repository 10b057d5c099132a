package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/internal/temporal"
	"lifeline/workflows"
)

// guarded is a run behind a guard; begun says that the guard let it in.
type guarded struct {
	*testsuite.TestWorkflowEnvironment
	begun bool
	heard []runbook.Decision
}

// newGuarded is a run that waits for a minute and hears signals and updates.
func newGuarded(t *testing.T, id string, plans ...plan.Plan) *guarded {
	t.Helper()
	g := &guarded{TestWorkflowEnvironment: (&testsuite.WorkflowTestSuite{}).NewTestWorkflowEnvironment()}
	// The race detector makes a stranger's 2 MB slow on a busy machine.
	g.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: 10 * time.Second, Interceptors: []interceptor.WorkerInterceptor{&guard{plans: plans}}})
	g.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: id})
	g.RegisterWorkflowWithOptions(func(ctx workflow.Context, _ runbook.Input) error {
		g.begun = true
		hear := func(_ workflow.Context, d runbook.Decision) error {
			g.heard = append(g.heard, d)
			return nil
		}
		if err := workflow.SetUpdateHandler(ctx, runbook.UpdateDecide, hear); err != nil {
			return err
		}
		workflow.Go(ctx, func(ctx workflow.Context) {
			for {
				var d runbook.Decision
				workflow.GetSignalChannel(ctx, runbook.SignalDecide).Receive(ctx, &d)
				g.heard = append(g.heard, d)
			}
		})
		return workflow.Sleep(ctx, time.Minute)
	}, workflow.RegisterOptions{Name: "Failover"})
	g.RegisterWorkflowWithOptions(func(workflow.Context, workflows.AreaInput) error {
		g.begun = true
		return nil
	}, workflow.RegisterOptions{Name: workflows.SetupAreaName})
	g.RegisterWorkflowWithOptions(func(workflow.Context, workflows.ReadinessInput) error {
		g.begun = true
		return nil
	}, workflow.RegisterOptions{Name: workflows.ReadinessName})
	return g
}

func (g *guarded) start(in any) error {
	name := "Failover"
	switch in.(type) {
	case workflows.AreaInput:
		name = workflows.SetupAreaName
	case workflows.ReadinessInput:
		name = workflows.ReadinessName
	}
	g.ExecuteWorkflow(name, in)
	return g.GetWorkflowError()
}

func TestGuard_PlanOfTheWorker_IsPlayed(t *testing.T) {
	t.Parallel()
	p := loadPlan(t)
	other := loadPlan(t)
	other.Application = "another"
	for id, in := range map[string]runbook.Input{
		"lifeline/patient-records":           {Plan: p},
		"lifeline/patient-records/preview/7": {Plan: p, Start: runbook.Start{DryRun: true}},
		"lifeline/another":                   {Plan: other},
		"lifeline/patient-records/setup":     {Plan: p, Start: runbook.Start{Runbook: runbook.Setup}},
		"lifeline/another/setup/preview/1":   {Plan: other, Start: runbook.Start{Runbook: runbook.Setup, DryRun: true}},
	} {
		g := newGuarded(t, id, p, other)
		require.NoError(t, g.start(in), id)
		require.True(t, g.begun, id)
	}
}

func TestGuard_ForeignRun_IsTurnedAwayWithAReport(t *testing.T) {
	t.Parallel()
	with := func(change func(*runbook.Input)) runbook.Input {
		in := runbook.Input{Plan: loadPlan(t)}
		change(&in)
		return in
	}
	lock := temporal.WorkflowID("patient-records")
	for name, c := range map[string]struct {
		id, why string
		in      any
	}{
		"the starter's own key as approver": {lock, "it differs in approvals", with(func(in *runbook.Input) {
			in.Plan.Approvals.Approvers[0].PublicKey = in.Plan.Approvals.Operators[0].PublicKey
		})},
		"other databases":                  {lock, "it differs in lease, resources", with(func(in *runbook.Input) { in.Plan.Resources, in.Plan.Lease = nil, nil })},
		"another application":              {lock, `started for patient-records, and not for "evil"`, with(func(in *runbook.Input) { in.Plan.Application = "evil" })},
		"no plan":                          {lock, "not for", runbook.Input{}},
		"beside the lock":                  {"innocent", "the workflow id is the lock", with(func(*runbook.Input) {})},
		"a dry run as the lock":            {lock, "a dry run may not hold the lock", with(func(in *runbook.Input) { in.Start.DryRun = true })},
		"setup as the lock of moves":       {lock, "must be lifeline/patient-records/setup", with(func(in *runbook.Input) { in.Start.Runbook = runbook.Setup })},
		"a move beside the lock, by setup": {lock + "/setup", "must be lifeline/patient-records, and", with(func(in *runbook.Input) { in.Start.Runbook = runbook.Failover })},
		"a preview of setup as setup":      {lock + "/setup", "may not hold the lock", with(func(in *runbook.Input) { in.Start.Runbook, in.Start.DryRun = runbook.Setup, true })},
		"an area of another plan":          {"any", "it differs in setup", workflows.AreaInput{Input: with(func(in *runbook.Input) { in.Plan.Setup = &plan.Setup{Key: "alias/theirs"} })}},
		"a proof of another plan":          {"any", "not for \"evil\"", workflows.ReadinessInput{Plan: plan.Plan{Application: "evil"}}},
		"a start that fills the report": {lock, "bytes", with(func(in *runbook.Input) {
			in.Start.By = strings.Repeat("x", 2<<20)
		})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuarded(t, c.id, loadPlan(t))
			err := g.start(c.in)
			require.ErrorContains(t, err, c.why)
			require.False(t, g.begun)
			var told *sdk.ApplicationError
			require.ErrorAs(t, err, &told)
			require.True(t, told.NonRetryable())
			var r runbook.Report
			require.NoError(t, told.Details(&r))
			require.Equal(t, runbook.Refused, r.Status)
			require.NotEmpty(t, r.RunID)
			text, jerr := json.Marshal(r)
			require.NoError(t, jerr)
			require.Less(t, len(text), 2000, "a stranger's text must not fill the report")
		})
	}
}

func TestGuard_HugeMessages_NeverReachTheRun(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, "lifeline/patient-records", loadPlan(t))
	huge, fair := runbook.Decision{By: strings.Repeat("x", largestMessage)}, runbook.Decision{By: "amara"}
	answer := &testsuite.TestUpdateCallback{OnAccept: func() {}, OnReject: func(err error) { require.ErrorContains(t, err, "are allowed") }, OnComplete: func(any, error) {}}
	g.RegisterDelayedCallback(func() {
		g.SignalWorkflow(runbook.SignalDecide, huge)
		g.UpdateWorkflow(runbook.UpdateDecide, "1", answer, huge)
		g.SignalWorkflow(runbook.SignalDecide, fair)
		g.UpdateWorkflow(runbook.UpdateDecide, "2", &testsuite.TestUpdateCallback{
			OnAccept: func() {}, OnReject: func(err error) { require.NoError(t, err) }, OnComplete: func(any, error) {},
		}, fair)
	}, time.Second)
	require.NoError(t, g.start(runbook.Input{Plan: loadPlan(t)}))
	require.Equal(t, []runbook.Decision{fair, fair}, g.heard)
}

func TestCheck_TrustedPlans_FollowTheWorkersOwn(t *testing.T) {
	t.Parallel()
	f := flags{plan: planFile, region: "us-west-2", trust: []string{planFile}}
	plans, err := f.check()
	require.NoError(t, err)
	require.Len(t, plans, 2)
	f.trust = []string{"nowhere.yaml"}
	_, err = f.check()
	var c *coded
	require.ErrorAs(t, err, &c)
	require.Equal(t, exitPlan, c.code)
}
