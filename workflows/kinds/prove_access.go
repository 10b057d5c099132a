package kinds

import (
	"go.temporal.io/sdk/workflow"

	"lifeline/activities/sts"
	"lifeline/internal/runbook"
)

// proveAccess takes on the role of a recovery where a recovery would: by the
// recovery Region's own STS.
func proveAccess(ctx workflow.Context, p Player) []runbook.CheckResult {
	m := p.Move()
	if m.Plan.Readiness == nil || m.Plan.Readiness.RecoveryRole == "" {
		return nil
	}
	var a *sts.Ready
	var got sts.Assumed
	role := m.Plan.Readiness.RecoveryRole
	err := look(ctx, p, reading{
		name: "VerifyRole", resource: role, region: m.To, activity: a.VerifyRole, in: sts.RoleRef{Region: m.To, Role: role}, out: &got,
	})
	c := runbook.CheckResult{
		ID: "access/recovery-role", Subject: runbook.OnAccess, Title: "the recovery role can be taken on in the recovery Region", Resource: role,
		Fix: "make the role, and let its trust policy name who takes it on: in an emergency IAM can't be changed", Command: "aws iam get-role --role-name " + role,
	}
	return one(decide(ctx, c, err, green("it was taken on"), saw(ctx, m.To, "STS answered as %s", got.ARN)))
}
