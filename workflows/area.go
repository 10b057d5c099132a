package workflows

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"lifeline/activities/estate"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	lifeline "lifeline/internal/temporal"
	"lifeline/workflows/kinds"
)

// AreaInput is one area's part of a setup run.
type AreaInput struct {
	Input   runbook.Input `json:"input"`
	Area    runbook.Area  `json:"area"`
	Account string        `json:"account"`
	// Known is what items of earlier areas turned out to be.
	Known map[string]map[string]string `json:"known,omitempty"`
	// Change false only reads.
	Change bool `json:"change"`
	// Only are the ids to converge; nil is all of the area.
	Only []string `json:"only,omitempty"`
}

// AreaOutput is what became of the items of an area.
type AreaOutput struct {
	Results []runbook.ItemResult `json:"results"`
}

// AreaProgress is how far an area has come; the parent hears it by signal.
type AreaProgress struct {
	Area    runbook.Area `json:"area"`
	Settled int          `json:"settled"`
	All     int          `json:"all"`
}

const signalProgress = "progress"

const (
	// oneSurvey bounds reading one batch: hundreds of calls under rate limits.
	oneSurvey = 10 * time.Minute
	// oneBatch bounds bringing one batch to what is wanted: an Aurora secondary
	// or a first synchronisation takes AWS a good part of an hour.
	oneBatch = 2 * time.Hour
	// batch keeps a batch's story readable and its repetition cheap.
	batch = 50
)

// SetupArea surveys or converges one area, wave by wave: an item's turn comes
// when what it refers to is in place. What fails costs only those that wait for it.
//
// It runs as a child of Setup alone and nothing in it is one-way but what Setup
// has asked people about.
func SetupArea(ctx workflow.Context, in AreaInput) (AreaOutput, error) {
	if err := admitArea(ctx, in); err != nil {
		return AreaOutput{}, err
	}
	all, err := kinds.Items(kinds.Site{Plan: in.Input.Plan, Account: in.Account})
	if err != nil {
		return AreaOutput{}, invalid(err)
	}
	a := &area{AreaInput: in, known: maps.Clone(in.Known), results: map[string]runbook.ItemResult{}}
	if a.known == nil {
		a.known = map[string]map[string]string{}
	}
	for _, item := range all {
		if item.Area == in.Area && (in.Only == nil || slices.Contains(in.Only, item.ID())) {
			a.items = append(a.items, item)
		}
	}
	if err := a.play(ctx); err != nil {
		return AreaOutput{}, err
	}
	out := make([]runbook.ItemResult, len(a.items))
	for i, item := range a.items {
		out[i] = a.results[item.ID()]
	}
	return AreaOutput{out}, nil
}

// admitArea lets only Setup change an area, and Readiness look at one: the
// server says who the parent is, and the parent has checked who started it.
func admitArea(ctx workflow.Context, in AreaInput) error {
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	app := in.Input.Plan.Application
	builds, proves := lifeline.IDOf(app, runbook.Setup), lifeline.IDOf(app, runbook.Readiness)
	switch {
	case parent == nil:
	case parent.ID == builds, strings.HasPrefix(parent.ID, builds+"/preview/") && !in.Change:
		return nil
	case strings.HasPrefix(parent.ID, proves) && !in.Change:
		return nil
	}
	return invalid(fmt.Errorf("an area is set up by %s only", builds))
}

func invalid(err error) error {
	return temporal.NewNonRetryableApplicationError(err.Error(), "Invalid", nil)
}

// area is one run of SetupArea. Its coroutines never run at the same time.
type area struct {
	AreaInput
	items   []runbook.Item
	known   map[string]map[string]string
	results map[string]runbook.ItemResult
}

func (a *area) play(ctx workflow.Context) error {
	waves, rest := runbook.Waves(a.items, a.reachable())
	for _, wave := range waves {
		if err := a.wave(ctx, wave); err != nil {
			return err
		}
	}
	for _, item := range rest {
		a.block(item, item.Waits())
	}
	return nil
}

