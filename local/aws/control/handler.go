package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"lifeline/local/aws/world"
)

// Prefix is the path below which the API lives.
const Prefix = "/_lifeline/"

// Options add to the API what only the whole simulator knows.
type Options struct {
	// Sections are parts of the facts document, such as "replication", each
	// read when somebody asks.
	Sections map[string]func() any
	// Ready says why the simulator can't serve yet; nil means it always can.
	Ready func() error
	// Install puts an agent on a server and gives the id of what it registered;
	// nil means that there are no agents.
	Install func(region string, server json.RawMessage) (string, error)
}

// Facts are what is true in the world right now.
type Facts struct {
	Account     string                     `json:"account"`
	Regions     []string                   `json:"regions"`
	Compression float64                    `json:"time_compression"`
	Now         time.Time                  `json:"now"`
	Dark        []string                   `json:"dark"`
	Faults      []world.Fault              `json:"faults"`
	Outages     []world.Outage             `json:"outages"`
	Sections    map[string]json.RawMessage `json:"sections"`
}

// Policy is the allow list of one caller; null actions lift it.
type Policy struct {
	Caller  string   `json:"caller"`
	Actions []string `json:"actions"`
}

// Clock is how fast AWS's own waits pass.
type Clock struct {
	Compression float64 `json:"time_compression"` // AWS seconds per wall second; 1 is real time
}

type api struct {
	world   *world.World
	options Options
}

// New is the API of a world, to be mounted at Prefix.
func New(w *world.World, o Options) http.Handler {
	a := api{world: w, options: o}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Prefix+"faults", serve(a.inject))
	mux.HandleFunc("GET "+Prefix+"faults", serve(a.faults))
	mux.HandleFunc("DELETE "+Prefix+"faults/{id}", serve(a.remove))
	mux.HandleFunc("POST "+Prefix+"outage", serve(a.outage))
	mux.HandleFunc("POST "+Prefix+"heal", serve(a.heal))
	mux.HandleFunc("POST "+Prefix+"policy", serve(a.policy))
	mux.HandleFunc("POST "+Prefix+"clock", serve(a.clock))
	mux.HandleFunc("POST "+Prefix+"agents", serve(a.install))
	mux.HandleFunc("GET "+Prefix+"calls", serve(a.calls))
	mux.HandleFunc("GET "+Prefix+"facts", serve(a.facts))
	mux.HandleFunc("GET "+Prefix+"ready", serve(a.ready))
	mux.HandleFunc("/", serve(func(r *http.Request) (any, error) {
		return nil, refusal{http.StatusNotFound, fmt.Sprintf("no such control: %s %s", r.Method, r.URL.Path)}
	}))
	return loopbackOnly(mux)
}

// refusal is an error with the HTTP status that says whose fault it is.
type refusal struct {
	status int
	text   string
}

func (r refusal) Error() string { return r.text }

