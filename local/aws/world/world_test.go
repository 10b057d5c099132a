package world_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/local/aws/world"
)

func open(t *testing.T, o world.Options) *world.World {
	t.Helper()
	w := world.New(o)
	t.Cleanup(w.Close)
	return w
}

func TestAfter_TakesAWSTimeOverCompression(t *testing.T) {
	t.Parallel()
	w := open(t, world.Options{Compression: 3600})
	require.Equal(t, time.Second, w.Wall(time.Hour))
	started, rang := time.Now(), make(chan time.Duration, 1)

	w.After(3*time.Minute, func() { rang <- time.Since(started) })

	require.GreaterOrEqual(t, <-rang, 50*time.Millisecond)
}

func TestClose_WaitsForWhatRunsAndStopsTheRest(t *testing.T) {
	t.Parallel()
	w := world.New(world.Options{})
	var ticks, late, finished atomic.Int64
	running, release := make(chan struct{}), make(chan struct{})
	w.Every(time.Millisecond, func() { ticks.Add(1) })
	w.After(0, func() {
		close(running)
		<-release
		finished.Add(1)
	})
	w.After(time.Hour, func() { late.Add(1) })
	<-running
	require.Eventually(t, func() bool { return ticks.Load() > 2 }, 5*time.Second, time.Millisecond)

	closed := make(chan struct{})
	go func() {
		w.Close()
		close(closed)
	}()
	<-w.Done()
	select {
	case <-closed:
		t.Error("closed while a function was running")
	default:
	}
	close(release)
	<-closed

	require.EqualValues(t, 1, finished.Load())
	require.Zero(t, late.Load())
	stopped := ticks.Load()
	w.After(0, func() { late.Add(1) })
	w.Every(time.Millisecond, func() { late.Add(1) })
	w.Close() // twice is once
	require.Equal(t, stopped, ticks.Load())
	require.Zero(t, late.Load())
}

func TestReachable_InTheDarkAndAcrossAPartition(t *testing.T) {
	t.Parallel()
	w := open(t, world.Options{Regions: []string{"us-east-1", "us-west-2", "us-east-2"}})
	require.True(t, w.Reachable("us-east-1", "us-west-2"))

	cut := w.Inject(world.Fault{Kind: world.Partition, Region: "us-west-2", Peer: "us-east-1"})
	require.False(t, w.Reachable("us-east-1", "us-west-2"))
	require.False(t, w.Reachable("us-west-2", "us-east-1"))
	require.True(t, w.Reachable("us-east-2", "us-east-1"))
	require.True(t, w.Reachable("", "us-east-1"), "clients still reach both")
	w.Remove(cut)

	w.Inject(world.Fault{Kind: world.Blackout, Region: "us-east-1"})
	require.False(t, w.Reachable("us-east-1", "us-west-2"))
	require.False(t, w.Reachable("", "us-east-1"))
	require.False(t, w.Reachable("us-east-1", "us-east-1"), "not even itself")
	require.True(t, w.Reachable("", "us-west-2"))
}

func TestDark_OnlyAWholeRegion(t *testing.T) {
	t.Parallel()
	w := open(t, world.Options{})
	w.Inject(world.Fault{Kind: world.Blackout, Region: "us-east-1", Service: "rds"})
	require.False(t, w.Dark("us-east-1"))
	require.Empty(t, w.Outages())
	w.Inject(world.Fault{Kind: world.Blackout, Region: "us-east-1"})
	require.True(t, w.Dark("us-east-1"))
	require.False(t, w.Dark("us-west-2"))
}

func TestHeal_EndsTheOutageAndEveryFaultOfTheRegion(t *testing.T) {
	t.Parallel()
	w := open(t, world.Options{})
	var changes atomic.Int64
	w.OnFault(func() { changes.Add(1) })
	w.Inject(world.Fault{Kind: world.Blackout, Region: "us-east-1"})
	w.Inject(world.Fault{Kind: world.Partition, Region: "us-west-2", Peer: "us-east-1"})
	kept := w.Inject(world.Fault{Kind: world.Brownout, Region: "us-west-2"})

	w.Heal("us-east-1")

	require.Len(t, w.Faults(), 1)
	require.Equal(t, kept, w.Faults()[0].ID)
	require.EqualValues(t, 4, changes.Load())
	outages := w.Outages()
	require.Len(t, outages, 1)
	require.False(t, outages[0].Ended.Before(outages[0].Started))
	require.False(t, outages[0].Ended.IsZero())
}

func TestStrike_TimesAreUsedUpAndProbabilityIsThrown(t *testing.T) {
	t.Parallel()
	w := open(t, world.Options{})
	target := world.Target{Region: "us-east-1", Service: "rds", Operation: "StopDBCluster", Caller: "AKIA"}
	w.Inject(world.Fault{Kind: world.Deny, Service: "rds", Times: 2})
	hits := 0
	for range 5 {
		if _, hit := w.Strike(world.Deny, target); hit {
			hits++
		}
	}
	require.Equal(t, 2, hits)
	require.Empty(t, w.Faults())

	w.Inject(world.Fault{Kind: world.Brownout, Probability: 0.5})
	hits = 0
	for range 2000 {
		if _, hit := w.Strike(world.Brownout, target); hit {
			hits++
		}
	}
	require.InDelta(t, 1000, hits, 200)
}

