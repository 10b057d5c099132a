package s3control

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3control"
	"github.com/google/uuid"

	"lifeline/local/aws/s3"
	"lifeline/local/aws/wire"
)

// job is one Batch Operations job.
type job struct {
	region, id string
	in         *sdk.CreateJobInput
	created    time.Time
	ended      time.Time
	status     string
	why        string // of the caller, for the last change
	suspended  time.Time
	active     time.Time
	failure    *sdk.JobFailure
	manifest   *sdk.S3GeneratedManifestDescriptor
	tasks      []task
	left       int // tasks under way
}

// task is one version that a job copies.
type task struct {
	s3.Existing
	done, copied bool
	problem      string
}

// CreateJob makes a job that replicates what a bucket already holds.
func (s *S3Control) CreateJob(c *wire.Call, in *sdk.CreateJobInput) (*sdk.CreateJobOutput, error) {
	if err := s.own(in.AccountId); err != nil {
		return nil, err
	}
	if err := s.checkJob(c.Region, in); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, old := range s.jobs {
		if old.region != c.Region || in.ClientRequestToken == nil || aws.StringValue(old.in.ClientRequestToken) != *in.ClientRequestToken {
			continue
		}
		if old.in.String() != in.String() {
			return nil, refuse(http.StatusConflict, sdk.ErrCodeIdempotencyException, "The token was used for another job")
		}
		return &sdk.CreateJobOutput{JobId: aws.String(old.id)}, nil
	}
	j := &job{region: c.Region, id: uuid.NewString(), in: clone(in), created: s.world.Now(), status: sdk.JobStatusNew}
	s.jobs = append(s.jobs, j)
	s.world.After(0, func() { s.advance(j, sdk.JobStatusNew, func() { s.prepare(j) }) })
	return &sdk.CreateJobOutput{JobId: aws.String(j.id)}, nil
}

func (s *S3Control) checkJob(region string, in *sdk.CreateJobInput) error {
	const lowest, highest = 0, 1<<31 - 1
	generator := in.ManifestGenerator
	switch {
	case in.Operation.S3ReplicateObject == nil:
		return badRequest("Request invalid: the simulated S3 Control replicates objects and does nothing else")
	case in.Manifest != nil:
		return badRequest("Request invalid: the simulated S3 Control makes its manifests itself")
	case generator == nil || generator.S3JobManifestGenerator == nil:
		return invalid("Either a manifest or a manifest generator must be provided")
	case *in.Priority < lowest || *in.Priority > highest:
		return badRequest("Request invalid: priority must be between %d and %d", lowest, highest)
	case !strings.Contains(*in.RoleArn, ":role/"):
		return badRequest("Request invalid: Invalid role arn")
	case aws.BoolValue(in.Report.Enabled) && (in.Report.Bucket == nil || in.Report.Format == nil || in.Report.ReportScope == nil):
		return badRequest("Request invalid: Bucket, Format and ReportScope are required when the report is enabled")
	case aws.BoolValue(generator.S3JobManifestGenerator.EnableManifestOutput) && generator.S3JobManifestGenerator.ManifestOutputLocation == nil:
		return badRequest("Request invalid: ManifestOutputLocation is required when manifest output is enabled")
	}
	if _, err := s.buckets.Existing(region, s3.BucketOf(generator.S3JobManifestGenerator.SourceBucket)); err != nil {
		return invalid("Source bucket can't be replicated: %v", err)
	}
	return nil
}

// find gives a job of the Region that is called; s.mu is held.
func (s *S3Control) find(region string, id *string) (*job, error) {
	for _, j := range s.jobs {
		if j.region == region && j.id == aws.StringValue(id) {
			return j, nil
		}
	}
	return nil, refuse(http.StatusNotFound, sdk.ErrCodeNotFoundException, "The specified job does not exist")
}

