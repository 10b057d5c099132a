package s3control

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// priority among the account's jobs: the middle of nothing in particular.
const priority = 10

// write starts the job, or another one when the last did not copy everything.
// The bucket remembers it only afterwards, so that it never remembers what was
// not started.
func (k keeper) write(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	request := ""
	if !have.Found || have.Have[copied] != item.Want[copied] {
		out, err := cloud.Call(ctx, at, k.jobs(at.Region).CreateJob, job(item, have.Out["job"]))
		if err != nil {
			return "", fmt.Errorf("batch replication of bucket %s: %w", item.Name, err)
		}
		request = cloud.RequestID(out.ResultMetadata)
	}
	if have.Have["remembered"] == item.Want["remembered"] {
		return request, nil
	}
	return request, k.remember(ctx, at, item)
}

// job copies every version that the rule would carry over and that has not been.
// previous is the job that this one takes over from.
func job(item runbook.Item, previous string) *sdk.CreateJobInput {
	in := &sdk.CreateJobInput{
		AccountId: aws.String(item.Want[account]), Description: aws.String(description(item)), RoleArn: aws.String(item.Want[role]),
		ClientRequestToken: aws.String(runbook.Token(item.ID(), item.Want["remembered"], previous)),
		Operation:          &types.JobOperation{S3ReplicateObject: &types.S3ReplicateObjectOperation{}},
		Priority:           aws.Int32(priority), ConfirmationRequired: aws.Bool(false),
		// Failures are counted in the job; a report would put keys of patients'
		// documents into one more place.
		Report: &types.JobReport{Enabled: false},
		ManifestGenerator: &types.JobManifestGeneratorMemberS3JobManifestGenerator{Value: types.S3JobManifestGenerator{
			ExpectedBucketOwner: aws.String(item.Want[account]), SourceBucket: aws.String("arn:aws:s3:::" + item.Name), EnableManifestOutput: false,
			Filter: &types.JobManifestGeneratorFilter{
				EligibleForReplication:    aws.Bool(true),
				ObjectReplicationStatuses: []types.ReplicationStatus{types.ReplicationStatusNone, types.ReplicationStatusFailed},
			},
		}},
	}
	for _, name := range slices.Sorted(maps.Keys(item.Want)) {
		if key, ok := strings.CutPrefix(name, tag); ok {
			in.Tags = append(in.Tags, types.S3Tag{Key: aws.String(key), Value: aws.String(item.Want[name])})
		}
	}
	return in
}

// remember puts the destination into the bucket's tag, beside its other tags.
func (k keeper) remember(ctx context.Context, at cloud.At, item runbook.Item) error {
	tags, err := k.tags(ctx, at, item.Name)
	if err != nil {
		return fmt.Errorf("tags of bucket %s: %w", item.Name, err)
	}
	tags = slices.DeleteFunc(tags, func(t s3types.Tag) bool { return aws.ToString(t.Key) == memory })
	tags = append(tags, s3types.Tag{Key: aws.String(memory), Value: aws.String(item.Want["remembered"])})
	_, err = cloud.Call(ctx, at, k.buckets(at.Region).PutBucketTagging, &s3.PutBucketTaggingInput{
		Bucket: aws.String(item.Name), Tagging: &s3types.Tagging{TagSet: tags},
	})
	if err != nil {
		return fmt.Errorf("tags of bucket %s: %w", item.Name, err)
	}
	return nil
}
