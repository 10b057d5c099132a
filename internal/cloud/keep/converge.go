package keep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// settle is how long a written item may look unwritten before it is written
// again: lists of AWS's control planes lag behind by seconds, and most creations
// have no token.
const settle = 10 * time.Second

// Survey reads items of one type and Region and judges them without changing
// anything. repair false makes every difference of what exists a drift.
func (b *Book) Survey(ctx context.Context, items []runbook.Item, repair bool) ([]runbook.ItemResult, error) {
	if len(items) == 0 {
		return nil, nil
	}
	k, err := b.Find(items[0].Type)
	if err != nil {
		return nil, err
	}
	askable := slices.DeleteFunc(slices.Clone(items), func(i runbook.Item) bool {
		_, _, _, _, unmade := runbook.CutRef(i.Want[k.Inside])
		return unmade
	})
	states, err := k.read(ctx, askable)
	if Unserved(err) || cloud.KindOf(err) == cloud.Denied || cloud.KindOf(err) == cloud.Invalid {
		return refuseAll(items, err), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s in %s: %w", k.Type, items[0].Region, err)
	}
	out := make([]runbook.ItemResult, len(items))
	for i, item := range items {
		out[i] = k.judge(item, states[item.ID()], repair)
	}
	return out, nil
}

// read gives the states by id.
func (k Keeper) read(ctx context.Context, items []runbook.Item) (map[string]runbook.ItemState, error) {
	if len(items) == 0 {
		return nil, nil
	}
	states, err := again(ctx, func() ([]runbook.ItemState, error) { return k.Read(ctx, At(items[0].Region), items) })
	out := map[string]runbook.ItemState{}
	for _, s := range states {
		out[s.ID] = s
	}
	return out, err
}

// judge compares one item with what was read.
func (k Keeper) judge(item runbook.Item, have runbook.ItemState, repair bool) runbook.ItemResult {
	r := runbook.ItemResult{ID: item.ID(), Resource: item.Resource, Verdict: runbook.InPlace, Out: have.Out}
	r.Changes = item.Difference(have)
	given := item.Given || k.Write == nil
	switch {
	case !have.Found && given:
		r.Verdict, r.Why = runbook.Missing, item.Why
		if r.Why == "" {
			r.Why = "it is not there, and setup only looks at it"
		}
	case !have.Found:
		r.Verdict = runbook.ToCreate
	case len(r.Changes) == 0:
	case given:
		r.Verdict, r.Why = runbook.Drifted, item.Why
	case k.fixed(r.Changes) != "":
		r.Verdict, r.Why = runbook.Drifted, "setup does not change "+k.fixed(r.Changes)+" of what exists: change it by hand, or bring the plan into line"
	case !repair:
		r.Verdict, r.Why = runbook.Drifted, "the plan reports drift and leaves the repair to people"
	default:
		r.Verdict = runbook.ToChange
	}
	return r
}

// fixed names the differences that can't be changed.
func (k Keeper) fixed(changes []runbook.Property) string {
	var names []string
	for _, c := range changes {
		if slices.Contains(k.Fixed, c.Name) {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, ", ")
}

// refuseAll is the answer when a type can't be read at all.
func refuseAll(items []runbook.Item, err error) []runbook.ItemResult {
	out := make([]runbook.ItemResult, len(items))
	for i, item := range items {
		out[i] = refusal(item, err)
	}
	return out
}

func refusal(item runbook.Item, err error) runbook.ItemResult {
	r := runbook.ItemResult{ID: item.ID(), Resource: item.Resource, Verdict: runbook.Unkept, Why: err.Error()}
	if Unserved(err) {
		r.Verdict, r.Why = runbook.Unavailable, "this endpoint does not serve it: "+err.Error()
	}
	return r
}

// loop is one Converge.
type loop struct {
	Keeper
	repair  bool
	served  bool // it was read before
	mu      sync.Mutex
	written map[string]time.Time // when an item was last written with success
	acted   map[string]runbook.Verdict
	changes map[string][]runbook.Property
	request map[string]string
	errs    map[string]error // the last passing failure
	odd     map[string]int   // answers that are not known
	results map[string]runbook.ItemResult
}

// Converge brings items of one type and Region to what is wanted: reads, writes
// the difference, and reads again until every item is settled or the context
// ends. It fails only when it could not read; what happened to each item is in
// the results, in the order of items.
func (b *Book) Converge(ctx context.Context, items []runbook.Item, repair bool) ([]runbook.ItemResult, error) {
	if len(items) == 0 {
		return nil, nil
	}
	k, err := b.Find(items[0].Type)
	if err != nil {
		return nil, err
	}
	l := &loop{
		Keeper: k, repair: repair, written: map[string]time.Time{}, acted: map[string]runbook.Verdict{},
		changes: map[string][]runbook.Property{}, request: map[string]string{}, errs: map[string]error{}, odd: map[string]int{}, results: map[string]runbook.ItemResult{},
	}
	// What takes too long is closed here: a deadline outside would lose what
	// became of all the others.
	bounded, cancel := context.WithTimeout(ctx, min(cmp.Or(k.Budget, DefaultBudget), longestBudget))
	defer cancel()
	if err := l.run(bounded, items); err != nil {
		return nil, err
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		// Told to stop, and not out of time: what is open is no failure of AWS's, and
		// whoever takes the batch up again finds what was done.
		return nil, fmt.Errorf("stopped while building %s in %s: %w", k.Type, items[0].Region, context.Canceled)
	}
	out := make([]runbook.ItemResult, len(items))
	for i, item := range items {
		out[i] = l.results[item.ID()]
	}
	return out, nil
}

func (l *loop) run(ctx context.Context, items []runbook.Item) error {
	pending := items
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		states, err := l.read(ctx, pending)
		if l.served && cloud.Refused(err) && wait(ctx, pause) {
			continue // it was there a moment ago
		}
		if err != nil {
			return l.unread(ctx, pending, err)
		}
		l.served = true
		due, open := l.sort(pending, states)
		if len(open) == 0 {
			return nil
		}
		l.write(ctx, due, states)
		if len(due) > 0 {
			pause = firstPause
		}
		if pending = l.unsettled(open); len(pending) == 0 {
			return nil // the last of them were refused
		}
		if !wait(ctx, pause) {
			l.giveUp(pending)
			return nil
		}
	}
}

