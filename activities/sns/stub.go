package sns

import (
	"context"
	"errors"
)

// Steps is filled in.
type Steps struct{}

var errUnfinished = errors.New("unfinished")

// Notify is filled in next.
func (s *Steps) Notify(ctx context.Context, in Notification) (Delivered, error) {
	return Delivered{}, errUnfinished
}
