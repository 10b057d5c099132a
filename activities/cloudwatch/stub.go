package cloudwatch

import (
	"context"
	"errors"
)

// Steps is filled in.
type Steps struct{}

var errUnfinished = errors.New("unfinished")

// MeasureAuroraLag is filled in next.
func (s *Steps) MeasureAuroraLag(ctx context.Context, in AuroraLag) (Lag, error) {
	return Lag{}, errUnfinished
}
