package kinds

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Prover is a kind that can prove that a failover of it would work now. It only
// reads; what it can't read is unknown.
type Prover interface {
	Prove(ctx workflow.Context, p Player, r plan.Resource) []runbook.CheckResult
}

// CommonChecks are the checks of a plan as a whole.
func CommonChecks() []func(workflow.Context, Player) []runbook.CheckResult {
	return []func(workflow.Context, Player) []runbook.CheckResult{promise, proveTraffic, proveLease, proveCompute, proveBackups, proveAccess, proveProof}
}

// Graded gives a check its grade: unknown when it could not be read, red when
// what the plan names is not there, and otherwise green unless judge finds worse.
func Graded(ctx workflow.Context, c runbook.CheckResult, err error, judge func(*runbook.CheckResult)) runbook.CheckResult {
	if err != nil {
		c.Grade, c.Why = runbook.Unknown, "could not be read: "+reason(err)
		if gone(err) {
			c.Grade, c.Why = runbook.Red, reason(err)
		}
		c.Proofs = append(c.Proofs, runbook.Proof{Read: c.Why, At: workflow.Now(ctx)})
		return c
	}
	c.Grade = runbook.Green
	judge(&c)
	if c.Grade == runbook.Green {
		c.Fix, c.Command = "", ""
	}
	return c
}

// gone says that AWS answered, and that what was asked for does not exist.
func gone(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.Type() == notFound
}

// notFound is the kind of that failure, as package cloud names it in histories.
const notFound = "NotFound"

// reason is an error without Temporal's wrapping.
func reason(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Message()
	}
	return err.Error()
}

// promise is what the plan alone says: the worst case against the objective.
func promise(ctx workflow.Context, p Player) []runbook.CheckResult {
	m := p.Move()
	floor := m.Plan.PredictedFloor()
	c := runbook.CheckResult{
		ID: "traffic/promise", Subject: runbook.OnTraffic, Title: "the worst case that the plan computes is inside the objective",
		Fix: "shorten interval, threshold or TTL, or raise the objective", Command: "starter validate -f PLAN",
	}
	return []runbook.CheckResult{Graded(ctx, c, nil, func(c *runbook.CheckResult) {
		objective := m.Plan.Objectives.RTO.D()
		c.Why = fmt.Sprintf("worst case %s, objective %s", floor.Round(time.Second), objective)
		c.Proofs = []runbook.Proof{{Read: "computed from the plan: " + c.Why, At: workflow.Now(ctx)}}
		if floor > objective {
			c.Grade = runbook.Red
		}
	})}
}
