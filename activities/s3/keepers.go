package s3

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// SetupAPI is every operation that setup calls.
type SetupAPI interface {
	CreateBucket(context.Context, *sdk.CreateBucketInput, ...func(*sdk.Options)) (*sdk.CreateBucketOutput, error)
	GetBucketTagging(context.Context, *sdk.GetBucketTaggingInput, ...func(*sdk.Options)) (*sdk.GetBucketTaggingOutput, error)
	PutBucketTagging(context.Context, *sdk.PutBucketTaggingInput, ...func(*sdk.Options)) (*sdk.PutBucketTaggingOutput, error)
	GetBucketVersioning(context.Context, *sdk.GetBucketVersioningInput, ...func(*sdk.Options)) (*sdk.GetBucketVersioningOutput, error)
	PutBucketVersioning(context.Context, *sdk.PutBucketVersioningInput, ...func(*sdk.Options)) (*sdk.PutBucketVersioningOutput, error)
	GetBucketEncryption(context.Context, *sdk.GetBucketEncryptionInput, ...func(*sdk.Options)) (*sdk.GetBucketEncryptionOutput, error)
	PutBucketEncryption(context.Context, *sdk.PutBucketEncryptionInput, ...func(*sdk.Options)) (*sdk.PutBucketEncryptionOutput, error)
	GetPublicAccessBlock(context.Context, *sdk.GetPublicAccessBlockInput, ...func(*sdk.Options)) (*sdk.GetPublicAccessBlockOutput, error)
	PutPublicAccessBlock(context.Context, *sdk.PutPublicAccessBlockInput, ...func(*sdk.Options)) (*sdk.PutPublicAccessBlockOutput, error)
	GetBucketPolicy(context.Context, *sdk.GetBucketPolicyInput, ...func(*sdk.Options)) (*sdk.GetBucketPolicyOutput, error)
	PutBucketPolicy(context.Context, *sdk.PutBucketPolicyInput, ...func(*sdk.Options)) (*sdk.PutBucketPolicyOutput, error)
	GetBucketReplication(context.Context, *sdk.GetBucketReplicationInput, ...func(*sdk.Options)) (*sdk.GetBucketReplicationOutput, error)
	PutBucketReplication(context.Context, *sdk.PutBucketReplicationInput, ...func(*sdk.Options)) (*sdk.PutBucketReplicationOutput, error)
	GetBucketLifecycleConfiguration(context.Context, *sdk.GetBucketLifecycleConfigurationInput, ...func(*sdk.Options)) (*sdk.GetBucketLifecycleConfigurationOutput, error)
	PutBucketLifecycleConfiguration(context.Context, *sdk.PutBucketLifecycleConfigurationInput, ...func(*sdk.Options)) (*sdk.PutBucketLifecycleConfigurationOutput, error)
	GetBucketNotificationConfiguration(context.Context, *sdk.GetBucketNotificationConfigurationInput, ...func(*sdk.Options)) (*sdk.GetBucketNotificationConfigurationOutput, error)
	PutBucketNotificationConfiguration(context.Context, *sdk.PutBucketNotificationConfigurationInput, ...func(*sdk.Options)) (*sdk.PutBucketNotificationConfigurationOutput, error)
}

// keeper keeps buckets and their configurations.
type keeper struct {
	clients func(plan.Region) SetupAPI
	locks   *locks
}

// Keepers are what this package keeps.
func Keepers(c *cloud.Clients) []keep.Keeper {
	return keepers(cloud.PerRegion(c, func(cfg aws.Config) SetupAPI { return client(cfg) }))
}

func keepers(clients func(plan.Region) SetupAPI) []keep.Keeper {
	k := keeper{clients, &locks{held: map[string]*sync.Mutex{}}}
	return []keep.Keeper{
		{Type: "s3-bucket", Read: keep.Each(k.readBucket), Write: k.writeBucket, Fixed: []string{"owner", "region"}},
		{Type: "s3-versioning", Read: keep.Each(k.readVersioning), Write: k.writeVersioning},
		// A bucket under another key stays under it: whoever reads there has no right to ours.
		{Type: "s3-encryption", Read: keep.Each(k.readEncryption), Write: k.writeEncryption, Fixed: []string{"key"}},
		{Type: "s3-public-access-block", Read: keep.Each(k.readAccess), Write: k.writeAccess},
		{Type: "s3-bucket-policy", Read: keep.Each(k.readPolicy), Write: k.writePolicy},
		{Type: "s3-replication", Read: keep.Each(k.readReplication), Write: k.writeReplication},
		{Type: "s3-lifecycle", Read: keep.Each(k.readLifecycle), Write: k.writeLifecycle},
		{Type: "s3-event-notification", Read: keep.Each(k.readEvents), Write: k.writeEvents},
	}
}

// bucketOf is the bucket that an item configures: items of one configuration
// that several share are called BUCKET/PART.
func bucketOf(item runbook.Item) *string {
	bucket, _, _ := strings.Cut(item.Name, "/")
	return aws.String(bucket)
}

// partOf is the part, or "".
func partOf(item runbook.Item) string {
	_, part, _ := strings.Cut(item.Name, "/")
	return part
}

// code is S3's code of a refusal.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// unset says that a configuration was never made, or that the bucket wasn't.
func unset(err error) bool {
	switch code(err) {
	case "NoSuchBucket", "NoSuchTagSet", "NoSuchPublicAccessBlockConfiguration", "NoSuchBucketPolicy",
		"ReplicationConfigurationNotFoundError", "NoSuchLifecycleConfiguration", "ServerSideEncryptionConfigurationNotFoundError":
		return true
	}
	return false
}

// locks are held while a configuration is read, changed and written as a whole:
// two of its items at once would each forget what the other wrote.
type locks struct {
	mu   sync.Mutex
	held map[string]*sync.Mutex
}

func (l *locks) lock(name string) (unlock func()) {
	l.mu.Lock()
	one, ok := l.held[name]
	if !ok {
		one = &sync.Mutex{}
		l.held[name] = one
	}
	l.mu.Unlock()
	one.Lock()
	return one.Unlock
}