// DescribeJob tells how far a job is.
func (s *S3Control) DescribeJob(c *wire.Call, in *sdk.DescribeJobInput) (*sdk.DescribeJobOutput, error) {
	if err := s.own(in.AccountId); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	j, err := s.find(c.Region, in.JobId)
	if err != nil {
		return nil, err
	}
	out := &sdk.JobDescriptor{
		JobId: aws.String(j.id), JobArn: aws.String(fmt.Sprintf("arn:aws:s3:%s:%s:job/%s", j.region, s.world.Account(), j.id)),
		Status: aws.String(j.status), CreationTime: aws.Time(j.created), Priority: j.in.Priority, Description: j.in.Description,
		RoleArn: j.in.RoleArn, Operation: clone(j.in.Operation), ManifestGenerator: clone(j.in.ManifestGenerator), Report: clone(j.in.Report),
		ConfirmationRequired: aws.Bool(aws.BoolValue(j.in.ConfirmationRequired)), ProgressSummary: s.progress(j),
		GeneratedManifestDescriptor: clone(j.manifest),
	}
	if j.failure != nil {
		out.FailureReasons = []*sdk.JobFailure{clone(j.failure)}
	}
	if j.why != "" {
		out.StatusUpdateReason = aws.String(j.why)
	}
	if !j.suspended.IsZero() {
		out.SuspendedDate, out.SuspendedCause = aws.Time(j.suspended), aws.String("AwaitingConfirmation")
	}
	if !j.ended.IsZero() {
		out.TerminationDate = aws.Time(j.ended)
	}
	return &sdk.DescribeJobOutput{Job: out}, nil
}

func (s *S3Control) progress(j *job) *sdk.JobProgressSummary {
	var good, bad int64
	for _, t := range j.tasks {
		switch {
		case t.copied:
			good++
		case t.done:
			bad++
		}
	}
	out := &sdk.JobProgressSummary{
		TotalNumberOfTasks: aws.Int64(int64(len(j.tasks))), NumberOfTasksSucceeded: aws.Int64(good), NumberOfTasksFailed: aws.Int64(bad),
	}
	if !j.active.IsZero() {
		until := j.ended
		if until.IsZero() {
			until = s.world.Now()
		}
		seconds := until.Sub(j.active).Seconds() * s.world.Compression()
		out.Timers = &sdk.JobTimers{ElapsedTimeInActiveSeconds: aws.Int64(int64(seconds))}
	}
	return out
}

// ListJobs lists the Region's jobs, newest first.
func (s *S3Control) ListJobs(c *wire.Call, in *sdk.ListJobsInput) (*sdk.ListJobsOutput, error) {
	if err := s.own(in.AccountId); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*sdk.JobListDescriptor
	wanted := aws.StringValueSlice(in.JobStatuses)
	for _, j := range s.jobs {
		if j.region != c.Region || (len(wanted) > 0 && !slices.Contains(wanted, j.status)) {
			continue
		}
		one := &sdk.JobListDescriptor{
			JobId: aws.String(j.id), CreationTime: aws.Time(j.created), Description: j.in.Description, Status: aws.String(j.status),
			Operation: aws.String(sdk.OperationNameS3replicateObject), Priority: j.in.Priority, ProgressSummary: s.progress(j),
		}
		if !j.ended.IsZero() {
			one.TerminationDate = aws.Time(j.ended)
		}
		found = append(found, one)
	}
	slices.Reverse(found)
	order := map[string]string{}
	for i, j := range found {
		order[*j.JobId] = fmt.Sprintf("%08d", i)
	}
	page, next, err := wire.Paginate(wire.Page{Token: in.NextToken, Size: in.MaxResults, SizeName: "maxResults", Min: 1, Max: 1000, Default: 1000},
		found, func(j *sdk.JobListDescriptor) string { return order[*j.JobId] })
	return &sdk.ListJobsOutput{Jobs: page, NextToken: next}, err
}

// UpdateJobStatus confirms a job that waits for it, or cancels one that hasn't ended.
func (s *S3Control) UpdateJobStatus(c *wire.Call, in *sdk.UpdateJobStatusInput) (*sdk.UpdateJobStatusOutput, error) {
	if err := s.own(in.AccountId); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	j, err := s.find(c.Region, in.JobId)
	if err != nil {
		return nil, err
	}
	switch ready := *in.RequestedJobStatus == sdk.RequestedJobStatusReady; {
	case ready && j.status == sdk.JobStatusSuspended:
		s.ready(j)
	case !ready && j.ended.IsZero() && j.status != sdk.JobStatusCompleting:
		s.cancel(j)
	default:
		return nil, refuse(http.StatusBadRequest, sdk.ErrCodeJobStatusException, "Job %s is %s and can't become %s", j.id, j.status, *in.RequestedJobStatus)
	}
	j.why = aws.StringValue(in.StatusUpdateReason)
	return &sdk.UpdateJobStatusOutput{JobId: aws.String(j.id), Status: aws.String(j.status), StatusUpdateReason: in.StatusUpdateReason}, nil
}
