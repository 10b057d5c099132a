package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"lifeline/local/aws/world"
)

// Client calls the control API of a running simulator.
type Client struct {
	// Endpoint is where the simulator listens, such as http://127.0.0.1:4566.
	Endpoint string
	// HTTP is the client to use; nil means http.DefaultClient.
	HTTP *http.Client
}

// Inject puts a fault in force and gives its id.
func (c Client) Inject(ctx context.Context, f world.Fault) (string, error) {
	var out struct{ ID string }
	err := c.call(ctx, http.MethodPost, "faults", f, &out)
	return out.ID, err
}

// Remove ends a fault.
func (c Client) Remove(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "faults/"+url.PathEscape(id), nil, nil)
}

// Faults are the faults in force.
func (c Client) Faults(ctx context.Context) ([]world.Fault, error) {
	var out []world.Fault
	err := c.call(ctx, http.MethodGet, "faults", nil, &out)
	return out, err
}

// Outage makes a Region dark.
func (c Client) Outage(ctx context.Context, region string) error {
	return c.call(ctx, http.MethodPost, "outage", regionOnly{region}, nil)
}

// Heal removes every fault of a Region.
func (c Client) Heal(ctx context.Context, region string) error {
	return c.call(ctx, http.MethodPost, "heal", regionOnly{region}, nil)
}

// Restrict gives a caller an allow list of IAM actions; nil lifts it.
func (c Client) Restrict(ctx context.Context, caller string, actions []string) error {
	return c.call(ctx, http.MethodPost, "policy", Policy{caller, actions}, nil)
}

// SetCompression changes how fast AWS's own waits pass; 1 is real time.
func (c Client) SetCompression(ctx context.Context, factor float64) error {
	return c.call(ctx, http.MethodPost, "clock", Clock{factor}, nil)
}

// Calls are the calls that arrived at or after since.
func (c Client) Calls(ctx context.Context, since time.Time) ([]world.CallRecord, error) {
	var out []world.CallRecord
	err := c.call(ctx, http.MethodGet, "calls?since="+url.QueryEscape(since.Format(time.RFC3339Nano)), nil, &out)
	return out, err
}

// Facts are what is true in the world right now.
func (c Client) Facts(ctx context.Context) (Facts, error) {
	var out Facts
	err := c.call(ctx, http.MethodGet, "facts", nil, &out)
	return out, err
}

// Ready is nil once the simulator serves.
func (c Client) Ready(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "ready", nil, nil)
}

// AwaitReady asks until the simulator serves or ctx ends; then it gives the last
// reason beside ctx's.
func (c Client) AwaitReady(ctx context.Context) error {
	const interval = 50 * time.Millisecond
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		err := c.Ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("await the simulated AWS: %w: %w", ctx.Err(), err)
		case <-ticker.C:
		}
	}
}

func (c Client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("control %s: %w", path, err)
		}
		body = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Endpoint, "/")+Prefix+path, body)
	if err != nil {
		return fmt.Errorf("control %s: %w", path, err)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("control %s: %w", path, err)
	}
	defer func() { _ = resp.Body.Close() }() // read to its end below
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("control %s: %w", path, err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		var refused struct{ Error string }
		if json.Unmarshal(raw, &refused) != nil || refused.Error == "" {
			refused.Error = resp.Status
		}
		return fmt.Errorf("control %s: %s", path, refused.Error)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("control %s: read answer: %w", path, err)
	}
	return nil
}
