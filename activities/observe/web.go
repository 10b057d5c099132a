package observe

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/dnsclient"
	"lifeline/internal/plan"
)

// longest is the most that is read of an answer.
const longest = 1 << 20

// web makes requests as a client of a place does: it resolves through the plan's
// name servers, with the place's subnet, and opens a new connection each time.
// A kept connection would show the Region that it was opened to, not the one
// that clients are sent to now.
type web struct {
	dns  dnsclient.Client
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func newWeb() *web {
	return &web{dial: (&net.Dialer{}).DialContext}
}

// request is one request to a host name.
type request struct {
	traffic plan.Traffic
	subnet  netip.Prefix // of the client; the zero value is nowhere in particular
	method  string
	host    string
	path    string // may carry a query
	body    []byte
}

// answer is what came back, and from where.
type answer struct {
	status  int
	body    []byte
	address string
}

// do resolves, connects and asks. Failures are Unreachable: nobody knows whether
// a write arrived.
func (w *web) do(ctx context.Context, r request) (answer, error) {
	where, err := w.dns.Resolve(ctx, r.traffic.NameServers, r.host, r.subnet)
	if err != nil {
		return answer{}, fmt.Errorf("resolve %s: %w", r.host, err)
	}
	if len(where.Addresses) == 0 {
		return answer{}, cloud.Errorf(cloud.Unreachable, "resolve %s: it has no address", r.host)
	}
	url := r.traffic.Scheme + "://" + net.JoinHostPort(r.host, strconv.Itoa(r.traffic.Port)) + r.path
	req, err := http.NewRequestWithContext(ctx, r.method, url, bytes.NewReader(r.body))
	if err != nil {
		return answer{}, cloud.Errorf(cloud.Invalid, "ask %s: %w", r.host, err)
	}
	if len(r.body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	got := answer{}
	client := w.client(where.Addresses, r.traffic.Port, &got.address)
	defer client.CloseIdleConnections()
	if err := got.fetch(client, req); err != nil {
		return answer{}, cloud.Errorf(cloud.Unreachable, "ask %s: %w", r.host, err)
	}
	return got, nil
}

// client connects to the first of the addresses that accepts, and says which.
func (w *web) client(addresses []netip.Addr, port int, used *string) *http.Client {
	dial := func(ctx context.Context, network, _ string) (conn net.Conn, err error) {
		for _, address := range addresses {
			conn, err = w.dial(ctx, network, net.JoinHostPort(address.String(), strconv.Itoa(port)))
			if err == nil {
				*used = address.String()
				return conn, nil
			}
		}
		return nil, err
	}
	return &http.Client{
		Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true},
		// A redirection is an answer; where it leads is not this Region's health.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// fetch makes the request and reads the answer.
func (a *answer) fetch(client *http.Client, req *http.Request) error {
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // the answer has been read; nothing depends on closing it
	a.status = res.StatusCode
	a.body, err = io.ReadAll(io.LimitReader(res.Body, longest))
	return err
}

// refused is the error for an answer that is no success.
func (a answer) refused(act string) error {
	kind := cloud.Unknown
	if a.status >= http.StatusInternalServerError {
		kind = cloud.Unreachable
	}
	const shown = 200
	return cloud.Errorf(kind, "%s: %s answered %d: %s", act, a.address, a.status, bytes.TrimSpace(a.body[:min(len(a.body), shown)]))
}
