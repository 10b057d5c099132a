package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Location is a place with clients.
type Location struct {
	Name   string
	Subnet netip.Prefix // of the resolver there
}

// client is one client of the application: a location and a kind of write, so
// that a slow kind does not hold up another. It shares the location's resolver.
type client struct {
	options  *Options
	location Location
	kind     Kind
	resolver *Resolver

	mu        sync.Mutex
	transport *http.Transport
	address   netip.Addr // that the transport's connections lead to
}

func (c *client) name() string { return c.location.Name + "/" + string(c.kind) }

// attempt writes once and, when that was acknowledged, reads back.
func (c *client) attempt(ctx context.Context, seq int64) Line {
	line := Line{
		Seq: seq, Client: c.name(), Location: c.location.Name, Kind: c.kind,
		ID: fmt.Sprintf("%s-%s-%d", c.options.Run, c.location.Name, seq), Started: time.Now().UTC(),
	}
	timed, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	address, err := c.resolve(timed)
	if err == nil {
		line.Address = netip.AddrPortFrom(address, c.options.Port).String()
		err = c.write(timed, &line)
	}
	line.Ended = time.Now().UTC()
	if err != nil {
		line.Error = errorText(err)
		c.hangUp()
		return line
	}
	if line.OK {
		line.Readback = c.readBack(ctx, line)
	}
	return line
}

// resolve finds where to connect, and drops connections that lead elsewhere.
func (c *client) resolve(ctx context.Context) (netip.Addr, error) {
	addresses, err := c.resolver.Resolve(ctx, c.options.Name)
	if err != nil {
		return netip.Addr{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range addresses {
		if a == c.address && c.transport != nil {
			return a, nil
		}
	}
	c.connectTo(addresses[0])
	return c.address, nil
}

// connectTo makes a transport whose connections all lead to one address; c.mu is held.
func (c *client) connectTo(address netip.Addr) {
	if c.transport != nil {
		c.transport.CloseIdleConnections()
	}
	target := netip.AddrPortFrom(address, c.options.Port).String()
	c.address = address
	c.transport = &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, target)
		},
		MaxIdleConnsPerHost: 1,
	}
}

// hangUp makes sure that no connection outlives an error.
func (c *client) hangUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.transport != nil {
		c.transport.CloseIdleConnections()
		c.transport = nil
	}
}

func (c *client) http() *http.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.transport == nil {
		c.connectTo(c.address)
	}
	return &http.Client{Transport: c.transport}
}

func (c *client) base() string {
	return c.options.Scheme + "://" + net.JoinHostPort(c.options.Name, strconv.Itoa(int(c.options.Port)))
}

// answer is what the application says of a write.
type answer struct {
	ID     string `json:"id"`
	Region string `json:"region"`
	Epoch  int64  `json:"epoch"`
	Error  string `json:"error"`
}

func (c *client) write(ctx context.Context, line *Line) error {
	body, err := json.Marshal(map[string]string{"id": line.ID})
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base()+writePath(c.kind), strings.NewReader(string(body)))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Client-Location", c.location.Name)
	response, err := c.http().Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	line.Status = response.StatusCode
	content, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	var a answer
	_ = json.Unmarshal(content, &a) // what is no JSON has no Region, which is checked below
	line.Region, line.Epoch = a.Region, a.Epoch
	switch {
	case response.StatusCode != http.StatusCreated:
		return fmt.Errorf("status %d: %s", response.StatusCode, a.Error)
	case a.ID != line.ID || a.Region == "":
		return fmt.Errorf("status 201 for %q in %q: not the write that was sent", a.ID, a.Region)
	}
	line.OK = true
	return nil
}

// readBack looks for the write where it was just made.
func (c *client) readBack(ctx context.Context, line Line) bool {
	timed, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	status, err := get(timed, c.http(), c.base()+readPath(c.kind, line.ID), c.location.Name)
	if err != nil {
		c.hangUp()
	}
	return err == nil && status == http.StatusOK
}

func get(ctx context.Context, client *http.Client, url, location string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("X-Client-Location", location)
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20)); err != nil {
		return 0, fmt.Errorf("read answer: %w", err)
	}
	return response.StatusCode, nil
}

func writePath(kind Kind) string { return "/" + string(kind) + "s" }

func readPath(kind Kind, id string) string { return writePath(kind) + "/" + url.PathEscape(id) }

// errorText is short and the same for the same cause.
func errorText(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "timeout"
	}
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err
	}
	return err.Error()
}
