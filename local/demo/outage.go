package demo

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"lifeline/internal/report"
)

func (s *story) mark(text string) time.Time {
	at := time.Now()
	s.marks = append(s.marks, report.Mark{At: at, Text: text})
	return at
}

// baselineFor is how long clients work undisturbed before the outage.
const baselineFor = 15 * time.Second

// baseline lets the outside clients work, and demands that all of them do.
func (s *story) baseline(ctx context.Context) error {
	if err := s.startProbe(); err != nil {
		return err
	}
	quiet := time.Now().Add(baselineFor)
	return until(ctx, time.Minute, "every client is served", func() (bool, error) {
		sound, err := s.soundSince(quiet.Add(-baselineFor))
		return sound && time.Now().After(quiet), err
	})
}

func (s *story) blackout(ctx context.Context) error {
	if err := s.stack.Control.Outage(ctx, s.from); err != nil {
		return err
	}
	s.dark = s.mark(s.from + " goes dark")
	// The Region takes its own worker with it.
	if _, err := s.stack.Process("worker-" + s.from + "-a").Kill(); err != nil {
		return err
	}
	s.say("%s is dark, with Route 53's and IAM's control planes", s.from)
	return s.pager(ctx)
}

// pager is the monitoring of any company: three bad looks at the Region's
// endpoint in a row wake the on-call engineer.
func (s *story) pager(ctx context.Context) error {
	bad := 0
	return until(ctx, time.Minute, "the pager sees the outage", func() (bool, error) {
		healthy, err := s.look(ctx)
		if err != nil {
			return false, err
		}
		bad++
		if healthy {
			bad = 0
		}
		return bad >= 3, nil
	})
}

// look asks the Region's own endpoint how it is, as any monitoring would.
func (s *story) look(ctx context.Context) (healthy bool, err error) {
	region, _ := s.stack.Plan.Region(s.stack.Plan.Primary())
	address, err := s.stack.Resolve(ctx, region.Endpoint)
	if err != nil {
		return false, err
	}
	url := fmt.Sprintf("http://%s:%d%s", address, s.stack.Plan.Traffic.Port, s.stack.Plan.Traffic.HealthCheck.Path)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false, err
	}
	impatient := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := impatient.Do(req)
	if err != nil {
		return false, nil //nolint:nilerr // no answer is an answer here
	}
	return resp.StatusCode == http.StatusOK, resp.Body.Close()
}

// heal brings the Region back. Its database has to be rebuilt from the new
// writer first; nobody starts a failback into a Region that is not healthy.
func (s *story) heal(ctx context.Context) error {
	if err := s.stack.Control.Heal(ctx, s.from); err != nil {
		return err
	}
	s.healed = s.mark(s.from + " is back")
	s.say("%s answers again; its worker is started, its database is rebuilt by AWS", s.from)
	if err := s.stack.Launch(ctx, "worker-"+s.from+"-a"); err != nil {
		return err
	}
	err := until(ctx, 10*time.Minute, s.from+" is healthy", func() (bool, error) { return s.look(ctx) })
	if err == nil {
		s.say("%s is healthy", s.from)
	}
	return err
}
