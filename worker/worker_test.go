package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"google.golang.org/grpc"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

const planFile = "../examples/patient-records.yaml"

func loadPlan(t *testing.T) plan.Plan {
	t.Helper()
	p, problems := plan.Load(planFile)
	require.NoError(t, problems.Err())
	return p
}

func noTemporal(context.Context, *slog.Logger, ...func(*client.Options)) (client.Client, error) {
	return nil, errors.New("connect to Temporal at 127.0.0.1:7233: refused")
}

func TestRun_ExitCodes(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "plan.yaml")
	require.NoError(t, os.WriteFile(broken, []byte("apiVersion: lifeline/v0\n"), 0o600))
	for line, want := range map[string]struct {
		code int
		text string
	}{
		"":                                  {exitUsage, "no plan file"},
		"-f " + planFile:                    {exitUsage, "nothing to do"},
		"-f " + planFile + " --nonsense":    {exitUsage, "unknown flag"},
		"-f " + planFile + " --region mars": {exitUsage, "us-east-1, us-west-2, us-east-2"},
		"-f " + planFile + " --region us-west-2 --also mars":                                      {exitUsage, `no Region "mars"`},
		"-f " + planFile + " --observer nobody":                                                   {exitUsage, "observer-on-premises"},
		"-f " + planFile + " --observer observer-on-premises --watermarks":                        {exitUsage, "--watermarks needs --region"},
		"-f " + broken + " --region us-west-2":                                                    {exitPlan, "the plan is invalid"},
		"-f " + planFile + " --region us-west-2":                                                  {exitUnreachable, "TEMPORAL_ADDRESS"},
		"-f " + planFile + " --observer observer-on-premises --region us-east-2 --also us-west-2": {exitUnreachable, "nothing was started"},
		"--help": {exitDone, ""},
	} {
		var out, err bytes.Buffer
		code := run(t.Context(), strings.Fields(line), system{out: &out, err: &err, host: os.Hostname, dial: noTemporal})
		require.Equal(t, want.code, code, "%s: %s", line, err.String())
		require.Contains(t, err.String(), want.text, line)
	}
}

func TestConnect_HangingServer_HasADeadline(t *testing.T) {
	t.Parallel()
	var err bytes.Buffer
	code := run(t.Context(), strings.Fields("-f "+planFile+" --region us-west-2"), system{
		out: &err, err: &err, host: os.Hostname,
		dial: func(ctx context.Context, _ *slog.Logger, with ...func(*client.Options)) (client.Client, error) {
			deadline, ok := ctx.Deadline()
			require.True(t, ok)
			require.LessOrEqual(t, time.Until(deadline), connectTimeout)
			var o client.Options
			for _, change := range with {
				change(&o)
			}
			require.Contains(t, o.Identity, "lifeline@us-west-2/")
			require.NotNil(t, o.MetricsHandler)
			return nil, context.DeadlineExceeded
		},
	})
	require.Equal(t, exitUnreachable, code)
}

func TestQueues_ObserverTakesNoRunbooks(t *testing.T) {
	t.Parallel()
	got := queues(flags{observer: "o1", region: "us-west-2", also: []string{"us-east-2", "us-west-2"}})
	require.Equal(t, []queue{{name: "lifeline-observer-o1", stepsOnly: true}, {name: "lifeline-us-west-2"}, {name: "lifeline-us-east-2"}}, got)
}

// What a killed worker may cost the run is at most 5 s; these are its parts.
func TestOptions_KillCost(t *testing.T) {
	t.Parallel()
	o := options(queue{name: "q"}, "me", nil, nil)
	require.LessOrEqual(t, o.StickyScheduleToStartTimeout, time.Second)
	require.Equal(t, 500*time.Millisecond, o.MaxHeartbeatThrottleInterval)
	require.Equal(t, 500*time.Millisecond, o.DefaultHeartbeatThrottleInterval)
	require.Equal(t, 10*time.Second, o.WorkerStopTimeout)
	require.True(t, o.DisableRegistrationAliasing)
	require.False(t, o.DisableWorkflowWorker)
	require.Equal(t, worker.BlockWorkflow, o.WorkflowPanicPolicy)
	require.Len(t, o.Interceptors, 2)
	require.True(t, options(queue{stepsOnly: true}, "me", nil, nil).DisableWorkflowWorker)
}

func TestIdentity_NamesRegionAndProcess(t *testing.T) {
	t.Parallel()
	s := system{pid: 42, host: func() (string, error) { return "box", nil }}
	require.Equal(t, "lifeline@us-west-2/42@box", s.identity(flags{region: "us-west-2", observer: "o1"}))
	require.Equal(t, "lifeline@o1/42@box", s.identity(flags{observer: "o1"}))
	s.host = func() (string, error) { return "", errors.New("no name") }
	require.Contains(t, s.identity(flags{observer: "o1"}), "unknown-host")
}

