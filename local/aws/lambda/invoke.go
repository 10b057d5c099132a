package lambda

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/lambda"
	"github.com/google/uuid"

	"lifeline/local/aws/wire"
)

const (
	// initLimit is how long a process may take until it first asks for work, in
	// real time.
	initLimit = 10 * time.Second
	// attempts and pause are those of asynchronous invocations, in AWS time.
	attempts = 3
	pause    = time.Minute
	// account is how many invocations an account may have at once in a Region.
	account = 1000
	// largestEvent is what an asynchronous invocation may carry, in bytes.
	largestEvent = 256 << 10
)

// order is one request to run a function.
type order struct {
	function *function
	version  *version
	arn      string // as the caller named it
	id       string
	payload  []byte
}

// InvokeFunction runs a function and waits for it, or (Event) answers at once.
func (l *Lambda) InvokeFunction(c *wire.Call, in *sdk.InvokeInput) (*sdk.InvokeOutput, error) {
	kind := aws.StringValue(in.InvocationType)
	limit := largestPayload
	if kind == sdk.InvocationTypeEvent {
		limit = largestEvent
	}
	switch {
	case len(in.Payload) > limit:
		return nil, refuse(http.StatusRequestEntityTooLarge, "RequestTooLargeException", "%d byte payload is too large for the %s invocation type (limit %d bytes)", len(in.Payload), kind, limit)
	case len(in.Payload) > 0 && !json.Valid(in.Payload):
		return nil, refuse(http.StatusBadRequest, sdk.ErrCodeInvalidRequestContentException, "Could not parse request body into json")
	}
	o, err := l.order(c.Region, in.FunctionName, in.Qualifier, in.Payload)
	if err != nil {
		return nil, err
	}
	switch kind {
	case sdk.InvocationTypeDryRun:
		return &sdk.InvokeOutput{StatusCode: aws.Int64(http.StatusNoContent)}, nil
	case sdk.InvocationTypeEvent:
		l.world.After(0, func() { l.attempt(o, 1) })
		return &sdk.InvokeOutput{StatusCode: aws.Int64(http.StatusAccepted)}, nil
	}
	r, err := l.perform(o)
	if err != nil {
		return nil, err
	}
	out := &sdk.InvokeOutput{StatusCode: aws.Int64(http.StatusOK), Payload: r.payload, ExecutedVersion: o.version.config.Version}
	if r.failed != "" {
		out.FunctionError = aws.String(r.failed)
	}
	if aws.StringValue(in.LogType) == sdk.LogTypeTail {
		out.LogResult = aws.String(base64.StdEncoding.EncodeToString(r.logs))
	}
	return out, nil
}

// order finds what is to run, and refuses what can't run now.
func (l *Lambda) order(region string, name, qualifier *string, payload []byte) (order, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, v, ref, err := l.version(region, name, qualifier)
	if err != nil {
		return order{}, err
	}
	if *v.config.State != sdk.StateActive {
		return order{}, conflict("The operation cannot be performed at this time. The function is currently in the following state: %s", *v.config.State)
	}
	o := order{function: f, version: v, arn: l.arn(f.place), id: uuid.NewString(), payload: payload}
	if ref.qualifier != "" {
		o.arn += ":" + ref.qualifier
	}
	if len(payload) == 0 {
		o.payload = []byte("{}")
	}
	return o, nil
}

// attempt runs an asynchronous invocation, and again after a while when it fails.
func (l *Lambda) attempt(o order, n int) {
	r, err := l.perform(o)
	if err == nil && r.failed == "" {
		return
	}
	l.world.Logger().Warn("asynchronous invocation failed", "function", o.arn, "attempt", n, "error", fmt.Sprint(err), "answer", string(r.payload))
	if n < attempts {
		l.world.After(time.Duration(n)*pause, func() { l.attempt(o, n+1) })
	}
}

// perform runs a function once. An error of the function is a result; an error of
// perform is Lambda's own refusal.
func (l *Lambda) perform(o order) (result, error) {
	e, err := l.hire(o)
	if err != nil {
		return result{}, err
	}
	defer l.release(o.function, o.version, e)
	inv := &invocation{
		id: o.id, arn: o.arn, payload: o.payload, limit: o.version.timeout(), taken: make(chan struct{}), result: make(chan result, 1),
	}
	r, err := l.work(e, inv)
	r.logs = e.tail()
	return r, err
}

