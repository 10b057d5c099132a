package s3_test

import (
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/cloudwatch"
	"lifeline/local/aws/s3"
	"lifeline/local/aws/world"
)

const tlsOnly = `{"Version":"2012-10-17","Statement":[{"Sid":"TLSOnly","Effect":"Deny","Principal":"*","Action":"s3:*",
"Resource":["arn:aws:s3:::docs-west","arn:aws:s3:::docs-west/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`

func (p *pair) policy(text string) error {
	_, err := p.PutBucketPolicy(p.call(west), &sdk.PutBucketPolicyInput{Bucket: aws.String("docs-west"), Policy: &text})
	return err
}

func TestBucketPolicy_TLSOnly_IsKeptAndNotPublic(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	_, err := p.GetBucketPolicyStatus(p.call(west), &sdk.GetBucketPolicyStatusInput{Bucket: aws.String("docs-west")})
	require.Equal(t, "NoSuchBucketPolicy", code(t, err))
	require.NoError(t, p.policy(tlsOnly), "blocked public access lets a denial pass")
	got, err := p.GetBucketPolicy(p.call(west), &sdk.GetBucketPolicyInput{Bucket: aws.String("docs-west")})
	require.NoError(t, err)
	require.JSONEq(t, tlsOnly, *got.Policy)
	status, err := p.GetBucketPolicyStatus(p.call(west), &sdk.GetBucketPolicyStatusInput{Bucket: aws.String("docs-west")})
	require.NoError(t, err)
	require.False(t, *status.PolicyStatus.IsPublic)
}

func TestBucketPolicy_Malformed_IsRefused(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for name, text := range map[string]string{
		"no JSON":        `no`,
		"no statement":   `{"Statement":[]}`,
		"no principal":   `{"Statement":{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::docs-west"}}`,
		"no action":      `{"Statement":{"Effect":"Deny","Principal":"*","Resource":"arn:aws:s3:::docs-west"}}`,
		"another bucket": `{"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::docs-east"}}`,
		"an odd effect":  `{"Statement":{"Effect":"Maybe","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::docs-west"}}`,
	} {
		require.Equal(t, "MalformedPolicy", code(t, p.policy(text)), name)
	}
}

func TestAccountBlock_RefusesPublicPoliciesOfOpenBuckets(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	_, err := p.DeletePublicAccessBlock(p.call(west), &sdk.DeletePublicAccessBlockInput{Bucket: aws.String("docs-west")})
	require.NoError(t, err)
	open := `{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::docs-west/*"}}`
	p.BlockAccount(&sdk.PublicAccessBlockConfiguration{BlockPublicPolicy: aws.Bool(true)})
	require.Equal(t, "AccessDenied", code(t, p.policy(open)))
	p.BlockAccount(nil)
	require.NoError(t, p.policy(open))
	status, err := p.GetBucketPolicyStatus(p.call(west), &sdk.GetBucketPolicyStatusInput{Bucket: aws.String("docs-west")})
	require.NoError(t, err)
	require.True(t, *status.PolicyStatus.IsPublic)
}

