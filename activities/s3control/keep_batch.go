package s3control

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"github.com/aws/smithy-go"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/runbook"
)

// What a job needs to know beyond its bucket, and what is put on it.
const (
	account = runbook.AtCreation + "account"
	role    = runbook.AtCreation + "role"
	tag     = runbook.AtCreation + "tag/"
)

// memory is the bucket's tag that outlives the job: its value is the destination.
const memory = "lifeline:batch-replication"

// copied is the property that says what became of the copy.
const copied = "copied"

// read lists the Region's jobs once, and asks each bucket what it remembers.
func (k keeper) read(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	newest, err := k.newest(ctx, at, items)
	if err != nil {
		return nil, err
	}
	return keep.Each(func(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
		tags, err := k.tags(ctx, at, item.Name)
		if err != nil {
			return runbook.ItemState{}, fmt.Errorf("tags of bucket %s: %w", item.Name, err)
		}
		return k.state(ctx, at, item, newest[description(item)], valueOf(tags, memory))
	})(ctx, at, items)
}

// description is by which a job is known again.
func description(item runbook.Item) string {
	return "Lifeline: what " + item.Name + " held before its rule to " + item.Want["remembered"]
}

// newest are the latest jobs by description.
func (k keeper) newest(ctx context.Context, at cloud.At, items []runbook.Item) (map[string]*types.JobListDescriptor, error) {
	out := map[string]*types.JobListDescriptor{}
	in := &sdk.ListJobsInput{AccountId: aws.String(items[0].Want[account]), MaxResults: aws.Int32(1000)}
	for {
		page, err := cloud.Call(ctx, at, k.jobs(at.Region).ListJobs, in)
		if err != nil {
			return nil, fmt.Errorf("list batch jobs: %w", err)
		}
		for i := range page.Jobs {
			job := &page.Jobs[i]
			known, seen := out[aws.ToString(job.Description)]
			if !seen || aws.ToTime(job.CreationTime).After(aws.ToTime(known.CreationTime)) {
				out[aws.ToString(job.Description)] = job
			}
		}
		if page.NextToken == nil {
			return out, nil
		}
		in.NextToken = page.NextToken
	}
}

// state judges a job. One that runs is in place: a big bucket takes hours, and
// nothing else has to wait for it but what would archive the objects.
func (k keeper) state(ctx context.Context, at cloud.At, item runbook.Item, job *types.JobListDescriptor, remembered string) (runbook.ItemState, error) {
	s := runbook.ItemState{Found: true, Have: map[string]string{copied: "true", "remembered": remembered}, Out: map[string]string{}}
	if job == nil {
		s.Found = remembered == item.Want["remembered"]
		s.Out["done"] = "true" // so long ago that AWS has forgotten it
		return s, nil
	}
	s.Out["job"] = aws.ToString(job.JobId)
	switch job.Status {
	case types.JobStatusComplete:
		if p := job.ProgressSummary; p != nil && aws.ToInt64(p.NumberOfTasksFailed) > 0 {
			s.Have[copied] = fmt.Sprintf("%d of %d versions failed", aws.ToInt64(p.NumberOfTasksFailed), aws.ToInt64(p.TotalNumberOfTasks))
			return s, nil
		}
		s.Out["done"] = "true"
	case types.JobStatusFailed:
		why, err := k.failure(ctx, at, item, job)
		if err != nil {
			return s, err
		}
		if why == "" {
			s.Out["done"] = "true"
			return s, nil
		}
		s.Have[copied] = why
	case types.JobStatusCancelled, types.JobStatusCancelling, types.JobStatusFailing:
		s.Have[copied] = strings.ToLower(string(job.Status))
	case types.JobStatusActive, types.JobStatusCompleting, types.JobStatusNew, types.JobStatusPaused, types.JobStatusPausing,
		types.JobStatusPreparing, types.JobStatusReady, types.JobStatusSuspended:
	}
	return s, nil
}

// failure says why a job failed; "" when there was nothing to copy, which AWS
// calls a failure and tells apart from others by its text only.
func (k keeper) failure(ctx context.Context, at cloud.At, item runbook.Item, job *types.JobListDescriptor) (string, error) {
	out, err := cloud.Call(ctx, at, k.jobs(at.Region).DescribeJob, &sdk.DescribeJobInput{AccountId: aws.String(item.Want[account]), JobId: job.JobId})
	if err != nil {
		return "", err
	}
	why := []string{"failed"}
	for _, f := range out.Job.FailureReasons {
		reason := aws.ToString(f.FailureReason)
		if strings.Contains(strings.ToLower(reason), "no keys matching") {
			return "", nil
		}
		why = append(why, reason)
	}
	return strings.Join(why, ": "), nil
}

func (k keeper) tags(ctx context.Context, at cloud.At, bucket string) ([]s3types.Tag, error) {
	out, err := cloud.Call(ctx, at, k.buckets(at.Region).GetBucketTagging, &s3.GetBucketTaggingInput{Bucket: aws.String(bucket)})
	var api smithy.APIError
	if errors.As(err, &api) && (api.ErrorCode() == "NoSuchTagSet" || api.ErrorCode() == "NoSuchBucket") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return out.TagSet, nil
}

func valueOf(tags []s3types.Tag, key string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == key {
			return aws.ToString(t.Value)
		}
	}
	return ""
}
