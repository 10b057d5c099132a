package workflows

import (
	"cmp"
	"fmt"
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
	// Expect are ids of areas that run beside this one, for which its items wait:
	// the parent will tell what became of them. Tell are ids that others wait for.
	Expect []string `json:"expect,omitempty"`
	Tell   []string `json:"tell,omitempty"`
	// Ballot is what people have allowed that nobody can take back.
	Ballot *runbook.Ballot `json:"ballot,omitempty"`
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
	News    News         `json:"news,omitzero"`
}

// Signals between Setup and its areas: up and down.
const (
	signalProgress = "progress"
	signalNews     = "news"
)

const (
	// oneSurvey bounds reading one batch: hundreds of calls under rate limits.
	oneSurvey = 10 * time.Minute
	// oneBatch bounds bringing one batch to what is wanted: an Aurora secondary
	// or a first synchronisation takes AWS a good part of an hour.
	oneBatch = 2 * time.Hour
	// slowHeartbeat is when a silent worker that builds is given up. Nobody waits for
	// it at night, and dozens of batches that beat like an emergency's steps would
	// keep Temporal busy with nothing else.
	slowHeartbeat = 15 * time.Second
	// batch keeps a batch's story readable and its repetition cheap.
	batch = 50
)

// SetupArea surveys or converges one area: an item's turn comes when what it
// refers to is in place, here or in the areas that run beside this one. What fails
// costs only those that wait for it.
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
	a := newArea(in, all)
	ids := make([]string, a.all)
	for i, t := range a.turns {
		ids[i] = t.id
	}
	if err := a.play(ctx); err != nil {
		return AreaOutput{}, err
	}
	return AreaOutput{a.told(ids, all)}, nil
}

// told is what the area's end says of its items, for thousands of them no more than
// one answer may carry: differences of as many as a report has room for, and what
// an item turned out to be where another takes properties of it.
func (a *area) told(ids []string, all []runbook.Item) []runbook.ItemResult {
	referred := map[string]bool{}
	for _, item := range all {
		for _, id := range item.Refers() {
			referred[id] = true
		}
	}
	out, room := make([]runbook.ItemResult, len(ids)), runbook.KeptItems
	for i, id := range ids {
		r := a.results[id].Brief()
		if !referred[id] {
			r.Out = nil
		}
		if len(r.Changes) > 0 {
			if room--; room < 0 {
				r.Changes = nil
			}
		}
		out[i] = r
	}
	return out
}

// newArea takes the area's items out of all.
func newArea(in AreaInput, all []runbook.Item) *area {
	a := &area{
		AreaInput: in, known: map[string]map[string]string{}, results: map[string]runbook.ItemResult{},
		open: map[string]bool{}, untold: slices.Clone(in.Tell),
	}
	News{Known: in.Known}.into(a.known)
	for _, t := range turns(all, in.Change) {
		if t.item.Area == in.Area && (in.Only == nil || slices.Contains(in.Only, t.id)) {
			a.turns = append(a.turns, t)
			a.open[t.id] = true
		}
	}
	for _, id := range in.Expect {
		a.open[id] = true
	}
	a.all = len(a.turns)
	return a
}

// admitArea lets only Setup change an area, and Readiness look at one: the
// server says who the parent is, and the parent has checked who started it.
func admitArea(ctx workflow.Context, in AreaInput) error {
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	app := in.Input.Plan.Application
	builds, proves := lifeline.IDOf(app, runbook.Setup), lifeline.IDOf(app, runbook.Readiness)
	switch {
	case parent == nil:
	case in.Change && parent.ID == builds:
		// A parent of that id may be anybody's workflow; the signature is not.
		return refusedStart(in.Input.Start.Signed(in.Input.Plan))
	case parent.ID == builds && !in.Change, strings.HasPrefix(parent.ID, builds+"/preview/") && !in.Change:
		return nil
	case strings.HasPrefix(parent.ID, proves) && !in.Change:
		return nil
	}
	return invalid(fmt.Errorf("an area is set up by %s only", builds))
}

func refusedStart(err error) error {
	if err == nil {
		return nil
	}
	return invalid(err)
}

func invalid(err error) error {
	return temporal.NewNonRetryableApplicationError(err.Error(), "Invalid", nil)
}

// area is one run of SetupArea. Its coroutines never run at the same time.
type area struct {
	AreaInput
	turns    []turn // that have not come
	all      int
	known    map[string]map[string]string
	open     map[string]bool // ids that are not settled, here and in other areas
	untold   []string        // of those that others wait for
	results  map[string]runbook.ItemResult
	changing int // groups under way
	moves    int // counts whatever may have made a turn come
	failed   error
	lastTold time.Time
}

// play takes each item when its turn comes.
func (a *area) play(ctx workflow.Context) error {
	workflow.Go(ctx, a.hear)
	wait := workflow.NewWaitGroup(ctx)
	for {
		seen := a.moves
		for _, g := range a.groups(a.due()) {
			a.changing++
			wait.Add(1)
			workflow.Go(ctx, func(ctx workflow.Context) {
				defer wait.Done()
				a.run(ctx, g)
			})
		}
		if a.failed != nil || a.changing == 0 && !a.hopes() {
			break
		}
		if err := workflow.Await(ctx, func() bool { return a.moves != seen }); err != nil {
			a.failed = err
			break
		}
	}
	wait.Wait(ctx)
	for _, t := range a.turns {
		a.block(t.item, t.after) // they wait for each other
	}
	return a.failed
}

// hopes says that news of other areas may let a turn come.
func (a *area) hopes() bool {
	elsewhere := func(id string) bool { return a.open[id] && slices.Contains(a.Expect, id) }
	return slices.ContainsFunc(a.turns, func(t turn) bool { return slices.ContainsFunc(t.after, elsewhere) })
}

