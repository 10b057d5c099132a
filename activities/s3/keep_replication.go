package s3

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// rtcMinutes is the only time that replication time control commits to.
const rtcMinutes = 15

// replicationOf is a bucket's configuration, nil when it has none.
func (k keeper) replicationOf(ctx context.Context, at cloud.At, item runbook.Item) (*types.ReplicationConfiguration, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetBucketReplication, &sdk.GetBucketReplicationInput{Bucket: bucketOf(item)})
	if unset(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return out.ReplicationConfiguration, nil
}

// mine finds the rule that an item is about: the one that Lifeline made, or one
// that was there before and takes the whole bucket to the same place. -1 is none.
func mine(item runbook.Item, config *types.ReplicationConfiguration) int {
	if config == nil {
		return -1
	}
	if i := slices.IndexFunc(config.Rules, func(r types.ReplicationRule) bool { return aws.ToString(r.ID) == ruleID(item) }); i >= 0 {
		return i
	}
	return slices.IndexFunc(config.Rules, func(r types.ReplicationRule) bool {
		return r.Destination != nil && aws.ToString(r.Destination.Bucket) == item.Want["destination"] && whole(r)
	})
}

func ruleID(item runbook.Item) string {
	return "lifeline-to-" + strings.TrimPrefix(item.Want["destination"], "arn:aws:s3:::")
}

// whole says that a rule leaves nothing of the bucket out.
func whole(r types.ReplicationRule) bool {
	return prefixOf(r) == "" && (r.Filter == nil || r.Filter.Tag == nil && (r.Filter.And == nil || len(r.Filter.And.Tags) == 0))
}

func prefixOf(r types.ReplicationRule) string {
	switch {
	case r.Filter == nil:
		return aws.ToString(r.Prefix) //nolint:staticcheck // rules of the first version are still out there
	case r.Filter.And != nil:
		return aws.ToString(r.Filter.And.Prefix)
	default:
		return aws.ToString(r.Filter.Prefix)
	}
}

func (k keeper) readReplication(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	config, err := k.replicationOf(ctx, at, item)
	i := mine(item, config)
	if err != nil || i < 0 {
		return runbook.ItemState{}, err
	}
	r := config.Rules[i]
	return runbook.ItemState{
		Found: true, Out: map[string]string{"rule": aws.ToString(r.ID)},
		Have: map[string]string{
			"role": aws.ToString(config.Role), "status": string(r.Status), "prefix": prefixOf(r), "destination": destination(r).bucket,
			"delete-markers":        strconv.FormatBool(r.DeleteMarkerReplication != nil && r.DeleteMarkerReplication.Status == types.DeleteMarkerReplicationStatusEnabled),
			"replica-modifications": strconv.FormatBool(modifications(r)), "encrypted-objects": strconv.FormatBool(encrypted(r)),
			"key": destination(r).key, "time-control": strconv.FormatBool(destination(r).timed), "metrics": strconv.FormatBool(destination(r).metered),
		},
	}, nil
}

func modifications(r types.ReplicationRule) bool {
	s := r.SourceSelectionCriteria
	return s != nil && s.ReplicaModifications != nil && s.ReplicaModifications.Status == types.ReplicaModificationsStatusEnabled
}

func encrypted(r types.ReplicationRule) bool {
	s := r.SourceSelectionCriteria
	return s != nil && s.SseKmsEncryptedObjects != nil && s.SseKmsEncryptedObjects.Status == types.SseKmsEncryptedObjectsStatusEnabled
}

// target is where a rule leads.
type target struct {
	bucket, key    string
	timed, metered bool
}

func destination(r types.ReplicationRule) target {
	d := r.Destination
	if d == nil {
		return target{}
	}
	out := target{bucket: aws.ToString(d.Bucket)}
	if d.EncryptionConfiguration != nil {
		out.key = aws.ToString(d.EncryptionConfiguration.ReplicaKmsKeyID)
	}
	out.timed = d.ReplicationTime != nil && d.ReplicationTime.Status == types.ReplicationTimeStatusEnabled
	out.metered = d.Metrics != nil && d.Metrics.Status == types.MetricsStatusEnabled
	return out
}

