package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// bench runs whole commands in memory.
type bench struct {
	t        *testing.T
	temporal *fakeTemporal
	dir      string
	plan     string
	out, err *buffer
	dial     func(context.Context) (runs, error)
	ctx      context.Context //nolint:containedctx // one command's life, replaced by tests that interrupt
	terminal bool

	mu  sync.Mutex
	now time.Time
	ids int
}

// buffer may be written and read at once.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func people() []string { return []string{"amara", "bela", "chidi", "dana"} }

// keyOf derives a person's test key.
func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("starter test " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func publicOf(name string) string {
	public, _ := keyOf(name).Public().(ed25519.PublicKey)
	return base64.StdEncoding.EncodeToString(public)
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), ctx: t.Context(), now: time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)}
	text, err := os.ReadFile("../examples/patient-records.yaml")
	require.NoError(t, err)
	keys := filepath.Join(b.dir, "lifeline")
	require.NoError(t, os.MkdirAll(keys, 0o700))
	for _, name := range people() {
		line := regexp.MustCompile(`\{name: ` + name + `, publicKey: "[^"]*"\}`)
		require.Regexp(t, line, string(text))
		text = line.ReplaceAll(text, fmt.Appendf(nil, `{name: %s, publicKey: %q}`, name, publicOf(name)))
		seed := base64.StdEncoding.EncodeToString(keyOf(name).Seed())
		require.NoError(t, os.WriteFile(filepath.Join(keys, name+".key"), []byte(seed+"\n"), 0o600))
	}
	b.plan = filepath.Join(b.dir, "plan.yaml")
	require.NoError(t, os.WriteFile(b.plan, text, 0o600))
	p, problems := plan.Load(b.plan)
	require.NoError(t, problems.Err())
	b.temporal = &fakeTemporal{plan: p, now: b.clock}
	b.dial = func(context.Context) (runs, error) { return b.temporal, nil }
	return b
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// after makes waiting free: the clock is moved instead.
func (b *bench) after(d time.Duration) <-chan time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
	c := make(chan time.Time, 1)
	c <- b.now
	return c
}

func (b *bench) id() string {
	b.ids++
	return fmt.Sprintf("id-%d", b.ids)
}

// run runs one command line; "PLAN" in it stands for "-f" and the plan.
func (b *bench) run(line string, more ...string) exitCode {
	b.t.Helper()
	b.out, b.err = &buffer{}, &buffer{}
	args := append(strings.Fields(strings.ReplaceAll(line, "PLAN", "-f "+b.plan)), more...)
	return run(b.ctx, args, system{
		in: strings.NewReader(""), out: b.out, err: b.err, now: b.clock, after: b.after, newID: b.id, terminal: b.terminal,
		env: func(name string) string {
			if name == "XDG_CONFIG_HOME" {
				return b.dir
			}
			return ""
		},
		dial: func(ctx context.Context) (runs, error) { return b.dial(ctx) },
	})
}

// expect runs one command line and demands its exit code.
func (b *bench) expect(code exitCode, line string, more ...string) {
	b.t.Helper()
	got := b.run(line, more...)
	require.Equal(b.t, code, got, "%s\nstdout: %s\nstderr: %s", line, b.out, b.err)
}

// underWay is a failover that waits for approval of a one-way stage with a risk.
func (b *bench) underWay() runbook.Report {
	at := func(s int) time.Time { return b.now.Add(time.Duration(s-60) * time.Second) }
	return runbook.Report{
		Application: "patient-records", Runbook: runbook.Failover, WorkflowID: "lifeline/patient-records", RunID: "run-7",
		From: "us-east-1", To: "us-west-2", StartedBy: "dana", Started: at(4), Now: b.now, Status: runbook.Waiting, Phase: runbook.Approve,
		Summary: "waits for approval", Objective: time.Minute, Predicted: 58 * time.Second, RTOState: runbook.RTOMet,
		Clocks:   runbook.Clocks{Failure: at(0), Evidence: at(4), Decided: at(5), Verified: at(40)},
		Evidence: &runbook.Evidence{Finding: runbook.Lost, Why: "2 of 3 observers see us-east-1 down"},
		Losses:   []runbook.Loss{{Resource: "billing", Known: true, Window: 42 * time.Second, Objective: 30 * time.Second, Evidence: "AuroraGlobalDBRPOLag"}},
		Fence:    runbook.FenceConfirmed,
		Ballots: []runbook.Ballot{{
			RunID: "run-7", Stage: runbook.Promote, Nonce: "nonce-1", Question: "Promote billing in us-west-2?", Quorum: 2,
			Asked: at(50), Expires: b.now.Add(4 * time.Minute), Result: runbook.Open,
			Risks: []runbook.Risk{{Code: "data-loss:billing", Text: "billing may lose the writes of the last 42s"}},
		}},
		Stages: []runbook.StageRecord{
			{Name: runbook.Assess, Title: "read the world", State: runbook.Succeeded, Started: at(4), Ended: at(5)},
			{Name: runbook.Shift, Title: "traffic leaves", State: runbook.Active, Started: at(5), Steps: []runbook.StepRecord{
				{Step: runbook.Step{Name: "EvacuateByObject", Region: "us-west-2", Budget: 20 * time.Second}, State: runbook.Active, Started: at(50)},
				{Step: runbook.Step{Name: "ScaleGroup", Resource: "web", Region: "us-west-2", Optional: true}, State: runbook.Pending},
			}},
			{Name: runbook.Promote, Title: "the other Region becomes the writer", OneWay: true, State: runbook.Pending},
		},
	}
}
