package observe

import (
	"context"
	"errors"
)

// Steps is filled in.
type Steps struct{}

var errUnfinished = errors.New("unfinished")

// ObserveRegions is filled in next.
func (s *Steps) ObserveRegions(ctx context.Context, in ObserveInput) (Observation, error) {
	return Observation{}, errUnfinished
}

// VerifyTransaction is filled in next.
func (s *Steps) VerifyTransaction(ctx context.Context, in TransactionInput) (TransactionResult, error) {
	return TransactionResult{}, errUnfinished
}

// MeasureServed is filled in next.
func (s *Steps) MeasureServed(ctx context.Context, in ServedInput) (Served, error) {
	return Served{}, errUnfinished
}
