package estate

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"lifeline/internal/plan"
)

func (b *Builder) s3(region plan.Region) *s3.Client {
	return s3.NewFromConfig(b.in(region), func(o *s3.Options) { o.UsePathStyle = b.Config.BaseEndpoint != nil })
}

// buckets makes the document buckets, versioned and replicated both ways.
func (b *Builder) buckets(ctx context.Context) error {
	return b.of(plan.S3Bucket, func(r plan.Resource) error {
		for _, region := range b.Plan.TrafficRegions() {
			if err := b.bucket(ctx, region, r.Regions[region]["bucket"]); err != nil {
				return err
			}
		}
		for _, from := range b.Plan.TrafficRegions() {
			for _, to := range b.Plan.TrafficRegions() {
				if from == to {
					continue
				}
				if err := b.replicate(ctx, from, r.Regions[from]["bucket"], r.Regions[to]["bucket"]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (b *Builder) bucket(ctx context.Context, region plan.Region, name string) error {
	in := &s3.CreateBucketInput{Bucket: aws.String(name)}
	if region != "us-east-1" { // the one Region that takes no constraint
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(region)}
	}
	if _, err := b.s3(region).CreateBucket(ctx, in); err != nil {
		return fmt.Errorf("bucket %s: %w", name, err)
	}
	_, err := b.s3(region).PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket:                  aws.String(name),
		VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	})
	return err
}

func (b *Builder) replicate(ctx context.Context, from plan.Region, bucket, to string) error {
	_, err := b.s3(from).PutBucketReplication(ctx, &s3.PutBucketReplicationInput{
		Bucket: aws.String(bucket),
		ReplicationConfiguration: &s3types.ReplicationConfiguration{
			Role: aws.String("arn:aws:iam::123456789012:role/lifeline-replication"),
			Rules: []s3types.ReplicationRule{{
				ID: aws.String("to-" + to), Status: s3types.ReplicationRuleStatusEnabled, Priority: aws.Int32(1),
				Filter:                  &s3types.ReplicationRuleFilter{Prefix: aws.String("")},
				DeleteMarkerReplication: &s3types.DeleteMarkerReplication{Status: s3types.DeleteMarkerReplicationStatusEnabled},
				SourceSelectionCriteria: &s3types.SourceSelectionCriteria{ReplicaModifications: &s3types.ReplicaModifications{Status: s3types.ReplicaModificationsStatusEnabled}},
				Destination:             &s3types.Destination{Bucket: aws.String("arn:aws:s3:::" + to), Metrics: replicationMetrics(), ReplicationTime: replicationTime()},
			}},
		},
	})
	return err
}

func replicationTime() *s3types.ReplicationTime {
	return &s3types.ReplicationTime{Status: s3types.ReplicationTimeStatusEnabled, Time: &s3types.ReplicationTimeValue{Minutes: aws.Int32(15)}}
}

func replicationMetrics() *s3types.Metrics {
	return &s3types.Metrics{Status: s3types.MetricsStatusEnabled, EventThreshold: &s3types.ReplicationTimeValue{Minutes: aws.Int32(15)}}
}

// switchBuckets makes the public single-purpose buckets of the s3-object
// switch: Route 53's checkers can't sign, so the object must be readable by all.
func (b *Builder) switchBuckets(ctx context.Context) error {
	sw := b.Plan.Traffic.Switch
	if sw.Provider != plan.SwitchS3Object {
		return nil
	}
	for _, region := range b.Plan.TrafficRegions() {
		name := sw.Buckets[region]
		if err := b.bucket(ctx, region, name); err != nil {
			return err
		}
		_, err := b.s3(region).PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{
			Bucket: aws.String(name),
			PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{
				BlockPublicAcls: aws.Bool(true), IgnorePublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(false), RestrictPublicBuckets: aws.Bool(false),
			},
		})
		if err != nil {
			return fmt.Errorf("public access of %s: %w", name, err)
		}
		policy := strings.ReplaceAll(`{"Version":"2012-10-17","Statement":[{"Sid":"Checkers","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/evacuate/*"}]}`, "BUCKET", name)
		if _, err := b.s3(region).PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String(name), Policy: aws.String(policy)}); err != nil {
			return fmt.Errorf("policy of %s: %w", name, err)
		}
	}
	return nil
}

// topics makes the notification topics whose ARNs the plan names.
func (b *Builder) topics(ctx context.Context) error {
	for region, arn := range b.Plan.Notifications.Topics {
		name := arn[strings.LastIndex(arn, ":")+1:]
		if _, err := sns.NewFromConfig(b.in(region)).CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(name)}); err != nil {
			return fmt.Errorf("topic %s in %s: %w", name, region, err)
		}
	}
	return nil
}
