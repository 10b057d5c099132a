package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// pulse is a workflow that is still running when the server dies: it waits for
// a timer and for a person, like a runbook.
func pulse(ctx workflow.Context, beats int) (int, error) {
	done := 0
	for ; done < beats; done++ {
		if err := workflow.Sleep(ctx, 50*time.Millisecond); err != nil {
			return 0, err
		}
	}
	var answer string
	workflow.GetSignalChannel(ctx, "approve").Receive(ctx, &answer)
	return done, nil
}

// phased sets a search attribute from within, as runbooks do.
func phased(ctx workflow.Context, name, value string) error {
	return workflow.UpsertTypedSearchAttributes(ctx, temporal.NewSearchAttributeKeyKeyword(name).ValueSet(value))
}

func startWorker(t *testing.T, c client.Client, queue string) {
	t.Helper()
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflow(pulse)
	w.RegisterWorkflow(phased)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
}

func TestServer_NewFile_ServesNamespaceAttributesAndUI(t *testing.T) {
	t.Parallel()
	flags, address, ui := ports(t)
	file := filepath.Join(t.TempDir(), "state", "temporal.db")
	p := launch(t, append(flags, "--db-filename", file)...)
	t.Logf("ready after %s", p.took)
	require.Equal(t, "READY address="+address+" namespace=default ui="+ui, p.ready)

	c := dial(t, address)
	namespace, err := c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: "default"})
	require.NoError(t, err)
	require.Equal(t, 7*24*time.Hour, namespace.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())

	startWorker(t, c, "attributes")
	for name := range lifelineAttributes() {
		require.NoError(t, runPhased(t.Context(), c, "attributes", name, "us-east-1"))
		require.Eventually(t, func() bool {
			n, err := c.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: name + ` = "us-east-1"`})
			return err == nil && n.GetCount() == 1
		}, patience, 20*time.Millisecond, "no run found by %s", name)
	}

	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	requireUISettings(t, ui, map[string]bool{
		"WorkflowTerminateDisabled": true, "WorkflowResetDisabled": true,
		"WorkflowUpdateDisabled": false, "WorkflowSignalDisabled": false, "DisableWriteActions": false,
	})
}

func runPhased(ctx context.Context, c client.Client, queue, name, value string) error {
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "phased-" + name, TaskQueue: queue}, phased, name, value)
	if err != nil {
		return err
	}
	return run.Get(ctx, nil)
}

func requireUISettings(t *testing.T, ui string, want map[string]bool) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, ui+"/api/v1/settings", nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	var got map[string]any
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&got))
	for name, value := range want {
		require.Equal(t, value, got[name], name)
	}
}

func TestServer_Killed_NextStartContinuesTheRun(t *testing.T) {
	t.Parallel()
	flags, address, _ := ports(t)
	flags = append(flags, "--headless", "--db-filename", filepath.Join(t.TempDir(), "temporal.db"))
	first := launch(t, flags...)
	c := dial(t, address)
	startWorker(t, c, "pulse")
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "pulse", TaskQueue: "pulse"}, pulse, 20)
	require.NoError(t, err)
	awaitTimers(t, c, run, 5)

	require.NoError(t, first.cmd.Process.Kill())
	_, err = first.cmd.Process.Wait()
	require.NoError(t, err)

	second := launch(t, flags...)
	t.Logf("ready on an existing file after %s", second.took)
	require.NoError(t, c.SignalWorkflow(t.Context(), run.GetID(), run.GetRunID(), "approve", "yes"))
	var beats int
	require.NoError(t, run.Get(t.Context(), &beats))
	require.Equal(t, 20, beats)
}

// awaitTimers returns when the run has had n of its timers fire.
func awaitTimers(t *testing.T, c client.Client, run client.WorkflowRun, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		fired := 0
		for events := c.GetWorkflowHistory(t.Context(), run.GetID(), run.GetRunID(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
			event, err := events.Next()
			if err != nil {
				return false
			}
			if event.GetEventType() == enumspb.EVENT_TYPE_TIMER_FIRED {
				fired++
			}
		}
		return fired >= n
	}, patience, 20*time.Millisecond, "the run does not get on")
}

