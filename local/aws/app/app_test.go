package app_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/dynamodb"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/app"
	"lifeline/local/aws/dynamodb"
	"lifeline/local/aws/rds"
	"lifeline/local/aws/world"
)

const (
	east    = "us-east-1"
	west    = "us-west-2"
	witness = "us-east-2"
	ttl     = 400 * time.Millisecond
)

// platform is the application in two Regions on simulated stores.
type platform struct {
	world  *world.World
	tables *dynamodb.DynamoDB
	bases  *rds.RDS
	fleet  *app.Fleet
	files  *files
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	w := world.New(world.Options{Regions: []string{east, west, witness}, Compression: 1000})
	t.Cleanup(w.Close)
	p := &platform{world: w, tables: dynamodb.New(w, dynamodb.Options{}), bases: rds.New(w, rds.Options{}), files: &files{content: map[string][]byte{}}}
	p.estate(t)
	p.fleet = app.NewFleet(w, app.Stores{Tables: p.tables, Databases: p.bases, Buckets: p.files}, slog.New(slog.DiscardHandler))
	return p
}

func config(region string) app.Config {
	return app.Config{
		Lifeline: app.Marker, Application: "patient-records", Region: region, Table: "records",
		GlobalCluster: "billing", Cluster: "billing-" + region, Bucket: "documents-" + region,
		Lease: app.LeaseConfig{Region: witness, Table: "lease", TTL: ttl.Milliseconds()},
	}
}

func (p *platform) boot(t *testing.T, region string, network func() bool) *httptest.Server {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	i := p.fleet.Boot(ctx, config(region), network)
	s := httptest.NewServer(i)
	t.Cleanup(func() {
		cancel()
		s.CloseClientConnections()
		s.Close()
		i.Stop()
	})
	return s
}

// files is a bucket store without replication.
type files struct {
	mu      sync.Mutex
	content map[string][]byte
}

func (f *files) PutObject(region, bucket, key string, body []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.content[region+"/"+bucket+"/"+key] = body
	return nil
}

func (f *files) GetObject(region, bucket, key string) ([]byte, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, ok := f.content[region+"/"+bucket+"/"+key]
	return body, ok, nil
}

type answer struct {
	Status int `json:"-"`
	ID     string
	Region string
	Epoch  int64
	Error  string
}

func call(t *testing.T, s *httptest.Server, method, path, body string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, s.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("X-Client-Location", "europe")
	resp, err := s.Client().Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	a := answer{Status: resp.StatusCode}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&a))
	}
	return a
}

func invoice(t *testing.T, s *httptest.Server, id string) answer {
	t.Helper()
	return call(t, s, http.MethodPost, "/invoices", `{"id":"`+id+`"}`)
}

func status(t *testing.T, s *httptest.Server, query string) app.Status {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/lifeline/status"+query, nil)
	require.NoError(t, err)
	resp, err := s.Client().Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	var out app.Status
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&out))
	return out
}

func awaitMode(t *testing.T, s *httptest.Server, mode app.Mode) {
	t.Helper()
	require.Eventually(t, func() bool { return status(t, s, "").Mode == mode }, 10*time.Second, 5*time.Millisecond)
}

// raise gives the lease to a Region at the next epoch, as Lifeline does.
func (p *platform) raise(t *testing.T, region string, epoch int64) {
	t.Helper()
	_, err := p.tables.UpdateItem(witness, witness, &api.UpdateItemInput{
		TableName: aws.String("lease"), Key: dynamodb.Item{"application": {S: aws.String("patient-records")}},
		UpdateExpression:    aws.String("SET holder = :to, epoch = :next"),
		ConditionExpression: aws.String("epoch = :old"),
		ExpressionAttributeValues: dynamodb.Item{
			":to": {S: &region}, ":next": {N: aws.String(strconv.FormatInt(epoch+1, 10))}, ":old": {N: aws.String(strconv.FormatInt(epoch, 10))},
		},
	})
	require.NoError(t, err)
}

