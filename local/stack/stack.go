package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"lifeline/internal/plan"
	"lifeline/local/aws/control"
)

// Options say what to run.
type Options struct {
	Dir   string // plan, keys, logs and results; made if missing
	Bin   string // where the programs are
	Plan  string // the example plan
	Ports Ports
	Say   func(format string, args ...any) // progress, one line each
	// Setup is the time compression while the estate is built; the clock is real
	// from then on unless Compression says otherwise.
	Setup       float64
	Compression float64
	Logger      *slog.Logger
	// Fresh removes what an earlier run has left in Dir. Only a folder that holds
	// a run is emptied.
	Fresh bool
	// Bare builds only what an application brings with it; the rest is left to
	// setup, and the clock stays compressed until Open.
	Bare bool
	// WallRates keeps AWS's rate limits as they are while its waits are compressed.
	WallRates bool
	// SetupOnly starts no worker but the one that builds.
	SetupOnly bool
}

// Stack is everything, running.
type Stack struct {
	Plan     plan.Plan
	PlanFile string
	Ports    Ports
	Control  control.Client

	options Options
	mu      sync.Mutex
	folder  *os.File // held while we run
	procs   map[string]*Process
	metrics map[string]int
	address string // of Temporal
}

// Start brings everything up. On an error what was started is stopped again.
func Start(ctx context.Context, o Options) (*Stack, error) {
	s := &Stack{options: o, procs: map[string]*Process{}, metrics: map[string]int{}}
	if err := s.start(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 4*time.Minute, errors.New("not ready within 4 minutes"))
	defer cancel()
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if err := s.startTemporal(ctx); err != nil {
		return err
	}
	if err := s.startAWS(ctx); err != nil {
		return err
	}
	if err := s.buildEstate(ctx); err != nil {
		return err
	}
	return s.startWorkers(ctx)
}

// prepare makes the folder, takes ports and writes the local plan.
func (s *Stack) prepare(ctx context.Context) error {
	// Paths of the environment must be absolute (XDG Base Directory Specification).
	dir, err := filepath.Abs(s.options.Dir)
	if err != nil {
		return fmt.Errorf("folder of the run: %w", err)
	}
	s.options.Dir = dir
	// What can be refused is refused before anything is removed.
	p, problems := plan.Load(s.options.Plan)
	if err := problems.Err(); err != nil {
		return err
	}
	for _, name := range []string{"temporal-server", "local", "worker", "starter"} {
		if _, err := os.Stat(s.bin(name)); err != nil {
			return fmt.Errorf("a program is missing, `make build` makes it: %w", err)
		}
	}
	if p.Trigger != nil {
		// Workers run in a folder of their own, and the package lies with the programs.
		if p.Trigger.Package, err = filepath.Abs(s.bin("trigger.zip")); err != nil {
			return fmt.Errorf("package of the trigger: %w", err)
		}
	}
	s.Ports = s.options.Ports
	for _, p := range []*int{&s.Ports.Temporal, &s.Ports.UI, &s.Ports.AWS, &s.Ports.DNS} {
		if err := claim(ctx, p); err != nil {
			return err
		}
	}
	if s.folder, err = takeFolder(s.options.Dir, s.options.Fresh); err != nil {
		return err
	}
	if c := s.options.Compression; c > 1 {
		p = p.Scale(c)
	}
	s.Plan, s.PlanFile, err = localise(p, s.options.Dir, net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Ports.DNS)))
	return err
}

func (s *Stack) bin(name string) string { return filepath.Join(s.options.Bin, name) }

// run starts a process and remembers it.
func (s *Stack) run(name string, env []string, args ...string) (*Process, error) {
	p := &Process{Name: name, Args: args, Env: env}
	s.mu.Lock()
	s.procs[name] = p
	s.mu.Unlock()
	return p, p.start(filepath.Join(s.options.Dir, "logs"))
}

