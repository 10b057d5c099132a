package s3_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	sim "lifeline/local/aws/s3"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// endpoint serves S3 over the wire; it gives its URL and clients of the
// unmodified SDK.
func endpoint(t *testing.T) (url string, client func(region string) *s3.Client) {
	t.Helper()
	w := world.New(world.Options{Compression: 500})
	t.Cleanup(w.Close)
	server := httptest.NewServer(wire.NewServer(w, sim.New(w, sim.Options{}).Wire()))
	t.Cleanup(server.Close)
	return server.URL, func(region string) *s3.Client {
		return s3.NewFromConfig(aws.Config{
			Region: region, BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
		}, func(o *s3.Options) { o.UsePathStyle = true })
	}
}

func wireCode(t *testing.T, err error) string {
	t.Helper()
	var refused smithy.APIError
	require.ErrorAs(t, err, &refused)
	return refused.ErrorCode()
}

func TestContract_Objects(t *testing.T) {
	t.Parallel()
	url, client := endpoint(t)
	c, ctx, name := client(east), t.Context(), aws.String("contract-east")
	_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name})
	require.NoError(t, err)
	require.NoError(t, s3.NewBucketExistsWaiter(c).Wait(ctx, &s3.HeadBucketInput{Bucket: name}, time.Second))
	put, err := c.PutObject(ctx, &s3.PutObjectInput{
		Bucket: name, Key: aws.String("a/b c.txt"), Body: strings.NewReader("hello"), ContentType: aws.String("text/plain"),
		Metadata: map[string]string{"owner": "amara"}, IfNoneMatch: aws.String("*"),
	})
	require.NoError(t, err)
	require.Equal(t, `"5d41402abc4b2a76b9719d911017c592"`, *put.ETag)
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: aws.String("a/b c.txt"), Body: strings.NewReader("no"), IfNoneMatch: aws.String("*")})
	require.Equal(t, "PreconditionFailed", wireCode(t, err))
	got, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: aws.String("a/b c.txt")})
	require.NoError(t, err)
	body, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	require.Equal(t, "hello", string(body))
	require.Equal(t, "text/plain", *got.ContentType)
	require.Equal(t, "amara", got.Metadata["owner"])
	part, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: aws.String("a/b c.txt"), Range: aws.String("bytes=1-2")})
	require.NoError(t, err)
	body, err = io.ReadAll(part.Body)
	require.NoError(t, err)
	require.Equal(t, "el", string(body))
	require.Equal(t, "bytes 1-2/5", *part.ContentRange)
	head, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: name, Key: aws.String("a/b c.txt")})
	require.NoError(t, err)
	require.Equal(t, int64(5), *head.ContentLength)
	_, err = c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: name, Key: aws.String("absent")})
	var absent *types.NotFound
	require.ErrorAs(t, err, &absent)
	_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: aws.String("absent")})
	var noKey *types.NoSuchKey
	require.ErrorAs(t, err, &noKey)
	_, err = c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: name, Key: aws.String("copy"), CopySource: aws.String("contract-east/a/b%20c.txt")})
	require.NoError(t, err)
	list, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: name, Delimiter: aws.String("/")})
	require.NoError(t, err)
	require.Equal(t, "a/", *list.CommonPrefixes[0].Prefix)
	require.Equal(t, "copy", *list.Contents[0].Key)
	gone, err := c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: name, Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: aws.String("copy")}, {Key: aws.String("a/b c.txt")},
	}}})
	require.NoError(t, err)
	require.Len(t, gone.Deleted, 2)
	require.Equal(t, 403, anonymous(t, url+"/contract-east/copy"))
	_, err = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: name})
	require.NoError(t, err)
}