// A real worker panics when two steps have one name; the test environment
// would silently keep the last.
func TestRegister_RealWorker_TakesEveryRunbookAndStep(t *testing.T) {
	t.Parallel()
	c, err := client.NewLazyClient(client.Options{})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	clients, err := cloud.New(t.Context(), cloud.Options{Caller: "test"})
	require.NoError(t, err)
	s, err := newSteps(clients, nil)
	require.NoError(t, err)
	for _, q := range []queue{{name: "lifeline-us-west-2"}, {name: "lifeline-observer-o1", stepsOnly: true}} {
		w := worker.New(c, q.name, options(q, "test", nil, nil))
		require.NotPanics(t, func() { s.register(w, q) }, q.name)
		require.Panics(t, func() { w.RegisterActivity(s.tables) }, "a second step of one name is noticed")
	}
	builds := queue{name: "lifeline-setup", builds: true}
	w := worker.New(c, builds.name, options(builds, "test", nil, nil))
	require.NotPanics(t, func() { s.register(w, builds) })
	require.Panics(t, func() { w.RegisterActivity(s.building[0]) })
}

type lister struct {
	kinds map[string]enums.IndexedValueType
	err   error
}

func (l lister) ListSearchAttributes(context.Context, *operatorservice.ListSearchAttributesRequest, ...grpc.CallOption) (*operatorservice.ListSearchAttributesResponse, error) {
	return &operatorservice.ListSearchAttributesResponse{CustomAttributes: l.kinds}, l.err
}

func TestCheckAttributes(t *testing.T) {
	t.Parallel()
	all := func() map[string]enums.IndexedValueType {
		m := map[string]enums.IndexedValueType{}
		for _, name := range attributeNames() {
			m[name] = enums.INDEXED_VALUE_TYPE_KEYWORD
		}
		return m
	}
	check := func(l lister) error { return checkAttributes(t.Context(), l, "dr", slog.New(slog.DiscardHandler)) }
	require.NoError(t, check(lister{kinds: all()}))
	require.Len(t, all(), 5)

	missing := all()
	delete(missing, "LifelinePhase")
	missing["LifelineRegion"] = enums.INDEXED_VALUE_TYPE_TEXT
	err := check(lister{kinds: missing})
	var c *coded
	require.ErrorAs(t, err, &c)
	require.Equal(t, exitFailed, c.code)
	require.ErrorContains(t, err, "temporal operator search-attribute create --namespace dr --name LifelinePhase --type Keyword")
	require.ErrorContains(t, err, "--name LifelineRegion")
	require.NotContains(t, err.Error(), "LifelineApplication")

	require.NoError(t, check(lister{err: serviceerror.NewPermissionDenied("no", "")}), "a server that lets nobody look is believed")
	require.ErrorAs(t, check(lister{err: serviceerror.NewUnavailable("down")}), &c)
	require.Equal(t, exitUnreachable, c.code)
}

func lines(t *testing.T, log string) []map[string]any {
	t.Helper()
	var out []map[string]any
	for line := range strings.Lines(log) {
		var m map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &m))
		out = append(out, m)
	}
	return out
}

func TestLogger_EveryLineHasAppRunAndStage(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log := newLogger(&b, "patient-records", "us-west-2")
	log.Info("polling")
	// The SDK's own keys, as the SDK logs them.
	sdk := sdklog.NewStructuredLogger(log)
	sdklog.With(sdk, "RunID", "run-1", "WorkflowID", "lifeline/x", "ActivityType", "FenceLease").Info("step", "Attempt", 2)
	log.Info("event", "run", "run-2", "stage", "promote")
	sdklog.NewStructuredLogger(log.WithGroup("g")).Info("grouped", "RunID", "kept as it is")
	got := lines(t, b.String())
	for _, line := range got {
		require.Equal(t, "patient-records", line["app"])
	}
	require.Empty(t, got[0]["run"])
	require.Contains(t, got[0], "stage")
	require.Equal(t, "run-1", got[1]["run"])
	require.Equal(t, "lifeline/x", got[1]["workflow"])
	require.Equal(t, "FenceLease", got[1]["step"])
	require.InDelta(t, 2, got[1]["attempt"], 0)
	require.Equal(t, "promote", got[2]["stage"])
	require.Equal(t, "run-2", got[2]["run"])
	require.Equal(t, 1, strings.Count(strings.Split(b.String(), "\n")[2], `"run"`), "no key stands twice")
	require.Equal(t, map[string]any{"RunID": "kept as it is"}, got[3]["g"])
}

func TestMarksOf_EachReplicatedStoreOfTheRegion(t *testing.T) {
	t.Parallel()
	names := func(region plan.Region) []string {
		var out []string
		for _, m := range marksOf(loadPlan(t), region, steps{}) {
			out = append(out, m.resource)
		}
		return out
	}
	require.Equal(t, []string{"records", "documents"}, names("us-west-2"))
	require.Empty(t, names("us-east-2"), "the witness holds no data")
}

