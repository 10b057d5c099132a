package s3

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"

	"lifeline/local/aws/cloudwatch"
	"lifeline/local/aws/world"
)

// copyTask is one version on its way to one destination.
type copyTask struct {
	source, destination, key, rule string
	version                        *version
	queued                         time.Time
	replicaKey                     string // KMS key of the destination
}

// replicate queues a new version, or changed tags, for all its destinations;
// s.mu is held.
func (s *S3) replicate(b *bucket, key string, v *version) {
	rules := b.rulesFor(key, v)
	if len(rules) == 0 {
		return
	}
	if v.replication != sdk.ReplicationStatusReplica {
		v.replication = sdk.ReplicationStatusPending
	}
	for _, r := range rules {
		t := &copyTask{
			source: b.name, destination: strings.TrimPrefix(*r.Destination.Bucket, "arn:aws:s3:::"), key: key,
			rule: *r.ID, version: v, queued: s.world.Now(),
		}
		if e := r.Destination.EncryptionConfiguration; e != nil {
			t.replicaKey = aws.StringValue(e.ReplicaKmsKeyID)
		}
		s.queue = append(s.queue, t)
		s.world.After(s.lag, func() { s.deliver(t) })
	}
}

// retry goes on with what waits, after the network may have changed. Everything
// takes its usual time again.
func (s *S3) retry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.queue {
		s.world.After(s.lag, func() { s.deliver(t) })
	}
}

// deliver copies a version if its destination can be reached, and else leaves it
// in the queue.
func (s *S3) deliver(t *copyTask) {
	s.mu.Lock()
	event := s.attempt(t)
	s.mu.Unlock()
	if event != nil {
		s.world.Publish(*event)
	}
}

func (s *S3) attempt(t *copyTask) *world.Event {
	if !slices.Contains(s.queue, t) {
		return nil
	}
	from, to := s.buckets[t.source], s.buckets[t.destination]
	if from != nil && to != nil && !s.connected(from.region, to.region) {
		return nil
	}
	s.queue = slices.DeleteFunc(s.queue, func(o *copyTask) bool { return o == t })
	if from == nil || from.objects[t.key].find(t.version.id) != t.version {
		return nil // the version was deleted before it could be copied
	}
	if to == nil || to.versioning != sdk.BucketVersioningStatusEnabled {
		s.settle(t, sdk.ReplicationStatusFailed)
		return nil
	}
	to.receive(t)
	s.settle(t, sdk.ReplicationStatusCompleted)
	return &world.Event{
		Service: "s3", Kind: "object-replicated", Region: to.region, ID: to.name + "/" + t.key,
		Detail: map[string]string{"source": t.source, "version": t.version.id},
	}
}

// connected says whether objects can be copied between two Regions.
func (s *S3) connected(from, to string) bool {
	if from == to {
		return !s.world.Dark(from)
	}
	return s.world.Reachable(from, to)
}

// settle sets the status of the source when none of its copies is under way.
func (s *S3) settle(t *copyTask, status string) {
	v := t.version
	if v.replication == sdk.ReplicationStatusReplica || v.replication == sdk.ReplicationStatusFailed {
		return
	}
	waiting := slices.ContainsFunc(s.queue, func(o *copyTask) bool { return o.version == v })
	if status == sdk.ReplicationStatusFailed || !waiting {
		v.replication = status
	}
}

// receive stores a replica under the id that the version has at its source. It
// takes its place by age, so that both sides of a pair end with the same current
// version however late copies arrive.
func (b *bucket) receive(t *copyTask) {
	o := b.objects[t.key]
	if o == nil {
		o = &object{key: t.key}
		b.objects[t.key] = o
	}
	if known := o.find(t.version.id); known != nil {
		known.tags = clone(&sdk.Tagging{TagSet: t.version.tags}).TagSet
		return
	}
	replica := *t.version
	replica.replication = sdk.ReplicationStatusReplica
	replica.tags = clone(&sdk.Tagging{TagSet: t.version.tags}).TagSet
	if t.replicaKey != "" {
		replica.key = t.replicaKey
	}
	o.versions = append(o.versions, &replica)
	slices.SortStableFunc(o.versions, func(x, y *version) int {
		return cmp.Or(x.modified.Compare(y.modified), cmp.Compare(x.id, y.id))
	})
}

// Backlog is what waits to be copied from one bucket to another.
type Backlog struct {
	Source, Destination string
	Versions            int
	Bytes               int
	Oldest              time.Time
}

// Backlogs are the replications that have something to do.
func (s *S3) Backlogs() []Backlog {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Backlog
	for _, t := range s.queue {
		i := slices.IndexFunc(out, func(b Backlog) bool { return b.Source == t.source && b.Destination == t.destination })
		if i < 0 {
			i = len(out)
			out = append(out, Backlog{Source: t.source, Destination: t.destination, Oldest: t.queued})
		}
		out[i].Versions++
		out[i].Bytes += len(t.version.body)
	}
	return out
}

// publish tells CloudWatch in the destination's Region how far replication is,
// for rules that have metrics switched on.
func (s *S3) publish() {
	type sample struct {
		region string
		cloudwatch.Datum
	}
	var out []sample
	now := s.world.Now()
	s.mu.Lock()
	for _, from := range s.buckets {
		if from.replication == nil {
			continue
		}
		for _, r := range from.replication.Rules {
			to := s.buckets[strings.TrimPrefix(*r.Destination.Bucket, "arn:aws:s3:::")]
			if to == nil || r.Destination.Metrics == nil || *r.Destination.Metrics.Status != sdk.MetricsStatusEnabled ||
				!s.connected(from.region, to.region) {
				continue
			}
			var latency, size, operations float64
			for _, t := range s.queue {
				if t.source == from.name && t.rule == *r.ID {
					latency = max(latency, now.Sub(t.queued).Seconds()*s.world.Compression())
					size += float64(len(t.version.body))
					operations++
				}
			}
			of := map[string]string{"SourceBucket": from.name, "DestinationBucket": to.name, "RuleId": *r.ID}
			add := func(name, unit string, v float64) {
				out = append(out, sample{to.region, cloudwatch.Datum{Namespace: "AWS/S3", Name: name, Dimensions: of, Value: v, Unit: unit}})
			}
			add("ReplicationLatency", "Seconds", latency)
			add("BytesPendingReplication", "Bytes", size)
			add("OperationsPendingReplication", "Count", operations)
		}
	}
	s.mu.Unlock()
	for _, v := range out {
		s.metrics.Put(v.region, v.Datum)
	}
}
