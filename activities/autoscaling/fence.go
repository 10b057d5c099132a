package autoscaling

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// beforeFence is the tag that remembers "min/max/desired", and after a further
// slash those of Launch and Terminate that were suspended.
const beforeFence = "lifeline:before-fence"

// Processes that a fence sets.
const (
	launch    = "Launch"
	terminate = "Terminate"
)

// FenceCompute takes a group to zero and stops it from launching. Terminate must
// run for that, so a freeze of it ends here. It calls the Region that is left:
// best effort, and confirmed means accepted; instances end as their connections
// drain. The write lease is the fence that does not depend on them.
func (s *Steps) FenceCompute(ctx context.Context, in GroupStep) (runbook.Outcome, error) {
	g := s.group(in.ref())
	var now state
	return runbook.Act{
		Check: func(ctx context.Context) (bool, string, error) {
			var err error
			now, err = g.read(ctx)
			return now.fenced(), now.String(), err
		},
		Do: func(ctx context.Context) (string, error) { return g.fence(ctx, now) },
		Would: fmt.Sprintf("remember the sizes of %q in %s, UpdateAutoScalingGroup min=max=desired=0, suspend Launch",
			in.Group, in.Region),
	}.Run(ctx, in.DryRun)
}

// fence remembers first: without the memory there would be no way back.
func (g group) fence(ctx context.Context, now state) (requestID string, err error) {
	if err := g.remember(ctx, now, beforeFence, memory(now.Group)); err != nil {
		return "", err
	}
	// Launch before the sizes: nothing may start in between.
	if _, err := g.suspend(ctx, []string{launch}); err != nil {
		return "", err
	}
	if _, err := g.resume(ctx, now.among(terminate)); err != nil {
		return "", err
	}
	return g.resize(ctx, size{min: count(0), max: count(0), desired: count(0)})
}

// fenced says that the group is at zero and stays there.
func (g Group) fenced() bool {
	return g.Min == 0 && g.Max == 0 && g.Desired == 0 && g.suspended(launch) && !g.suspended(terminate)
}

// UnfenceCompute gives a group its remembered sizes and processes back. A group
// without the memory was not fenced by Lifeline and is left alone.
func (s *Steps) UnfenceCompute(ctx context.Context, in GroupStep) (runbook.Outcome, error) {
	g := s.group(in.ref())
	var now state
	return runbook.Act{
		Check: func(ctx context.Context) (bool, string, error) {
			var err error
			now, err = g.read(ctx)
			_, ours := now.tags[beforeFence]
			return !ours, now.String(), err
		},
		Do:    func(ctx context.Context) (string, error) { return g.unfence(ctx, now) },
		Would: fmt.Sprintf("restore the sizes of %q in %s from its tag %s", in.Group, in.Region, beforeFence),
	}.Run(ctx, in.DryRun)
}

// unfence forgets last: until then a repetition restores again.
func (g group) unfence(ctx context.Context, now state) (requestID string, err error) {
	to, suspended, err := recall(now.tags[beforeFence])
	if err != nil {
		return "", fmt.Errorf("unfence auto scaling group %q: %w", g.name, err)
	}
	id, err := g.resize(ctx, to)
	if err != nil {
		return "", err
	}
	if _, err := g.suspend(ctx, suspended); err != nil {
		return "", err
	}
	running := slices.DeleteFunc([]string{launch, terminate}, func(p string) bool { return slices.Contains(suspended, p) })
	if _, err := g.resume(ctx, running); err != nil {
		return "", err
	}
	return id, g.forget(ctx, beforeFence)
}

// memory is what must be remembered of a group before it is fenced.
func memory(g Group) string {
	m := fmt.Sprintf("%d/%d/%d", g.Min, g.Max, g.Desired)
	if suspended := g.among(launch, terminate); len(suspended) > 0 {
		m += "/" + list(suspended)
	}
	return m
}

// recall reads a memory.
func recall(tag string) (to size, suspended []string, err error) {
	parts := strings.Split(tag, "/")
	if len(parts) != 3 && len(parts) != 4 {
		return size{}, nil, cloud.Errorf(cloud.Invalid, "tag %s is %q, want min/max/desired", beforeFence, tag)
	}
	var n [3]int
	for i := range n {
		if n[i], err = strconv.Atoi(parts[i]); err != nil {
			return size{}, nil, cloud.Errorf(cloud.Invalid, "tag %s is %q, want min/max/desired: %w", beforeFence, tag, err)
		}
	}
	if len(parts) == 4 {
		suspended = items(parts[3])
	}
	return size{min: count(n[0]), max: count(n[1]), desired: count(n[2])}, suspended, nil
}
