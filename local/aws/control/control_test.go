package control_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/local/aws/control"
	"lifeline/local/aws/world"
)

func open(t *testing.T, o control.Options) (*world.World, control.Client) {
	t.Helper()
	w := world.New(world.Options{})
	t.Cleanup(w.Close)
	server := httptest.NewServer(control.New(w, o))
	t.Cleanup(server.Close)
	return w, control.Client{Endpoint: server.URL + "/"}
}

func TestFaults_InjectedAndRemoved(t *testing.T) {
	t.Parallel()
	w, c := open(t, control.Options{})

	id, err := c.Inject(t.Context(), world.Fault{Kind: world.Hold, Service: "rds", Latency: 3 * time.Second, Times: 2})
	require.NoError(t, err)
	faults, err := c.Faults(t.Context())
	require.NoError(t, err)
	require.Equal(t, []world.Fault{{ID: id, Kind: world.Hold, Service: "rds", Latency: 3 * time.Second, Times: 2}}, faults)

	require.NoError(t, c.Remove(t.Context(), id))
	require.Empty(t, w.Faults())
	require.ErrorContains(t, c.Remove(t.Context(), id), "no fault")
}

func TestOutage_TwiceAndHealed_IsOneOutage(t *testing.T) {
	t.Parallel()
	w, c := open(t, control.Options{Sections: map[string]func() any{"replication": func() any { return map[string]int{"lag_ms": 7} }}})

	require.NoError(t, c.Outage(t.Context(), "us-east-1"))
	require.NoError(t, c.Outage(t.Context(), "us-east-1"))
	require.True(t, w.Dark("us-east-1"))
	facts, err := c.Facts(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"us-east-1"}, facts.Dark)
	require.JSONEq(t, `{"lag_ms":7}`, string(facts.Sections["replication"]))

	require.NoError(t, c.Heal(t.Context(), "us-east-1"))
	facts, err = c.Facts(t.Context())
	require.NoError(t, err)
	require.Empty(t, facts.Dark)
	require.Len(t, facts.Outages, 1)
	require.False(t, facts.Outages[0].Ended.IsZero())
}

func TestCalls_SinceAMoment(t *testing.T) {
	t.Parallel()
	w, c := open(t, control.Options{})
	moment := time.Now()
	w.Log(world.CallRecord{Time: moment.Add(-time.Second), Operation: "Early"})
	w.Log(world.CallRecord{Time: moment, Operation: "Late", Outcome: "ok"})

	calls, err := c.Calls(t.Context(), moment)

	require.NoError(t, err)
	require.Len(t, calls, 1)
	require.Equal(t, "Late", calls[0].Operation)
}

func TestRestrict_TakesEffectAndIsLifted(t *testing.T) {
	t.Parallel()
	w, c := open(t, control.Options{})

	require.NoError(t, c.Restrict(t.Context(), "AKIA", []string{"s3:Get*"}))
	require.False(t, w.Allowed("AKIA", "rds:StopDBCluster"))
	require.NoError(t, c.Restrict(t.Context(), "AKIA", nil))
	require.True(t, w.Allowed("AKIA", "rds:StopDBCluster"))
}

func TestReady_SaysWhyNotAndIsAwaited(t *testing.T) {
	t.Parallel()
	var up atomic.Bool
	_, c := open(t, control.Options{Ready: func() error {
		if up.Swap(true) {
			return nil
		}
		return errors.New("the DNS server starts")
	}})

	require.ErrorContains(t, c.Ready(t.Context()), "the DNS server starts")
	require.NoError(t, c.AwaitReady(t.Context()))

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, control.Client{Endpoint: "http://127.0.0.1:1"}.AwaitReady(gone), context.Canceled)
}

func TestBadInput_IsRefusedInJSON(t *testing.T) {
	t.Parallel()
	w, c := open(t, control.Options{})
	for body, want := range map[string]string{
		`{"kind":"blackout","regoin":"us-east-1"}`:               "regoin",
		`{"kind":"meteor"}`:                                      "meteor",
		`{"kind":"blackout","region":"mars-1"}`:                  "mars-1",
		`{"kind":"partition","region":"us-east-1"}`:              "peer",
		`{"kind":"hold"}`:                                        "latency",
		`{"kind":"hold","latency":"soon"}`:                       "latency",
		`{"kind":"deny","probability":2}`:                        "probability",
		`{"kind":"deny","times":-1}`:                             "negative",
		`{"kind":"blackout","region":"us-east-1"}{"kind":"all"}`: "more than one",
		``: "read body",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.Endpoint+"_lifeline/faults", strings.NewReader(body))
		require.NoError(t, err)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusBadRequest, resp.StatusCode, body)
		require.Contains(t, string(text), want, body)
		require.Contains(t, string(text), `"error"`, body)
	}
	require.Empty(t, w.Faults(), "a refused fault changes nothing")
	require.ErrorContains(t, c.Outage(t.Context(), "mars-1"), "mars-1")
}

func TestLatency_MayBeTypedByPeople(t *testing.T) {
	t.Parallel()
	w, c := open(t, control.Options{})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.Endpoint+"_lifeline/faults",
		strings.NewReader(`{"kind":"latency","latency":"1.5s"}`))
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 1500*time.Millisecond, w.Faults()[0].Latency)
}

func TestStrangers_AreTurnedAway(t *testing.T) {
	t.Parallel()
	w := world.New(world.Options{})
	t.Cleanup(w.Close)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/_lifeline/facts", nil)
	r.RemoteAddr = "192.0.2.7:4000"
	answer := httptest.NewRecorder()

	control.New(w, control.Options{}).ServeHTTP(answer, r)

	require.Equal(t, http.StatusForbidden, answer.Code)
}
