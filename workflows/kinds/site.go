package kinds

import (
	"cmp"
	"fmt"
	"slices"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Site is where setup builds: a plan's estate in one account.
type Site struct {
	Plan    plan.Plan
	Account string // 12 digits
}

// Keeper is a kind that setup keeps something for. Items is pure: the same plan
// and account give the same items.
type Keeper interface {
	Items(s Site, r plan.Resource) []runbook.Item
}

// Watcher is a kind that alarms watch.
type Watcher interface {
	Alarms(s Site, r plan.Resource) []runbook.Item
}

// Items is everything that setup keeps for a plan, in the order of areas. Two
// items of one id are a mistake of the plan (two resources that name the same
// thing) unless they are alike.
func Items(s Site) ([]runbook.Item, error) {
	var all []runbook.Item
	if s.Plan.Setup == nil {
		return nil, fmt.Errorf("the plan has no setup: section, so setup has nothing to keep")
	}
	for _, common := range commons() {
		all = append(all, common(s)...)
	}
	for _, res := range s.Plan.Resources {
		kind, ok := For(res.Kind)
		if !ok {
			return nil, fmt.Errorf("resource %q has the unknown kind %q", res.Name, res.Kind)
		}
		if k, ok := kind.(Keeper); ok {
			all = append(all, k.Items(s, res)...)
		}
		if w, ok := kind.(Watcher); ok && s.Plan.Monitoring != nil {
			all = append(all, w.Alarms(s, res)...)
		}
	}
	owned(s, all)
	return unique(all)
}

// commons are what serves all resources of a plan.
func commons() []func(Site) []runbook.Item {
	return []func(Site) []runbook.Item{keys, stacks, backups, elasticDR, switchBuckets, leaseTable, traffic, monitoring, trigger}
}

func unique(all []runbook.Item) ([]runbook.Item, error) {
	order := map[runbook.Area]int{}
	for i, a := range runbook.Areas() {
		order[a] = i
	}
	slices.SortFunc(all, func(a, b runbook.Item) int {
		return cmp.Or(cmp.Compare(order[a.Area], order[b.Area]), compareIDs(a, b))
	})
	out := all[:0]
	for _, item := range all {
		if n := len(out); n > 0 && compareIDs(out[n-1], item) == 0 {
			if fmt.Sprint(out[n-1]) != fmt.Sprint(item) {
				return nil, fmt.Errorf("%s is wanted twice, in different ways (for %s and for %s)", item.ID(), out[n-1].Resource, item.Resource)
			}
			continue
		}
		out = append(out, item)
	}
	return out, nil
}

// compareIDs compares without putting ids together: there are thousands.
func compareIDs(a, b runbook.Item) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Name, b.Name))
}

// recovery is the Region that takes over; "" in a plan without one.
func (s Site) recovery() plan.Region {
	regions := s.Plan.TrafficRegions()
	if len(regions) < 2 {
		return ""
	}
	return regions[1]
}

// arn is an ARN in this account.
func (s Site) arn(service string, region plan.Region, rest string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, region, s.Account, rest)
}