// writes are all writes of a bucket's configuration.
func (p *pair) writes(name *string) map[string]func() error {
	only := func(_ any, err error) error { return err }
	c := p.call(west)
	return map[string]func() error{
		"PutBucketVersioning": func() error { return p.version(west, *name, "Enabled") },
		"PutBucketEncryption": func() error {
			return only(p.PutBucketEncryption(c, &sdk.PutBucketEncryptionInput{Bucket: name, ServerSideEncryptionConfiguration: encryption("AES256", nil)}))
		},
		"DeleteBucketEncryption": func() error { return only(p.DeleteBucketEncryption(c, &sdk.DeleteBucketEncryptionInput{Bucket: name})) },
		"PutBucketReplication":   func() error { return p.replicate(west, *name, "docs-east") },
		"DeleteBucketReplication": func() error {
			return only(p.DeleteBucketReplication(c, &sdk.DeleteBucketReplicationInput{Bucket: name}))
		},
		"PutBucketLifecycle": func() error {
			return only(p.PutBucketLifecycleConfiguration(c, &sdk.PutBucketLifecycleConfigurationInput{Bucket: name, LifecycleConfiguration: &sdk.BucketLifecycleConfiguration{
				Rules: []*sdk.LifecycleRule{{Status: aws.String("Enabled"), Prefix: aws.String(""), Expiration: &sdk.LifecycleExpiration{Days: aws.Int64(1)}}},
			}}))
		},
		"DeleteBucketLifecycle": func() error { return only(p.DeleteBucketLifecycle(c, &sdk.DeleteBucketLifecycleInput{Bucket: name})) },
		"PutPublicAccessBlock": func() error {
			return only(p.PutPublicAccessBlock(c, &sdk.PutPublicAccessBlockInput{Bucket: name, PublicAccessBlockConfiguration: &sdk.PublicAccessBlockConfiguration{}}))
		},
		"DeletePublicAccessBlock": func() error {
			return only(p.DeletePublicAccessBlock(c, &sdk.DeletePublicAccessBlockInput{Bucket: name}))
		},
		"PutBucketPolicy":    func() error { return p.policy(tlsOnly) },
		"DeleteBucketPolicy": func() error { return only(p.DeleteBucketPolicy(c, &sdk.DeleteBucketPolicyInput{Bucket: name})) },
		"PutBucketTagging": func() error {
			return only(p.PutBucketTagging(c, &sdk.PutBucketTaggingInput{Bucket: name, Tagging: &sdk.Tagging{}}))
		},
		"DeleteBucketTagging": func() error { return only(p.DeleteBucketTagging(c, &sdk.DeleteBucketTaggingInput{Bucket: name})) },
		"PutBucketOwnershipControls": func() error {
			return only(p.PutBucketOwnershipControls(c, &sdk.PutBucketOwnershipControlsInput{Bucket: name, OwnershipControls: &sdk.OwnershipControls{
				Rules: []*sdk.OwnershipControlsRule{{ObjectOwnership: aws.String("BucketOwnerPreferred")}},
			}}))
		},
		"DeleteBucketOwnershipControls": func() error {
			return only(p.DeleteBucketOwnershipControls(c, &sdk.DeleteBucketOwnershipControlsInput{Bucket: name}))
		},
		"PutBucketNotification": func() error { return p.notify(&sdk.NotificationConfiguration{}) },
		"DeleteBucket":          func() error { return only(p.DeleteBucket(c, &sdk.DeleteBucketInput{Bucket: name})) },
	}
}

func encryption(algorithm string, key *string) *sdk.ServerSideEncryptionConfiguration {
	return &sdk.ServerSideEncryptionConfiguration{Rules: []*sdk.ServerSideEncryptionRule{{
		ApplyServerSideEncryptionByDefault: &sdk.ServerSideEncryptionByDefault{SSEAlgorithm: &algorithm, KMSMasterKeyID: key}, BucketKeyEnabled: aws.Bool(true),
	}}}
}

func (p *pair) notify(config *sdk.NotificationConfiguration) error {
	_, err := p.PutBucketNotificationConfiguration(p.call(west), &sdk.PutBucketNotificationConfigurationInput{
		Bucket: aws.String("docs-west"), NotificationConfiguration: config,
	})
	return err
}

func TestBucketConfiguration_UsEast1Dark_NoWriteWorks(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	require.NoError(t, p.version(east, "docs-east", "Enabled"))
	p.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	for name, write := range p.writes(aws.String("docs-west")) {
		require.Equal(t, "ServiceUnavailable", code(t, write()), name)
	}
	_, err := p.GetBucketEncryption(p.call(west), &sdk.GetBucketEncryptionInput{Bucket: aws.String("docs-west")})
	require.NoError(t, err, "reads need no global control plane")
}