// reachable are the ids of which something is known or will be: what an earlier
// area left behind, whether in place or not. A wave then decides item by item.
func (a *area) reachable() map[string]map[string]string {
	out := maps.Clone(a.known)
	for _, item := range a.items {
		for _, id := range item.Waits() {
			if !slices.ContainsFunc(a.items, func(i runbook.Item) bool { return i.ID() == id }) && out[id] == nil {
				out[id] = map[string]string{}
			}
		}
	}
	return out
}

// group is what one activity takes: one type in one Region.
type group struct {
	title string
	items []runbook.Item
}

// wave runs the groups of a wave side by side.
func (a *area) wave(ctx workflow.Context, items []runbook.Item) error {
	var failed error
	wait := workflow.NewWaitGroup(ctx)
	for _, g := range a.groups(items) {
		wait.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wait.Done()
			if err := a.group(ctx, g); err != nil && failed == nil {
				failed = err
			}
			a.progress(ctx)
		})
	}
	wait.Wait(ctx)
	return failed
}

// groups sorts a wave into batches and closes what can't be tried.
func (a *area) groups(items []runbook.Item) []group {
	var out []group
	slices.SortStableFunc(items, func(x, y runbook.Item) int {
		return cmp.Or(cmp.Compare(x.Type, y.Type), cmp.Compare(x.Region, y.Region), cmp.Compare(x.Name, y.Name))
	})
	for _, item := range items {
		ready, open := item.Resolve(a.known)
		if missing := a.missing(item); a.Change && len(missing) > 0 {
			a.block(item, missing)
			continue
		}
		if a.Change && len(open) > 0 {
			a.block(item, open)
			continue
		}
		title := item.Type + " in " + item.Region
		if n := len(out); n == 0 || out[n-1].title != title || len(out[n-1].items) >= batch {
			out = append(out, group{title: title})
		}
		last := &out[len(out)-1]
		last.items = append(last.items, ready)
	}
	return out
}

// missing are the items that one needs and that are not in place.
func (a *area) missing(item runbook.Item) []string {
	var out []string
	for _, id := range item.Waits() {
		if _, ok := a.known[id]; !ok {
			out = append(out, id)
		}
	}
	return out
}

func (a *area) block(item runbook.Item, waits []string) {
	a.results[item.ID()] = runbook.ItemResult{
		ID: item.ID(), Resource: item.Resource, Verdict: runbook.Blocked, Why: "waits for what is not in place: " + strings.Join(waits, ", "),
	}
}

func (a *area) group(ctx workflow.Context, g group) error {
	var steps *estate.Steps
	activity, title, limit := any(steps.SurveyItems), "SurveyItems", oneSurvey
	if a.Change {
		activity, title, limit = steps.ConvergeItems, "ConvergeItems", oneBatch
	}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		Summary:             fmt.Sprintf("%s: %d × %s", title, len(g.items), g.title),
		StartToCloseTimeout: limit,
		HeartbeatTimeout:    heartbeat,
		WaitForCancellation: true,
		// By time and not by count: a Region that is throttled for minutes is no
		// reason to leave an estate half built.
		ScheduleToCloseTimeout: 2 * limit,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second},
	})
	in := estate.Batch{Items: g.items, Repair: a.Input.Plan.Setup.Drift != plan.ReportOnly}
	var out estate.Results
	if err := workflow.ExecuteActivity(ctx, activity, in).Get(ctx, &out); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		a.fail(g, err)
		return nil
	}
	for _, r := range out.Results {
		a.results[r.ID] = r
		if r.Verdict.Good() || r.Verdict == runbook.Drifted || r.Verdict == runbook.ToChange {
			a.known[r.ID] = r.Out
		}
	}
	return nil
}

// fail closes a group that could not be read or written at all.
func (a *area) fail(g group, err error) {
	for _, item := range g.items {
		a.results[item.ID()] = runbook.ItemResult{ID: item.ID(), Resource: item.Resource, Verdict: runbook.Unkept, Why: (&run{}).words(err)}
	}
}

// progress tells the parent; nobody waits for it to arrive.
func (a *area) progress(ctx workflow.Context) {
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("**%s**: %d of %d items", a.Area, len(a.results), len(a.items)))
	workflow.SignalExternalWorkflow(ctx, parent.ID, parent.RunID, signalProgress, AreaProgress{a.Area, len(a.results), len(a.items)})
}
