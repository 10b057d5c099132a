package wire

import (
	"context"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/url"
	"reflect"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"lifeline/local/aws/world"
)

// Outcomes in the call log beside error codes.
const (
	outcomeOK        = "ok"
	outcomeBlackhole = "blackhole"
	outcomeLost      = "answer lost"
	outcomeThrottled = "throttled"
)

// conversation is one call from its first byte to its entry in the call log.
type conversation struct {
	exchange

	server  *Server
	w       http.ResponseWriter
	arrived time.Time
	region  string // where the control plane that serves the call stands
	routed  bool   // a path prefix named the Region, so it need not be one of the world's
	dialect dialect
	params  map[string]string
}

func newRequestID() string { return uuid.NewString() }

// run serves the call. Faults come in the order in which a packet meets them:
// the Region, the load on it, the limits, the policy, the act, the way back.
func (c *conversation) run() {
	routed := c.server.unroute(c.request)
	bad := c.understand(routed)
	c.dialect = dialectOf(c.serviceName(), c.protocol)
	if c.darkness() {
		c.vanish(outcomeBlackhole)
		return
	}
	if bad != nil {
		c.refuse(bad)
		return
	}
	if f, hit := c.strike(world.Latency); hit {
		// The packet is on its way: a client that gives up can't call it back.
		c.wait(f.Latency, nil)
	}
	if bad := c.gate(); bad != nil {
		c.refuse(bad)
		return
	}
	reply, outcome := c.act()
	if _, hit := c.strike(world.LoseAnswer); hit {
		c.vanish(outcomeLost)
		return
	}
	if f, hit := c.strike(world.Hold); hit {
		c.wait(f.Latency, c.request.Context().Done())
	}
	if c.darkness() {
		c.vanish(outcomeBlackhole)
		return
	}
	c.send(reply, outcome)
}

// understand reads body, credentials and operation.
func (c *conversation) understand(routed string) *Error {
	body, badBody := readBody(c.request)
	c.body = body
	scope, badAuth := readScope(c.request, c.server.world.Now())
	c.scope = scope
	if badAuth == nil || badAuth.problem != malformedAuth {
		c.region = scope.region
	}
	if c.request.Header.Get("Content-Encoding") == "gzip" && scope.service != "s3" && badBody == nil {
		c.body, badBody = gunzip(body)
	}
	c.form = readForm(c.request, c.body)
	badCall := c.server.identify(&c.exchange)
	c.locate(routed)
	if badBody == nil && (c.op == nil || c.op.name != "CompleteMultipartUpload") {
		// There the checksums are those of the object, not of the request.
		badBody = checkDigests(body, c.request.Header)
	}
	for _, bad := range []*Error{badAuth, badCall, badBody, c.foreign()} {
		if bad != nil {
			return bad
		}
	}
	if c.scope.caller == "" && (c.service == nil || !c.service.quirks.unsigned) {
		return refuse(missingAuth, "Request is missing Authentication Token")
	}
	return nil
}

// locate finds the Region that serves the call.
func (c *conversation) locate(routed string) {
	c.region = c.scope.region
	if c.region == "" {
		c.region = firstOf(regionInHost(c.request.Host), c.server.world.Regions()[0])
	}
	if routed != "" {
		c.region, c.routed = routed, true
	}
}

// foreign refuses a Region that doesn't exist. Global services take any: the SDK
// signs for the Region it was configured for.
func (c *conversation) foreign() *Error {
	if c.routed || c.server.world.Home(c.serviceName()) != "" || c.server.knows(c.region) {
		return nil
	}
	return refuse(foreignRegion, "Credential should be scoped to a valid Region, not '%s'", c.region)
}

// home is the Region whose faults hit the call.
func (c *conversation) home() string {
	return firstOf(c.server.world.Home(c.serviceName()), c.region)
}

func (c *conversation) serviceName() string {
	if c.service != nil {
		return c.service.name
	}
	return c.scope.service
}

func (c *conversation) strike(kind world.FaultKind) (world.Fault, bool) {
	return c.server.world.Strike(kind, world.Target{
		Region: c.home(), Service: c.serviceName(), Operation: c.name, Caller: c.scope.caller,
	})
}

// darkness says whether the call, or its answer, goes into a blackout.
func (c *conversation) darkness() bool {
	_, hit := c.strike(world.Blackout)
	return hit
}

// gate is what stands between a call and its operation.
func (c *conversation) gate() *Error {
	if _, hit := c.strike(world.Brownout); hit {
		return refuse(unavailable, "Service is unable to handle request.")
	}
	if _, hit := c.strike(world.Throttle); hit || !c.server.limiter.allow(c.service.name, c.op.name, c.home()) {
		return refuse(throttled, "Rate exceeded")
	}
	action := c.service.action(c.op.name)
	_, hit := c.strike(world.Deny)
	if hit || !c.server.world.Allowed(c.scope.caller, action) {
		return refuse(denied, "User: arn:aws:iam::%s:user/%s is not authorized to perform: %s because no identity-based policy allows the %s action",
			c.server.world.Account(), c.scope.caller, action, action)
	}
	return nil
}

