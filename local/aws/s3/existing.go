package s3

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"
)

// Existing is a version that a bucket holds, as a Batch Replication job sees it.
type Existing struct {
	Bucket, Key, Version string
	Status               string // of replication; NONE when it never was
	Class                string // storage class
	Size                 int
	Modified             time.Time
	Eligible             bool // a replication rule covers it
}

// Existing lists all versions of a bucket for a job in a Region. It refuses with
// NoSuchBucket, PermanentRedirect, or, for a bucket that replicates nothing,
// ReplicationConfigurationNotFoundError.
func (s *S3) Existing(region, bucketName string) ([]Existing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.buckets[bucketName]
	switch {
	case !ok:
		return nil, fmt.Errorf("list bucket %q: %w", bucketName, noSuchBucket())
	case b.region != region:
		return nil, fmt.Errorf("list bucket %q: %w", bucketName, refuse(http.StatusMovedPermanently, "PermanentRedirect", "the bucket is in %s", b.region))
	case b.replication == nil:
		return nil, fmt.Errorf("list bucket %q: %w", bucketName, noReplication())
	}
	var out []Existing
	for _, key := range b.keys("") {
		for _, v := range b.objects[key].versions {
			out = append(out, Existing{
				Bucket: b.name, Key: key, Version: v.id, Status: statusOf(v), Class: orStandard(v.storageClass), Size: len(v.body),
				Modified: v.modified, Eligible: len(b.batchRules(key, v)) > 0,
			})
		}
	}
	return out, nil
}

func statusOf(v *version) string {
	if v.replication == "" {
		return "NONE"
	}
	return v.replication
}

// batchRules are the rules that copy a version in a job, which takes replicas too.
func (b *bucket) batchRules(key string, v *version) []*sdk.ReplicationRule {
	asNew := *v
	asNew.replication = ""
	return b.rulesFor(key, &asNew)
}

// ReplicateExisting copies a version that is there already, as its bucket's rules
// say. done is told once, later: "" when every destination has it, or S3's reason
// why one hasn't. An error says that there is nothing to wait for.
func (s *S3) ReplicateExisting(bucketName, key, versionID string, done func(problem string)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.buckets[bucketName]
	if !ok {
		return fmt.Errorf("replicate %q: %w", key, noSuchBucket())
	}
	v := b.objects[key].find(versionID)
	if v == nil {
		return fmt.Errorf("replicate %q: %w", key, noSuchKey())
	}
	rules := b.batchRules(key, v)
	if len(rules) == 0 {
		return fmt.Errorf("replicate %q: %w", key, noReplication())
	}
	if v.replication != sdk.ReplicationStatusReplica {
		v.replication = sdk.ReplicationStatusPending
	}
	all := &tally{left: len(rules), done: done}
	for _, r := range rules {
		s.enqueue(b, key, v, r, all.count)
	}
	return nil
}

func noReplication() error {
	return refuse(http.StatusNotFound, "ReplicationConfigurationNotFoundError", "The replication configuration was not found")
}

// tally waits for the copies of one version.
type tally struct {
	mu      sync.Mutex
	left    int
	problem string // the first
	done    func(problem string)
}

func (t *tally) count(problem string) {
	t.mu.Lock()
	t.left--
	t.problem = cmp.Or(t.problem, problem)
	last, first := t.left == 0, t.problem
	t.mu.Unlock()
	if last {
		t.done(first)
	}
}

// BucketOf is the bucket in an ARN such as "arn:aws:s3:::b" or "arn:aws:s3:::b/key".
func BucketOf(arn *string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(aws.StringValue(arn), bucketARN), "/")
	return name
}