func (s *Stack) startTemporal(ctx context.Context) error {
	if address := os.Getenv("TEMPORAL_ADDRESS"); address != "" {
		s.address = address
		s.options.Say("using Temporal at %s (TEMPORAL_ADDRESS)", address)
		return nil
	}
	s.address = net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Ports.Temporal))
	p, err := s.run("temporal", nil, s.bin("temporal-server"), "server", "start-dev",
		"--ip", "127.0.0.1", "--port", strconv.Itoa(s.Ports.Temporal), "--ui-port", strconv.Itoa(s.Ports.UI),
		"--namespace", "default", "--ui-actions", "update,signal", "--db-filename", filepath.Join(s.options.Dir, "temporal.db"))
	if err != nil {
		return err
	}
	if err := p.await(ctx, "start", func(context.Context) bool { return p.says("READY") }); err != nil {
		return err
	}
	s.options.Say("Temporal is up: %s, UI http://127.0.0.1:%d", s.address, s.Ports.UI)
	return nil
}

func (s *Stack) startAWS(ctx context.Context) error {
	regions := make([]string, 0, len(s.Plan.Regions))
	for _, r := range s.Plan.Regions {
		regions = append(regions, string(r.Name))
	}
	args := []string{
		s.bin("local"), "aws",
		"--port", strconv.Itoa(s.Ports.AWS), "--dns-port", strconv.Itoa(s.Ports.DNS),
		"--regions", strings.Join(regions, ","), "--compression", fmt.Sprint(max(1, s.options.Setup)),
		"--calls", filepath.Join(s.options.Dir, "calls.jsonl"),
	}
	if s.options.WallRates {
		args = append(args, "--wall-rates")
	}
	p, err := s.run("aws", nil, args...)
	if err != nil {
		return err
	}
	s.Control = control.Client{Endpoint: s.Endpoint()}
	if err := p.await(ctx, "start", func(ctx context.Context) bool { return s.Control.Ready(ctx) == nil }); err != nil {
		return err
	}
	s.options.Say("simulated AWS is up: %s, DNS 127.0.0.1:%d", s.Endpoint(), s.Ports.DNS)
	return nil
}

// Dir is the folder of the run, absolute.
func (s *Stack) Dir() string { return s.options.Dir }

// Endpoint is AWS's URL.
func (s *Stack) Endpoint() string { return fmt.Sprintf("http://127.0.0.1:%d", s.Ports.AWS) }

// Worker is a worker process by name; observers carry the plan's names.
func (s *Stack) workers() map[string][]string {
	out := map[string][]string{}
	if s.Plan.Setup != nil {
		out["worker-setup"] = []string{"--setup"}
	}
	if s.options.SetupOnly {
		return out
	}
	for _, region := range s.Plan.TrafficRegions() {
		copies := []string{"a"}
		if region != s.Plan.Primary() {
			copies = []string{"a", "b"} // one may be killed
		}
		for _, c := range copies {
			args := []string{"--region", string(region)}
			if c == "a" {
				args = append(args, "--watermarks")
			}
			out["worker-"+string(region)+"-"+c] = args
		}
	}
	for _, o := range s.Plan.Observers.Members {
		out[o.Name] = []string{"--observer", o.Name}
	}
	return out
}

func (s *Stack) startWorkers(ctx context.Context) error {
	all := s.workers()
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := s.launch(ctx, name); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := s.AwaitWorker(ctx, name); err != nil {
			return err
		}
	}
	s.options.Say("workers are up: %s", strings.Join(names, ", "))
	return nil
}

// launch starts (or starts again) one worker.
func (s *Stack) launch(ctx context.Context, name string) error {
	port := s.metrics[name]
	if err := claim(ctx, &port); err != nil {
		return err
	}
	s.metrics[name] = port
	args := append([]string{s.bin("worker"), "-f", s.PlanFile, "--metrics", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}, s.workers()[name]...)
	_, err := s.run(name, s.Env(name), args...)
	return err
}