// act decodes, validates, calls and encodes.
func (c *conversation) act() (answer, string) {
	in := reflect.New(c.op.input)
	codec := codecOf(c.service, c.protocol)
	if bad := codec.decode(&c.exchange, in.Elem()); bad != nil {
		return c.problem(bad)
	}
	c.params = identifiers(c.service, in.Elem())
	if bad := c.service.validate(c.protocol, in.Elem()); bad != nil {
		return c.problem(bad)
	}
	if c.op.handler == nil {
		return c.problem(refuse(unknownOperation, "The simulated AWS doesn't serve %s %s", c.service.name, c.op.name))
	}
	call := c.call()
	out, err := c.invoke(call, in.Interface())
	if err != nil {
		return c.problem(asError(err))
	}
	reply, err := codec.encode(&c.exchange, reflect.ValueOf(out).Elem())
	if err != nil {
		return c.problem(refuse(internal, "encode answer of %s: %v", c.op.name, err))
	}
	if len(call.newer) > 0 {
		if reply.body, err = withNewer(reply.body, call.newer); err != nil {
			return c.problem(refuse(internal, "encode answer of %s: %v", c.op.name, err))
		}
	}
	for key, values := range call.Header {
		reply.header[key] = values
	}
	if call.Status != 0 {
		reply.status = call.Status
	}
	return reply, outcomeOK
}

func (c *conversation) call() *Call {
	return &Call{
		// The act doesn't end because its client went away.
		Context: context.WithoutCancel(c.request.Context()),
		World:   c.server.world, Region: c.region, Service: c.service.name, Operation: c.op.name,
		Caller: c.scope.caller, RequestID: c.id, HTTP: c.request, Header: http.Header{},
		body: c.body,
	}
}

// invoke keeps a broken operation from taking the whole simulator down.
func (c *conversation) invoke(call *Call, in any) (out any, err error) {
	defer func() {
		if r := recover(); r != nil {
			c.server.log.Error("operation panicked", "service", c.service.name, "operation", c.op.name,
				"panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = refuse(internal, "%s %s panicked: %v", c.service.name, c.op.name, r)
		}
	}()
	return c.op.handler(call, in)
}

// problem is an error answer and its outcome.
func (c *conversation) problem(e *Error) (answer, string) {
	e = e.in(c.dialect)
	outcome := e.Code
	if e.problem == throttled {
		outcome = outcomeThrottled
	}
	return codecOf(c.service, c.protocol).refuse(&c.exchange, e), outcome
}

func (c *conversation) refuse(e *Error) { c.send(c.problem(e)) }

func (c *conversation) send(a answer, outcome string) {
	// Logged first: whoever got the answer finds the call in the log.
	c.record(outcome)
	header := c.w.Header()
	for key, values := range a.header {
		header[key] = values
	}
	header.Set("X-Amzn-Requestid", c.id)
	if c.serviceName() == "s3" {
		header.Set("X-Amz-Request-Id", c.id)
		header.Set("X-Amz-Id-2", c.id)
		header.Set("Server", "AmazonS3")
	}
	if c.serviceName() == "dynamodb" {
		header.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(a.body)), 10))
	}
	if c.request.Method != http.MethodHead {
		header.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	c.w.WriteHeader(a.status)
	if c.request.Method != http.MethodHead {
		// A client that went away is in nobody's interest here.
		_, _ = c.w.Write(a.body)
	}
}

// vanish ends a call without an answer. For a blackout it first keeps the client
// waiting until it gives up, as lost packets do.
func (c *conversation) vanish(outcome string) {
	if outcome == outcomeBlackhole {
		timer := time.NewTimer(c.server.patience)
		defer timer.Stop()
		select {
		case <-c.request.Context().Done():
		case <-c.server.world.Done():
		case <-timer.C:
		}
	}
	c.record(outcome)
	panic(http.ErrAbortHandler) // net/http's way to drop a connection
}

// wait passes AWS time, until the world ends or stop closes.
func (c *conversation) wait(d time.Duration, stop <-chan struct{}) {
	timer := time.NewTimer(c.server.world.Wall(d))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-stop:
	case <-c.server.world.Done():
	}
}

func (c *conversation) record(outcome string) {
	c.server.world.Log(world.CallRecord{
		Time: c.arrived, Duration: c.server.world.Now().Sub(c.arrived),
		Service: c.serviceName(), Operation: c.name, Region: c.home(), Caller: c.scope.caller,
		RequestID: c.id, Outcome: outcome, Mutating: mutating(c.name), Params: c.params,
	})
}

// readForm reads the parameters of a query request, from URL and body.
func readForm(r *http.Request, body []byte) url.Values {
	form := r.URL.Query()
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		if posted, err := url.ParseQuery(string(body)); err == nil {
			for key, values := range posted {
				form[key] = slices.Concat(values, form[key])
			}
		}
	}
	return form
}

// identifiers are the members of an input that name something: top-level strings
// and short lists of strings whose names end like a name.
func identifiers(s *Service, in reflect.Value) map[string]string {
	const longest = 256
	out := map[string]string{}
	for _, m := range s.shapes.of(in.Type()).members {
		if m.sensitive || m.location == "headers" || (m.enum == "" && !names(m.name)) {
			continue
		}
		if text := nameText(in.Field(m.index).Interface()); text != "" && len(text) <= longest {
			out[m.name] = text
		}
	}
	return out
}

// nameText is a string, or the first few of a list joined with commas.
func nameText(v any) string {
	const most = 10
	switch v := v.(type) {
	case *string:
		if v != nil {
			return *v
		}
	case []*string:
		var items []string
		for _, item := range v {
			if item != nil && len(items) < most {
				items = append(items, *item)
			}
		}
		return strings.Join(items, ",")
	}
	return ""
}

// names says whether a member identifies something, by how AWS names members.
func names(member string) bool {
	member = strings.TrimSuffix(member, "s")
	for _, end := range []string{"Identifier", "Id", "Name", "Arn", "ARN", "Key", "Bucket", "Region", "Reference", "Source", "Token"} {
		if strings.HasSuffix(member, end) {
			return true
		}
	}
	return false
}
