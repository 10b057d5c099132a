package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
)

// asServer makes the test binary be the program, so that tests start, signal and
// kill a real process without building one more binary of 150 MB.
const asServer = "LIFELINE_TEST_AS_TEMPORAL_SERVER"

// patience is for machines that compile beside the test.
const patience = 60 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		os.Exit(start(os.Args[1:], os.Stdout, os.Stderr))
	}
	// Children inherit it, those of testsuite.StartDevServer too.
	if err := os.Setenv(asServer, "1"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// process is a running temporal-server.
type process struct {
	cmd   *exec.Cmd
	ready string // the READY line
	took  time.Duration
	log   *lockedBuffer
}

// launch starts a server and waits for READY.
func launch(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{log: &lockedBuffer{}}
	p.cmd = exec.CommandContext(t.Context(), os.Args[0], args...)
	p.cmd.Stderr = p.log
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	begin := time.Now()
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })

	lines := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		lines <- line
		_, _ = io.Copy(io.Discard, stdout)
	}()
	select {
	case line := <-lines:
		p.ready, p.took = strings.TrimSpace(line), time.Since(begin)
		require.Truef(t, strings.HasPrefix(p.ready, "READY "), "stdout %q, log:\n%s", p.ready, p.log)
	case <-time.After(patience):
		t.Fatalf("not ready after %s, log:\n%s", patience, p.log)
	}
	return p
}

// run runs a server that is expected to end by itself.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	require.NoError(t, ctx.Err(), "the server did not end by itself")
	if err != nil {
		require.ErrorAs(t, err, new(*exec.ExitError))
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// ports returns free ports for API and UI as flags, and the API's address.
func ports(t *testing.T) (flags []string, address, ui string) {
	t.Helper()
	free, err := freePorts(t.Context(), "127.0.0.1", 2)
	require.NoError(t, err)
	api, uiPort := strconv.Itoa(free[0]), strconv.Itoa(free[1])
	return []string{"--port", api, "--ui-port", uiPort}, "127.0.0.1:" + api, "http://127.0.0.1:" + uiPort
}

func dial(t *testing.T, address string) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{HostPort: address})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