func bad(format string, args ...any) error {
	return refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// serve turns a function into a handler that speaks JSON both ways.
func serve(fn func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusOK
		out, err := fn(r)
		if err != nil {
			status = http.StatusInternalServerError
			if r, ok := errors.AsType[refusal](err); ok {
				status = r.status
			}
			out = map[string]string{"error": err.Error()}
		}
		body, err := json.Marshal(out)
		if err != nil {
			status, body = http.StatusInternalServerError, []byte(`{"error":"the answer can't be written as JSON"}`)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(append(body, '\n')) // the client is gone or has it
	}
}

func (a api) clock(r *http.Request) (any, error) {
	c, err := read[Clock](r)
	if err != nil {
		return nil, err
	}
	if c.Compression <= 0 {
		return nil, bad("time_compression must be positive")
	}
	a.world.SetCompression(c.Compression)
	return c, nil
}

func loopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if addr, parseErr := netip.ParseAddr(host); err != nil || parseErr != nil || !addr.Unmap().IsLoopback() {
			serve(func(*http.Request) (any, error) {
				return nil, refusal{http.StatusForbidden, "the control API serves this machine only"}
			})(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// read decodes a body strictly.
func read[T any](r *http.Request) (T, error) {
	var v T
	const limit = 1 << 20
	dec := json.NewDecoder(io.LimitReader(r.Body, limit))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		return v, bad("read body: %v", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return v, bad("read body: more than one document")
	}
	return v, nil
}

// fault is world.Fault with a duration that people can type.
type fault struct {
	world.Fault

	Latency duration `json:"latency"`
}

// duration is "1.5s" or a number of nanoseconds.
type duration time.Duration

// UnmarshalJSON reads both forms.
func (d *duration) UnmarshalJSON(raw []byte) error {
	if text, ok := strings.CutPrefix(string(raw), `"`); ok {
		v, err := time.ParseDuration(strings.TrimSuffix(text, `"`))
		*d = duration(v)
		if err != nil {
			return fmt.Errorf("latency: %w", err)
		}
		return nil
	}
	var n int64
	if err := json.Unmarshal(raw, &n); err != nil {
		return fmt.Errorf("latency: want \"1.5s\" or nanoseconds: %w", err)
	}
	*d = duration(n)
	return nil
}

func (a api) inject(r *http.Request) (any, error) {
	f, err := read[fault](r)
	if err != nil {
		return nil, err
	}
	f.Fault.Latency = time.Duration(f.Latency)
	if err := a.check(f.Fault); err != nil {
		return nil, err
	}
	return map[string]string{"id": a.world.Inject(f.Fault)}, nil
}

// check reports every problem of a fault at once.
func (a api) check(f world.Fault) error {
	var problems []string
	if !slices.Contains(world.FaultKinds(), f.Kind) {
		problems = append(problems, fmt.Sprintf("kind %q is none of %v", f.Kind, world.FaultKinds()))
	}
	for name, region := range map[string]string{"region": f.Region, "peer": f.Peer} {
		if region != "" && !slices.Contains(a.world.Regions(), region) {
			problems = append(problems, fmt.Sprintf("%s %q is none of %v", name, region, a.world.Regions()))
		}
	}
	if f.Kind == world.Partition && (f.Region == "" || f.Peer == "" || f.Region == f.Peer) {
		problems = append(problems, "a partition needs region and peer, two different ones")
	}
	if f.Kind != world.Partition && f.Peer != "" {
		problems = append(problems, "peer is for partitions only")
	}
	if (f.Kind == world.Latency || f.Kind == world.Hold) && f.Latency <= 0 {
		problems = append(problems, fmt.Sprintf("%s needs a positive latency", f.Kind))
	}
	if f.Probability < 0 || f.Probability > 1 {
		problems = append(problems, "probability is between 0 (always) and 1")
	}
	if f.Times < 0 || f.Latency < 0 {
		problems = append(problems, "times and latency can't be negative")
	}
	if len(problems) > 0 {
		slices.Sort(problems)
		return bad("%s", strings.Join(problems, "; "))
	}
	return nil
}

func (a api) faults(*http.Request) (any, error) { return a.world.Faults(), nil }

func (a api) remove(r *http.Request) (any, error) {
	id := r.PathValue("id")
	known := slices.ContainsFunc(a.world.Faults(), func(f world.Fault) bool { return f.ID == id })
	if !known {
		return nil, refusal{http.StatusNotFound, fmt.Sprintf("no fault %q is in force", id)}
	}
	a.world.Remove(id)
	return map[string]string{"id": id}, nil
}

type regionOnly struct {
	Region string `json:"region"`
}

func (a api) region(r *http.Request) (string, error) {
	in, err := read[regionOnly](r)
	if err != nil {
		return "", err
	}
	if !slices.Contains(a.world.Regions(), in.Region) {
		return "", bad("region %q is none of %v", in.Region, a.world.Regions())
	}
	return in.Region, nil
}

// outage makes a Region dark; one that is dark already stays so, under one fault.
func (a api) outage(r *http.Request) (any, error) {
	region, err := a.region(r)
	if err != nil {
		return nil, err
	}
	id := a.world.Inject(world.Fault{ID: "outage-" + region, Kind: world.Blackout, Region: region})
	return map[string]string{"id": id}, nil
}

func (a api) heal(r *http.Request) (any, error) {
	region, err := a.region(r)
	if err != nil {
		return nil, err
	}
	a.world.Heal(region)
	return regionOnly{region}, nil
}

func (a api) policy(r *http.Request) (any, error) {
	p, err := read[Policy](r)
	if err != nil {
		return nil, err
	}
	if p.Caller == "" {
		return nil, bad("caller is missing: an access key id")
	}
	a.world.SetPolicy(p.Caller, p.Actions)
	return p, nil
}

func (a api) calls(r *http.Request) (any, error) {
	var since time.Time
	if text := r.URL.Query().Get("since"); text != "" {
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return nil, bad("since: %v", err)
		}
		since = t
	}
	calls := a.world.Calls(since)
	if calls == nil {
		calls = []world.CallRecord{}
	}
	return calls, nil
}

func (a api) facts(*http.Request) (any, error) {
	f := Facts{
		Account: a.world.Account(), Regions: a.world.Regions(), Compression: a.world.Compression(),
		Now: a.world.Now(), Dark: []string{}, Faults: a.world.Faults(), Outages: a.world.Outages(),
		Sections: map[string]json.RawMessage{},
	}
	for _, region := range f.Regions {
		if a.world.Dark(region) {
			f.Dark = append(f.Dark, region)
		}
	}
	for name, section := range a.options.Sections {
		raw, err := json.Marshal(section())
		if err != nil {
			return nil, fmt.Errorf("write section %s: %w", name, err)
		}
		f.Sections[name] = raw
	}
	return f, nil
}

func (a api) ready(*http.Request) (any, error) {
	if a.options.Ready != nil {
		if err := a.options.Ready(); err != nil {
			return nil, refusal{http.StatusServiceUnavailable, err.Error()}
		}
	}
	return map[string]bool{"ready": true}, nil
}