func TestRecords_LocalWriteReadAndReplication(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	e, w := p.boot(t, east, nil), p.boot(t, west, nil)
	a := call(t, e, http.MethodPost, "/records", `{"id":"r1"}`)
	require.Equal(t, http.StatusCreated, a.Status)
	require.Equal(t, "r1", a.ID)
	require.Equal(t, east, a.Region)
	require.Equal(t, http.StatusOK, call(t, e, http.MethodGet, "/records/r1", "").Status)
	require.Eventually(t, func() bool {
		return call(t, w, http.MethodGet, "/records/r1", "").Status == http.StatusOK
	}, 10*time.Second, 5*time.Millisecond)
	require.Equal(t, http.StatusNotFound, call(t, e, http.MethodGet, "/records/none", "").Status)
	for _, bad := range []string{"", "{}", `{"id":"lifeline#watermark#us-east-1"}`, `{"id":"` + strings.Repeat("x", 129) + `"}`} {
		require.Equal(t, http.StatusBadRequest, call(t, e, http.MethodPost, "/records", bad).Status, bad)
	}
}

func TestDocuments_WriteAndRead(t *testing.T) {
	t.Parallel()
	e := newPlatform(t).boot(t, east, nil)
	require.Equal(t, http.StatusCreated, call(t, e, http.MethodPost, "/documents", `{"id":"d1"}`).Status)
	require.Equal(t, http.StatusOK, call(t, e, http.MethodGet, "/documents/d1", "").Status)
	require.Equal(t, http.StatusNotFound, call(t, e, http.MethodGet, "/documents/none", "").Status)
}

func TestInvoices_WriterAcceptsOtherForwards(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	e, w := p.boot(t, east, nil), p.boot(t, west, nil)
	awaitMode(t, e, app.ModeWriter)
	awaitMode(t, w, app.ModeForwarding)
	require.Equal(t, answer{Status: 201, ID: "i1", Region: east, Epoch: 1}, invoice(t, e, "i1"))
	require.Equal(t, answer{Status: 201, ID: "i2", Region: east, Epoch: 1}, invoice(t, w, "i2"))
	require.Equal(t, http.StatusOK, call(t, w, http.MethodGet, "/invoices/i2", "").Status, "read at once where it was written")
	require.Equal(t, http.StatusNotFound, call(t, w, http.MethodGet, "/invoices/none", "").Status)

	p.world.Inject(world.Fault{Kind: world.Partition, Region: east, Peer: west})
	require.Equal(t, answer{Status: 503, Error: "read-only"}, invoice(t, w, "i3"), "emergency mode")
	require.Equal(t, http.StatusCreated, invoice(t, e, "i4").Status)
}

func TestLease_Raised_OldWriterStopsNewOneWaitsForItsDatabase(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	e, w := p.boot(t, east, nil), p.boot(t, west, nil)
	awaitMode(t, e, app.ModeWriter)
	p.raise(t, west, 1)
	require.Eventually(t, func() bool { return invoice(t, e, "old").Status == 503 }, 10*time.Second, 5*time.Millisecond)
	require.Equal(t, 503, invoice(t, w, "early").Status, "the lease alone makes no writer")

	p.switchover(t, east, west)
	awaitMode(t, w, app.ModeWriter)
	require.Equal(t, answer{Status: 201, ID: "new", Region: west, Epoch: 2}, invoice(t, w, "new"))
	awaitMode(t, e, app.ModeForwarding)
	require.Equal(t, answer{Status: 201, ID: "fwd", Region: west, Epoch: 2}, invoice(t, e, "fwd"))
}

func TestLease_NotRenewed_WriterStopsByItself(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	e := p.boot(t, east, nil)
	awaitMode(t, e, app.ModeWriter)
	p.world.Inject(world.Fault{Kind: world.Partition, Region: east, Peer: witness})
	cut := time.Now()
	for {
		a, answered := invoice(t, e, "x"), time.Now()
		if a.Status == 503 {
			break
		}
		require.Less(t, answered.Sub(cut), ttl+50*time.Millisecond, "still accepted after the lease ran out")
	}
	require.Equal(t, http.StatusCreated, call(t, e, http.MethodPost, "/records", `{"id":"r"}`).Status, "the replicated tier goes on")
	p.world.Heal(east)
	awaitMode(t, e, app.ModeWriter)
}

