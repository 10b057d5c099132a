package workflows

import (
	"fmt"
	"slices"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/workflow"

	"lifeline/activities/sts"
	"lifeline/internal/runbook"
	"lifeline/workflows/kinds"
)

// setup is one run of Setup.
type setup struct {
	*run
	items []runbook.Item
	known map[string]map[string]string
	todo  map[runbook.Area][]string // ids that are not in place, by area
	crew  *crew                     // the areas that run now
}

// Setup builds everything that recovery relies on and keeps it so: it reads
// what is there, shows the difference, and acts on the difference alone. What
// exists is adopted and never made anew, and nothing is ever deleted.
//
// There is no point of no return but one: a vault lock in compliance mode, which
// nobody can lift. Its making waits for a quorum of approvers.
func Setup(ctx workflow.Context, in runbook.Input) (runbook.Report, error) {
	s := setup{run: newRun(ctx, runbook.Setup, in), known: map[string]map[string]string{}, todo: map[runbook.Area][]string{}}
	return s.play(ctx,
		reversible(runbook.Survey, "what is there, and what differs from the plan", s.survey),
		reversible(runbook.Approve, "people allow what nobody can take back", s.approve),
		reversible(runbook.Build, "all areas side by side, each thing after what it needs", s.converge),
	)
}

// survey reads everything, what is referred to first.
func (s *setup) survey(ctx workflow.Context) error {
	s.report.Estate = &runbook.Estate{}
	account, err := s.account(ctx)
	if err != nil {
		return err
	}
	s.report.Estate.Account = account
	if s.items, err = kinds.Items(kinds.Site{Plan: s.in.Plan, Account: account}); err != nil {
		return refused("%v", err)
	}
	workflow.Go(ctx, s.hear)
	results, err := s.areas(ctx, false)
	if err != nil {
		return err
	}
	for _, area := range runbook.Areas() {
		s.report.Estate.Add(area, results[area])
		for _, r := range results[area] {
			// What the endpoint does not serve is not tried again in the same run.
			if !r.Verdict.Good() && r.Verdict != runbook.Drifted && r.Verdict != runbook.Unavailable {
				s.todo[area] = append(s.todo[area], r.ID)
			}
		}
	}
	s.publish(ctx)
	return nil
}

// account is where setup builds; it is asked for in the recovery Region, by
// Regional STS, so that setup does not depend on the Region that may be lost.
func (s *setup) account(ctx workflow.Context) (string, error) {
	var a *sts.Steps
	regions := s.in.Plan.TrafficRegions()
	region := regions[len(regions)-1]
	step := runbook.Step{Name: "DescribeCaller", Region: string(region), Plane: runbook.Data, Reversibility: runbook.Reversible, Budget: oneSurvey}
	var caller sts.Caller
	err := s.Query(ctx, step, a.DescribeCaller, sts.CallerIn{Region: region}, &caller)
	return caller.Account, err
}

// hear takes the areas' progress into the status, and passes on what others wait
// for.
func (s *setup) hear(ctx workflow.Context) {
	channel := workflow.GetSignalChannel(ctx, signalProgress)
	for {
		var p AreaProgress
		if more := channel.Receive(ctx, &p); !more || ctx.Err() != nil {
			return
		}
		if !slices.Contains(runbook.Areas(), p.Area) {
			continue // no area of ours: anybody may signal
		}
		p.News.into(s.known)
		s.crew.pass(ctx, p.News)
		if count := s.report.Estate.Area(p.Area); p.Settled <= p.All && s.report.Phase != runbook.Survey {
			count.Settled = p.Settled
		}
		s.publish(ctx)
	}
}

// areas runs all areas as children, side by side.
func (s *setup) areas(ctx workflow.Context, change bool) (map[runbook.Area][]runbook.ItemResult, error) {
	out := map[runbook.Area][]runbook.ItemResult{}
	s.crew = newCrew(s.items, change, func(i runbook.Item) bool { return !change || slices.Contains(s.todo[i.Area], i.ID()) })
	var failed error
	wait := workflow.NewWaitGroup(ctx)
	for _, area := range runbook.Areas() {
		if !s.crew.runs[area] {
			continue
		}
		wait.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wait.Done()
			results, err := s.area(ctx, area, change)
			if err != nil && failed == nil {
				failed = err
			}
			out[area] = results
			// Those that wait for what it has not told wait in vain.
			s.crew.pass(ctx, newsOf(s.crew.tell[area], s.known))
		})
	}
	wait.Wait(ctx)
	return out, failed
}

// area runs one child and records it as one step.
func (s *setup) area(ctx workflow.Context, area runbook.Area, change bool) ([]runbook.ItemResult, error) {
	in := AreaInput{
		Input: s.in, Area: area, Account: s.report.Estate.Account, Known: s.crew.known(area, s.known), Change: change, Only: s.todo[area],
		Expect: s.crew.expect[area], Tell: s.crew.tell[area],
	}
	if n := len(s.report.Ballots); change && n > 0 {
		in.Ballot = &s.report.Ballots[n-1]
	}
	name, verb := "SurveyArea", "survey"
	if change {
		name, verb = "ConvergeArea", "converge"
	}
	step := runbook.Step{Name: name, Resource: string(area), Plane: runbook.GlobalControl, Reversibility: runbook.Reversible, Budget: 2 * oneBatch}
	var results []runbook.ItemResult
	err := s.step(ctx, step, func(ctx workflow.Context, rec *runbook.StepRecord) error {
		ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID:          fmt.Sprintf("%s/%s/%s", s.report.WorkflowID, verb, area),
			StaticSummary:       fmt.Sprintf("%s %s of %s", verb, area, s.in.Plan.Application),
			ParentClosePolicy:   enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
			WaitForCancellation: true,
		})
		var out AreaOutput
		child := workflow.ExecuteChildWorkflow(ctx, SetupAreaName, in)
		s.crew.children[area] = child
		if err := child.Get(ctx, &out); err != nil {
			return err
		}
		results = out.Results
		for _, r := range results {
			if r.Verdict.There() {
				s.known[r.ID] = r.Out
			}
		}
		count := runbook.Estate{}
		count.Add(area, results)
		rec.Effect, rec.Evidence = runbook.Already, count.Areas[0].Words()
		if change {
			rec.Effect = runbook.Acted
		}
		return nil
	})
	return results, err
}

