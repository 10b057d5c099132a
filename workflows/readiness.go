package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"lifeline/activities/sns"
	"lifeline/activities/sts"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	lifeline "lifeline/internal/temporal"
	"lifeline/workflows/kinds"
)

// ReadinessInput starts a proof of readiness. It changes nothing and so needs
// no signature; a worker proves only the plan that it was started with.
type ReadinessInput struct {
	Plan plan.Plan `json:"plan"`
}

// Readiness says with evidence whether a failover would work now. It only
// reads. A check that can't be read is unknown, and unknown is not ready.
//
// People are told once when a check turns red, and not again while it stays so.
func Readiness(ctx workflow.Context, in ReadinessInput) (runbook.ReadinessReport, error) {
	r := &readiness{plan: in.Plan, report: runbook.ReadinessReport{
		Application: in.Plan.Application, RunID: workflow.GetInfo(ctx).WorkflowExecution.RunID,
		Started: workflow.Now(ctx), Digest: in.Plan.Digest(),
	}}
	if err := workflow.SetQueryHandler(ctx, runbook.QueryStatus, func() (runbook.ReadinessReport, error) { return r.report, nil }); err != nil {
		return r.report, fmt.Errorf("register status query: %w", err)
	}
	before := r.before(ctx)
	r.report.Checks = r.samePlan(ctx, before)
	r.checkAll(ctx)
	if err := ctx.Err(); err != nil {
		return r.report, err
	}
	turned := r.report.Conclude(before)
	r.report.Ended = workflow.Now(ctx)
	r.report.Next = "starter failover -f PLAN works now"
	if !r.report.Ready {
		r.report.Next = "starter setup -f PLAN --as NAME mends what setup keeps; each check names its own fix"
	}
	r.tell(ctx, turned)
	workflow.SetCurrentDetails(ctx, r.report.Summary)
	return r.report, nil
}

// readiness is one run. Its coroutines never run at the same time.
type readiness struct {
	plan    plan.Plan
	account string
	report  runbook.ReadinessReport
}

// checkAll runs every check side by side: the estate as setup would find it,
// and what each kind and the plan as a whole demand beyond that.
func (r *readiness) checkAll(ctx workflow.Context) {
	wait := workflow.NewWaitGroup(ctx)
	beside := func(check func(workflow.Context) []runbook.CheckResult) {
		wait.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wait.Done()
			r.report.Checks = append(r.report.Checks, check(ctx)...)
		})
	}
	if r.plan.Setup != nil {
		beside(r.estate)
	}
	beside(r.observers)
	for _, common := range kinds.CommonChecks() {
		beside(func(ctx workflow.Context) []runbook.CheckResult { return common(ctx, r) })
	}
	for _, res := range r.plan.Resources {
		kind, _ := kinds.For(res.Kind)
		if p, ok := kind.(kinds.Prover); ok {
			beside(func(ctx workflow.Context) []runbook.CheckResult { return p.Prove(ctx, r, res) })
		}
	}
	wait.Wait(ctx)
}

// Move looks at the estate as a failover of the primary would.
func (r *readiness) Move() kinds.Move {
	regions := r.plan.TrafficRegions()
	return kinds.Move{Plan: r.plan, Class: runbook.Planned, From: regions[0], To: regions[len(regions)-1], DryRun: true}
}

// oneCheck bounds one reading: a proof that runs every quarter of an hour must
// not wait for a Region that is dark.
const oneCheck = 30 * time.Second

// Query reads, a few times at most.
func (r *readiness) Query(ctx workflow.Context, s runbook.Step, activity, in, out any) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		Summary: label(s), StartToCloseTimeout: oneCheck, ScheduleToCloseTimeout: 2 * oneCheck, HeartbeatTimeout: heartbeat,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 5 * time.Second, MaximumAttempts: 4},
	})
	return workflow.ExecuteActivity(ctx, activity, in).Get(ctx, out)
}

// Change is refused: readiness has no right to change anything.
func (r *readiness) Change(_ workflow.Context, c kinds.Change) error {
	return fmt.Errorf("readiness changes nothing, and %s would", c.Step.Name)
}

// Await is refused: readiness looks once.
func (r *readiness) Await(_ workflow.Context, s runbook.Step, _, _, _ any) error {
	return fmt.Errorf("readiness waits for nothing, and %s would", s.Name)
}

// Aside runs fn at once: everything runs beside everything here.
func (r *readiness) Aside(ctx workflow.Context, fn func(workflow.Context)) { fn(ctx) }

// before is the last proof of this application; a first run has none.
func (r *readiness) before(ctx workflow.Context) *runbook.ReadinessReport {
	var past *lifeline.Past
	var last lifeline.LastProof
	step := runbook.Step{Name: "FindLastProof", Resource: r.plan.Application, Plane: runbook.Data}
	if err := r.Query(ctx, step, past.FindLastProof, lifeline.LastProofIn{Application: r.plan.Application}, &last); err != nil || !last.Found {
		return nil
	}
	return &last.Report
}

