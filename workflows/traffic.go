package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/arc"
	"lifeline/activities/observe"
	"lifeline/activities/route53"
	"lifeline/activities/s3"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows/kinds"
)

const (
	// switchBudget bounds one act on the switch: data plane, milliseconds when
	// healthy. It is long because giving up leaves clients in a dark Region.
	switchBudget = 10 * time.Minute
	// verifyBudget bounds waiting for DNS answers and clients.
	verifyBudget = 10 * time.Minute
)

// evacuate forces From out by the plan's switch: no record, weight or health
// check is edited (Route 53's control plane may be dark with From).
func (r *run) evacuate(ctx workflow.Context) error {
	out, back := r.switchSteps(r.move.From, r.move.To, "")
	out.Undo = &kinds.Undo{Step: back.Step, Activity: back.Activity, Input: back.Input, Guard: r.seenHealthy(r.move.From)}
	return r.Change(ctx, out)
}

// switchSteps are the two acts on the switch that keeps region (or one location
// of it) out: leave and return. serving is where the switch is thrown.
func (r *run) switchSteps(region, serving plan.Region, location string) (leave, back kinds.Change) {
	step := runbook.Step{Resource: r.in.Plan.Traffic.Name, Region: string(serving), Plane: runbook.Data, Reversibility: runbook.Compensable, Budget: switchBudget}
	sw := r.in.Plan.Traffic.Switch
	if sw.Provider == plan.SwitchARCControl {
		var a *arc.Steps
		input := func(c runbook.Command) any {
			return arc.ControlSwitch{Command: c, Endpoints: sw.ClusterEndpoints, Off: sw.RoutingControls[region], On: sw.RoutingControls[serving]}
		}
		return kinds.Change{Step: named(step, "EvacuateByRoutingControl"), Activity: a.EvacuateByRoutingControl, Input: input},
			kinds.Change{Step: named(step, "ReturnByRoutingControl"), Activity: a.ReturnByRoutingControl, Input: input}
	}
	var a *s3.Steps
	input := func(c runbook.Command) any {
		return s3.ObjectSwitch{Command: c, Bucket: sw.Buckets[serving], Key: plan.SwitchKey(region, location), Region: serving}
	}
	if location != "" {
		step.Resource = location
	}
	return kinds.Change{Step: named(step, "EvacuateByObject"), Activity: a.EvacuateByObject, Input: input},
		kinds.Change{Step: named(step, "ReturnByObject"), Activity: a.ReturnByObject, Input: input}
}

func named(s runbook.Step, name string) runbook.Step {
	s.Name = name
	return s
}

// verifyAnswers waits until no name server answers with lost any more (none
// lost: until every location is answered by its own Region).
func (r *run) verifyAnswers(ctx workflow.Context, lost plan.Region) error {
	var a *route53.Steps
	s := runbook.Step{Name: "VerifyAnswers", Resource: r.in.Plan.Traffic.Name, Plane: runbook.Data, Reversibility: runbook.Reversible, Budget: verifyBudget}
	endpoints := map[plan.Region]string{}
	for _, region := range r.in.Plan.Regions {
		if region.Endpoint != "" {
			endpoints[region.Name] = region.Endpoint
		}
	}
	return r.Await(ctx, s, a.VerifyAnswers, route53.AnswersInput{Traffic: r.in.Plan.Traffic, Lost: lost, Endpoints: endpoints}, nil)
}

// verifyTransactions proves for every location that a business transaction is
// acknowledged by the Region that should serve it, and can be read back.
func (r *run) verifyTransactions(ctx workflow.Context, budget time.Duration, want func(plan.Location) plan.Region) error {
	var a *observe.Steps
	for _, loc := range r.in.Plan.Traffic.Locations {
		region := want(loc)
		if region == "" {
			continue // fails closed by policy
		}
		s := runbook.Step{Name: "VerifyTransaction", Resource: loc.Name, Region: string(region), Plane: runbook.Data, Reversibility: runbook.Reversible, Budget: budget}
		if err := r.Query(ctx, s, a.VerifyTransaction, observe.TransactionInput{Traffic: r.in.Plan.Traffic, Location: loc, Want: region}, nil); err != nil {
			return err
		}
	}
	return nil
}

// without is where a location is served while a Region is out.
func without(lost plan.Region) func(plan.Location) plan.Region {
	return func(l plan.Location) plan.Region {
		if l.Region == lost {
			return l.Fallback
		}
		return l.Region
	}
}

func home(l plan.Location) plan.Region { return l.Region }

// awaitClients waits until real clients of every location that moves to region
// were served there, and says since when. Where a location has no clients at
// this hour, the moment counts by which every cached answer has expired.
func (r *run) awaitClients(ctx workflow.Context, region plan.Region, moved []plan.Location, since time.Time) (time.Time, error) {
	expired := workflow.Now(ctx).Add(r.in.Plan.Traffic.TTL.D() + r.in.Plan.Traffic.ClientReconnect.D())
	var a *observe.Steps
	names := make([]string, 0, len(moved))
	for _, l := range moved {
		names = append(names, l.Name)
	}
	s := runbook.Step{Name: "AwaitServed", Resource: r.in.Plan.Traffic.Name, Region: string(region), Plane: runbook.Data, Reversibility: runbook.Reversible, Budget: verifyBudget}
	in := observe.ServedAwait{
		ServedInput: observe.ServedInput{Traffic: r.in.Plan.Traffic, Endpoint: r.endpoint(region), Since: since},
		Locations:   names, Until: expired,
	}
	var served observe.Served
	if err := r.Await(ctx, s, a.AwaitServed, in, &served); err != nil {
		return time.Time{}, err
	}
	last := since
	for _, name := range names {
		at, ok := served.First[name]
		if !ok {
			at = expired
			r.event(ctx, "note", fmt.Sprintf("no client of %s was seen; its cached answers expired at %s", name, at.UTC().Format(time.RFC3339)))
		}
		r.report.Served = append(r.report.Served, runbook.Served{Location: name, Region: region, At: at})
		if at.After(last) {
			last = at
		}
	}
	return last, nil
}

func (r *run) endpoint(region plan.Region) string {
	for _, s := range r.in.Plan.Regions {
		if s.Name == region {
			return s.Endpoint
		}
	}
	return ""
}

// leaving are the locations that a Region serves and that may go elsewhere.
func leaving(p plan.Plan, region plan.Region) []plan.Location {
	var out []plan.Location
	for _, l := range p.Traffic.Locations {
		if l.Region == region && l.Fallback != "" {
			out = append(out, l)
		}
	}
	return out
}

// watch keeps trying real transactions for the plan's commit window. Three bad
// rounds in a row are a verdict; one can be a coincidence.
func (r *run) watch(ctx workflow.Context, want func(plan.Location) plan.Region) error {
	if r.move.DryRun {
		return nil
	}
	window := r.in.Plan.Failover.CommitWindow.D()
	every := max(window/20, min(window, 5*time.Second))
	end := workflow.Now(ctx).Add(window)
	for bad := 0; workflow.Now(ctx).Before(end); {
		err := r.verifyTransactions(ctx, 2*oneLook, want)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		bad++
		if err == nil {
			bad = 0
		}
		if bad >= 3 {
			return &revertError{fmt.Sprintf("three rounds of transactions in a row went wrong: %s", r.words(err))}
		}
		if err := sleep(ctx, every, "watch real transactions"); err != nil {
			return err
		}
	}
	return nil
}
