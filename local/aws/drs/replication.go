package drs

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/drs"
)

const (
	stallAfter  = 5  // minutes without a sign of the agent until STALLED
	rescanAfter = 60 // minutes of stall after which the agent reads its disks again
	rescanFor   = 5  // minutes
	drainFor    = 2  // minutes of BACKLOG
)

// replication is how a server's data gets to the Region. It moves by minutes of
// AWS time.
type replication struct {
	state   string
	resume  string // state that a stall interrupted
	minutes int    // in this state
	total   int    // since replication began: the clock of the points in time
	unseen  int    // minutes without a sign of the agent
	behind  int64  // bytes not yet replicated
	synced  bool   // the initial sync was completed once
	seen    time.Time
	first   time.Time // first byte
	failed  string    // why it is stalled
}

// off says that nothing replicates and nobody tries.
func (p *replication) off() bool {
	return p.state == sdk.DataReplicationStateStopped || p.state == sdk.DataReplicationStateDisconnected
}

func (p *replication) enter(state string) { p.state, p.minutes = state, 0 }

func (s *server) bytes() int64 {
	var n int64
	for _, v := range s.agent.Volumes {
		n += v.GiB << 30
	}
	return n
}

// startReplication begins from nothing.
func (d *DRS) startReplication(s *server) {
	s.replication = replication{seen: d.world.Now(), behind: s.bytes()}
	s.replication.enter(sdk.DataReplicationStateInitiating)
}

// halt ends replication; the points in time go with it.
func (s *server) halt(state string) {
	s.points = nil
	s.replication.synced, s.replication.failed = false, ""
	s.replication.enter(state)
}

// tick lets a minute pass for all servers.
func (d *DRS) tick() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.regions {
		for _, s := range r.servers {
			if !s.replication.off() {
				d.pass(s)
			}
		}
		d.measure(r)
	}
}

// reachable says whether the agent gets through to the Region.
func (d *DRS) reachable(s *server) bool { return d.world.Reachable(s.agent.OriginRegion, s.region) }

// pass lets a minute pass for one server.
func (d *DRS) pass(s *server) {
	p := &s.replication
	p.minutes++
	p.total++
	if !d.reachable(s) {
		d.miss(s)
		return
	}
	away := p.unseen
	p.unseen, p.seen = 0, d.world.Now()
	switch p.state {
	case sdk.DataReplicationStateInitiating:
		if time.Duration(p.minutes)*time.Minute >= d.o.Times.Initiate {
			p.first = d.world.Now()
			p.enter(sdk.DataReplicationStateInitialSync)
		}
	case sdk.DataReplicationStateInitialSync:
		p.behind = max(0, p.behind-d.perMinute())
		if p.behind == 0 {
			p.enter(sdk.DataReplicationStateCreatingSnapshot)
		}
	case sdk.DataReplicationStateCreatingSnapshot:
		p.synced = true
		d.takePoint(s)
		p.enter(sdk.DataReplicationStateContinuous)
	case sdk.DataReplicationStateStalled:
		d.recoverFromStall(s, away)
	case sdk.DataReplicationStateRescan:
		if p.minutes >= rescanFor {
			p.enter(sdk.DataReplicationStateBacklog)
		}
	case sdk.DataReplicationStateBacklog:
		if p.minutes >= drainFor {
			p.behind = 0
			p.enter(sdk.DataReplicationStateContinuous)
		}
	default:
		p.behind = 0
		d.keepPoints(s)
	}
}

// perMinute is how much of an initial sync a minute moves.
func (d *DRS) perMinute() int64 {
	if d.o.Times.SyncGiB <= 0 {
		return 1 << 62
	}
	return int64(float64(1<<30) * float64(time.Minute) / float64(d.o.Times.SyncGiB))
}

// miss is a minute without a sign of the agent.
func (d *DRS) miss(s *server) {
	p := &s.replication
	const writes = 64 << 20 // what a server writes in a minute
	p.unseen++
	if p.synced {
		p.behind += writes
	}
	if p.unseen >= stallAfter && p.state != sdk.DataReplicationStateStalled {
		p.resume, p.failed = p.state, sdk.DataReplicationErrorStringAgentNotSeen
		p.enter(sdk.DataReplicationStateStalled)
		d.emit(s.region, "DRS Source Server Data Replication Stalled Change", s.arn, "STALLED")
	}
}

func (d *DRS) recoverFromStall(s *server, away int) {
	p := &s.replication
	p.failed = ""
	switch {
	case !p.synced:
		p.enter(p.resume)
	case away >= rescanAfter:
		p.enter(sdk.DataReplicationStateRescan)
	default:
		p.enter(sdk.DataReplicationStateBacklog)
	}
	d.emit(s.region, "DRS Source Server Data Replication Stalled Change", s.arn, "NOT_STALLED")
}

