package s3

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"

	"lifeline/local/aws/world"
)

// copyTask is one version on its way to one destination.
type copyTask struct {
	source, destination, key, rule string
	version                        *version
	queued                         time.Time
	replicaKey                     string // KMS key of the destination
	class                          string // storage class there; "" = the source's
	done                           func(problem string)
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
		s.enqueue(b, key, v, r, func(string) {})
	}
}

// enqueue sends a version on its way to one destination. done is told, without
// s.mu, why it didn't arrive, or "" when it did.
func (s *S3) enqueue(b *bucket, key string, v *version, r *sdk.ReplicationRule, done func(problem string)) {
	t := &copyTask{
		source: b.name, destination: destination(r), key: key, rule: *r.ID, version: v,
		queued: s.world.Now(), class: aws.StringValue(r.Destination.StorageClass), done: done,
	}
	// Objects under S3's own keys stay under them.
	if e := r.Destination.EncryptionConfiguration; e != nil && strings.HasPrefix(v.encryption, sdk.ServerSideEncryptionAwsKms) {
		t.replicaKey = aws.StringValue(e.ReplicaKmsKeyID)
	}
	s.queue = append(s.queue, t)
	s.world.After(s.lag, func() { s.deliver(t) })
}

// bucketARN is how the ARN of every bucket begins.
const bucketARN = "arn:aws:s3:::"

// destination is the name of the bucket that a rule copies to.
func destination(r *sdk.ReplicationRule) string {
	return strings.TrimPrefix(*r.Destination.Bucket, bucketARN)
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
	finished, problem := s.attempt(t)
	region := ""
	if to := s.buckets[t.destination]; to != nil {
		region = to.region
	}
	s.mu.Unlock()
	if !finished {
		return
	}
	t.done(problem)
	if problem == "" {
		s.world.Publish(world.Event{
			Service: "s3", Kind: "object-replicated", Region: region, ID: t.destination + "/" + t.key,
			Detail: map[string]string{"source": t.source, "version": t.version.id},
		})
	}
}

// attempt is one try at a copy. It isn't finished while the destination can't be
// reached; problem is S3's reason when it failed for good.
func (s *S3) attempt(t *copyTask) (finished bool, problem string) {
	if !slices.Contains(s.queue, t) {
		return false, ""
	}
	from, to := s.buckets[t.source], s.buckets[t.destination]
	if from != nil && to != nil && !s.connected(from.region, to.region) {
		return false, ""
	}
	s.queue = slices.DeleteFunc(s.queue, func(o *copyTask) bool { return o == t })
	if from == nil || from.objects[t.key].find(t.version.id) != t.version {
		return true, "SrcObjectNotEligible" // deleted before it could be copied
	}
	switch {
	case to == nil:
		problem = "DstBucketNotFound"
	case to.versioning != sdk.BucketVersioningStatusEnabled:
		problem = "DstBucketUnversioned"
	case !s.takesKey(to, t.replicaKey):
		problem = "DstKmsKeyNotFound"
	}
	if problem != "" {
		s.settle(t, sdk.ReplicationStatusFailed)
		s.failures[route{t.source, t.destination, t.rule}]++
		return true, problem
	}
	to.receive(t)
	s.settle(t, sdk.ReplicationStatusCompleted)
	return true, ""
}

// takesKey says whether replicas in a bucket can be encrypted with a key: keys
// don't leave their Region. AWS takes a rule with a wrong one, and then every copy
// fails.
func (s *S3) takesKey(b *bucket, key string) bool {
	const region = 3 // arn:aws:kms:REGION:...
	parts := strings.Split(key, ":")
	switch {
	case key == "":
		return true
	case len(parts) <= region || parts[region] != b.region:
		return false
	default:
		return s.keys == nil || s.keys.Check(b.region, key) == nil
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
	underWay := slices.ContainsFunc(s.queue, func(o *copyTask) bool { return o.version == v })
	if status == sdk.ReplicationStatusFailed || !underWay {
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
	replica.storageClass = cmp.Or(t.class, replica.storageClass)
	replica.key = cmp.Or(t.replicaKey, replica.key)
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
