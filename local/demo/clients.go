package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"lifeline/internal/plan"
	"lifeline/local/aws/probe"
)

// probeInterval is how often each outside client writes a record; own clocks
// and outside agree to within it.
const probeInterval = time.Second

func (s *story) ledger() string { return filepath.Join(s.o.Dir, "ledger.jsonl") }

func (s *story) startProbe() error {
	p, err := s.stack.Run("probe", "local", "probe", "-f", s.stack.PlanFile, "--ledger", s.ledger(), "--interval", probeInterval.String())
	s.probe = p
	return err
}

// soundSince reports whether every client has been served in every attempt
// since then, at least once.
func (s *story) soundSince(t time.Time) (bool, error) {
	lines, err := probe.ReadLedger(s.ledger())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	type client struct {
		location string
		kind     probe.Kind
	}
	served := map[client]bool{}
	for _, l := range lines {
		if l.Started.Before(t) {
			continue
		}
		if !l.OK {
			return false, fmt.Errorf("%s of %s fails: %s (status %d)", l.Kind, l.Location, l.Error, l.Status)
		}
		served[client{l.Location, l.Kind}] = true
	}
	kinds := 0
	for _, r := range s.stack.Plan.Resources {
		if r.Kind != plan.Service {
			kinds++
		}
	}
	return len(served) == kinds*len(s.stack.Plan.Traffic.Locations), nil
}

// audit reads every acknowledged write up to a moment from a Region's endpoint.
func (s *story) audit(ctx context.Context, region plan.Region, until time.Time) (probe.AuditResult, error) {
	lines, err := probe.ReadLedger(s.ledger())
	if err != nil {
		return probe.AuditResult{}, err
	}
	var wanted []probe.Line
	for _, l := range lines {
		if !l.Ended.After(until) {
			wanted = append(wanted, l)
		}
	}
	o, err := probe.FromPlan(s.stack.Plan)
	if err != nil {
		return probe.AuditResult{}, err
	}
	spec, _ := s.stack.Plan.Region(region)
	return probe.Audit(ctx, wanted, probe.AuditOptions{
		Endpoint: fmt.Sprintf("%s://%s:%d", s.stack.Plan.Traffic.Scheme, spec.Endpoint, s.stack.Plan.Traffic.Port),
		Client:   o.HTTPClient(o.Locations[0]),
	})
}
