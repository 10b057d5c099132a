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
	switch {
	case len(config.Rules) == 0 || len(config.Rules) > mostRules:
		return nil, malformed()
	case !strings.Contains(*config.Role, ":role/"):
		return nil, refuse(http.StatusBadRequest, "InvalidArgument", "Invalid Role ARN")
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

// mostRules is how many rules a replication configuration may have.
const mostRules = 1000

func (s *S3) checkRule(b *bucket, r *sdk.ReplicationRule) error {
	for _, check := range []func(*sdk.ReplicationRule) error{checkVersion2, checkTimeControl, checkKeys} {
		if err := check(r); err != nil {
			return err
		}
	}
	to, ok := s.buckets[strings.TrimPrefix(aws.StringValue(r.Destination.Bucket), bucketARN)]
	switch {
	case !strings.HasPrefix(aws.StringValue(r.Destination.Bucket), bucketARN):
		return refuse(http.StatusBadRequest, "InvalidArgument", "Invalid bucket ARN.")
	case !ok:
		return invalidRequest("Destination bucket must exist.")
	case to == b:
		return invalidRequest("Destination bucket cannot be the same as the source bucket.")
	case to.versioning != sdk.BucketVersioningStatusEnabled:
		return invalidRequest("Destination bucket must have versioning enabled.")
	}
	return nil
}

// checkVersion2 is about rules with a filter, which are those of version 2.
func checkVersion2(r *sdk.ReplicationRule) error {
	switch {
	case r.Filter == nil:
		return nil
	case r.Prefix != nil:
		return malformed()
	case r.Priority == nil:
		return invalidRequest("Priority must be specified for this version of Cross Region Replication configuration schema.")
	case r.DeleteMarkerReplication == nil || r.DeleteMarkerReplication.Status == nil:
		return invalidRequest("DeleteMarkerReplication must be specified for this version of Cross Region Replication configuration schema.")
	case len(filterTags(r.Filter)) > 0 && *r.DeleteMarkerReplication.Status == sdk.DeleteMarkerReplicationStatusEnabled:
		return invalidRequest("Delete marker replication is not supported if any Tag filter is specified.")
	}
	return nil
}

// checkTimeControl is about replication time control, whose only commitment is
// 15 minutes and which can't be had without its metrics.
func checkTimeControl(r *sdk.ReplicationRule) error {
	const minutes = 15
	metrics, control := r.Destination.Metrics, r.Destination.ReplicationTime
	if metrics != nil && metrics.EventThreshold != nil && aws.Int64Value(metrics.EventThreshold.Minutes) != minutes {
		return invalidRequest("Metrics.EventThreshold.Minutes must be %d", minutes)
	}
	if control == nil || *control.Status != sdk.ReplicationTimeStatusEnabled {
		return nil
	}
	switch {
	case r.Filter == nil:
		return invalidRequest("ReplicationTime cannot be used for this version of Cross Region Replication configuration schema.")
	case control.Time == nil || aws.Int64Value(control.Time.Minutes) != minutes:
		return invalidRequest("ReplicationTime.Time.Minutes must be %d", minutes)
	case metrics == nil || *metrics.Status != sdk.MetricsStatusEnabled || metrics.EventThreshold == nil:
		return invalidRequest("Replication metrics must be enabled for S3 Replication Time Control")
	}
	return nil
}

// checkKeys holds together what KMS needs: the wish to copy encrypted objects
// and the key for the copies.
func checkKeys(r *sdk.ReplicationRule) error {
	selected := r.SourceSelectionCriteria != nil && r.SourceSelectionCriteria.SseKmsEncryptedObjects != nil
	wanted := selected && aws.StringValue(r.SourceSelectionCriteria.SseKmsEncryptedObjects.Status) == sdk.SseKmsEncryptedObjectsStatusEnabled
	e := r.Destination.EncryptionConfiguration
	switch {
	case e != nil && !selected:
		return invalidRequest("SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present.")
	case wanted && (e == nil || aws.StringValue(e.ReplicaKmsKeyID) == ""):
		return invalidRequest("EncryptionConfiguration must be specified if SseKmsEncryptedObjects is enabled.")
	case e != nil && !strings.HasPrefix(aws.StringValue(e.ReplicaKmsKeyID), "arn:aws:kms:"):
		return invalidRequest("Invalid ReplicaKmsKeyID ARN.")
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
		return nil, noReplication()
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
		if !hasTags(v, filterTags(f)) {
			return false
		}
	}
	if !strings.HasPrefix(key, prefix) || archived(v.storageClass) {
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