func TestBucketEncryption_KeyAndBucketKey_MarkNewObjects(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	key := aws.String("arn:aws:kms:us-west-2:123456789012:key/1")
	set := func(c *sdk.ServerSideEncryptionConfiguration) error {
		_, err := p.PutBucketEncryption(p.call(west), &sdk.PutBucketEncryptionInput{Bucket: aws.String("docs-west"), ServerSideEncryptionConfiguration: c})
		return err
	}
	require.Equal(t, "InvalidArgument", code(t, set(encryption("AES256", key))))
	require.NoError(t, set(encryption("aws:kms", key)))
	put, err := p.put(west, "docs-west", "k", "v")
	require.NoError(t, err)
	require.Equal(t, "aws:kms", *put.ServerSideEncryption)
	require.Equal(t, key, put.SSEKMSKeyId)
	require.True(t, *put.BucketKeyEnabled)
}

func TestBucketNotification_EventBridgeOnly(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	on, ok := p.EventBridge("docs-west")
	require.True(t, ok)
	require.False(t, on)
	require.Equal(t, "InvalidArgument", code(t, p.notify(&sdk.NotificationConfiguration{TopicConfigurations: []*sdk.TopicConfiguration{{}}})))
	require.NoError(t, p.notify(&sdk.NotificationConfiguration{EventBridgeConfiguration: &sdk.EventBridgeConfiguration{}}))
	on, _ = p.EventBridge("docs-west")
	require.True(t, on)
	require.NoError(t, p.notify(&sdk.NotificationConfiguration{}))
	on, _ = p.EventBridge("docs-west")
	require.False(t, on, "each write replaces the whole configuration")
}

// rule replicates docs-east to docs-west after change.
func (p *pair) rule(change func(*sdk.ReplicationRule)) error {
	r := &sdk.ReplicationRule{
		ID: aws.String("all"), Status: aws.String("Enabled"), Priority: aws.Int64(1), Filter: &sdk.ReplicationRuleFilter{Prefix: aws.String("")},
		DeleteMarkerReplication: &sdk.DeleteMarkerReplication{Status: aws.String("Enabled")},
		Destination: &sdk.Destination{
			Bucket:          aws.String("arn:aws:s3:::docs-west"),
			ReplicationTime: &sdk.ReplicationTime{Status: aws.String("Enabled"), Time: &sdk.ReplicationTimeValue{Minutes: aws.Int64(15)}},
			Metrics:         &sdk.Metrics{Status: aws.String("Enabled"), EventThreshold: &sdk.ReplicationTimeValue{Minutes: aws.Int64(15)}},
		},
	}
	change(r)
	_, err := p.PutBucketReplication(p.call(east), &sdk.PutBucketReplicationInput{
		Bucket: aws.String("docs-east"), ReplicationConfiguration: &sdk.ReplicationConfiguration{
			Role: aws.String("arn:aws:iam::123456789012:role/replication"), Rules: []*sdk.ReplicationRule{r},
		},
	})
	return err
}

func selectKMS(r *sdk.ReplicationRule) {
	r.SourceSelectionCriteria = &sdk.SourceSelectionCriteria{
		SseKmsEncryptedObjects: &sdk.SseKmsEncryptedObjects{Status: aws.String("Enabled")},
		ReplicaModifications:   &sdk.ReplicaModifications{Status: aws.String("Enabled")},
	}
}

