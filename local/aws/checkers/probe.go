package checkers

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/route53"
)

// Route 53's timeouts, in AWS time.
const (
	connectTimeout = 4 * time.Second  // HTTP and HTTPS
	tcpTimeout     = 10 * time.Second // TCP
	answerTimeout  = 2 * time.Second  // from the connection to the status
	bodyTimeout    = 2 * time.Second  // from the status to the search string
)

// searched is how much of a body the search string may stand in.
const searched = 5120

func dial(ctx context.Context, host string, port int) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
}

// examine probes an endpoint once: whether it is fine, and Route 53's words.
func (f *Fleet) examine(ctx context.Context, c *api.HealthCheckConfig) (ok bool, status string) {
	host, err := f.address(ctx, c)
	if err != nil {
		return false, "Failure: DNS resolution failed: " + err.Error()
	}
	conn, err := f.connect(ctx, c, host)
	if err != nil {
		return false, "Failure: " + reason(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends a read under way
	defer func() {
		stop()
		_ = conn.Close() // the probe is over either way
	}()
	if *c.Type == api.HealthCheckTypeTcp {
		return true, "Success: TCP connection established"
	}
	return f.ask(conn, c)
}

// address resolves the endpoint's name, over IPv4 only; an address that the
// check names makes the name a mere Host header.
func (f *Fleet) address(ctx context.Context, c *api.HealthCheckConfig) (string, error) {
	if ip := aws.StringValue(c.IPAddress); ip != "" {
		return ip, nil
	}
	name := *c.FullyQualifiedDomainName
	if a, err := netip.ParseAddr(name); err == nil {
		return a.String(), nil
	}
	addrs, err := f.o.Resolve(ctx, name)
	if err != nil {
		return "", err
	}
	if len(addrs) == 0 {
		return "", fmt.Errorf("%s has no IPv4 address", name)
	}
	return addrs[0].String(), nil
}

// connect includes the TLS handshake.
func (f *Fleet) connect(ctx context.Context, c *api.HealthCheckConfig, host string) (net.Conn, error) {
	limit := connectTimeout
	if *c.Type == api.HealthCheckTypeTcp {
		limit = tcpTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, f.world.Wall(limit))
	defer cancel()
	conn, err := f.o.Dial(ctx, host, int(*c.Port))
	if err != nil || !secure(c) {
		return conn, err
	}
	config := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // Route 53 doesn't validate certificates
	if aws.BoolValue(c.EnableSNI) {
		config.ServerName = aws.StringValue(c.FullyQualifiedDomainName)
	}
	wrapped := tls.Client(conn, config)
	if err := wrapped.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the handshake's error is the one to tell
		return nil, fmt.Errorf("tls handshake: %w", err)
	}
	return wrapped, nil
}

func secure(c *api.HealthCheckConfig) bool {
	return *c.Type == api.HealthCheckTypeHttps || *c.Type == api.HealthCheckTypeHttpsStrMatch
}

// ask sends the request. Redirects are answers, not followed.
func (f *Fleet) ask(conn net.Conn, c *api.HealthCheckConfig) (ok bool, status string) {
	if err := conn.SetDeadline(time.Now().Add(f.world.Wall(answerTimeout))); err != nil {
		return false, "Failure: " + reason(err)
	}
	if _, err := io.WriteString(conn, request(c)); err != nil {
		return false, "Failure: " + reason(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return false, "Failure: " + reason(err)
	}
	defer func() { _ = resp.Body.Close() }() // nothing is left to read
	told := fmt.Sprintf("HTTP Status Code %d, %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	if resp.StatusCode < 200 || resp.StatusCode >= 400 {
		return false, "Failure: " + told
	}
	if search := aws.StringValue(c.SearchString); search != "" {
		return f.search(conn, resp.Body, search, told)
	}
	return true, "Success: " + told
}

func (f *Fleet) search(conn net.Conn, body io.Reader, search, told string) (ok bool, status string) {
	if err := conn.SetDeadline(time.Now().Add(f.world.Wall(bodyTimeout))); err != nil {
		return false, "Failure: " + reason(err)
	}
	// What arrived in time is searched, even if the rest never comes.
	text, _ := io.ReadAll(io.LimitReader(body, searched))
	if !bytes.Contains(text, []byte(search)) {
		return false, "Failure: " + told + ". The response body did not contain the search string."
	}
	return true, "Success: " + told
}

func request(c *api.HealthCheckConfig) string {
	path := aws.StringValue(c.ResourcePath)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	host := aws.StringValue(c.FullyQualifiedDomainName)
	if host == "" {
		host = aws.StringValue(c.IPAddress)
	}
	if usual := map[bool]int64{true: 443, false: 80}[secure(c)]; *c.Port != usual {
		host = net.JoinHostPort(host, strconv.FormatInt(*c.Port, 10))
	}
	return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" +
		"User-Agent: Amazon-Route53-Health-Check-Service (report http://amzn.to/1vsZADi)\r\n" +
		"Accept: */*\r\nAccept-Encoding: *\r\nConnection: close\r\n\r\n"
}

func reason(err error) string {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return "Connection timed out. The endpoint or the internet connection is down, or requests are being blocked by your firewall."
	}
	return err.Error()
}