// hear learns what became of other areas' items.
func (a *area) hear(ctx workflow.Context) {
	channel := workflow.GetSignalChannel(ctx, signalNews)
	for {
		var n News
		if more := channel.Receive(ctx, &n); !more || ctx.Err() != nil {
			return
		}
		n.into(a.known)
		for _, id := range n.ids() {
			delete(a.open, id)
		}
		a.moves++
	}
}

// due takes the items whose turn has come, with what they refer to put in. In a
// change an item that lacks something is closed, for which others may have waited.
func (a *area) due() []runbook.Item {
	var out []runbook.Item
	for again := true; again; {
		again = false
		a.turns = slices.DeleteFunc(a.turns, func(t turn) bool {
			if slices.ContainsFunc(t.after, func(id string) bool { return a.open[id] }) {
				return false
			}
			item, lacks := t.item.Resolve(a.known)
			if missing := a.missing(t); len(missing) > 0 {
				lacks = missing
			}
			if a.Change && len(lacks) > 0 {
				a.block(item, lacks)
				again = true
				return true
			}
			out = append(out, item)
			return true
		})
	}
	return out
}

// missing are the items that one needs and that are not in place.
func (a *area) missing(t turn) []string {
	return slices.DeleteFunc(slices.Clone(t.needs), func(id string) bool { _, ok := a.known[id]; return ok })
}

// group is what one activity takes: one type in one Region.
type group struct {
	title string
	items []runbook.Item
}

// groups sorts items into batches, large ones first: they take longest, and the
// others find room beside them.
func (a *area) groups(items []runbook.Item) []group {
	var out []group
	slices.SortStableFunc(items, func(x, y runbook.Item) int {
		return cmp.Or(cmp.Compare(x.Type, y.Type), cmp.Compare(x.Region, y.Region), cmp.Compare(x.Name, y.Name))
	})
	for _, item := range items {
		title := item.Type + " in " + item.Region
		if n := len(out); n == 0 || out[n-1].title != title || len(out[n-1].items) >= batch {
			out = append(out, group{title: title})
		}
		last := &out[len(out)-1]
		last.items = append(last.items, item)
	}
	slices.SortStableFunc(out, func(x, y group) int { return cmp.Compare(len(y.items), len(x.items)) })
	return out
}

// run takes one group to its end and tells the others.
func (a *area) run(ctx workflow.Context, g group) {
	if err := a.group(ctx, g); err != nil && a.failed == nil {
		a.failed = err
	}
	a.changing--
	a.moves++
	a.progress(ctx)
}

func (a *area) settle(r runbook.ItemResult) {
	a.results[r.ID] = r
	delete(a.open, r.ID)
	if r.Verdict.There() {
		a.known[r.ID] = r.Out
	}
}

func (a *area) block(item runbook.Item, waits []string) {
	a.settle(runbook.ItemResult{
		ID: item.ID(), Resource: item.Resource, Verdict: runbook.Blocked, Why: "waits for what is not in place: " + strings.Join(waits, ", "),
	})
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
		HeartbeatTimeout:    slowHeartbeat,
		WaitForCancellation: true,
		// By time and not by count: a Region that is throttled for minutes is no
		// reason to leave an estate half built.
		ScheduleToCloseTimeout: 2 * limit,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second},
	})
	in := estate.Batch{Items: g.items, Repair: a.Input.Plan.Setup.Drift != plan.ReportOnly}
	if len(kinds.Irrevocable(g.items)) > 0 {
		in.Ballot, in.Starter = a.Ballot, a.Input.Start.By
	}
	var out estate.Results
	if err := workflow.ExecuteActivity(ctx, activity, in).Get(ctx, &out); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		a.fail(g, err)
		return nil
	}
	for i, r := range out.Results {
		if hopeless := a.hopeless(g.items[i]); r.Verdict == runbook.ToCreate && len(hopeless) > 0 {
			a.block(g.items[i], hopeless)
			continue
		}
		a.settle(r)
	}
	return nil
}

// hopeless are the items that one refers to and that a change would not put in
// place either: what is still to be made is none of them.
func (a *area) hopeless(i runbook.Item) []string {
	return slices.DeleteFunc(i.Refers(), func(id string) bool {
		r, read := a.results[id]
		return !read || r.Verdict.There() || r.Verdict == runbook.ToCreate
	})
}

// fail closes a group that could not be read or written at all.
func (a *area) fail(g group, err error) {
	for _, item := range g.items {
		a.settle(runbook.ItemResult{ID: item.ID(), Resource: item.Resource, Verdict: runbook.Unkept, Why: (&run{}).words(err)})
	}
}

// lookInterval is how often a survey tells how far it is. Each group of it takes
// less time than a signal; what others wait for is told at once.
const lookInterval = time.Second

// progress tells the parent; nobody waits for it to arrive.
func (a *area) progress(ctx workflow.Context) {
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("**%s**: %d of %d items", a.Area, len(a.results), a.all))
	var settled []string
	a.untold = slices.DeleteFunc(a.untold, func(id string) bool {
		if _, done := a.results[id]; !done {
			return false
		}
		settled = append(settled, id)
		return true
	})
	parts := newsOf(settled, a.known).parts()
	if len(parts) == 0 {
		if !a.Change && workflow.Now(ctx).Sub(a.lastTold) < lookInterval {
			return
		}
		parts = []News{{}}
	}
	a.lastTold = workflow.Now(ctx)
	for _, news := range parts {
		workflow.SignalExternalWorkflow(ctx, parent.ID, parent.RunID, signalProgress, AreaProgress{a.Area, len(a.results), a.all, news})
	}
}