// hire finds or starts a process, within the limits of concurrency.
func (l *Lambda) hire(o order) (*environment, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := o.function
	if f.reserved != nil && f.running >= *f.reserved {
		return nil, throttled(sdk.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded)
	}
	var running int64
	for at, other := range l.functions {
		if at.region == f.region {
			running += other.running
		}
	}
	if running >= account {
		return nil, throttled(sdk.ThrottleReasonConcurrentInvocationLimitExceeded)
	}
	e, err := l.acquire(f.region, o.version)
	if err != nil {
		return nil, refuse(http.StatusInternalServerError, sdk.ErrCodeServiceException, "%v", err)
	}
	f.running++
	return e, nil
}

func throttled(reason string) error {
	e := wire.Errorf(http.StatusTooManyRequests, sdk.ErrCodeTooManyRequestsException, "Rate Exceeded.")
	e.Detail = &sdk.TooManyRequestsException{Reason: &reason}
	return e
}

// work hands an invocation to a process and waits for its end.
func (l *Lambda) work(e *environment, inv *invocation) (result, error) {
	begin := time.NewTimer(initLimit)
	defer begin.Stop()
	select {
	case e.work <- inv:
	case <-e.ended:
		return e.broken(inv), nil
	case <-l.world.Done():
		return result{}, e.abandon()
	case <-begin.C:
		e.stop()
		return problem("Sandbox.Timedout", "RequestId: %s Error: Task timed out after %.2f seconds", inv.id, initLimit.Seconds()), nil
	}
	<-inv.taken
	limit := time.NewTimer(time.Until(inv.deadline))
	defer limit.Stop()
	select {
	case r := <-inv.result:
		return r, nil
	case <-e.ended:
		return e.broken(inv), nil
	case <-limit.C:
		e.stop()
		return problem("Sandbox.Timedout", "%s %s Task timed out after %.2f seconds", l.world.Now().UTC().Format("2006-01-02T15:04:05.000Z"), inv.id, inv.limit.Seconds()), nil
	}
}

// abandon gives a process up that the end of the world has overtaken, perhaps
// before it began.
func (e *environment) abandon() error {
	e.stop()
	_ = e.api.Close() // closed already when the process had begun
	return refuse(http.StatusInternalServerError, sdk.ErrCodeServiceException, "The simulated AWS ends.")
}

// broken is the result when the process ended over its work.
func (e *environment) broken(inv *invocation) result {
	if said := e.failedInit(); said != nil {
		return result{payload: said, failed: unhandled}
	}
	select {
	case r := <-inv.result: // it answered first
		return r
	default:
	}
	if errors.Is(e.exit, fs.ErrNotExist) || errors.Is(e.exit, fs.ErrPermission) {
		return problem("Runtime.InvalidEntrypoint", "RequestId: %s Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]", inv.id)
	}
	why := "without exit status"
	if e.exit != nil {
		why = "with error: " + e.exit.Error()
	}
	return problem("Runtime.ExitError", "RequestId: %s Error: Runtime exited %s", inv.id, why)
}

func problem(kind, format string, args ...any) result {
	body, err := json.Marshal(map[string]string{"errorType": kind, "errorMessage": fmt.Sprintf(format, args...)})
	if err != nil {
		body = []byte(`{}`) // two strings can always be written
	}
	return result{payload: body, failed: unhandled}
}

// Caller calls functions for one AWS service.
type Caller struct {
	lambda  *Lambda
	service string
}

// For gives a caller that is a service, such as sns.amazonaws.com.
func (l *Lambda) For(service string) Caller { return Caller{l, service} }

// Invoke runs a function asynchronously, with Lambda's own attempts. The error is
// Lambda's refusal: the function's policy doesn't admit the service, there is no
// such function, it isn't Active, or its Region is dark.
func (c Caller) Invoke(region, functionARN string, payload []byte) error {
	l := c.lambda
	if l.world.Dark(region) {
		return fmt.Errorf("invoke %s: region %s is dark", functionARN, region)
	}
	ref, err := l.refer(region, &functionARN, nil)
	if err != nil {
		return fmt.Errorf("invoke %s: %w", functionARN, err)
	}
	o, err := l.order(region, &functionARN, nil, payload)
	if err != nil {
		return fmt.Errorf("invoke %s: %w", functionARN, err)
	}
	l.mu.Lock()
	err = l.admits(o.function, ref.qualifier, c.service)
	l.mu.Unlock()
	if err != nil {
		return fmt.Errorf("invoke %s: %w", functionARN, err)
	}
	l.world.After(0, func() { l.attempt(o, 1) })
	return nil
}
