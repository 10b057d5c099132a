package observe

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

func (w *world) transaction(want plan.Region) TransactionInput {
	return TransactionInput{Traffic: w.plan.Traffic, Location: w.america, Want: want, Timeout: 5 * time.Second}
}

func TestVerifyTransaction_WritesAndReadsBackAsThatClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got, err := New(nil).VerifyTransaction(t.Context(), w.transaction("us-east-1"))
	require.NoError(t, err)
	require.Equal(t, "us-east-1", got.Region)
	require.Equal(t, "127.0.0.1", got.Address)
	require.Regexp(t, "^lifeline-verify-", got.ID)
	require.True(t, w.east.records[got.ID])
	require.Empty(t, w.east.seen[0].Header.Get("X-Client-Location"), "a proof must not be counted as a client")
	require.Equal(t, "app.example", hostOf(w.east.seen[0]))
	require.False(t, got.At.IsZero())

	again, err := New(nil).VerifyTransaction(t.Context(), w.transaction(""))
	require.NoError(t, err)
	require.NotEqual(t, got.ID, again.ID, "each proof is fresh")
}

func hostOf(r *http.Request) string {
	host := r.Host
	for i := range host {
		if host[i] == ':' {
			return host[:i]
		}
	}
	return host
}

func TestVerifyTransaction_FollowsDNSAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := New(nil)
	_, err := s.VerifyTransaction(t.Context(), w.transaction("us-west-2"))
	require.Equal(t, cloud.NotYet, cloud.KindOf(err), "another Region served")
	require.ErrorContains(t, err, `served by "us-east-1"`)
	w.zone.set("app.example.199.212.0.0/24", "127.0.0.2")
	got, err := s.VerifyTransaction(t.Context(), w.transaction("us-west-2"))
	require.NoError(t, err)
	require.Equal(t, "127.0.0.2", got.Address, "no connection was kept")
}

func TestVerifyTransaction_WhatIsNoProof(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		breakIt func(*world)
		kind    cloud.Kind
		says    string
	}{
		"write refused":     {func(w *world) { w.east.write = http.StatusServiceUnavailable }, cloud.Unreachable, "answered 503"},
		"write not found":   {func(w *world) { w.east.write = http.StatusNotFound }, cloud.Unknown, "answered 404"},
		"not readable back": {func(w *world) { w.east.read = http.StatusInternalServerError }, cloud.Unreachable, "read back"},
		"no address":        {func(w *world) { w.zone.set("app.example.199.212.0.0/24", "") }, cloud.Unreachable, "no address"},
		"nobody listens":    {func(w *world) { w.zone.set("app.example.199.212.0.0/24", "127.0.0.3") }, cloud.Unreachable, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.breakIt(w)
			_, err := New(nil).VerifyTransaction(t.Context(), w.transaction(""))
			require.Equal(t, c.kind, cloud.KindOf(err))
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestVerifyTransaction_HangingRegion_GivesUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.east.goDark()
	in := w.transaction("")
	in.Timeout = 50 * time.Millisecond
	_, err := New(nil).VerifyTransaction(t.Context(), in)
	require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
}

func TestVerifyTransaction_BadSubnet_IsInvalid(t *testing.T) {
	t.Parallel()
	in := newWorld(t).transaction("")
	in.Location.Subnet = "somewhere"
	_, err := New(nil).VerifyTransaction(t.Context(), in)
	require.Equal(t, cloud.Invalid, cloud.KindOf(err))
}

func TestMeasureServed_ReadsTheRegionsOwnAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := ServedInput{Traffic: w.plan.Traffic, Endpoint: "usw2.example", Since: at(1)}
	got, err := New(nil).MeasureServed(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, Served{
		Region: "us-west-2", Mode: "writer", Epoch: 5,
		First: map[string]time.Time{"america": at(5).Add(500 * time.Millisecond)},
		Count: map[string]int64{"america": 3, "asia": 1},
	}, got)
	require.Equal(t, "2026-11-22T12:00:01Z", w.west.since)

	in.Since = at(30)
	got, err = New(nil).MeasureServed(t.Context(), in)
	require.NoError(t, err)
	require.Empty(t, got.First, "what was served before does not count")
}

func TestMeasureServed_NotAnApplication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := ServedInput{Traffic: w.plan.Traffic, Endpoint: "usw2.example"}
	in.Traffic.Transaction.Status = "/health/deep"
	_, err := New(nil).MeasureServed(t.Context(), in)
	require.Error(t, err, "an empty document is none")
	in.Traffic.Transaction.Status = "/nothing"
	_, err = New(nil).MeasureServed(t.Context(), in)
	require.ErrorContains(t, err, "answered 404")
}

func TestObserveRegions_WorkerThatIsNoObserver(t *testing.T) {
	t.Parallel()
	_, err := New(nil).ObserveRegions(t.Context(), ObserveInput{})
	require.Equal(t, cloud.Invalid, cloud.KindOf(err))
}

func TestAwaitServed_EndsWhenEveryLocationWasServed_OrAtTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := ServedAwait{
		ServedInput: ServedInput{Traffic: w.plan.Traffic, Endpoint: "usw2.example", Since: at(1)},
		Locations:   []string{"america"}, Until: time.Now().Add(time.Hour),
	}
	got, err := New(nil).AwaitServed(t.Context(), in)
	require.NoError(t, err)
	require.Contains(t, got.First, "america")

	in.Locations, in.Until = []string{"america", "asia"}, time.Now()
	got, err = New(nil).AwaitServed(t.Context(), in)
	require.NoError(t, err, "nobody may be awake in asia")
	require.NotContains(t, got.First, "asia")

	in.Endpoint = "nowhere.example"
	_, err = New(nil).AwaitServed(t.Context(), in)
	require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
}
