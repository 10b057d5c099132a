package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"lifeline/activities/sts"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	lifeline "lifeline/internal/temporal"
	"lifeline/workflows"
)

// recordSetup plays setup of a bare account, with a lock that people have to allow,
// and keeps the run and one of its areas.
func recordSetup(t *testing.T, c client.Client) {
	t.Helper()
	y := newYard(t, func(p *plan.Plan) {
		p.Backup.Lock = &plan.VaultLock{Mode: "compliance", MinDays: 7, MaxDays: 400, CoolingOffDays: 3}
	})
	w := worker.New(c, lifeline.SetupQueue, worker.Options{Identity: "recorder"})
	workflows.RegisterSetup(w)
	for name, step := range map[string]any{
		"SurveyItems": y.survey, "ConvergeItems": y.converge,
		"DescribeCaller": func(context.Context, sts.CallerIn) (sts.Caller, error) {
			return sts.Caller{Account: buildersAccount}, nil
		},
		"Notify": func(context.Context, any) error { return nil },
	} {
		w.RegisterActivityWithOptions(step, activity.RegisterOptions{Name: name})
	}
	require.NoError(t, w.Start())
	defer w.Stop()

	start := runbook.Start{By: "dana", Runbook: runbook.Setup, At: time.Now().UTC()}
	start.Signature = runbook.Sign(y.keys["dana"], start.Message(y.plan.Application))
	id := lifeline.IDOf(y.plan.Application, runbook.Setup)
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: id, TaskQueue: lifeline.SetupQueue}, workflows.SetupName, runbook.Input{Plan: y.plan, Start: start})
	require.NoError(t, err)
	r := recorder{t: t, c: c}
	b := r.asked(run, runbook.Approve)
	for _, by := range []string{"amara", "bela"} {
		d := runbook.Decision{By: by, Approve: true, RunID: b.RunID, Stage: b.Stage, Nonce: b.Nonce, Acknowledge: []string{runbook.Irrevocable}}
		d.Signature = runbook.Sign(y.keys[by], d.Message(y.plan.Application))
		r.update(run, runbook.UpdateDecide, d)
	}
	r.ends(run, runbook.Done)
	r.keep("setup", run)
	r.keep("setup-area", c.GetWorkflow(t.Context(), id+"/converge/"+string(runbook.AreaBackup), ""))
}
