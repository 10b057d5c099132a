package s3control

import (
	"crypto/md5" // what an ETag is
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3control"

	"lifeline/local/aws/s3"
)

// patience is how long a job in a dark Region waits before it looks again, in
// AWS time.
const patience = 10 * time.Second

// advance runs the next part of a job under the lock, if the job is still in the
// status that it waited in. A job in a dark Region stands still.
func (s *S3Control) advance(j *job, from string, next func()) {
	if s.world.Dark(j.region) {
		s.world.After(patience, func() { s.advance(j, from, next) })
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.status == from {
		next()
	}
}

// later moves a job on after some AWS time; s.mu is held.
func (s *S3Control) later(d time.Duration, j *job, next func()) {
	from := j.status
	s.world.After(d, func() { s.advance(j, from, next) })
}

// prepare lists the bucket; s.mu is held.
func (s *S3Control) prepare(j *job) {
	j.status = sdk.JobStatusPreparing
	s.later(s.options.Prepare, j, func() {
		if problem := s.list(j); problem != nil {
			j.failure, j.status, j.ended = problem, sdk.JobStatusFailed, s.world.Now()
			return
		}
		if aws.BoolValue(j.in.ConfirmationRequired) {
			j.status, j.suspended = sdk.JobStatusSuspended, s.world.Now()
			return
		}
		s.ready(j)
	})
}

// list makes the tasks of a job and, when asked, writes the manifest.
func (s *S3Control) list(j *job) *sdk.JobFailure {
	generator := j.in.ManifestGenerator.S3JobManifestGenerator
	all, err := s.buckets.Existing(j.region, s3.BucketOf(generator.SourceBucket))
	if err != nil {
		return &sdk.JobFailure{FailureCode: aws.String("ManifestGenerationFailed"), FailureReason: aws.String(err.Error())}
	}
	for _, e := range all {
		if chosen(generator.Filter, e) {
			j.tasks = append(j.tasks, task{Existing: e})
		}
	}
	if len(j.tasks) == 0 {
		return &sdk.JobFailure{
			FailureCode:   aws.String("ManifestGenerationFailed"),
			FailureReason: aws.String("Manifest generation found no keys matching the filter criteria."),
		}
	}
	if !aws.BoolValue(generator.EnableManifestOutput) {
		return nil
	}
	return s.writeManifest(j, generator.ManifestOutputLocation)
}

// chosen says whether a job's filter takes a version; without a filter every
// version is taken.
func chosen(f *sdk.JobManifestGeneratorFilter, e s3.Existing) bool {
	if f == nil {
		return true
	}
	in := func(list []*string, v string) bool {
		return len(list) == 0 || slices.Contains(aws.StringValueSlice(list), v)
	}
	return (f.EligibleForReplication == nil || *f.EligibleForReplication == e.Eligible) &&
		(f.CreatedAfter == nil || e.Modified.After(*f.CreatedAfter)) && (f.CreatedBefore == nil || e.Modified.Before(*f.CreatedBefore)) &&
		(f.ObjectSizeGreaterThanBytes == nil || int64(e.Size) > *f.ObjectSizeGreaterThanBytes) &&
		(f.ObjectSizeLessThanBytes == nil || int64(e.Size) < *f.ObjectSizeLessThanBytes) &&
		in(f.ObjectReplicationStatuses, e.Status) && in(f.MatchAnyStorageClass, e.Class) && named(f.KeyNameConstraint, e.Key)
}

func named(k *sdk.KeyNameConstraint, key string) bool {
	if k == nil {
		return true
	}
	anyOf := func(list []*string, match func(s, part string) bool) bool {
		return len(list) == 0 || slices.ContainsFunc(list, func(part *string) bool { return match(key, *part) })
	}
	return anyOf(k.MatchAnyPrefix, strings.HasPrefix) && anyOf(k.MatchAnySubstring, strings.Contains) && anyOf(k.MatchAnySuffix, strings.HasSuffix)
}

// ready lets a job start; s.mu is held.
func (s *S3Control) ready(j *job) {
	j.status = sdk.JobStatusReady
	s.later(s.options.Start, j, func() {
		j.status, j.active, j.left = sdk.JobStatusActive, s.world.Now(), len(j.tasks)
		for i := range j.tasks {
			s.world.After(0, func() { s.copyOne(j, i) })
		}
	})
}

// copyOne sends one version on its way, unless the job has been cancelled.
func (s *S3Control) copyOne(j *job, i int) {
	s.mu.Lock()
	t, active := j.tasks[i], j.status == sdk.JobStatusActive
	s.mu.Unlock()
	if !active {
		return
	}
	err := s.buckets.ReplicateExisting(t.Bucket, t.Key, t.Version, func(problem string) { s.finish(j, i, problem) })
	if err != nil {
		s.finish(j, i, err.Error())
	}
}

// finish counts a task. The last one ends the job.
func (s *S3Control) finish(j *job, i int, problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j.tasks[i].done, j.tasks[i].copied, j.tasks[i].problem = true, problem == "", problem
	j.left--
	if j.left > 0 || j.status != sdk.JobStatusActive {
		return
	}
	j.status = sdk.JobStatusCompleting
	s.later(s.options.Finish, j, func() {
		s.report(j)
		j.status, j.ended = sdk.JobStatusComplete, s.world.Now()
	})
}

// cancel ends a job; what is on its way still arrives. s.mu is held.
func (s *S3Control) cancel(j *job) {
	j.status = sdk.JobStatusCancelling
	s.later(s.options.Finish, j, func() {
		s.report(j)
		j.status, j.ended = sdk.JobStatusCancelled, s.world.Now()
	})
}

func (s *S3Control) writeManifest(j *job, to *sdk.S3ManifestOutputLocation) *sdk.JobFailure {
	var body strings.Builder
	for _, t := range j.tasks {
		fmt.Fprintf(&body, "%q,%q,%q\n", t.Bucket, t.Key, t.Version)
	}
	key := folder(to.ManifestPrefix) + "job-" + j.id + "/manifest.csv"
	etag, err := s.write(j, s3.BucketOf(to.Bucket), key, body.String())
	if err != nil {
		return &sdk.JobFailure{FailureCode: aws.String("ManifestGenerationFailed"), FailureReason: aws.String(err.Error())}
	}
	j.manifest = &sdk.S3GeneratedManifestDescriptor{
		Format: to.ManifestFormat, Location: &sdk.JobManifestLocation{ETag: &etag, ObjectArn: aws.String(*to.Bucket + "/" + key)},
	}
	return nil
}

// report writes the completion report, if one is wanted. A bucket that doesn't
// take it doesn't fail the job.
func (s *S3Control) report(j *job) {
	r := j.in.Report
	if !aws.BoolValue(r.Enabled) || len(j.tasks) == 0 {
		return
	}
	var body strings.Builder
	for _, t := range j.tasks {
		switch {
		case t.copied && *r.ReportScope == sdk.JobReportScopeAllTasks:
			fmt.Fprintf(&body, "%s,%s,%s,succeeded,200,,Successful\n", t.Bucket, t.Key, t.Version)
		case t.done && !t.copied:
			fmt.Fprintf(&body, "%s,%s,%s,failed,400,%s,%s\n", t.Bucket, t.Key, t.Version, t.problem, "Replication failed")
		}
	}
	if _, err := s.write(j, s3.BucketOf(r.Bucket), folder(r.Prefix)+"job-"+j.id+"/results/report.csv", body.String()); err != nil {
		s.world.Logger().Warn("completion report not written", "job", j.id, "error", err)
	}
}

func (s *S3Control) write(j *job, bucket, key, body string) (etag string, err error) {
	if err := s.buckets.PutObject(j.region, bucket, key, []byte(body)); err != nil {
		return "", fmt.Errorf("write %s: %w", key, err)
	}
	sum := md5.Sum([]byte(body)) // what an ETag is
	return hex.EncodeToString(sum[:]), nil
}

func folder(prefix *string) string {
	if p := strings.Trim(aws.StringValue(prefix), "/"); p != "" {
		return p + "/"
	}
	return ""
}
