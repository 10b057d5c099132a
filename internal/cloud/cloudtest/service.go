// Package cloudtest owns how the fakes of AWS services misbehave: they record
// their calls and fail, hang or lose an answer when told. It is for tests only.
//
// It does not own what a service does: each test package keeps its own small
// state. It fails the way the SDK does, with the operation around the cause.
package cloudtest

import (
	"context"
	"io"
	"strings"
	"sync"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Fault is how one call goes wrong.
type Fault func(ctx context.Context, apply func()) error

// Code refuses a call with a wire code.
func Code(code string) Fault {
	return func(context.Context, func()) error {
		return &smithy.GenericAPIError{Code: code, Message: "refused by the fake"}
	}
}

// Lost applies the act and drops the answer.
func Lost() Fault {
	return func(_ context.Context, apply func()) error {
		apply()
		return &smithyhttp.RequestSendError{Err: io.ErrUnexpectedEOF}
	}
}

// Hang never answers, as a dark Region.
func Hang() Fault {
	return func(ctx context.Context, _ func()) error {
		<-ctx.Done()
		return &smithyhttp.RequestSendError{Err: ctx.Err()}
	}
}

// Service is the part that all fakes share.
type Service struct {
	ID string // as the SDK calls it: "RDS"

	mu     sync.Mutex
	faults map[string][]Fault
	always map[string]Fault
	calls  []string
}

// Next makes the next calls of an operation go wrong, one fault each.
func (s *Service) Next(operation string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults == nil {
		s.faults = map[string][]Fault{}
	}
	s.faults[operation] = append(s.faults[operation], faults...)
}

// Always makes every call of an operation go wrong; "" is every operation.
func (s *Service) Always(operation string, fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.always == nil {
		s.always = map[string]Fault{}
	}
	s.always[operation] = fault
}

// Count is how often an operation was called.
func (s *Service) Count(operation string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.calls {
		if c == operation {
			n++
		}
	}
	return n
}

// Changes are the calls that were made and do not only read.
func (s *Service) Changes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	changes := []string{}
	for _, c := range s.calls {
		if !strings.HasPrefix(c, "Describe") && !strings.HasPrefix(c, "Get") && !strings.HasPrefix(c, "Head") {
			changes = append(changes, c)
		}
	}
	return changes
}

// With changes a fake's state from outside its calls.
func (s *Service) With(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// Serve is the body of every operation of a fake: apply is what it does. Calls
// of one fake are served one at a time, except those that hang.
func Serve[Out any](ctx context.Context, s *Service, operation string, apply func() (Out, error)) (Out, error) {
	var out Out
	var err error
	s.mu.Lock()
	s.calls = append(s.calls, operation)
	fault := s.take(operation)
	if fault == nil {
		out, err = apply()
		s.mu.Unlock()
	} else {
		s.mu.Unlock()
		err = fault(ctx, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			// What the service would have answered is lost either way.
			if _, refused := apply(); refused != nil {
				err = refused
			}
		})
	}
	if err != nil {
		var none Out
		return none, &smithy.OperationError{ServiceID: s.ID, OperationName: operation, Err: err}
	}
	return out, nil
}

// take gives the fault of this call, nil for none.
func (s *Service) take(operation string) Fault {
	if queue := s.faults[operation]; len(queue) > 0 {
		s.faults[operation] = queue[1:]
		return queue[0]
	}
	if fault := s.always[operation]; fault != nil {
		return fault
	}
	return s.always[""]
}

// Refuse is the error of an operation that the fake itself refuses.
func Refuse(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message}
}