// writeReplication puts our rule among those of others.
func (k keeper) writeReplication(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	config, err := k.replicationOf(ctx, at, item)
	if err != nil {
		return "", fmt.Errorf("replication of bucket %s: %w", item.Name, err)
	}
	if config == nil {
		config = &types.ReplicationConfiguration{}
	}
	i := mine(item, config)
	if err := checkRole(item, config, i); err != nil {
		return "", err
	}
	if i < 0 {
		i = len(config.Rules)
		config.Rules = append(config.Rules, types.ReplicationRule{ID: aws.String(ruleID(item)), Priority: aws.Int32(highest(config) + 1)})
	}
	if config.Rules[i].Priority == nil {
		config.Rules[i].Priority = aws.Int32(highest(config) + 1)
	}
	config.Role = aws.String(item.Want["role"])
	shape(&config.Rules[i], item)
	out, err := cloud.Call(ctx, at, k.clients(at.Region).PutBucketReplication, &sdk.PutBucketReplicationInput{Bucket: bucketOf(item), ReplicationConfiguration: config})
	if err != nil {
		return "", fmt.Errorf("replication of bucket %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// checkRole refuses to take the role from under the rules of others: a bucket has
// one for all its rules, and theirs would fail from then on without a word.
func checkRole(item runbook.Item, config *types.ReplicationConfiguration, own int) error {
	others := len(config.Rules)
	if own >= 0 {
		others--
	}
	if others == 0 || aws.ToString(config.Role) == item.Want["role"] {
		return nil
	}
	return cloud.Errorf(cloud.Invalid, "bucket %s has %d other replication rules, and one role for all: %s. Give it the rights of %s and name it in their place, or move the other rules",
		item.Name, others, aws.ToString(config.Role), item.Want["role"])
}

func highest(config *types.ReplicationConfiguration) int32 {
	var top int32
	for _, r := range config.Rules {
		top = max(top, aws.ToInt32(r.Priority))
	}
	return top
}

// shape makes a rule of version 2, which alone knows delete markers, replica
// modifications and time control.
func shape(r *types.ReplicationRule, item runbook.Item) {
	on := func(name string) bool { return item.Want[name] == "true" }
	r.Status = types.ReplicationRuleStatus(item.Want["status"])
	r.Prefix = nil //nolint:staticcheck // not allowed beside a filter
	r.Filter = &types.ReplicationRuleFilter{Prefix: aws.String(item.Want["prefix"])}
	r.DeleteMarkerReplication = &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatus(word(on("delete-markers")))}
	r.SourceSelectionCriteria = &types.SourceSelectionCriteria{
		ReplicaModifications:   &types.ReplicaModifications{Status: types.ReplicaModificationsStatus(word(on("replica-modifications")))},
		SseKmsEncryptedObjects: &types.SseKmsEncryptedObjects{Status: types.SseKmsEncryptedObjectsStatus(word(on("encrypted-objects")))},
	}
	if r.Destination == nil {
		r.Destination = &types.Destination{}
	}
	d := r.Destination
	d.Bucket = aws.String(item.Want["destination"])
	d.EncryptionConfiguration = &types.EncryptionConfiguration{ReplicaKmsKeyID: aws.String(item.Want["key"])}
	minutes := &types.ReplicationTimeValue{Minutes: aws.Int32(rtcMinutes)}
	d.ReplicationTime, d.Metrics = nil, nil
	if on("metrics") {
		d.Metrics = &types.Metrics{Status: types.MetricsStatusEnabled}
	}
	if on("time-control") {
		d.ReplicationTime = &types.ReplicationTime{Status: types.ReplicationTimeStatusEnabled, Time: minutes}
		d.Metrics = &types.Metrics{Status: types.MetricsStatusEnabled, EventThreshold: minutes}
	}
}

func word(on bool) string {
	if on {
		return "Enabled"
	}
	return "Disabled"
}
