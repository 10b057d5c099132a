package s3

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// ReadyAPI is what a proof of readiness reads of buckets.
type ReadyAPI interface {
	HeadObject(context.Context, *sdk.HeadObjectInput, ...func(*sdk.Options)) (*sdk.HeadObjectOutput, error)
	GetObject(context.Context, *sdk.GetObjectInput, ...func(*sdk.Options)) (*sdk.GetObjectOutput, error)
	GetBucketVersioning(context.Context, *sdk.GetBucketVersioningInput, ...func(*sdk.Options)) (*sdk.GetBucketVersioningOutput, error)
	GetBucketReplication(context.Context, *sdk.GetBucketReplicationInput, ...func(*sdk.Options)) (*sdk.GetBucketReplicationOutput, error)
	ListBuckets(context.Context, *sdk.ListBucketsInput, ...func(*sdk.Options)) (*sdk.ListBucketsOutput, error)
}

// Ready are the steps of a proof of readiness: they only read.
type Ready struct {
	Clients func(plan.Region) ReadyAPI
}

// NewReady makes the steps on AWS.
func NewReady(c *cloud.Clients) *Ready {
	return &Ready{Clients: cloud.PerRegion(c, func(cfg aws.Config) ReadyAPI { return client(cfg) })}
}

// SwitchRef is the switch bucket of one Region and the objects that may be in it.
type SwitchRef struct {
	Region  plan.Region   `json:"region"`
	Bucket  string        `json:"bucket"`
	Keys    []string      `json:"keys"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Thrown are the switches that are thrown.
type Thrown struct {
	Keys []string `json:"keys,omitempty"` // objects that are there
}

// DescribeSwitch looks for switch objects the way a run does before it throws
// one: a bucket that can't be read can't be relied on.
func (r *Ready) DescribeSwitch(ctx context.Context, in SwitchRef) (Thrown, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	// HEAD tells a missing bucket from a missing object by nothing; this does.
	if _, err := cloud.Call(ctx, at, r.Clients(at.Region).GetBucketVersioning, &sdk.GetBucketVersioningInput{Bucket: aws.String(in.Bucket)}); err != nil {
		return Thrown{}, fmt.Errorf("read switch bucket %q: %w", in.Bucket, err)
	}
	var out Thrown
	for _, key := range in.Keys {
		_, err := cloud.Call(ctx, at, r.Clients(at.Region).HeadObject, &sdk.HeadObjectInput{Bucket: aws.String(in.Bucket), Key: aws.String(key)})
		switch {
		case err == nil:
			out.Keys = append(out.Keys, key)
		case !absent(err):
			return Thrown{}, fmt.Errorf("read switch s3://%s/%s: %w", in.Bucket, key, err)
		}
	}
	return out, nil
}

// Pair is what one bucket says of its replication.
type Pair struct {
	Versioning string `json:"versioning"` // Enabled, Suspended, or empty when it never was on
	Rules      []Rule `json:"rules,omitempty"`
}

// Rule is one replication rule that is on.
type Rule struct {
	ID          string `json:"id"`
	Destination string `json:"destination"` // bucket name
	Metrics     bool   `json:"metrics"`
	// Partial is true when the rule takes some objects only.
	Partial bool `json:"partial,omitempty"`
}

// DescribePair reads a bucket's versioning and the replication rules that are on.
func (r *Ready) DescribePair(ctx context.Context, in BucketRef) (Pair, error) {
	at := cloud.At{Region: in.Region}
	version, err := cloud.Call(ctx, at, r.Clients(at.Region).GetBucketVersioning, &sdk.GetBucketVersioningInput{Bucket: aws.String(in.Bucket)})
	if err != nil {
		return Pair{}, fmt.Errorf("read versioning of bucket %q: %w", in.Bucket, err)
	}
	out := Pair{Versioning: string(version.Status)}
	got, err := cloud.Call(ctx, at, r.Clients(at.Region).GetBucketReplication, &sdk.GetBucketReplicationInput{Bucket: aws.String(in.Bucket)})
	if code(err) == "ReplicationConfigurationNotFoundError" {
		return out, nil
	}
	if err != nil {
		return Pair{}, fmt.Errorf("read replication of bucket %q: %w", in.Bucket, err)
	}
	if got.ReplicationConfiguration == nil {
		return out, nil
	}
	for _, rule := range got.ReplicationConfiguration.Rules {
		if rule.Status == types.ReplicationRuleStatusEnabled && rule.Destination != nil {
			out.Rules = append(out.Rules, live(rule))
		}
	}
	return out, nil
}

func live(rule types.ReplicationRule) Rule {
	out := Rule{ID: aws.ToString(rule.ID), Destination: strings.TrimPrefix(aws.ToString(rule.Destination.Bucket), "arn:aws:s3:::")}
	out.Metrics = rule.Destination.Metrics != nil && rule.Destination.Metrics.Status == types.MetricsStatusEnabled
	if f := rule.Filter; f != nil {
		out.Partial = aws.ToString(f.Prefix) != "" || f.Tag != nil || f.And != nil
	}
	return out
}

// AllRef is everything of a kind in a Region.
type AllRef struct {
	Region plan.Region `json:"region"`
}

// All are names, sorted.
type All struct {
	Names []string `json:"names,omitempty"`
}

// FindBuckets lists the account's buckets of one Region.
func (r *Ready) FindBuckets(ctx context.Context, in AllRef) (All, error) {
	at := cloud.At{Region: in.Region, Timeout: 10 * time.Second}
	var out All
	ask := &sdk.ListBucketsInput{BucketRegion: aws.String(string(in.Region)), MaxBuckets: aws.Int32(1000)}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).ListBuckets, ask)
		if err != nil {
			return All{}, fmt.Errorf("list buckets in %s: %w", in.Region, err)
		}
		for _, b := range page.Buckets {
			// Some endpoints answer with the buckets of all Regions.
			if home := aws.ToString(b.BucketRegion); home == "" || home == string(in.Region) {
				out.Names = append(out.Names, aws.ToString(b.Name))
			}
		}
		if ask.ContinuationToken = page.ContinuationToken; aws.ToString(ask.ContinuationToken) == "" {
			slices.Sort(out.Names)
			return out, nil
		}
	}
}