func TestBoot_LeaseUnreachable_StaysReadOnly(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	awaitMode(t, p.boot(t, east, nil), app.ModeWriter)
	p.world.Inject(world.Fault{ID: "cut", Kind: world.Partition, Region: east, Peer: witness})
	second := p.boot(t, east, nil)
	require.Equal(t, app.ModeReadOnly, status(t, second, "").Mode)
	require.Equal(t, 503, invoice(t, second, "x").Status)
	p.world.Remove("cut")
	awaitMode(t, second, app.ModeWriter)
}

func TestBlackout_Silent_ThenBootsReadOnlyUnderTheNewEpoch(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	e, w := p.boot(t, east, nil), p.boot(t, west, nil)
	awaitMode(t, e, app.ModeWriter)
	p.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL+"/health/deep", nil)
	require.NoError(t, err)
	resp, err := e.Client().Do(r)
	if err == nil {
		require.NoError(t, resp.Body.Close())
	}
	require.ErrorIs(t, err, context.DeadlineExceeded, "a dark Region answers nothing")

	p.raise(t, west, 1)
	p.failover(t)
	awaitMode(t, w, app.ModeWriter)
	require.Equal(t, answer{Status: 201, ID: "after", Region: west, Epoch: 2}, invoice(t, w, "after"))

	p.world.Heal(east)
	for range 20 {
		a := invoice(t, e, "zombie")
		require.False(t, a.Status == 201 && a.Region == east, "the old writer came back as a writer")
	}
	awaitMode(t, e, app.ModeForwarding)
	require.Equal(t, int64(2), status(t, e, "").Epoch)
}

func TestNetworkFence_StopsInvoicesAndRenewal(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	var open atomic.Bool
	open.Store(true)
	e := p.boot(t, east, open.Load)
	awaitMode(t, e, app.ModeWriter)
	open.Store(false)
	require.Equal(t, 503, invoice(t, e, "x").Status)
	require.Equal(t, 503, call(t, e, http.MethodPost, "/records", `{"id":"r"}`).Status)
	require.Equal(t, 503, call(t, e, http.MethodGet, "/health/deep", "").Status)
	awaitMode(t, e, app.ModeReadOnly)
}

func TestHealth_LooksAtItsOwnRegionOnly(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	w := p.boot(t, west, nil)
	require.Equal(t, 200, call(t, w, http.MethodGet, "/health/deep", "").Status)
	p.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	p.world.Inject(world.Fault{Kind: world.Blackout, Region: witness})
	require.Equal(t, 200, call(t, w, http.MethodGet, "/health/deep", "").Status)
}

func TestStatus_ServedIsSharedByTheRegion(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	one, two, other := p.boot(t, east, nil), p.boot(t, east, nil), p.boot(t, west, nil)
	before := time.Now()
	require.Equal(t, 201, call(t, one, http.MethodPost, "/records", `{"id":"a"}`).Status)
	middle := time.Now()
	require.Equal(t, 201, call(t, two, http.MethodPost, "/records", `{"id":"b"}`).Status)
	require.Equal(t, 201, call(t, two, http.MethodPost, "/documents", `{"id":"c"}`).Status)
	all := status(t, one, "").Served["europe"]
	require.Equal(t, 2, all.Count)
	require.WithinRange(t, all.First, before, middle)
	late := status(t, two, "?since="+middle.UTC().Format(time.RFC3339Nano)).Served["europe"]
	require.Equal(t, 1, late.Count)
	require.Equal(t, all.Last, late.First)
	require.Empty(t, status(t, other, "").Served)
}

func TestParseConfig(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data string
		ok   bool
		err  string
	}{
		"not ours":   {`#!/bin/sh`, false, ""},
		"other app":  {`{"lifeline":"greeter"}`, false, ""},
		"complete":   {`{"lifeline":"records-application","application":"a","region":"r","table":"t"}`, true, ""},
		"incomplete": {`{"lifeline":"records-application","application":"a","region":"r"}`, true, `"table" is missing`},
		"no lease":   {`{"lifeline":"records-application","application":"a","region":"r","table":"t","globalCluster":"g","cluster":"c"}`, true, "needs \"lease\""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, ok, err := app.ParseConfig([]byte(c.data))
			require.Equal(t, c.ok, ok)
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
			}
		})
	}
}
