package elb

import (
	"context"
	"fmt"
	"time"

	"lifeline/internal/cloud"
)

// targetsEvery is the pause between two looks: a target group's own health
// checks come every few seconds.
const targetsEvery = 2 * time.Second

// AwaitTargets watches a target group until no target is unhealthy and at least
// one is healthy. A look that fails is taken again until ctx ends, unless it can
// never succeed.
func (s *Steps) AwaitTargets(ctx context.Context, in TargetsRef) (Targets, error) {
	var last Targets
	err := cloud.Poll(ctx, targetsEvery, func(ctx context.Context) (bool, string, error) {
		t, err := s.DescribeTargets(ctx, in)
		if err != nil {
			return false, "", err
		}
		last = t
		return t.Healthy > 0 && t.Unhealthy == 0,
			fmt.Sprintf("%d healthy and %d unhealthy of %d targets", t.Healthy, t.Unhealthy, t.Total), nil
	})
	if err != nil {
		return last, fmt.Errorf("await healthy targets of %q in %s: %w", in.TargetGroup, in.Region, err)
	}
	return last, nil
}
