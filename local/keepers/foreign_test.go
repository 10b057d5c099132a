package keepers_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	stepsofestate "lifeline/activities/estate"
	"lifeline/activities/sns"
	"lifeline/activities/sts"
	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	lifeline "lifeline/internal/temporal"
	"lifeline/local/estate"
	"lifeline/workflows"
	"lifeline/workflows/kinds"
)

// answer is what somebody else's implementation of AWS's API says for a service
// that it does not have.
type answer struct {
	status     int
	kind, body string
	types      []string // prefixes of the types of items that need the service
}

// foreign answers by the signing name of the service.
func foreign() map[string]answer {
	return map[string]answer{
		"rds":        {501, "text/html", "<html><body><h1>501 Not Implemented</h1></body></html>", []string{"rds-", "aurora-"}},
		"monitoring": {501, "application/json", `{"message":"The API action 'DescribeAlarms' is not available"}`, []string{"cloudwatch-"}},
		"events":     {400, "application/x-amz-json-1.1", `{"__type":"UnknownOperationException"}`, []string{"event-rule"}},
		"sns":        {500, "text/xml", `<ErrorResponse><Error><Code>InternalFailure</Code><Message>The action is not implemented</Message></Error></ErrorResponse>`, []string{"sns-"}},
		"backup":     {404, "text/plain", "API for service 'backup' not yet implemented or pro feature", []string{"backup-"}},
	}
}

// stranger stands in front of the simulated AWS and has not all of it.
type stranger struct {
	mu    sync.Mutex
	calls map[string]int // of services that it does not have
	lacks map[string]answer
	pass  http.Handler
}

func (s *stranger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scope := regexp.MustCompile(`Credential=[^/]+/[0-9]+/[^/]+/([^/]+)/`).FindStringSubmatch(r.Header.Get("Authorization"))
	a, lacks := answer{}, false
	if scope != nil {
		a, lacks = s.lacks[scope[1]]
	}
	if !lacks {
		s.pass.ServeHTTP(w, r)
		return
	}
	s.mu.Lock()
	s.calls[scope[1]]++
	s.mu.Unlock()
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", a.kind)
	w.WriteHeader(a.status)
	_, _ = fmt.Fprint(w, a.body)
}

// nobody is an address at which nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return "http://" + l.Addr().String()
}

// TestSetup_EndpointOfSomebodyElse_BuildsWhatItServes plays Setup, with the real
// keepers and nothing but the standard AWS variables, on an endpoint that lacks five
// services, each in its own way of saying so, and at whose address for a sixth
// nobody listens.
func TestSetup_EndpointOfSomebodyElse_BuildsWhatItServes(t *testing.T) {
	s := bare(t, 2000)
	target, err := url.Parse("http://" + s.API())
	require.NoError(t, err)
	proxy := &stranger{calls: map[string]int{}, lacks: foreign(), pass: httputil.NewSingleHostReverseProxy(target)}
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": front.URL, "AWS_ENDPOINT_URL_S3_CONTROL": nobody(t),
		"AWS_ACCESS_KEY_ID": "AKIASTRANGER", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": string(west), "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": filepath.Join(t.TempDir(), "none"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "none"),
	} {
		t.Setenv(name, value)
	}
	p, key := signable(t)
	b := estate.Builder{Plan: p, Config: s.admin, Logger: slog.New(slog.DiscardHandler), Patience: patience}
	require.NoError(t, b.Given(t.Context()))

	rep := playSetup(t, b.Plan, key)
	require.Equal(t, runbook.Done, rep.Status, "%s\n%s", rep.Summary, strings.Join(rep.Left, "\n"))
	items, err := kinds.Items(kinds.Site{Plan: b.Plan, Account: account})
	require.NoError(t, err)
	require.Positive(t, rep.Estate.Count(runbook.Created))
	require.Positive(t, rep.Estate.Count(runbook.Unavailable))
	require.Positive(t, rep.Estate.Count(runbook.Blocked))
	expect := expected(items)
	got, left := map[string]runbook.ItemResult{}, strings.Join(rep.Left, "\n")
	for _, r := range rep.Estate.Items {
		got[r.ID] = r
	}
	for _, item := range items {
		r := got[item.ID()] // those in place are not listed
		if want := expect[item.ID()]; len(want) > 0 {
			require.Contains(t, want, r.Verdict, "%s: %s", item.ID(), r.Why)
			require.Contains(t, left, item.ID(), "it is named")
			continue
		}
		require.True(t, r.Verdict == "" || r.Verdict.Good(), "%s is %s: %s", item.ID(), r.Verdict, r.Why)
	}
	for service, a := range foreign() {
		some := slices.DeleteFunc(slices.Clone(items), func(i runbook.Item) bool { return !a.has(i) })
		require.NotEmpty(t, some, service)
		require.Positive(t, proxy.calls[service], service)
		require.LessOrEqual(t, proxy.calls[service], len(some), "%s: found out at the first answer, and not asked again", service)
	}
}

