package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"lifeline/activities/observe"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	lifeline "lifeline/internal/temporal"
)

// look asks every observer, each on its own queue, side by side. One that does
// not answer has no voice.
func (r *run) look(ctx workflow.Context) (runbook.Evidence, error) {
	rule := r.in.Plan.Observers
	s := runbook.Step{Name: "ObserveRegions", Resource: fmt.Sprintf("%d observers", len(rule.Members)), Plane: runbook.Data, Reversibility: runbook.Reversible, Budget: 2 * oneLook}
	var evidence runbook.Evidence
	err := r.step(ctx, s, func(ctx workflow.Context, rec *runbook.StepRecord) error {
		sightings := sightings(ctx, s, rule.Members)
		if err := ctx.Err(); err != nil {
			return err
		}
		evidence = runbook.Weigh(sightings, rule, r.move.From, r.move.To, workflow.Now(ctx))
		rec.Effect, rec.Evidence = runbook.Already, evidence.Why
		return nil
	})
	return evidence, err
}

// oneLook bounds the wait for one observer: it answers from memory, so a
// second is already long, and a dead one must not hold up the others.
const oneLook = 2 * time.Second

// sightings are what the observers answer, those that do not left out.
func sightings(ctx workflow.Context, s runbook.Step, members []plan.Observer) []runbook.Sighting {
	var a *observe.Steps
	futures := make([]workflow.Future, len(members))
	for i, m := range members {
		o := workflow.ActivityOptions{
			Summary:                label(s) + " by " + m.Name,
			TaskQueue:              lifeline.ObserverQueue(m.Name),
			ScheduleToStartTimeout: oneLook,
			StartToCloseTimeout:    oneLook,
			RetryPolicy:            &temporal.RetryPolicy{MaximumAttempts: 1},
		}
		futures[i] = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), a.ObserveRegions, observe.ObserveInput{})
	}
	var out []runbook.Sighting
	for i, f := range futures {
		var seen observe.Observation
		if err := f.Get(ctx, &seen); err != nil {
			continue
		}
		sighting := runbook.Sighting{Observer: members[i].Name, Stands: members[i].Region, Regions: map[plan.Region]runbook.RegionView{}}
		for _, region := range workflow.DeterministicKeys(seen.Regions) {
			v := seen.Regions[region]
			sighting.Regions[plan.Region(region)] = runbook.RegionView{Healthy: v.Healthy, Rounds: v.Rounds, Since: v.Since, Detail: v.Detail}
		}
		out = append(out, sighting)
	}
	return out
}

// await looks until the evidence is as wanted. While it is not, the run holds
// and people are paged once for each new finding; after the plan's approval
// expiry it is refused, with nothing changed.
func (r *run) awaitFinding(ctx workflow.Context, want runbook.Finding, never runbook.Finding, advice string) error {
	limit := workflow.Now(ctx).Add(r.in.Plan.Approvals.Expiry.D())
	var told runbook.Finding
	for looks := 0; ; looks++ {
		evidence, err := r.look(ctx)
		if err != nil {
			return err
		}
		r.report.Evidence = &evidence
		if evidence.Finding == want || r.move.DryRun {
			r.setStatus(runbook.Running)
			return nil
		}
		if evidence.Finding == never || !workflow.Now(ctx).Before(limit) {
			return refused("the observers find %q: %s. %s", evidence.Finding, evidence.Why, advice)
		}
		r.setStatus(runbook.Held)
		if evidence.Finding != told {
			told = evidence.Finding
			r.tell(ctx, "holds: "+string(told), evidence.Why)
		}
		r.publish(ctx)
		if err := sleep(ctx, pause(looks), "look again"); err != nil {
			return err
		}
	}
}

// pause grows: the longest hold that a plan can ask for, 24 hours, takes some
// 1,500 looks of some 20 events, and a history may have 51,200.
func pause(looks int) time.Duration {
	switch {
	case looks < 10:
		return time.Second
	case looks < 30:
		return 5 * time.Second
	case looks < 100:
		return 15 * time.Second
	default:
		return time.Minute
	}
}

// seenHealthy is the guard of every undo that sends clients into a Region: only
// where a quorum sees it healthy.
func (r *run) seenHealthy(region plan.Region) func(workflow.Context) (bool, string) {
	return func(ctx workflow.Context) (bool, string) {
		evidence, err := r.look(ctx)
		if err != nil {
			return false, "the observers could not be asked: " + r.words(err)
		}
		if region != r.move.From {
			evidence = runbook.Weigh(evidence.Sightings, r.in.Plan.Observers, region, r.move.From, evidence.At)
		}
		if evidence.Finding == runbook.Healthy {
			return true, ""
		}
		return false, fmt.Sprintf("%s is not healthy (%s): %s", region, evidence.Finding, evidence.Why)
	}
}
