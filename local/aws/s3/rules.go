package s3

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"

	"lifeline/local/aws/wire"
)

// PutBucketReplication sets where new versions are copied to. Source and
// destinations must make versions already.
func (s *S3) PutBucketReplication(c *wire.Call, in *sdk.PutBucketReplicationInput) (*sdk.PutBucketReplicationOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	if b.versioning != sdk.BucketVersioningStatusEnabled {
		return nil, invalidRequest("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
	}
	config := clone(in.ReplicationConfiguration)
	if len(config.Rules) == 0 {
		return nil, malformed()
	}
	priorities := map[int64]bool{}
	for _, r := range config.Rules {
		if err := s.checkRule(b, r); err != nil {
			return nil, err
		}
		if r.Priority != nil && priorities[*r.Priority] {
			return nil, invalidRequest("Found duplicate priority '%d'.", *r.Priority)
		}
		priorities[aws.Int64Value(r.Priority)] = true
		if r.ID == nil {
			r.ID = aws.String(s.world.NewID(""))
		}
	}
	b.replication = config
	return nil, nil
}

func invalidRequest(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "InvalidRequest", format, args...)
}

func (s *S3) checkRule(b *bucket, r *sdk.ReplicationRule) error {
	if r.Filter != nil {
		switch {
		case r.Priority == nil:
			return invalidRequest("Priority must be specified for this version of Cross Region Replication configuration schema.")
		case r.DeleteMarkerReplication == nil || r.DeleteMarkerReplication.Status == nil:
			return invalidRequest("DeleteMarkerReplication must be specified for this version of Cross Region Replication configuration schema.")
		case len(filterTags(r.Filter)) > 0 && *r.DeleteMarkerReplication.Status == sdk.DeleteMarkerReplicationStatusEnabled:
			return invalidRequest("Delete marker replication is not supported if any Tag filter is specified.")
		}
	}
	if rtc := r.Destination.ReplicationTime; rtc != nil {
		if rtc.Time == nil || aws.Int64Value(rtc.Time.Minutes) != 15 {
			return invalidRequest("ReplicationTime.Time.Minutes must be 15")
		}
		if r.Destination.Metrics == nil {
			return invalidRequest("Replication metrics must be enabled for S3 Replication Time Control")
		}
	}
	to, ok := s.buckets[strings.TrimPrefix(aws.StringValue(r.Destination.Bucket), "arn:aws:s3:::")]
	switch {
	case !ok:
		return invalidRequest("Destination bucket must exist.")
	case to == b:
		return invalidRequest("Destination bucket cannot be the same as the source bucket.")
	case to.versioning != sdk.BucketVersioningStatusEnabled:
		return invalidRequest("Destination bucket must have versioning enabled.")
	}
	return nil
}

// GetBucketReplication tells where new versions are copied to.
func (s *S3) GetBucketReplication(c *wire.Call, in *sdk.GetBucketReplicationInput) (*sdk.GetBucketReplicationOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.open(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	if b.replication == nil {
		return nil, refuse(http.StatusNotFound, "ReplicationConfigurationNotFoundError", "The replication configuration was not found")
	}
	return &sdk.GetBucketReplicationOutput{ReplicationConfiguration: clone(b.replication)}, nil
}

// DeleteBucketReplication stops copying new versions.
func (s *S3) DeleteBucketReplication(c *wire.Call, in *sdk.DeleteBucketReplicationInput) (*sdk.DeleteBucketReplicationOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err == nil {
		b.replication = nil
	}
	return nil, err
}

func filterTags(f *sdk.ReplicationRuleFilter) []*sdk.Tag {
	var out []*sdk.Tag
	if f.Tag != nil {
		out = append(out, f.Tag)
	}
	if f.And != nil {
		out = append(out, f.And.Tags...)
	}
	return out
}

// covers says whether a rule copies this version of the key.
func covers(r *sdk.ReplicationRule, key string, v *version) bool {
	if *r.Status != sdk.ReplicationRuleStatusEnabled {
		return false
	}
	prefix := aws.StringValue(r.Prefix) // deprecated, and still sent
	if f := r.Filter; f != nil {
		prefix = aws.StringValue(f.Prefix)
		if f.And != nil {
			prefix = aws.StringValue(f.And.Prefix)
		}
		for _, want := range filterTags(f) {
			if !slices.ContainsFunc(v.tags, func(t *sdk.Tag) bool { return *t.Key == *want.Key && *t.Value == *want.Value }) {
				return false
			}
		}
	}
	if !strings.HasPrefix(key, prefix) {
		return false
	}
	selection := r.SourceSelectionCriteria
	switch {
	case v.marker:
		// Rules of the first version, those without a filter, always copy them.
		return r.Filter == nil || aws.StringValue(r.DeleteMarkerReplication.Status) == sdk.DeleteMarkerReplicationStatusEnabled
	case v.replication == sdk.ReplicationStatusReplica:
		// Only changes of a replica's metadata travel, and only when asked for.
		return selection != nil && selection.ReplicaModifications != nil &&
			aws.StringValue(selection.ReplicaModifications.Status) == sdk.ReplicaModificationsStatusEnabled
	case strings.HasPrefix(v.encryption, sdk.ServerSideEncryptionAwsKms):
		return selection != nil && selection.SseKmsEncryptedObjects != nil &&
			aws.StringValue(selection.SseKmsEncryptedObjects.Status) == sdk.SseKmsEncryptedObjectsStatusEnabled &&
			r.Destination.EncryptionConfiguration != nil
	}
	return true
}

// rulesFor are the rules that copy a version: one for each destination, the one
// with the highest priority.
func (b *bucket) rulesFor(key string, v *version) []*sdk.ReplicationRule {
	if b.replication == nil {
		return nil
	}
	byPriority := slices.SortedStableFunc(slices.Values(b.replication.Rules), func(x, y *sdk.ReplicationRule) int {
		return cmp.Compare(aws.Int64Value(y.Priority), aws.Int64Value(x.Priority))
	})
	var out []*sdk.ReplicationRule
	for _, r := range byPriority {
		taken := slices.ContainsFunc(out, func(o *sdk.ReplicationRule) bool { return *o.Destination.Bucket == *r.Destination.Bucket })
		if covers(r, key, v) && !taken {
			out = append(out, r)
		}
	}
	return out
}