func TestServer_OlderFile_GetsMissingAttributesOnly(t *testing.T) {
	t.Parallel()
	flags, address, _ := ports(t)
	flags = append(flags, "--headless", "--db-filename", filepath.Join(t.TempDir(), "temporal.db"))
	first := launch(t, flags...)
	stopped(t, first)

	launch(t, append(flags, "--search-attribute", "LifelineTier=Int")...)
	c := dial(t, address)
	listed, err := c.OperatorService().ListSearchAttributes(t.Context(), &operatorservice.ListSearchAttributesRequest{Namespace: "default"})
	require.NoError(t, err)
	require.Equal(t, enumspb.INDEXED_VALUE_TYPE_INT, listed.GetCustomAttributes()["LifelineTier"])
	require.Equal(t, enumspb.INDEXED_VALUE_TYPE_KEYWORD, listed.GetCustomAttributes()["LifelinePhase"])
	_, err = c.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: "LifelineTier > 1"})
	require.NoError(t, err, "ready means that a new attribute can be used")
}

func TestServer_AttributeOfAnotherType_IsRefused(t *testing.T) {
	t.Parallel()
	flags, _, _ := ports(t)
	flags = append(flags, "--headless", "--db-filename", filepath.Join(t.TempDir(), "temporal.db"))
	stopped(t, launch(t, flags...))
	code, stdout, stderr := run(t, append(flags, "--search-attribute", "LifelinePhase=Int")...)
	require.Equal(t, exitFailed, code)
	require.NotContains(t, stdout, "READY")
	require.Contains(t, stderr, "search attribute LifelinePhase is of type Keyword")
}

// stopped asks for a stop and requires a clean one.
func stopped(t *testing.T, p *process) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	state, err := p.cmd.Process.Wait()
	require.NoError(t, err)
	require.Equal(t, exitDone, state.ExitCode(), "log:\n%s", p.log)
}

func TestServer_PortTaken_SaysWhichAndWritesNothing(t *testing.T) {
	t.Parallel()
	for _, option := range []string{"--port", "--ui-port"} {
		t.Run(option, func(t *testing.T) {
			t.Parallel()
			flags, _, _ := ports(t)
			taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer func() { _ = taken.Close() }()
			address, ok := taken.Addr().(*net.TCPAddr)
			require.True(t, ok)
			port := strconv.Itoa(address.Port)
			file := filepath.Join(t.TempDir(), "temporal.db")

			code, stdout, stderr := run(t, append(flags, option, port, "--db-filename", file)...)
			require.Equal(t, exitFailed, code)
			require.Empty(t, stdout)
			require.Contains(t, stderr, "port "+port+" for ")
			require.Contains(t, stderr, "another port with "+option)
			require.NoFileExists(t, file)
		})
	}
}

func TestServer_FileInUse_IsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "temporal.db")
	flags, _, _ := ports(t)
	launch(t, append(flags, "--headless", "--db-filename", file)...)
	others, _, _ := ports(t)
	code, _, stderr := run(t, append(others, "--headless", "--db-filename", file)...)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "another server uses it")
}

func TestServer_Usage_ExitsWithTwo(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := run(t, "--port", "seven")
	require.Equal(t, exitUsage, code)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "temporal-server -h")
	code, _, stderr = run(t, "-h")
	require.Equal(t, exitDone, code)
	require.Contains(t, stderr, "Exit codes:")
}

// TestServer_StartedBySDK shows that tests of other modules can use the Go SDK's
// own dev server helper with this program.
func TestServer_StartedBySDK(t *testing.T) {
	t.Parallel()
	server, err := testsuite.StartDevServer(t.Context(), testsuite.DevServerOptions{
		ExistingPath: os.Args[0],
		LogLevel:     "error",
		SearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword("LifelineExtra").ValueSet("any")),
	})
	require.NoError(t, err)
	startWorker(t, server.Client(), "sdk")
	require.NoError(t, runPhased(t.Context(), server.Client(), "sdk", "LifelineExtra", "yes"))
	require.NoError(t, server.Stop())
}