// lag is how old the data in the Region is: nothing while replication is
// continuous and the agent is there.
func (d *DRS) lag(s *server) time.Duration {
	p := &s.replication
	if p.off() || !p.synced || (p.unseen == 0 && p.behind == 0 && d.reachable(s)) {
		return 0
	}
	return d.world.Now().Sub(p.seen)
}

// eta is when replication will be continuous, as far as that can be told.
func (d *DRS) eta(s *server) (time.Time, bool) {
	p := &s.replication
	left := 0
	switch p.state {
	case sdk.DataReplicationStateInitiating, sdk.DataReplicationStateInitialSync:
		left = 2 + int(p.behind/d.perMinute())
	case sdk.DataReplicationStateCreatingSnapshot:
		left = 1
	case sdk.DataReplicationStateRescan:
		left = rescanFor - p.minutes + drainFor
	case sdk.DataReplicationStateBacklog:
		left = drainFor - p.minutes
	default:
		return time.Time{}, false
	}
	return d.world.Now().Add(d.world.Wall(time.Duration(left) * time.Minute)), true
}

// replicationInfo is the state of replication as the API tells it.
func (d *DRS) replicationInfo(s *server) *sdk.DataReplicationInfo {
	p := &s.replication
	out := &sdk.DataReplicationInfo{
		DataReplicationState: aws.String(p.state), StagingAvailabilityZone: aws.String(s.region + "a"),
		DataReplicationInitiation: &sdk.DataReplicationInitiation{StartDateTime: stamp(s.added), Steps: d.steps(p)},
	}
	if p.synced {
		out.LagDuration = aws.String(iso(d.lag(s)))
	}
	if at, ok := d.eta(s); ok {
		out.EtaDateTime = stamp(at)
	}
	if p.failed != "" {
		out.DataReplicationError = &sdk.DataReplicationError{Error: aws.String(p.failed)}
	}
	left := p.behind
	for _, v := range s.agent.Volumes {
		whole := v.GiB << 30
		disk := &sdk.DataReplicationInfoReplicatedDisk{
			DeviceName: aws.String(v.Device), TotalStorageBytes: aws.Int64(whole), RescannedStorageBytes: aws.Int64(0),
			ReplicatedStorageBytes: aws.Int64(whole), BackloggedStorageBytes: aws.Int64(0),
		}
		if p.synced {
			disk.BackloggedStorageBytes = aws.Int64(left)
			left = 0
		} else {
			missing := min(left, whole)
			disk.ReplicatedStorageBytes = aws.Int64(whole - missing)
			left -= missing
		}
		out.ReplicatedDisks = append(out.ReplicatedDisks, disk)
	}
	return out
}

// steps are those of the initiation, done in proportion to the time that passed.
func (d *DRS) steps(p *replication) []*sdk.DataReplicationInitiationStep {
	names := sdk.DataReplicationInitiationStepName_Values()
	done := len(names)
	if p.state == sdk.DataReplicationStateInitiating {
		whole := max(1, int(d.o.Times.Initiate/time.Minute))
		done = min(len(names)-1, len(names)*p.minutes/whole)
	}
	var out []*sdk.DataReplicationInitiationStep
	for i, name := range names {
		status := sdk.DataReplicationInitiationStepStatusNotStarted
		switch {
		case i < done:
			status = sdk.DataReplicationInitiationStepStatusSucceeded
		case i == done:
			status = sdk.DataReplicationInitiationStepStatusInProgress
		}
		out = append(out, &sdk.DataReplicationInitiationStep{Name: aws.String(name), Status: aws.String(status)})
	}
	return out
}

// iso writes a duration as ISO 8601 does: PT1H2M3.5S.
func iso(t time.Duration) string {
	if t <= 0 {
		return "PT0S"
	}
	var out strings.Builder
	out.WriteString("PT")
	if h := t / time.Hour; h > 0 {
		fmt.Fprintf(&out, "%dH", h)
	}
	if m := t % time.Hour / time.Minute; m > 0 {
		fmt.Fprintf(&out, "%dM", m)
	}
	if rest := t % time.Minute; rest > 0 {
		fmt.Fprintf(&out, "%gS", rest.Round(time.Millisecond).Seconds())
	}
	return out.String()
}

// measure publishes what CloudWatch knows of DRS.
func (d *DRS) measure(r *region) {
	if d.o.Metrics == nil {
		return
	}
	const namespace = "AWS/DRS"
	publish := func(name string, dimensions map[string]string, value float64) {
		d.world.After(0, func() { d.o.Metrics.Publish(r.name, namespace, name, dimensions, value) })
	}
	publish("TotalSourceServerCount", nil, float64(len(r.servers)))
	publish("ActiveSourceServerCount", nil, float64(r.replicating()))
	for id, s := range r.servers {
		if !s.replication.synced {
			continue
		}
		of := map[string]string{"SourceServerID": id}
		publish("LagDuration", of, d.lag(s).Seconds())
		publish("Backlog", of, float64(s.replication.behind))
	}
}