func (a answer) has(i runbook.Item) bool {
	return slices.ContainsFunc(a.types, func(prefix string) bool { return strings.HasPrefix(i.Type, prefix) })
}

// expected says what can't be had, and what waits for it in vain. What is both may
// be told as either; of the rest it says nothing.
func expected(items []runbook.Item) map[string][]runbook.Verdict {
	out := map[string][]runbook.Verdict{}
	for _, i := range items {
		lacks := i.Type == "s3-batch-replication"
		for _, a := range foreign() {
			lacks = lacks || a.has(i)
		}
		if lacks {
			out[i.ID()] = []runbook.Verdict{runbook.Unavailable}
		}
	}
	for again := true; again; {
		again = false
		for _, i := range items {
			known := out[i.ID()]
			if !slices.Contains(known, runbook.Blocked) && slices.ContainsFunc(i.Waits(), func(id string) bool { return len(out[id]) > 0 }) {
				out[i.ID()], again = append(known, runbook.Blocked), true
			}
		}
	}
	return out
}

// signable is the example's plan with a person whose key is known.
func signable(t *testing.T) (plan.Plan, ed25519.PrivateKey) {
	t.Helper()
	p, problems := plan.Load(filepath.Join("..", "..", "examples", "patient-records.yaml"))
	require.NoError(t, problems.Err())
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	p.Approvals.Operators[0].PublicKey = base64.StdEncoding.EncodeToString(public)
	p.Trigger = nil // its program would have to be built
	return p, private
}

// playSetup plays one run with all keepers, with the clients
// that the standard variables give.
func playSetup(t *testing.T, p plan.Plan, key ed25519.PrivateKey) runbook.Report {
	t.Helper()
	c, err := cloud.New(t.Context(), cloud.Options{Caller: "setup"})
	require.NoError(t, err)
	steps, err := stepsofestate.New(keepersOf(everything(), c)...)
	require.NoError(t, err)
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(patience)
	env.SetWorkerOptions(worker.Options{
		DeadlockDetectionTimeout: 10 * time.Second, Interceptors: []interceptor.WorkerInterceptor{lifeline.NewWorkerInterceptor()},
	})
	start := runbook.Start{By: p.Approvals.Operators[0].Name, Runbook: runbook.Setup, At: time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)}
	start.Signature = runbook.Sign(key, start.Message(p.Application))
	env.SetStartTime(start.At)
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: lifeline.IDOf(p.Application, runbook.Setup), TaskQueue: lifeline.SetupQueue})
	workflows.RegisterSetup(env)
	env.RegisterActivity(steps)
	env.RegisterActivity(sts.New(c))
	env.RegisterActivity(sns.New(c))
	env.ExecuteWorkflow(workflows.SetupName, runbook.Input{Plan: p, Start: start})
	require.True(t, env.IsWorkflowCompleted())
	var rep runbook.Report
	var failed *temporal.ApplicationError
	if errors.As(env.GetWorkflowError(), &failed) { // with the report inside
		require.NoError(t, failed.Details(&rep))
		return rep
	}
	require.NoError(t, env.GetWorkflowResult(&rep))
	require.NotNil(t, rep.Estate)
	return rep
}
