package wire

import (
	"fmt"
	"net/http"
	"reflect"

	"lifeline/local/aws/world"
)

// Invoke calls an operation from inside the simulator, as one AWS service calls
// another: input and answer are typed, and nothing travels over a socket. c says
// when, where and for whom; c.Caller is the calling service's principal, such as
// "cloudformation.amazonaws.com". The call is validated, meets the faults of the
// Region that serves it, and stands in the call log. Rate limits are those of
// clients, so they don't apply. The error is an *Error with the service's code.
func Invoke[O, I any](c *Call, s *Service, operation string, in *I) (*O, error) {
	e := errand{service: s, op: s.operations[operation], world: c.World}
	if e.op == nil {
		return nil, fmt.Errorf("invoke %s: no operation %s", s.name, operation)
	}
	e.call = &Call{
		Context: c.Context, World: c.World, Region: c.Region, Service: s.name, Operation: operation,
		Caller: c.Caller, RequestID: newRequestID(), Header: http.Header{},
	}
	arrived := c.World.Now()
	out, bad := e.run(reflect.ValueOf(in).Elem())
	outcome := outcomeOK
	if bad != nil {
		bad = bad.in(dialectOf(s.name, s.protocols[0]))
		outcome = bad.Code
	}
	c.World.Log(world.CallRecord{
		Time: arrived, Duration: c.World.Now().Sub(arrived), Service: s.name, Operation: operation, Region: e.home(),
		Caller: c.Caller, RequestID: e.call.RequestID, Outcome: outcome, Mutating: mutating(operation),
		Params: identifiers(s, reflect.ValueOf(in).Elem()),
	})
	if bad != nil {
		return nil, bad
	}
	typed, ok := out.(*O)
	if !ok {
		return nil, fmt.Errorf("invoke %s %s: the answer is %T", s.name, operation, out)
	}
	return typed, nil
}

// errand is one call between services.
type errand struct {
	service *Service
	op      *operation
	world   *world.World
	call    *Call
}

func (e errand) run(in reflect.Value) (any, *Error) {
	for _, kind := range []world.FaultKind{world.Blackout, world.Brownout, world.Throttle, world.Deny} {
		if _, hit := e.world.Strike(kind, world.Target{
			Region: e.home(), Service: e.service.name, Operation: e.op.name, Caller: e.call.Caller,
		}); hit {
			return nil, e.struck(kind)
		}
	}
	if bad := e.service.validate(e.service.protocols[0], in); bad != nil {
		return nil, bad
	}
	if e.op.handler == nil {
		return nil, refuse(unknownOperation, "The simulated AWS doesn't serve %s %s", e.service.name, e.op.name)
	}
	out, err := e.op.handler(e.call, in.Addr().Interface())
	if err != nil {
		return nil, asError(err)
	}
	return out, nil
}

func (e errand) struck(kind world.FaultKind) *Error {
	switch kind {
	case world.Throttle:
		return refuse(throttled, "Rate exceeded")
	case world.Deny:
		return refuse(denied, "User: %s is not authorized to perform: %s", e.call.Caller, e.service.action(e.op.name))
	default:
		return refuse(unavailable, "Service is unable to handle request.")
	}
}

func (e errand) home() string { return firstOf(e.world.Home(e.service.name), e.call.Region) }