func TestReplicationRule_Refusals(t *testing.T) {
	t.Parallel()
	p := newPair(t).paired()
	require.NoError(t, p.rule(func(*sdk.ReplicationRule) {}))
	for name, change := range map[string]func(*sdk.ReplicationRule){
		"no priority":             func(r *sdk.ReplicationRule) { r.Priority = nil },
		"delete markers unsaid":   func(r *sdk.ReplicationRule) { r.DeleteMarkerReplication = nil },
		"time without metrics":    func(r *sdk.ReplicationRule) { r.Destination.Metrics = nil },
		"time without threshold":  func(r *sdk.ReplicationRule) { r.Destination.Metrics.EventThreshold = nil },
		"time of five minutes":    func(r *sdk.ReplicationRule) { r.Destination.ReplicationTime.Time.Minutes = aws.Int64(5) },
		"encrypted without a key": selectKMS,
		"key without selection": func(r *sdk.ReplicationRule) {
			r.Destination.EncryptionConfiguration = &sdk.EncryptionConfiguration{ReplicaKmsKeyID: aws.String("arn:aws:kms:us-west-2:123456789012:key/1")}
		},
		"key that is no ARN": func(r *sdk.ReplicationRule) {
			selectKMS(r)
			r.Destination.EncryptionConfiguration = &sdk.EncryptionConfiguration{ReplicaKmsKeyID: aws.String("alias/docs")}
		},
	} {
		require.Equal(t, "InvalidRequest", code(t, p.rule(change)), name)
	}
	require.Equal(t, "InvalidArgument", code(t, p.rule(func(r *sdk.ReplicationRule) { r.Destination.Bucket = aws.String("docs-west") })))
}

// gauge keeps the highest value of each metric by Region and name.
type gauge struct {
	mu   sync.Mutex
	seen map[string]float64
}

func (g *gauge) Put(region string, d cloudwatch.Datum) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen[region+" "+d.Name] = max(g.seen[region+" "+d.Name], d.Value)
}

func (g *gauge) has(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.seen[name] > 0
}

func TestReplication_KeyOfAnotherRegion_FailsAndIsCountedWhereItShouldHaveArrived(t *testing.T) {
	t.Parallel()
	g := &gauge{seen: map[string]float64{}}
	p := newPairAt(t, 500, s3.Options{Metrics: g}).paired()
	keyOf := func(region string) func(*sdk.ReplicationRule) {
		return func(r *sdk.ReplicationRule) {
			selectKMS(r)
			r.Destination.EncryptionConfiguration = &sdk.EncryptionConfiguration{ReplicaKmsKeyID: aws.String("arn:aws:kms:" + region + ":123456789012:key/1")}
		}
	}
	put := func(key string) {
		t.Helper()
		_, err := p.PutObjectAPI(p.call(east), &sdk.PutObjectInput{
			Bucket: aws.String("docs-east"), Key: &key, ServerSideEncryption: aws.String("aws:kms"), SSEKMSKeyId: aws.String("arn:aws:kms:us-east-1:123456789012:key/2"),
		})
		require.NoError(t, err)
	}
	require.NoError(t, p.rule(keyOf(east)))
	put("k")
	require.Eventually(t, func() bool { return p.Status("docs-east", "k") == "FAILED" }, 5*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { return g.has(east + " OperationsFailedReplication") }, 5*time.Second, time.Millisecond)
	require.False(t, g.has(west+" OperationsFailedReplication"), "failures are published in the Region of the source")
	_, arrived := p.Object("docs-west", "k")
	require.False(t, arrived)

	require.NoError(t, p.rule(keyOf(west)))
	put("secret")
	require.Eventually(t, func() bool { return p.Status("docs-west", "secret") == "REPLICA" }, 5*time.Second, time.Millisecond)
	head, err := p.HeadObject(p.call(west), &sdk.HeadObjectInput{Bucket: aws.String("docs-west"), Key: aws.String("secret")})
	require.NoError(t, err)
	require.Equal(t, "arn:aws:kms:us-west-2:123456789012:key/1", *head.SSEKMSKeyId, "encrypted anew with the key of its Region")
}

func TestReplication_ArchivedObject_IsNotCopied(t *testing.T) {
	t.Parallel()
	p := newPair(t).paired()
	_, err := p.PutObjectAPI(p.call(east), &sdk.PutObjectInput{Bucket: aws.String("docs-east"), Key: aws.String("cold"), StorageClass: aws.String("GLACIER")})
	require.NoError(t, err)
	_, err = p.put(east, "docs-east", "warm", "v")
	require.NoError(t, err)
	p.holds("docs-west", "warm", "v")
	require.Empty(t, p.Status("docs-east", "cold"))
}
