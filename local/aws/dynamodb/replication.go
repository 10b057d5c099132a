package dynamodb

import (
	"cmp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go/service/dynamodb"
)

// link is one direction between two Regions.
type link struct{ from, to string }

// queue holds the writes that one Region has accepted and another has not yet.
type queue struct {
	pending   []pending
	delivered []delivery // since the last metric
}

type pending struct {
	table string
	key   string
	record
	due time.Time
}

type delivery struct {
	table   string
	latency time.Duration
}

// store accepts a write in a Region and sends it to the other replicas. d.mu is held.
func (d *DynamoDB) store(t *table, key string, item Item) {
	written := d.world.Now()
	if old := t.items[key]; old != nil && !written.After(old.written) {
		// The clock of another Region may be ahead: a write that has seen the
		// old version must win over it.
		written = old.written.Add(time.Nanosecond)
	}
	r := record{item: item, written: written, origin: t.region}
	t.items[key] = &r
	switch {
	case t.group == nil:
		return
	case t.strong():
		d.spread(t, key, r)
		return
	}
	for region := range t.group.replicas {
		if region != t.region {
			d.send(link{t.region, region}, pending{table: t.name, key: key, record: r})
		}
	}
}

func (d *DynamoDB) send(l link, p pending) {
	q := d.queues[l]
	if q == nil {
		q = &queue{}
		d.queues[l] = q
	}
	p.due = d.world.Now().Add(d.world.Wall(d.options.Lag))
	q.pending = append(q.pending, p)
	d.world.After(d.options.Lag, func() { d.deliver(l) })
}

// deliver applies what is due on a link, if the other end can be reached.
func (d *DynamoDB) deliver(l link) {
	if !d.world.Reachable(l.from, l.to) {
		return // resume delivers after the heal
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	q, now := d.queues[l], d.world.Now()
	late := q.pending[:0:0]
	for _, p := range q.pending {
		if p.due.After(now) {
			late = append(late, p)
			continue
		}
		d.receive(l.to, p)
		q.delivered = append(q.delivered, delivery{p.table, now.Sub(p.written)})
	}
	q.pending = late
}

// receive applies a replicated write unless the replica knows a newer one.
func (d *DynamoDB) receive(region string, p pending) {
	t := d.tables[place{region, p.table}]
	if t == nil || t.group == nil {
		return
	}
	if r := p.record; r.newer(t.items[p.key]) {
		t.items[p.key] = &r
	}
}

// resume sends what waited while two Regions could not reach each other.
func (d *DynamoDB) resume() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for l, q := range d.queues {
		if len(q.pending) == 0 || !d.world.Reachable(l.from, l.to) {
			continue
		}
		q.pending = slices.DeleteFunc(q.pending, func(p pending) bool { return d.catchUp(l, p) })
		due := d.world.Now().Add(d.world.Wall(d.options.Lag))
		for i := range q.pending {
			q.pending[i].due = due
		}
		d.world.After(d.options.Lag, func() { d.deliver(l) })
	}
}

// catchUp applies a write of a strongly consistent table at once: nobody may read
// there what the others have overwritten.
func (d *DynamoDB) catchUp(l link, p pending) bool {
	t := d.tables[place{l.from, p.table}]
	if t == nil || !t.strong() {
		return false
	}
	d.receive(l.to, p)
	return true
}

// Backlog is what one Region has acknowledged and another does not have yet.
type Backlog struct {
	From   string    `json:"from"`
	To     string    `json:"to"`
	Writes int       `json:"writes"`
	Oldest time.Time `json:"oldest"`
}

// Backlogs lists every link with undelivered writes.
func (d *DynamoDB) Backlogs() []Backlog {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := []Backlog{}
	for l, q := range d.queues {
		if len(q.pending) == 0 {
			continue
		}
		oldest := slices.MinFunc(q.pending, func(a, b pending) int { return a.written.Compare(b.written) })
		out = append(out, Backlog{l.from, l.to, len(q.pending), oldest.written})
	}
	slices.SortFunc(out, func(a, b Backlog) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return out
}

// publishLatency publishes ReplicationLatency (ms) in the source Region, as AWS
// does once a minute for MREC tables.
func (d *DynamoDB) publishLatency() {
	if d.options.Metrics == nil {
		return
	}
	for l, byTable := range d.takeLatencies() {
		if d.world.Dark(l.from) {
			continue
		}
		for table, mean := range byTable {
			d.options.Metrics.Publish(l.from, "AWS/DynamoDB", "ReplicationLatency",
				map[string]string{"TableName": table, "ReceivingRegion": l.to}, float64(mean)/float64(time.Millisecond))
		}
	}
}

func (d *DynamoDB) takeLatencies() map[link]map[string]time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[link]map[string]time.Duration{}
	for l, q := range d.queues {
		sums, counts := map[string]time.Duration{}, map[string]time.Duration{}
		for _, one := range q.delivered {
			sums[one.table] += one.latency
			counts[one.table]++
		}
		for table, n := range counts {
			sums[table] /= n
		}
		q.delivered = nil
		out[l] = sums
	}
	return out
}

// usable tells whether a table answers reads and writes.
func (t *table) usable() bool {
	return t.status == dynamodb.TableStatusActive || t.status == dynamodb.TableStatusUpdating
}