// estate is the survey of setup: what it would still have to build is not there
// to be relied on.
func (r *readiness) estate(ctx workflow.Context) []runbook.CheckResult {
	var a *sts.Steps
	to := r.Move().To
	var caller sts.Caller
	step := runbook.Step{Name: "DescribeCaller", Region: string(to), Plane: runbook.Data}
	out := []runbook.CheckResult{kinds.Graded(ctx, runbook.CheckResult{
		ID: "access/caller", Subject: runbook.OnAccess, Title: "credentials work in the recovery Region by Regional STS",
		Fix: "give the worker credentials that don't depend on the Region that may be lost",
	}, r.Query(ctx, step, a.DescribeCaller, sts.CallerIn{Region: to}, &caller), func(c *runbook.CheckResult) {
		c.Proofs = append(c.Proofs, runbook.Proof{Read: "STS says " + caller.ARN, Region: string(to), At: workflow.Now(ctx)})
	})}
	if r.account = caller.Account; r.account == "" {
		return out
	}
	known := map[string]map[string]string{}
	for _, area := range runbook.Areas() {
		results, err := r.survey(ctx, area, known)
		out = append(out, areaCheck(ctx, area, results, err))
		for _, i := range results {
			if i.Verdict.There() && len(i.Out) > 0 {
				known[i.ID] = i.Out
			}
		}
	}
	return out
}

func (r *readiness) survey(ctx workflow.Context, area runbook.Area, known map[string]map[string]string) ([]runbook.ItemResult, error) {
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:          fmt.Sprintf("%s/survey/%s/%s", lifeline.IDOf(r.plan.Application, runbook.Readiness), r.report.RunID, area),
		StaticSummary:       fmt.Sprintf("survey %s of %s", area, r.plan.Application),
		ParentClosePolicy:   enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		WaitForCancellation: true,
	})
	var out AreaOutput
	in := AreaInput{Input: runbook.Input{Plan: r.plan}, Area: area, Account: r.account, Known: known}
	err := workflow.ExecuteChildWorkflow(ctx, SetupAreaName, in).Get(ctx, &out)
	return out.Results, err
}

// areaCheck grades one area of the estate.
func areaCheck(ctx workflow.Context, area runbook.Area, results []runbook.ItemResult, err error) runbook.CheckResult {
	count := runbook.Estate{}
	count.Add(area, results)
	c := runbook.CheckResult{
		ID: "parity/estate/" + string(area), Subject: runbook.OnParity, Title: "the estate is as the plan wants it: " + string(area),
		Fix: "let setup make the difference good", Command: "starter preview setup -f PLAN --as NAME",
	}
	return kinds.Graded(ctx, c, err, func(c *runbook.CheckResult) {
		words := count.Areas[0].Words()
		c.Proofs = []runbook.Proof{{Read: words, At: workflow.Now(ctx)}}
		c.Why = words
		switch bad := count.Of(runbook.ToCreate, runbook.Missing, runbook.Unkept, runbook.Blocked); {
		case len(bad) > 0:
			c.Grade = runbook.Red
			c.Why += ": " + names5(bad)
		case count.Count(runbook.ToChange, runbook.Drifted, runbook.Unavailable) > 0:
			c.Grade = runbook.Amber
			c.Why += ": " + names5(count.Of(runbook.ToChange, runbook.Drifted, runbook.Unavailable))
		}
	})
}

// names5 lists the first five items.
func names5(items []runbook.ItemResult) string {
	var out []string
	for _, i := range items {
		if len(out) == 5 {
			out = append(out, fmt.Sprintf("and %d more", len(items)-5))
			break
		}
		out = append(out, i.ID)
	}
	return strings.Join(out, ", ")
}

// tell says once what has turned red.
func (r *readiness) tell(ctx workflow.Context, turned []runbook.CheckResult) {
	topics := r.plan.Notifications.Topics
	if len(turned) == 0 || len(topics) == 0 {
		return
	}
	var lines []string
	for _, c := range turned {
		lines = append(lines, fmt.Sprintf("%s (%s): %s", c.Title, c.Resource, c.Why))
	}
	var a *sns.Steps
	step := runbook.Step{Name: "Notify", Plane: runbook.Data}
	err := r.Query(ctx, step, a.Notify, sns.Notification{
		Topics:  topics,
		Subject: fmt.Sprintf("Lifeline readiness of %s: %d checks turned red", r.plan.Application, len(turned)),
		Message: strings.Join(lines, "\n") + "\n\n" + r.report.Next,
		Token:   runbook.Token(r.report.RunID, "readiness"),
	}, nil)
	if err != nil {
		workflow.GetLogger(ctx).Error("nobody could be told", "app", r.plan.Application, "run", r.report.RunID, "stage", "check", "error", err)
	}
}
