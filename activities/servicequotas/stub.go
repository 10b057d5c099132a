package servicequotas

import (
	"context"
	"errors"
)

// Steps is filled in.
type Steps struct{}

var errUnfinished = errors.New("unfinished")

// MeasureHeadroom is filled in next.
func (s *Steps) MeasureHeadroom(ctx context.Context, in HeadroomRef) (Headroom, error) {
	return Headroom{}, errUnfinished
}
