package s3

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// ErrUnreachable means that no packet gets from the caller to the bucket; a real
// caller would only see a time-out.
var ErrUnreachable = errors.New("bucket is not reachable")

// find gives a bucket to a caller in a Region, "" for the internet.
func (s *S3) find(from, name string) (*bucket, error) {
	b, ok := s.buckets[name]
	if !ok {
		return nil, fmt.Errorf("bucket %q: %w", name, noSuchBucket())
	}
	if !s.connected(from, b.region) {
		return nil, fmt.Errorf("bucket %q from %q: %w", name, from, ErrUnreachable)
	}
	return b, nil
}

// PutObject stores an object for software in a Region.
func (s *S3) PutObject(region, bucketName, key string, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.find(region, bucketName)
	if err != nil {
		return fmt.Errorf("put object %q: %w", key, err)
	}
	body = slices.Clone(body)
	v := &version{body: body, etag: etagOf(body), headers: map[string]string{}}
	b.encrypt(v, nil, nil)
	s.add(b, key, v)
	return nil
}

// GetObject reads the current version of an object for software in a Region.
func (s *S3) GetObject(region, bucketName, key string) (body []byte, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.find(region, bucketName)
	if err != nil {
		return nil, false, fmt.Errorf("get object %q: %w", key, err)
	}
	v := b.live(key)
	switch {
	case v == nil:
		return nil, false, nil
	case archived(v.storageClass):
		return nil, false, fmt.Errorf("get object %q: it is archived as %s", key, v.storageClass)
	}
	return bytes.Clone(v.body), true, nil
}

// Object is the current version of an object.
type Object struct {
	Body        []byte
	Version     string
	Modified    time.Time
	Replication string // "", PENDING, COMPLETED, FAILED or REPLICA
}

// Object looks into a bucket from above: for tests and the world's observers,
// whatever is dark.
func (s *S3) Object(bucketName, key string) (Object, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.buckets[bucketName]
	if !ok {
		return Object{}, false
	}
	v := b.live(key)
	if v == nil {
		return Object{}, false
	}
	return Object{Body: bytes.Clone(v.body), Version: v.id, Modified: v.modified, Replication: v.replication}, true
}

// PublicGet is what a GET without credentials gets from a place ("" is the
// internet): 200, 403, 404, or 0 when nothing answers.
func (s *S3) PublicGet(from, bucketName, key string) (status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.buckets[bucketName]
	switch {
	case !ok:
		return http.StatusNotFound
	case !s.connected(from, b.region):
		return 0
	case !b.anyone("s3:GetObject", key):
		return http.StatusForbidden
	case b.live(key) != nil:
		return http.StatusOK
	case b.anyone("s3:ListBucket", ""):
		return http.StatusNotFound
	default:
		return http.StatusForbidden
	}
}

// Status is the replication status of a key's newest version, delete markers
// included; "" when it isn't replicated.
func (s *S3) Status(bucketName, key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.buckets[bucketName]
	if !ok || b.objects[key].current() == nil {
		return ""
	}
	return b.objects[key].current().replication
}
