package s3

import (
	"crypto/md5" // what an ETag is
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"
)

// nullVersion is the id of versions made while versioning wasn't enabled.
const nullVersion = "null"

// object is a key with its versions, oldest first.
type object struct {
	key      string
	versions []*version
}

// version is one version of an object. Its body never changes.
type version struct {
	id           string
	modified     time.Time
	marker       bool // a delete marker: no body
	body         []byte
	etag         string
	headers      map[string]string // Content-Type and the like, by header name
	metadata     map[string]*string
	checksums    map[string]string // by header name, as the writer gave them
	tags         []*sdk.Tag
	encryption   string
	key          string // KMS key
	bucketKey    bool   // encrypted with the bucket's own key below that
	storageClass string
	replication  string // "", PENDING, COMPLETED, FAILED or REPLICA
}

func etagOf(body []byte) string {
	sum := md5.Sum(body) // what an ETag is
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// current is the newest version; nil when the key was never written.
func (o *object) current() *version {
	if o == nil || len(o.versions) == 0 {
		return nil
	}
	return o.versions[len(o.versions)-1]
}

// live is the version that a reader without a version id gets.
func (b *bucket) live(key string) *version {
	v := b.objects[key].current()
	if v == nil || v.marker {
		return nil
	}
	return v
}

func (o *object) find(id string) *version {
	if o == nil {
		return nil
	}
	i := slices.IndexFunc(o.versions, func(v *version) bool { return v.id == id })
	if i < 0 {
		return nil
	}
	return o.versions[i]
}

// add stores a new version and sends it to the bucket's replicas.
func (s *S3) add(b *bucket, key string, v *version) {
	s.place(b, key, v)
	s.replicate(b, key, v)
}

// place stores a new version as the bucket's versioning wants it.
func (s *S3) place(b *bucket, key string, v *version) {
	v.modified = s.world.Now()
	v.id = nullVersion
	o := b.objects[key]
	if o == nil {
		o = &object{key: key}
		b.objects[key] = o
	}
	if b.versioning == sdk.BucketVersioningStatusEnabled {
		v.id = s.versionID()
	} else {
		o.versions = slices.DeleteFunc(o.versions, func(old *version) bool { return old.id == nullVersion })
	}
	o.versions = append(o.versions, v)
}

func (s *S3) versionID() string { return (s.world.NewID("") + s.world.NewID(""))[:32] }

// remove deletes one version for good.
func (b *bucket) remove(key string, v *version) {
	o := b.objects[key]
	o.versions = slices.DeleteFunc(o.versions, func(old *version) bool { return old == v })
	if len(o.versions) == 0 {
		delete(b.objects, key)
	}
}

// visibleID is the version id as answers carry it: only buckets that have known
// versioning show one.
func (b *bucket) visibleID(v *version) *string {
	if b.versioning == "" {
		return nil
	}
	return aws.String(v.id)
}

// keys are the bucket's keys with this prefix, in order.
func (b *bucket) keys(prefix string) []string {
	var out []string
	for key := range b.objects {
		if strings.HasPrefix(key, prefix) {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}
