package s3

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// setupFake is the configuration side of S3. What it has not, panics.
type setupFake struct {
	SetupAPI
	cloudtest.Service
	owner   string // of the only bucket; "" is none
	blocked *types.BlockedEncryptionTypes
	put     *sdk.PutBucketEncryptionInput
	notify  *sdk.PutBucketNotificationConfigurationInput
}

func (f *setupFake) GetBucketTagging(ctx context.Context, in *sdk.GetBucketTaggingInput, _ ...func(*sdk.Options)) (*sdk.GetBucketTaggingOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "GetBucketTagging", func() (*sdk.GetBucketTaggingOutput, error) {
		switch {
		case f.owner == "":
			return nil, cloudtest.Refuse("NoSuchBucket", "none")
		case f.owner != aws.ToString(in.ExpectedBucketOwner):
			return nil, cloudtest.Refuse("AccessDenied", "not yours")
		}
		return nil, cloudtest.Refuse("NoSuchTagSet", "none")
	})
}

func (f *setupFake) CreateBucket(ctx context.Context, _ *sdk.CreateBucketInput, _ ...func(*sdk.Options)) (*sdk.CreateBucketOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "CreateBucket", func() (*sdk.CreateBucketOutput, error) {
		return nil, cloudtest.Refuse("BucketAlreadyExists", "taken")
	})
}

func (f *setupFake) GetBucketEncryption(ctx context.Context, _ *sdk.GetBucketEncryptionInput, _ ...func(*sdk.Options)) (*sdk.GetBucketEncryptionOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "GetBucketEncryption", func() (*sdk.GetBucketEncryptionOutput, error) {
		rule := types.ServerSideEncryptionRule{
			ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256}, BlockedEncryptionTypes: f.blocked,
		}
		if f.put != nil {
			rule = f.put.ServerSideEncryptionConfiguration.Rules[0]
		}
		return &sdk.GetBucketEncryptionOutput{ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{rule}}}, nil
	})
}

func (f *setupFake) PutBucketEncryption(ctx context.Context, in *sdk.PutBucketEncryptionInput, _ ...func(*sdk.Options)) (*sdk.PutBucketEncryptionOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "PutBucketEncryption", func() (*sdk.PutBucketEncryptionOutput, error) {
		f.put = in
		return &sdk.PutBucketEncryptionOutput{}, nil
	})
}

func (f *setupFake) GetBucketNotificationConfiguration(ctx context.Context, _ *sdk.GetBucketNotificationConfigurationInput, _ ...func(*sdk.Options)) (*sdk.GetBucketNotificationConfigurationOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "GetBucketNotificationConfiguration", func() (*sdk.GetBucketNotificationConfigurationOutput, error) {
		if f.notify != nil {
			c := f.notify.NotificationConfiguration
			return &sdk.GetBucketNotificationConfigurationOutput{EventBridgeConfiguration: c.EventBridgeConfiguration, TopicConfigurations: c.TopicConfigurations}, nil
		}
		return &sdk.GetBucketNotificationConfigurationOutput{TopicConfigurations: []types.TopicConfiguration{{TopicArn: aws.String("theirs")}}}, nil
	})
}

func (f *setupFake) PutBucketNotificationConfiguration(ctx context.Context, in *sdk.PutBucketNotificationConfigurationInput, _ ...func(*sdk.Options)) (*sdk.PutBucketNotificationConfigurationOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "PutBucketNotificationConfiguration", func() (*sdk.PutBucketNotificationConfigurationOutput, error) {
		f.notify = in
		return &sdk.PutBucketNotificationConfigurationOutput{}, nil
	})
}

func setupFixture() *setupFake { return &setupFake{Service: cloudtest.Service{ID: "S3"}} }

func bucketItem(kind string, want map[string]string) runbook.Item {
	return runbook.Item{Area: runbook.AreaStorage, Type: kind, Name: "docs", Region: "us-west-2", Want: want}
}