func TestKeep_WritesAtEachTickAndLogsOnlyChanges(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var b bytes.Buffer
	answers := []error{nil, errors.New("dark"), errors.New("dark"), errors.New("dark"), nil, nil}
	written := 0
	m := mark{"records", func(context.Context) error {
		err := answers[written]
		if written++; written == len(answers) {
			cancel()
		}
		return err
	}}
	ticks := make(chan time.Time, len(answers))
	for range answers {
		ticks <- time.Time{}
	}
	m.keep(ctx, ticks, slog.New(slog.NewJSONHandler(&b, nil)))
	require.Equal(t, len(answers), written)
	var told []any
	for _, line := range lines(t, b.String()) {
		told = append(told, line["level"])
	}
	require.Equal(t, []any{"WARN", "INFO"}, told)
}

func TestKeepMarking_HangingStore_DoesNotAgeTheOthers(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	written := 0
	hanging := mark{"hanging", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	healthy := mark{"healthy", func(context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		if written++; written == 3 {
			cancel()
		}
		return nil
	}}
	keepMarking(ctx, []mark{hanging, healthy}, time.Millisecond, slog.New(slog.DiscardHandler))
	require.GreaterOrEqual(t, written, 3)
}

type health struct{ err error }

func (h *health) CheckHealth(context.Context, *client.CheckHealthRequest) (*client.CheckHealthResponse, error) {
	return &client.CheckHealthResponse{}, h.err
}

func TestPages(t *testing.T) {
	t.Parallel()
	m, err := newTelemetry(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	m.handler.Counter("temporal_test_events").Inc(3)
	polling, temporal := true, &health{}
	pages := m.pages(func() bool { return polling }, temporal)
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	status, body := get("/metrics")
	require.Equal(t, http.StatusOK, status)
	require.Regexp(t, `temporal_test_events_total\{[^}]*\} 3`, body)
	require.Contains(t, body, "go_goroutines")
	status, _ = get("/readyz")
	require.Equal(t, http.StatusOK, status)
	temporal.err = errors.New("gone")
	status, _ = get("/readyz")
	require.Equal(t, http.StatusServiceUnavailable, status)
	temporal.err, polling = nil, false
	status, _ = get("/readyz")
	require.Equal(t, http.StatusServiceUnavailable, status)
	status, _ = get("/healthz")
	require.Equal(t, http.StatusOK, status, "ending is no reason to be killed")
}

func TestListen_PortTaken_IsToldAtOnce(t *testing.T) {
	t.Parallel()
	taken := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(taken.Close)
	_, err := listen(t.Context(), strings.TrimPrefix(taken.URL, "http://"), http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	var c *coded
	require.ErrorAs(t, err, &c)
	require.Equal(t, exitUsage, c.code)
}

// fakeWorker records that it was stopped.
type fakeWorker struct {
	worker.Worker
	stopped chan struct{}
}

func (f *fakeWorker) Stop() { close(f.stopped) }

func newProcess(t *testing.T) *process {
	t.Helper()
	return &process{flags: flags{region: "us-west-2"}, plan: loadPlan(t), log: slog.New(slog.DiscardHandler)}
}

func TestProcess_AskedToEnd_StopsWorkersAndIsNoFailure(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	w, one := newProcess(t), &fakeWorker{stopped: make(chan struct{})}
	ended := make(chan error, 1)
	go func() {
		ended <- w.run(ctx, func(func(error)) ([]worker.Worker, error) { return []worker.Worker{one}, nil })
	}()
	require.Eventually(t, w.polling.Load, 5*time.Second, time.Millisecond)
	cancel(errors.New("terminated signal received"))
	require.NoError(t, <-ended)
	require.False(t, w.polling.Load())
	<-one.stopped
}

func TestProcess_RefusedByTemporal_IsAFailure(t *testing.T) {
	t.Parallel()
	w, one := newProcess(t), &fakeWorker{stopped: make(chan struct{})}
	err := w.run(t.Context(), func(fatal func(error)) ([]worker.Worker, error) {
		fatal(errors.New("namespace was deleted"))
		return []worker.Worker{one}, nil
	})
	var c *coded
	require.ErrorAs(t, err, &c)
	require.Equal(t, exitFailed, c.code)
	require.ErrorContains(t, err, "namespace was deleted")
	<-one.stopped
}

func TestProcess_SecondQueueFails_StopsTheFirst(t *testing.T) {
	t.Parallel()
	w, one := newProcess(t), &fakeWorker{stopped: make(chan struct{})}
	err := w.run(t.Context(), func(func(error)) ([]worker.Worker, error) {
		return []worker.Worker{one}, errors.New("poll lifeline-us-east-2: no")
	})
	require.ErrorContains(t, err, "lifeline-us-east-2")
	require.False(t, w.polling.Load())
	<-one.stopped
}

// The reference is the help itself. UPDATE_GOLDEN=1 writes it anew.
func TestReference_IsTheHelp(t *testing.T) {
	t.Parallel()
	var help bytes.Buffer
	require.Equal(t, exitDone, run(t.Context(), []string{"--help"}, system{out: &help, err: &help}))
	doc := fmt.Sprintf("# worker: command line reference\n\nMade from `worker --help`; do not edit.\n\n```\n%s```\n", help.String())
	path := filepath.Join("..", "docs", "reference", "worker.md")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(path, []byte(doc), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), doc, "run with UPDATE_GOLDEN=1")
}