func TestInject_SameID_Replaces(t *testing.T) {
	t.Parallel()
	w := open(t, world.Options{})
	w.Inject(world.Fault{ID: "a", Kind: world.Brownout})
	w.Inject(world.Fault{ID: "a", Kind: world.Deny})
	require.Equal(t, []world.Fault{{ID: "a", Kind: world.Deny}}, w.Faults())
}

func TestCalls_RingKeepsTheNewest_SinkKeepsAll(t *testing.T) {
	t.Parallel()
	var sink bytes.Buffer
	w := open(t, world.Options{CallLogSize: 3, CallLog: &sink})
	for _, name := range []string{"A", "B", "C", "D", "E"} {
		w.Log(world.CallRecord{Time: time.Now(), Operation: name, Outcome: "ok"})
	}
	var names []string
	for _, c := range w.Calls(time.Time{}) {
		names = append(names, c.Operation)
	}
	require.Equal(t, []string{"C", "D", "E"}, names)
	lines := strings.Split(strings.TrimSpace(sink.String()), "\n")
	require.Len(t, lines, 5)
	var first world.CallRecord
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &first))
	require.Equal(t, "A", first.Operation)
}

type broken struct{ writes atomic.Int64 }

func (b *broken) Write([]byte) (int, error) {
	b.writes.Add(1)
	return 0, errors.New("disk full")
}

func TestCalls_BrokenSink_LeavesMemoryWorking(t *testing.T) {
	t.Parallel()
	sink := &broken{}
	w := open(t, world.Options{CallLog: sink})
	w.Log(world.CallRecord{Operation: "A"})
	w.Log(world.CallRecord{Operation: "B"})
	require.Len(t, w.Calls(time.Time{}), 2)
	require.EqualValues(t, 1, sink.writes.Load(), "given up after the first loss")
}

func TestVIP_CanBeBoundAndIsUnique(t *testing.T) {
	t.Parallel()
	one, two := open(t, world.Options{}), open(t, world.Options{})
	seen := map[string]bool{}
	for range 5 {
		for _, w := range []*world.World{one, two} {
			var config net.ListenConfig
			l, err := config.Listen(t.Context(), "tcp", net.JoinHostPort(w.VIP().String(), "0"))
			require.NoError(t, err)
			host, _, err := net.SplitHostPort(l.Addr().String())
			require.NoError(t, err)
			require.False(t, seen[host])
			seen[host] = true
			require.NoError(t, l.Close())
		}
	}
	given := open(t, world.Options{LoopbackNet: "127.77.3"})
	require.Equal(t, "127.77.3.10", given.VIP().String())
	require.Equal(t, "127.77.3.11", given.VIP().String())
}

func TestNewID_LooksLikeAWS(t *testing.T) {
	t.Parallel()
	w := open(t, world.Options{})
	require.Regexp(t, `^i-[0-9a-f]{17}$`, w.NewID("i-"))
	one, two := w.NewID("i-"), w.NewID("i-")
	require.NotEqual(t, one, two)
}

func TestPolicy_Patterns(t *testing.T) {
	t.Parallel()
	w := open(t, world.Options{})
	require.True(t, w.Allowed("AKIA", "rds:FailoverGlobalCluster"), "no policy, no restriction")
	w.SetPolicy("AKIA", []string{"rds:Describe*", "s3:PutObject"})
	require.True(t, w.Allowed("AKIA", "rds:DescribeDBClusters"))
	require.True(t, w.Allowed("AKIA", "S3:putobject"), "IAM ignores case")
	require.False(t, w.Allowed("AKIA", "rds:FailoverGlobalCluster"))
	require.True(t, w.Allowed("OTHER", "rds:FailoverGlobalCluster"))
	w.SetPolicy("AKIA", []string{})
	require.False(t, w.Allowed("AKIA", "s3:PutObject"), "an empty list allows nothing")
}

func TestEvents_ReachSubscribersUntilTheyLeave(t *testing.T) {
	t.Parallel()
	w := open(t, world.Options{})
	var got []string
	leave := w.Subscribe(func(e world.Event) { got = append(got, e.Kind) })
	w.Publish(world.Event{Kind: "failover"})
	leave()
	w.Publish(world.Event{Kind: "ignored"})
	require.Equal(t, []string{"failover"}, got)
}

func TestHome_OfGlobalControlPlanes(t *testing.T) {
	t.Parallel()
	w := open(t, world.Options{})
	require.Equal(t, "us-east-1", w.Home("route53"))
	require.Equal(t, "us-west-2", w.Home("route53-recovery-control-config"))
	require.Empty(t, w.Home("route53-recovery-cluster"), "the data plane of ARC has no home")
	require.Empty(t, w.Home("rds"))
}
