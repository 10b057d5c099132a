package arc

import (
	"context"
	"errors"

	"lifeline/internal/runbook"
)

// Steps is filled in.
type Steps struct{}

var errUnfinished = errors.New("unfinished")

// EvacuateByRoutingControl is filled in next.
func (s *Steps) EvacuateByRoutingControl(ctx context.Context, in ControlSwitch) (runbook.Outcome, error) {
	return runbook.Outcome{}, errUnfinished
}

// ReturnByRoutingControl is filled in next.
func (s *Steps) ReturnByRoutingControl(ctx context.Context, in ControlSwitch) (runbook.Outcome, error) {
	return runbook.Outcome{}, errUnfinished
}
