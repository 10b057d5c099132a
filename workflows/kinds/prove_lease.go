package kinds

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/dynamodb"
	"lifeline/activities/rds"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// proveLease demands that the witness answers, that the lease is with the Region
// that writes, and that somebody renews it.
func proveLease(ctx workflow.Context, p Player) []runbook.CheckResult {
	m := p.Move()
	l := m.Plan.Lease
	if l == nil {
		return nil
	}
	var lease dynamodb.Lease
	var writer string
	var leaseErr, writerErr error
	promoted := promotedOf(m.Plan)
	sideBySide(ctx,
		func(ctx workflow.Context) { lease, leaseErr = ReadLease(ctx, p) },
		func(ctx workflow.Context) {
			for _, r := range promoted {
				var state rds.Aurora
				state, writerErr = describeAurora(ctx, p, r)
				writer = state.WriterRegion
				return
			}
		})
	read := saw(ctx, l.Region, "table %s: %s holds epoch %d, renewed at %s", l.Table, lease.Holder, lease.Epoch, stamp(lease.Renewed))
	answers := runbook.CheckResult{
		ID: "data/lease", Subject: runbook.OnData, Title: "the write lease can be read in " + string(l.Region), Resource: l.Table,
		Fix: "let setup make the lease table, and the application take its first lease", Command: mendBySetup,
	}
	checks := one(decide(ctx, answers, leaseErr, judgeRenewal(lease, l.TTL.D(), workflow.Now(ctx)), read))
	if len(promoted) == 0 {
		return checks
	}
	holder := answers
	holder.ID, holder.Title = "data/lease-holder", "the Region that writes holds the lease"
	holder.Fix, holder.Command = "let the runbook that was interrupted end, or switch over to where the lease is", "starter status -f PLAN"
	return append(checks, decide(ctx, holder, firstError([]error{leaseErr, writerErr}), judgeHolder(lease, writer), read, saw(ctx, m.To, "the writer is in %s", writer)))
}

func promotedOf(p plan.Plan) []plan.Resource {
	return slices.DeleteFunc(slices.Clone(p.Resources), func(r plan.Resource) bool { return r.Kind != plan.AuroraGlobal })
}

func judgeRenewal(l dynamodb.Lease, ttl time.Duration, now time.Time) finding {
	if l.TTL > 0 {
		ttl = l.TTL
	}
	if age := windowSince(l.Renewed, now); age > ttl {
		return amber("%s holds epoch %d, and nobody has renewed it for %s: writers stop after %s", l.Holder, l.Epoch, span(age), span(ttl))
	}
	return green("%s holds epoch %d", l.Holder, l.Epoch)
}

func judgeHolder(l dynamodb.Lease, writer string) finding {
	if l.Holder != writer {
		return red("%s holds the lease, and the writer is in %s", l.Holder, writer)
	}
	return green("both are %s", writer)
}
