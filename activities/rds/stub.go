package rds

import (
	"context"
	"errors"

	"lifeline/internal/runbook"
)

// Steps is filled in.
type Steps struct{}

var errUnfinished = errors.New("unfinished")

// DescribeAurora is filled in next.
func (s *Steps) DescribeAurora(ctx context.Context, in AuroraRef) (Aurora, error) {
	return Aurora{}, errUnfinished
}

// FailoverAurora is filled in next.
func (s *Steps) FailoverAurora(ctx context.Context, in AuroraMove) (runbook.Outcome, error) {
	return runbook.Outcome{}, errUnfinished
}

// SwitchoverAurora is filled in next.
func (s *Steps) SwitchoverAurora(ctx context.Context, in AuroraMove) (runbook.Outcome, error) {
	return runbook.Outcome{}, errUnfinished
}

// AwaitAuroraWriter is filled in next.
func (s *Steps) AwaitAuroraWriter(ctx context.Context, in AuroraAwait) (Aurora, error) {
	return Aurora{}, errUnfinished
}

// AwaitAuroraSynchronized is filled in next.
func (s *Steps) AwaitAuroraSynchronized(ctx context.Context, in AuroraAwait) (Aurora, error) {
	return Aurora{}, errUnfinished
}

// PreserveLostWrites is filled in next.
func (s *Steps) PreserveLostWrites(ctx context.Context, in SnapshotCopy) (Snapshot, error) {
	return Snapshot{}, errUnfinished
}