// approve asks people about what nobody can take back; everything else that
// setup does can be changed again.
func (s *setup) approve(ctx workflow.Context) error {
	var risks []runbook.Risk
	for _, item := range kinds.Irrevocable(s.items) {
		if slices.Contains(s.todo[item.Area], item.ID()) {
			risks = append(risks, runbook.Risk{Code: runbook.Irrevocable, Text: item.ID() + ": " + item.Why})
		}
	}
	if len(risks) == 0 {
		return nil
	}
	if err := s.ask(ctx, runbook.Approve, fmt.Sprintf("make what can never be taken back (%d)?", len(risks)), risks); err != nil {
		return err
	}
	return s.answer(ctx)
}

// converge builds what is not in place. An item that fails keeps only those
// waiting that need it; what is incomplete is said at the end.
func (s *setup) converge(ctx workflow.Context) error {
	if s.move.DryRun {
		return nil
	}
	results, err := s.areas(ctx, true)
	for _, area := range runbook.Areas() {
		if len(results[area]) > 0 {
			s.report.Estate.Replace(area, results[area])
		}
	}
	s.publish(ctx)
	if err != nil {
		return err
	}
	return s.judge()
}

// judge ends the run: incomplete is a failure, what only this endpoint lacks or
// the plan leaves to people is not.
func (s *setup) judge() error {
	e := s.report.Estate
	for _, i := range e.Of(runbook.Unavailable, runbook.Drifted, runbook.Blocked) {
		s.report.Left = append(s.report.Left, fmt.Sprintf("%s: %s", i.ID, i.Why))
	}
	if bad := e.Count(runbook.Unkept, runbook.Missing); bad > 0 {
		var names []string
		for _, i := range e.Of(runbook.Unkept, runbook.Missing) {
			names = append(names, fmt.Sprintf("%s: %s", i.ID, i.Why))
		}
		s.report.Left = append(s.report.Left, names...)
		return fmt.Errorf("%d of the items that recovery relies on are not in place (%d more wait for them)", bad, e.Count(runbook.Blocked))
	}
	return nil
}

// built is one sentence on what setup found or did.
func (r *run) built(e *runbook.Estate) string {
	if r.move.DryRun {
		out := fmt.Sprintf("setup of %s would create %d and change %d items; %d are in place, %d drifted",
			r.report.Application, e.Count(runbook.ToCreate), e.Count(runbook.ToChange), e.Count(runbook.InPlace), e.Count(runbook.Drifted))
		if n := e.Count(runbook.Unkept, runbook.Missing, runbook.Blocked, runbook.Unavailable); n > 0 {
			out += fmt.Sprintf(", %d can't be made as things are", n)
		}
		return out + "; nothing was changed"
	}
	out := fmt.Sprintf("setup of %s is done: %d items created, %d changed, %d in place",
		r.report.Application, e.Count(runbook.Created), e.Count(runbook.Changed), e.Count(runbook.InPlace))
	if n := e.Count(runbook.Unavailable, runbook.Drifted, runbook.Blocked); n > 0 {
		out += fmt.Sprintf("; %d are left to people", n)
	}
	return out
}

// adviceOnSetup says what is safe after a run that moves nothing: always
// everything, since setup takes nothing away.
func adviceOnSetup(rep *runbook.Report) (safe, next string) {
	again := "starter setup -f PLAN --as NAME --wait"
	switch {
	case rep.Status == runbook.Done && rep.DryRun:
		return "nothing was changed", again
	case rep.Status == runbook.Done && rep.Estate.Count(runbook.Blocked) > 0:
		return "what is in place stays; some items wait for others, see left", "when what they wait for is there: " + again
	case rep.Status == runbook.Done && rep.Estate.Count(runbook.Drifted, runbook.Unavailable) > 0:
		return "what is in place stays; some things differ and setup leaves them to people, see left", "judge each, then: " + again
	case rep.Status == runbook.Done:
		return "what recovery relies on is in place", "starter preview setup -f PLAN --as NAME, at any time: it shows drift"
	case rep.Status.Final():
		return "what was in place before still is; what this run made stays", "mend the cause, then: " + again + " (it goes on from there)"
	}
	return "setup goes on by itself", "starter status -f PLAN --of setup --watch"
}

// newsworthy says that people want to hear of the end of a run. A setup that
// found everything in place is none of it: it leaves not even a message.
func (r *run) newsworthy() bool {
	e := r.report.Estate
	return e == nil || r.report.Status != runbook.Done || e.Count(runbook.Created, runbook.Changed) > 0
}
