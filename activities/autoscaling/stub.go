package autoscaling

import (
	"context"
	"errors"

	"lifeline/internal/runbook"
)

// Steps is filled in.
type Steps struct{}

var errUnfinished = errors.New("unfinished")

// DescribeGroup is filled in next.
func (s *Steps) DescribeGroup(ctx context.Context, in GroupRef) (Group, error) {
	return Group{}, errUnfinished
}

// FreezeScaling is filled in next.
func (s *Steps) FreezeScaling(ctx context.Context, in GroupStep) (runbook.Outcome, error) {
	return runbook.Outcome{}, errUnfinished
}

// UnfreezeScaling is filled in next.
func (s *Steps) UnfreezeScaling(ctx context.Context, in GroupStep) (runbook.Outcome, error) {
	return runbook.Outcome{}, errUnfinished
}

// ScaleGroup is filled in next.
func (s *Steps) ScaleGroup(ctx context.Context, in GroupScale) (runbook.Outcome, error) {
	return runbook.Outcome{}, errUnfinished
}

// FenceCompute is filled in next.
func (s *Steps) FenceCompute(ctx context.Context, in GroupStep) (runbook.Outcome, error) {
	return runbook.Outcome{}, errUnfinished
}

// UnfenceCompute is filled in next.
func (s *Steps) UnfenceCompute(ctx context.Context, in GroupStep) (runbook.Outcome, error) {
	return runbook.Outcome{}, errUnfinished
}
