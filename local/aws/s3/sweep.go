package s3

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"
)

const day = 24 * time.Hour

// small is the size below which objects don't change their storage class unless
// a rule or the configuration says so.
const small = 128 << 10

// scope is which objects a lifecycle rule is about.
type scope struct {
	prefix         string
	tags           []*sdk.Tag
	above, below   *int64
	smallIsTooSoon bool // without a size of its own
}

func scopeOf(r *sdk.LifecycleRule) scope {
	out := scope{prefix: aws.StringValue(r.Prefix)}
	if f := r.Filter; f != nil {
		out.prefix, out.above, out.below = aws.StringValue(f.Prefix), f.ObjectSizeGreaterThan, f.ObjectSizeLessThan
		if f.Tag != nil {
			out.tags = []*sdk.Tag{f.Tag}
		}
		if f.And != nil {
			out = scope{prefix: aws.StringValue(f.And.Prefix), tags: f.And.Tags, above: f.And.ObjectSizeGreaterThan, below: f.And.ObjectSizeLessThan}
		}
	}
	out.smallIsTooSoon = out.above == nil && out.below == nil
	return out
}

func (s scope) covers(key string, v *version) bool {
	size := int64(len(v.body))
	return strings.HasPrefix(key, s.prefix) && hasTags(v, s.tags) &&
		(s.above == nil || size > *s.above) && (s.below == nil || size < *s.below)
}

func hasTags(v *version, wanted []*sdk.Tag) bool {
	return !slices.ContainsFunc(wanted, func(want *sdk.Tag) bool {
		return !slices.ContainsFunc(v.tags, func(t *sdk.Tag) bool { return *t.Key == *want.Key && *t.Value == *want.Value })
	})
}

// sweep carries the lifecycle rules out, as S3 does once a day.
func (s *S3) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.buckets {
		if s.world.Dark(b.region) {
			continue
		}
		for _, r := range b.lifecycle {
			if *r.Status != sdk.ExpirationStatusEnabled {
				continue
			}
			for _, key := range b.keys("") {
				s.age(b, key, r)
			}
			s.abandon(b, r)
		}
	}
}

// age is one rule for one key. Permanent deletion comes before a change of the
// storage class, and that before a delete marker.
func (s *S3) age(b *bucket, key string, r *sdk.LifecycleRule) {
	s.ageNoncurrent(b, key, r)
	o := b.objects[key]
	v := o.current()
	switch {
	case v == nil || !settled(v) || !scopeOf(r).covers(key, v):
	case v.marker:
		lonely := len(o.versions) == 1
		if e := r.Expiration; lonely && e != nil && aws.BoolValue(e.ExpiredObjectDeleteMarker) {
			b.remove(key, v)
		}
	case s.expired(v, r) && b.versioning == "":
		b.remove(key, v)
	default:
		for _, t := range r.Transitions {
			if s.due(v.modified, t.Days, t.Date) {
				b.transition(v, r, *t.StorageClass)
			}
		}
		if s.expired(v, r) {
			// Lifecycle's own markers are not replicated.
			s.place(b, key, &version{marker: true})
		}
	}
}

// settled says whether lifecycle may touch a version: what is still to be
// copied, or could not be, stays as it is.
func settled(v *version) bool {
	return v.replication != sdk.ReplicationStatusPending && v.replication != sdk.ReplicationStatusFailed
}

func (s *S3) expired(v *version, r *sdk.LifecycleRule) bool {
	return r.Expiration != nil && s.due(v.modified, r.Expiration.Days, r.Expiration.Date)
}

// due says whether a number of AWS days has passed, or a date has come.
func (s *S3) due(since time.Time, days *int64, date *time.Time) bool {
	now := s.world.Now()
	if date != nil {
		return now.After(*date)
	}
	return days != nil && now.Sub(since) >= s.world.Wall(time.Duration(*days)*day)
}

// ageNoncurrent is a rule for what newer versions hide. A version became
// noncurrent when its successor was written.
func (s *S3) ageNoncurrent(b *bucket, key string, r *sdk.LifecycleRule) {
	hidden := slices.Clone(b.objects[key].versions)
	for i, v := range hidden[:len(hidden)-1] {
		if !settled(v) || !scopeOf(r).covers(key, v) {
			continue
		}
		since, newer := hidden[i+1].modified, int64(len(hidden)-2-i)
		if e := r.NoncurrentVersionExpiration; e != nil && newer >= aws.Int64Value(e.NewerNoncurrentVersions) && s.due(since, e.NoncurrentDays, nil) {
			b.remove(key, v)
			continue
		}
		for _, t := range r.NoncurrentVersionTransitions {
			if newer >= aws.Int64Value(t.NewerNoncurrentVersions) && s.due(since, t.NoncurrentDays, nil) {
				b.transition(v, r, *t.StorageClass)
			}
		}
	}
}

// transition moves a version to a colder class; there is no way back.
func (b *bucket) transition(v *version, r *sdk.LifecycleRule, class string) {
	cold := class == sdk.StorageClassGlacier || class == sdk.StorageClassDeepArchive
	kept := scopeOf(r).smallIsTooSoon && len(v.body) < small && (b.smallest == noSmall || !cold)
	if !v.marker && !kept && warmth(class) > warmth(orStandard(v.storageClass)) {
		v.storageClass = class
	}
}

// warmth is the place of a storage class in S3's waterfall.
func warmth(class string) int {
	return slices.Index([]string{
		sdk.StorageClassStandard, sdk.StorageClassStandardIa, sdk.StorageClassIntelligentTiering, sdk.StorageClassOnezoneIa,
		sdk.StorageClassGlacierIr, sdk.StorageClassGlacier, sdk.StorageClassDeepArchive,
	}, class)
}

// abandon ends uploads in parts that nobody finished.
func (s *S3) abandon(b *bucket, r *sdk.LifecycleRule) {
	if r.AbortIncompleteMultipartUpload == nil {
		return
	}
	for id, u := range s.uploads {
		if u.bucket == b.name && scopeOf(r).covers(u.key, u.version) && s.due(u.started, r.AbortIncompleteMultipartUpload.DaysAfterInitiation, nil) {
			delete(s.uploads, id)
		}
	}
}
