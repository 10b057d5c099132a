package ec2

import (
	"context"
	"errors"

	"lifeline/internal/runbook"
)

// Steps is filled in.
type Steps struct{}

var errUnfinished = errors.New("unfinished")

// FenceNetwork is filled in next.
func (s *Steps) FenceNetwork(ctx context.Context, in NetworkFence) (runbook.Outcome, error) {
	return runbook.Outcome{}, errUnfinished
}

// UnfenceNetwork is filled in next.
func (s *Steps) UnfenceNetwork(ctx context.Context, in NetworkFence) (runbook.Outcome, error) {
	return runbook.Outcome{}, errUnfinished
}
