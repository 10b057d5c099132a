package steps_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/local/aws/probe"
)

// ack is one acknowledged write as its client saw it.
type ack struct {
	ID     string    `json:"id"`
	Region string    `json:"region"`
	Epoch  int64     `json:"epoch"`
	At     time.Time `json:"at"` // as the application stamped it

	started, ended time.Time
}

// client resolves names as clients of the first location do.
func (f *fixture) client(t *testing.T) *http.Client {
	t.Helper()
	o, err := probe.FromPlan(f.plan)
	require.NoError(t, err)
	o.Timeout = unhurried
	c := o.HTTPClient(o.Locations[0])
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// url is a path at a Region's own load balancer.
func (f *fixture) url(region plan.Region, path string) string {
	spec, _ := f.plan.Region(region)
	return fmt.Sprintf("%s://%s:%d%s", f.plan.Traffic.Scheme, spec.Endpoint, f.plan.Traffic.Port, path)
}

// post writes one id and demands an acknowledgement.
func post(ctx context.Context, c *http.Client, url, id, location string) (ack, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"id":"`+id+`"}`))
	if err != nil {
		return ack{}, err
	}
	if location != "" {
		req.Header.Set("X-Client-Location", location)
	}
	a := ack{started: time.Now()}
	res, err := c.Do(req)
	if err != nil {
		return ack{}, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusCreated {
		return ack{}, fmt.Errorf("%s answered %d", url, res.StatusCode)
	}
	if err := json.NewDecoder(res.Body).Decode(&a); err != nil {
		return ack{}, err
	}
	a.ended = time.Now()
	return a, nil
}

// get reads a path and gives the status.
func get(ctx context.Context, c *http.Client, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	res, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// crowd is clients of both Regions that write invoices all the time.
type crowd struct {
	mu   sync.Mutex
	acks []ack
	stop context.CancelFunc
	done sync.WaitGroup
}

// invoices lets clients write at both Regions' load balancers until the crowd
// goes home.
func (f *fixture) invoices(t *testing.T) *crowd {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &crowd{stop: cancel}
	t.Cleanup(c.goHome)
	for _, region := range f.plan.TrafficRegions() {
		client, url := f.client(t), f.url(region, "/invoices")
		c.done.Go(func() {
			pause := time.NewTicker(20 * time.Millisecond)
			defer pause.Stop()
			for n := 0; ctx.Err() == nil; n++ {
				if a, err := post(ctx, client, url, string(region)+"-"+strconv.Itoa(n), ""); err == nil {
					c.mu.Lock()
					c.acks = append(c.acks, a)
					c.mu.Unlock()
				}
				select {
				case <-ctx.Done():
				case <-pause.C:
				}
			}
		})
	}
	return c
}

func (c *crowd) goHome() {
	c.stop()
	c.done.Wait()
}

// by are the acknowledgements that a Region gave, to clients of either.
func (c *crowd) by(region plan.Region) []ack {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []ack
	for _, a := range c.acks {
		if a.Region == string(region) {
			out = append(out, a)
		}
	}
	return out
}

// since are those of a Region for requests that began after a moment.
func (c *crowd) since(region plan.Region, start time.Time) []ack {
	var out []ack
	for _, a := range c.by(region) {
		if a.started.After(start) {
			out = append(out, a)
		}
	}
	return out
}
