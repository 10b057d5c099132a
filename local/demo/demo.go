package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"lifeline/internal/report"
	"lifeline/internal/runbook"
	"lifeline/local/aws/probe"
	"lifeline/local/stack"
)

// Options say where and with what.
type Options struct {
	Dir   string // results
	Bin   string
	Plan  string
	Ports stack.Ports
	Out   io.Writer
}

// story is one telling of the demo.
type story struct {
	o      Options
	stack  *stack.Stack
	from   string // the Region that goes dark
	to     string
	begun  time.Time
	dark   time.Time // blackout
	healed time.Time
	probe  *stack.Process
	// survivor is the audit made while the Region was still dark.
	survivor probe.AuditResult
	kills    []report.Kill
	marks    []report.Mark
	runs     map[runbook.Name]runbook.Report
	built    SetupSummary
	temp     client.Client
	telling  sync.Mutex
}

// Run tells the story; the error says which promise did not hold.
func Run(ctx context.Context, o Options) error {
	s := &story{o: o, begun: time.Now(), runs: map[runbook.Name]runbook.Report{}}
	defer s.close()
	scenes := []struct {
		title string
		play  func(context.Context) error
	}{
		{"Everything starts: Temporal, simulated AWS, a bare estate, workers", s.bringUp},
		{"Setup: everything that recovery relies on is built", s.protect},
		{"Readiness: would a failover work now?", s.ready},
		{"Clients in four places write and read", s.baseline},
		{"The primary Region and its global control planes go dark", s.blackout},
		{"Failover: evidence, fence, traffic out, approval, promotion", s.failover},
		{"The Region comes back", s.heal},
		{"Failback: planned, approved, location by location", s.failback},
		{"What was measured from outside", s.measure},
	}
	for i, scene := range scenes {
		s.say("\n%d. %s", i+1, scene.title)
		if err := scene.play(ctx); err != nil {
			return fmt.Errorf("%s: %w (logs: %s)", scene.title, err, filepath.Join(o.Dir, "logs"))
		}
	}
	return nil
}

// say prints a line with the time since the demo began, or since the failure.
func (s *story) say(format string, args ...any) {
	s.telling.Lock()
	defer s.telling.Unlock()
	text := fmt.Sprintf(format, args...)
	if text[0] == '\n' {
		fmt.Fprintln(s.o.Out)
		text = text[1:]
	}
	stamp := fmt.Sprintf("%6.1fs", time.Since(s.begun).Seconds())
	if !s.dark.IsZero() && s.healed.IsZero() {
		stamp = fmt.Sprintf("T%+5.1fs", time.Since(s.dark).Seconds())
	}
	fmt.Fprintf(s.o.Out, "%s  %s\n", stamp, text)
}

func (s *story) bringUp(ctx context.Context) error {
	up, err := stack.Start(ctx, stack.Options{
		Dir: s.o.Dir, Bin: s.o.Bin, Plan: s.o.Plan, Ports: s.o.Ports, Say: s.say, Setup: setupCompression, Fresh: true, Bare: true,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	s.stack = up
	s.from, s.to = string(up.Plan.TrafficRegions()[0]), string(up.Plan.TrafficRegions()[1])
	s.temp, err = client.DialContext(ctx, client.Options{HostPort: up.Temporal(), Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return fmt.Errorf("connect to Temporal: %w", err)
	}
	s.say("predicted worst case of the evacuation: %s; objective %s", up.Plan.PredictedFloor(), up.Plan.Objectives.RTO)
	return nil
}

// setupCompression shortens AWS's own waits while the estate is built; the
// story itself is told in real time.
const setupCompression = 60

func (s *story) close() {
	if s.temp != nil {
		s.temp.Close()
	}
	if s.stack != nil {
		s.stack.Close()
	}
}

// until polls ok. Everything that the demo waits for is somebody else's state.
func until(ctx context.Context, patience time.Duration, what string, ok func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		done, err := ok()
		if err == nil && done {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not within %s: %w", what, patience, errors.Join(err, ctx.Err()))
		case <-tick.C:
		}
	}
}

// status is the run's report, as starter tells it.
func (s *story) status(ctx context.Context) (runbook.Report, error) {
	var rep runbook.Report
	a, err := s.stack.Starter(ctx, "status", "-f", s.stack.PlanFile, "-o", "json")
	if err != nil {
		return rep, err
	}
	if a.Code != 0 {
		return rep, fmt.Errorf("starter status: exit %d: %s", a.Code, a.Stderr)
	}
	if err := json.Unmarshal([]byte(a.Stdout), &rep); err != nil {
		return rep, fmt.Errorf("starter status: %w", err)
	}
	return rep, nil
}
