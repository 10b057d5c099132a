package s3

import (
	"context"
	"errors"

	"lifeline/internal/runbook"
)

// Steps is filled in.
type Steps struct{}

var errUnfinished = errors.New("unfinished")

// EvacuateByObject is filled in next.
func (s *Steps) EvacuateByObject(ctx context.Context, in ObjectSwitch) (runbook.Outcome, error) {
	return runbook.Outcome{}, errUnfinished
}

// ReturnByObject is filled in next.
func (s *Steps) ReturnByObject(ctx context.Context, in ObjectSwitch) (runbook.Outcome, error) {
	return runbook.Outcome{}, errUnfinished
}

// MeasureBucketLag is filled in next.
func (s *Steps) MeasureBucketLag(ctx context.Context, in BucketLag) (Watermark, error) {
	return Watermark{}, errUnfinished
}

// AwaitBucketCaughtUp is filled in next.
func (s *Steps) AwaitBucketCaughtUp(ctx context.Context, in BucketCaughtUp) (runbook.Outcome, error) {
	return runbook.Outcome{}, errUnfinished
}

// WriteBucketWatermark is filled in next.
func (s *Steps) WriteBucketWatermark(ctx context.Context, in BucketWatermark) error {
	return errUnfinished
}