// Launch starts a worker again, as a supervisor would.
func (s *Stack) Launch(ctx context.Context, name string) error {
	if err := s.launch(ctx, name); err != nil {
		return err
	}
	return s.AwaitWorker(ctx, name)
}

// AwaitWorker waits until a worker polls.
func (s *Stack) AwaitWorker(ctx context.Context, name string) error {
	url := fmt.Sprintf("http://127.0.0.1:%d/readyz", s.metrics[name])
	return s.Process(name).await(ctx, "readiness", func(ctx context.Context) bool {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// Process is a process by name; nil when it was never started.
func (s *Stack) Process(name string) *Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.procs[name]
}

// Names are the processes that were started.
func (s *Stack) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.procs))
}

// Temporal is the address of the Temporal server.
func (s *Stack) Temporal() string { return s.address }

// Resolve asks the plan's name server for the address of a host.
func (s *Stack) Resolve(ctx context.Context, host string) (string, error) {
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(host), dns.TypeA)
	in, _, err := new(dns.Client).ExchangeContext(ctx, m, s.Plan.Traffic.NameServers[0])
	if err != nil {
		return "", fmt.Errorf("resolve %s: %w", host, err)
	}
	for _, rr := range in.Answer {
		if a, ok := rr.(*dns.A); ok {
			return a.A.String(), nil
		}
	}
	return "", fmt.Errorf("resolve %s: no address (%s)", host, dns.RcodeToString[in.Rcode])
}

// Run starts one more program of ours in the background.
func (s *Stack) Run(name string, args ...string) (*Process, error) {
	return s.run(name, s.Env(name), append([]string{s.bin(args[0])}, args[1:]...)...)
}

// Env is the environment of one of our programs: standard variables only. The
// access key names the caller in AWS's call log.
func (s *Stack) Env(caller string) []string {
	return []string{
		"TEMPORAL_ADDRESS=" + s.address, "TEMPORAL_NAMESPACE=default",
		"AWS_ENDPOINT_URL=" + s.Endpoint(), "AWS_ACCESS_KEY_ID=" + AccessKey(caller), "AWS_SECRET_ACCESS_KEY=local",
		"AWS_REGION=" + string(s.Plan.TrafficRegions()[len(s.Plan.TrafficRegions())-1]), "AWS_EC2_METADATA_DISABLED=true",
		"XDG_CONFIG_HOME=" + filepath.Join(s.options.Dir, "config"),
	}
}

// AccessKey is the access key id that stands for a process in the call log.
func AccessKey(name string) string {
	key := "AKIA"
	for _, r := range strings.ToUpper(name) {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			key += string(r)
		}
	}
	return (key + strings.Repeat("0", 20))[:max(20, len(key))]
}

// Watch waits until ctx ends, or a process does.
func (s *Stack) Watch(ctx context.Context) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, name := range s.Names() {
			if gone, why := s.Process(name).Ended(); gone {
				return errors.New(why)
			}
		}
	}
}

// Close ends every process that Start and its followers started.
func (s *Stack) Close() {
	s.mu.Lock()
	procs := make([]*Process, 0, len(s.procs))
	for _, p := range s.procs {
		procs = append(procs, p)
	}
	s.mu.Unlock()
	var wg sync.WaitGroup
	for _, last := range []bool{false, true} { // servers after those who use them
		for _, p := range procs {
			if (p.Name == "temporal" || p.Name == "aws") == last {
				wg.Go(func() { p.stop(10 * time.Second) })
			}
		}
		wg.Wait()
	}
	if s.folder != nil {
		_ = s.folder.Close() // which also frees it
	}
}

// RestartTemporal kills the Temporal server and starts it again on its file, as
// a supervisor would.
func (s *Stack) RestartTemporal(ctx context.Context) error {
	if _, err := s.Process("temporal").Kill(); err != nil {
		return err
	}
	return s.startTemporal(ctx)
}
