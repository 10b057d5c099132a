package wire_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// bench is a server with its world, and the way the unmodified SDK reaches it.
type bench struct {
	world  *world.World
	server *wire.Server
	url    string
}

func newBench(t *testing.T, services ...*wire.Service) *bench {
	t.Helper()
	w := world.New(world.Options{Regions: []string{"us-east-1", "us-west-2", "us-east-2"}})
	t.Cleanup(w.Close)
	server := wire.NewServer(w, services...)
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	t.Cleanup(listener.CloseClientConnections)
	return &bench{world: w, server: server, url: listener.URL}
}

// config is what LoadDefaultConfig gives with AWS_ENDPOINT_URL set, without
// reading this machine's environment.
func (b *bench) config(region string) aws.Config {
	return aws.Config{
		Region:           region,
		BaseEndpoint:     aws.String(b.url),
		Credentials:      credentials.NewStaticCredentialsProvider("AKIATESTCALLER", "secret", ""),
		RetryMaxAttempts: 1,
	}
}

// only is the single call in the log.
func (b *bench) only(t *testing.T) world.CallRecord {
	t.Helper()
	calls := b.world.Calls(time.Time{})
	require.Len(t, calls, 1)
	return calls[0]
}

// raw sends a signed-looking request and gives status, headers and body.
func (b *bench) raw(t *testing.T, r *http.Request, service, region string) (reply, string) {
	t.Helper()
	sign(r, service, region)
	return send(t, r)
}

func sign(r *http.Request, service, region string) {
	now := time.Now().UTC()
	r.Header.Set("X-Amz-Date", now.Format("20060102T150405Z"))
	r.Header.Set("Authorization", fmt.Sprintf(
		"AWS4-HMAC-SHA256 Credential=AKIATESTCALLER/%s/%s/%s/aws4_request, SignedHeaders=host;x-amz-date, Signature=00",
		now.Format("20060102"), region, service))
}

// reply is the head of an answer whose body was read.
type reply struct {
	StatusCode int
	Header     http.Header
}

func send(t *testing.T, r *http.Request) (reply, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return reply{resp.StatusCode, resp.Header}, string(body)
}

func request(ctx context.Context, t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	require.NoError(t, err)
	return r
}

func fixed() time.Time { return time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC) }