func converge(t *testing.T, f *setupFake, item runbook.Item) runbook.ItemResult {
	t.Helper()
	book, err := keep.NewBook(keepers(func(plan.Region) SetupAPI { return f })...)
	require.NoError(t, err)
	out, err := book.Converge(t.Context(), []runbook.Item{item}, true)
	require.NoError(t, err)
	return out[0]
}

func TestBucket_NameOfAnotherAccount(t *testing.T) {
	t.Parallel()
	want := map[string]string{"owner": "123456789012", "region": "us-west-2"}
	hidden := converge(t, setupFixture(), bucketItem("s3-bucket", want))
	require.Equal(t, runbook.Unkept, hidden.Verdict)
	require.Contains(t, hidden.Why, "belongs to another account")

	open := setupFixture()
	open.owner = "999999999999"
	r := converge(t, open, bucketItem("s3-bucket", want))
	require.Equal(t, runbook.Drifted, r.Verdict, "a stranger's bucket that lets us in is still a stranger's")
	require.Contains(t, r.Why, "setup does not change owner")
	require.Empty(t, open.Changes())
}

func TestEncryption_KeepsWhatElseTheRuleSays(t *testing.T) {
	t.Parallel()
	f := setupFixture()
	f.blocked = &types.BlockedEncryptionTypes{EncryptionType: []types.EncryptionType{types.EncryptionTypeSseC}}
	r := converge(t, f, bucketItem("s3-encryption", map[string]string{"algorithm": "aws:kms", "key": "arn:aws:kms:us-west-2:1:key/k", "bucket-key": "true"}))
	require.Equal(t, runbook.Created, r.Verdict, r.Why)
	require.Equal(t, f.blocked, f.put.ServerSideEncryptionConfiguration.Rules[0].BlockedEncryptionTypes)
}

func TestEvents_KeepWhomElseTheBucketNotifies(t *testing.T) {
	t.Parallel()
	f := setupFixture()
	r := converge(t, f, bucketItem("s3-event-notification", map[string]string{"eventbridge": "true"}))
	require.Equal(t, runbook.Created, r.Verdict, r.Why)
	require.Equal(t, "theirs", *f.notify.NotificationConfiguration.TopicConfigurations[0].TopicArn)
	require.True(t, *f.notify.SkipDestinationValidation)
}

func TestMine_AdoptsARuleForTheWholeBucketOnly(t *testing.T) {
	t.Parallel()
	item := bucketItem("s3-replication", map[string]string{"destination": "arn:aws:s3:::to"})
	to := &types.Destination{Bucket: aws.String("arn:aws:s3:::to")}
	part := types.ReplicationRule{ID: aws.String("part"), Destination: to, Filter: &types.ReplicationRuleFilter{Prefix: aws.String("a/")}}
	tagged := types.ReplicationRule{ID: aws.String("tagged"), Destination: to, Filter: &types.ReplicationRuleFilter{And: &types.ReplicationRuleAndOperator{Tags: []types.Tag{{Key: aws.String("k")}}}}}
	whole := types.ReplicationRule{ID: aws.String("whole"), Destination: to, Filter: &types.ReplicationRuleFilter{Prefix: aws.String("")}}
	old := types.ReplicationRule{ID: aws.String("old"), Destination: to, Prefix: aws.String("a/")} //nolint:staticcheck // of the first version
	ours := types.ReplicationRule{ID: aws.String("lifeline-to-to"), Destination: to}
	config := func(rules ...types.ReplicationRule) *types.ReplicationConfiguration {
		return &types.ReplicationConfiguration{Rules: rules}
	}
	require.Equal(t, -1, mine(item, nil))
	require.Equal(t, -1, mine(item, config(part, tagged, old)))
	require.Equal(t, 1, mine(item, config(part, whole)))
	require.Equal(t, 2, mine(item, config(part, whole, ours)))
}

func TestLifecycle_DaysThatAreNoNumber(t *testing.T) {
	t.Parallel()
	_, err := lifecycleRule(bucketItem("s3-lifecycle", map[string]string{"days": "soon"}))
	require.Error(t, err)
}