func anonymous(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

func TestContract_Configuration(t *testing.T) {
	t.Parallel()
	url, client := endpoint(t)
	c, ctx, name := client(west), t.Context(), aws.String("contract-west")
	_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: west}})
	require.NoError(t, err)
	where, err := client(east).GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: name})
	require.NoError(t, err)
	require.Equal(t, types.BucketLocationConstraint(west), where.LocationConstraint)
	_, err = client(east).GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: name})
	require.Equal(t, "PermanentRedirect", wireCode(t, err))

	_, err = c.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: name, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
		Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: aws.String("alias/docs")}}},
	}})
	require.NoError(t, err)
	encryption, err := c.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: name})
	require.NoError(t, err)
	require.Equal(t, types.ServerSideEncryptionAwsKms, encryption.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm)

	_, err = c.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: name, LifecycleConfiguration: &types.BucketLifecycleConfiguration{
		Rules: []types.LifecycleRule{{
			ID: aws.String("cold"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("")},
			Transitions: []types.Transition{{Days: aws.Int32(30), StorageClass: types.TransitionStorageClassGlacierIr}},
		}},
	}})
	require.NoError(t, err)
	lifecycle, err := c.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: name})
	require.NoError(t, err)
	require.Equal(t, int32(30), *lifecycle.Rules[0].Transitions[0].Days)

	_, err = c.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: name, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("app"), Value: aws.String("records")}}}})
	require.NoError(t, err)
	tags, err := c.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: name})
	require.NoError(t, err)
	require.Equal(t, "records", *tags.TagSet[0].Value)

	_, err = c.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: name})
	require.NoError(t, err)
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["s3:GetObject"],"Resource":"arn:aws:s3:::contract-west/*"}]}`
	_, err = c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: name, Policy: &policy})
	require.NoError(t, err)
	read, err := c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: name})
	require.NoError(t, err)
	require.JSONEq(t, policy, *read.Policy)
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: aws.String("evacuate/us-east-1"), Body: bytes.NewReader(nil)})
	require.NoError(t, err)
	require.Equal(t, 200, anonymous(t, url+"/contract-west/evacuate/us-east-1"))
}

func TestContract_Replication(t *testing.T) {
	t.Parallel()
	_, client := endpoint(t)
	ctx := t.Context()
	for region, name := range map[string]string{east: "copy-east", west: "copy-west"} {
		in := &s3.CreateBucketInput{Bucket: &name}
		if region != east {
			in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(region)}
		}
		_, err := client(region).CreateBucket(ctx, in)
		require.NoError(t, err)
		_, err = client(region).PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
			Bucket: &name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
		})
		require.NoError(t, err)
	}
	from, to := client(east), client(west)
	_, err := from.PutBucketReplication(ctx, &s3.PutBucketReplicationInput{Bucket: aws.String("copy-east"), ReplicationConfiguration: &types.ReplicationConfiguration{
		Role: aws.String("arn:aws:iam::123456789012:role/replication"),
		Rules: []types.ReplicationRule{{
			Status: types.ReplicationRuleStatusEnabled, Priority: aws.Int32(1), Filter: &types.ReplicationRuleFilter{Prefix: aws.String("")},
			DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusEnabled},
			SourceSelectionCriteria: &types.SourceSelectionCriteria{
				SseKmsEncryptedObjects: &types.SseKmsEncryptedObjects{Status: types.SseKmsEncryptedObjectsStatusEnabled},
				ReplicaModifications:   &types.ReplicaModifications{Status: types.ReplicaModificationsStatusEnabled},
			},
			Destination: &types.Destination{
				Bucket:                  aws.String("arn:aws:s3:::copy-west"),
				EncryptionConfiguration: &types.EncryptionConfiguration{ReplicaKmsKeyID: aws.String("arn:aws:kms:us-west-2:123456789012:key/1")},
				ReplicationTime:         &types.ReplicationTime{Status: types.ReplicationTimeStatusEnabled, Time: &types.ReplicationTimeValue{Minutes: aws.Int32(15)}},
				Metrics:                 &types.Metrics{Status: types.MetricsStatusEnabled, EventThreshold: &types.ReplicationTimeValue{Minutes: aws.Int32(15)}},
			},
		}},
	}})
	require.NoError(t, err)
	_, err = from.PutBucketReplication(ctx, &s3.PutBucketReplicationInput{Bucket: aws.String("copy-east"), ReplicationConfiguration: &types.ReplicationConfiguration{
		Role: aws.String("replication"), Rules: []types.ReplicationRule{{Status: types.ReplicationRuleStatusEnabled, Destination: &types.Destination{Bucket: aws.String("arn:aws:s3:::copy-west")}}},
	}})
	require.Equal(t, "InvalidArgument", wireCode(t, err), "a role is named by its ARN")
	read, err := from.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: aws.String("copy-east")})
	require.NoError(t, err)
	require.Equal(t, "arn:aws:s3:::copy-west", *read.ReplicationConfiguration.Rules[0].Destination.Bucket)
	put, err := from.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("copy-east"), Key: aws.String("k"), Body: strings.NewReader("v")})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		head, err := to.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("copy-west"), Key: aws.String("k")})
		var absent *types.NotFound
		require.True(t, err == nil || errors.As(err, &absent), "%v", err)
		return err == nil && head.ReplicationStatus == types.ReplicationStatusReplica && *head.VersionId == *put.VersionId
	}, 5*time.Second, 5*time.Millisecond)
	versions, err := to.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: aws.String("copy-west")})
	require.NoError(t, err)
	require.Len(t, versions.Versions, 1)
}

func TestContract_SetupOfABucket(t *testing.T) {
	t.Parallel()
	_, client := endpoint(t)
	c, ctx, name := client(west), t.Context(), aws.String("contract-setup")
	_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: west}})
	require.NoError(t, err)

	_, err = c.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
		Bucket: name, NotificationConfiguration: &types.NotificationConfiguration{EventBridgeConfiguration: &types.EventBridgeConfiguration{}},
	})
	require.NoError(t, err)
	notification, err := c.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: name})
	require.NoError(t, err)
	require.NotNil(t, notification.EventBridgeConfiguration)

	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::contract-setup/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`
	_, err = c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: name, Policy: &policy})
	require.NoError(t, err)
	status, err := c.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: name})
	require.NoError(t, err)
	require.False(t, *status.PolicyStatus.IsPublic)

	ownership, err := c.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: name})
	require.NoError(t, err)
	require.Equal(t, types.ObjectOwnershipBucketOwnerEnforced, ownership.OwnershipControls.Rules[0].ObjectOwnership)
	_, err = c.DeleteBucketOwnershipControls(ctx, &s3.DeleteBucketOwnershipControlsInput{Bucket: name})
	require.NoError(t, err)
	_, err = c.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: name})
	require.Equal(t, "OwnershipControlsNotFoundError", wireCode(t, err))

	rules := []types.LifecycleRule{{
		ID: aws.String("archive"), Status: types.ExpirationStatusEnabled,
		Filter:                         &types.LifecycleRuleFilter{And: &types.LifecycleRuleAndOperator{Prefix: aws.String("docs/"), ObjectSizeGreaterThan: aws.Int64(1)}},
		Transitions:                    []types.Transition{{Days: aws.Int32(30), StorageClass: types.TransitionStorageClassGlacierIr}, {Days: aws.Int32(90), StorageClass: types.TransitionStorageClassDeepArchive}},
		NoncurrentVersionTransitions:   []types.NoncurrentVersionTransition{{NoncurrentDays: aws.Int32(30), StorageClass: types.TransitionStorageClassGlacier}},
		NoncurrentVersionExpiration:    &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(365), NewerNoncurrentVersions: aws.Int32(3)},
		AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(7)},
	}}
	_, err = c.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: name, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: rules}})
	require.NoError(t, err)
	lifecycle, err := c.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: name})
	require.NoError(t, err)
	require.Equal(t, rules, lifecycle.Rules)
	require.Equal(t, types.TransitionDefaultMinimumObjectSizeAllStorageClasses128k, lifecycle.TransitionDefaultMinimumObjectSize)

	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: aws.String("cold"), Body: strings.NewReader("x"), StorageClass: types.StorageClassDeepArchive})
	require.NoError(t, err)
	_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: aws.String("cold")})
	var archived *types.InvalidObjectState
	require.ErrorAs(t, err, &archived)
}

// The SDK itself insists on a role, so this request is written by hand.
func TestReplication_WithoutRole_IsMalformed(t *testing.T) {
	t.Parallel()
	url, client := endpoint(t)
	_, err := client(east).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("no-role")})
	require.NoError(t, err)
	body := `<ReplicationConfiguration><Rule><Status>Enabled</Status><Destination><Bucket>arn:aws:s3:::other</Bucket></Destination></Rule></ReplicationConfiguration>`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url+"/no-role?replication", strings.NewReader(body))
	require.NoError(t, err)
	now := time.Now().UTC()
	req.Header.Set("X-Amz-Date", now.Format("20060102T150405Z"))
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIATEST/"+now.Format("20060102")+"/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
	require.Contains(t, string(answer), "<Code>MalformedXML</Code>")
}