// unread closes what could not be read. Only a failure that may pass is one of
// the whole batch: somebody tries again.
func (l *loop) unread(ctx context.Context, pending []runbook.Item, err error) error {
	switch {
	case ctx.Err() != nil:
		l.giveUp(pending)
	case passing(err) && !Unserved(err):
		return fmt.Errorf("read %s in %s: %w", l.Type, pending[0].Region, err)
	default:
		for _, item := range pending {
			l.results[item.ID()] = refusal(item, err)
		}
	}
	return nil
}

// sort settles what is as wanted or can't be, and says what is open and what of
// that is due to be written.
func (l *loop) sort(pending []runbook.Item, states map[string]runbook.ItemState) (due, open []runbook.Item) {
	for _, item := range pending {
		id, have := item.ID(), states[item.ID()]
		r := l.judge(item, have, l.repair)
		if acted, ok := l.acted[id]; ok && r.Verdict == runbook.Drifted {
			// Ours, and not yet as written.
			r.Verdict = acted
		}
		switch {
		case have.Busy != "":
			l.errs[id] = cloud.Errorf(cloud.NotYet, "AWS says %q", have.Busy)
		case r.Verdict == runbook.ToCreate, r.Verdict == runbook.ToChange:
			if time.Since(l.written[id]) > settle {
				due = append(due, item)
			}
		default:
			l.settle(r)
			continue
		}
		open = append(open, item)
	}
	return due, open
}

// settle closes an item with what this loop did to it.
func (l *loop) settle(r runbook.ItemResult) {
	if acted, ok := l.acted[r.ID]; ok && r.Verdict == runbook.InPlace {
		r.Verdict = runbook.Created
		if acted == runbook.ToChange {
			r.Verdict = runbook.Changed
		}
		r.Changes, r.Request = l.changes[r.ID], l.request[r.ID]
	}
	l.results[r.ID] = r
}

// write writes what is due, some at the same time.
func (l *loop) write(ctx context.Context, due []runbook.Item, states map[string]runbook.ItemState) {
	var g errgroup.Group
	g.SetLimit(parallel)
	for _, item := range due {
		g.Go(func() error {
			l.one(ctx, item, states[item.ID()])
			return nil
		})
	}
	_ = g.Wait() // each keeps its own failure
}

func (l *loop) one(ctx context.Context, item runbook.Item, have runbook.ItemState) {
	request, err := l.Write(ctx, At(item.Region), item, have)
	l.mu.Lock()
	defer l.mu.Unlock()
	id := item.ID()
	if _, again := l.acted[id]; !again {
		l.changes[id] = item.Difference(have)
		l.acted[id] = runbook.ToChange
		if !have.Found {
			l.acted[id] = runbook.ToCreate
		}
	}
	switch {
	case err == nil:
		l.written[id], l.request[id] = time.Now(), request
		delete(l.errs, id)
	case passing(err) && l.worthwhile(id, err):
		l.errs[id] = err
	default:
		r := refusal(item, err)
		r.Changes = item.Difference(have)
		l.results[id] = r
	}
}

// worthwhile says whether another try makes sense: an answer that is not known
// counts as passing a few times.
func (l *loop) worthwhile(id string, err error) bool {
	if cloud.KindOf(err) != cloud.Unknown && !cloud.Refused(err) {
		return true
	}
	l.odd[id]++
	return l.odd[id] < strange
}

// unsettled are the items without a result.
func (l *loop) unsettled(open []runbook.Item) []runbook.Item {
	return slices.DeleteFunc(slices.Clone(open), func(i runbook.Item) bool { _, done := l.results[i.ID()]; return done })
}

// giveUp closes what time did not suffice for.
func (l *loop) giveUp(pending []runbook.Item) {
	for _, item := range pending {
		r := runbook.ItemResult{ID: item.ID(), Resource: item.Resource, Verdict: runbook.Unkept, Changes: l.changes[item.ID()], Why: "time ran out before AWS showed it as wanted"}
		if err := l.errs[item.ID()]; err != nil {
			r.Why += ": " + err.Error()
		}
		l.results[item.ID()] = r
	}
}

// Known collects what items turned out to be, for Item.Resolve.
func Known(results []runbook.ItemResult) map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, r := range results {
		if r.Verdict.There() {
			out[r.ID] = maps.Clone(r.Out)
		}
	}
	return out
}
