package elb

import (
	"context"
	"fmt"
	"time"
)

// targetsEvery is the pause between two looks: a target group's own health
// checks come every few seconds.
const targetsEvery = 2 * time.Second

// AwaitTargets watches a target group until no target is unhealthy and at least
// one is healthy. A look that fails is taken again until ctx ends.
func (s *Steps) AwaitTargets(ctx context.Context, in TargetsRef) (Targets, error) {
	tick := time.NewTicker(targetsEvery)
	defer tick.Stop()
	for {
		targets, err := s.DescribeTargets(ctx, in)
		if err == nil && targets.Healthy > 0 && targets.Unhealthy == 0 {
			return targets, nil
		}
		select {
		case <-ctx.Done():
			if err == nil {
				err = ctx.Err()
			}
			return targets, fmt.Errorf("await healthy targets of %q in %s: %w", in.TargetGroup, in.Region, err)
		case <-tick.C:
		}
	}
}
