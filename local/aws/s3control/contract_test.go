package s3control_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	buckets "lifeline/local/aws/s3"
	sim "lifeline/local/aws/s3control"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

const (
	east    = "us-east-1"
	west    = "us-west-2"
	account = "123456789012"
)

// estate is S3 and S3 Control on one endpoint, as in production.
type estate struct {
	t     *testing.T
	world *world.World
	s3    *buckets.S3
	url   string
}

func newEstate(t *testing.T) *estate {
	t.Helper()
	const compression = 500
	w := world.New(world.Options{Compression: compression})
	t.Cleanup(w.Close)
	store := buckets.New(w, buckets.Options{})
	server := httptest.NewServer(wire.NewServer(w, sim.New(w, store, sim.Options{}).Wire(), store.Wire()))
	t.Cleanup(server.Close)
	e := &estate{t: t, world: w, s3: store, url: server.URL}
	for region, name := range map[string]string{east: "from-east", west: "to-west"} {
		e.bucket(region, name)
	}
	return e
}

func (e *estate) config(region string) aws.Config {
	// The SDK puts the account's number before the host, which no resolver knows;
	// so every name is dialled at the one address.
	address := strings.TrimPrefix(e.url, "http://")
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}
	return aws.Config{
		Region: region, BaseEndpoint: &e.url, RetryMaxAttempts: 1, HTTPClient: &http.Client{Transport: &http.Transport{DialContext: dial}},
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	}
}

func (e *estate) control(region string) *s3control.Client {
	return s3control.NewFromConfig(e.config(region))
}

func (e *estate) objects(region string) *s3.Client {
	return s3.NewFromConfig(e.config(region), func(o *s3.Options) { o.UsePathStyle = true })
}

func (e *estate) bucket(region, name string) {
	e.t.Helper()
	in := &s3.CreateBucketInput{Bucket: &name}
	if region != east {
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(region)}
	}
	_, err := e.objects(region).CreateBucket(e.t.Context(), in)
	require.NoError(e.t, err)
	e.versioning(region, name, s3types.BucketVersioningStatusEnabled)
}

func (e *estate) versioning(region, name string, status s3types.BucketVersioningStatus) {
	e.t.Helper()
	_, err := e.objects(region).PutBucketVersioning(e.t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &name, VersioningConfiguration: &s3types.VersioningConfiguration{Status: status},
	})
	require.NoError(e.t, err)
}

func (e *estate) put(key string, class s3types.StorageClass) {
	e.t.Helper()
	_, err := e.objects(east).PutObject(e.t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("from-east"), Key: &key, Body: strings.NewReader("body of " + key), StorageClass: class,
	})
	require.NoError(e.t, err)
}

func (e *estate) replicate() {
	e.t.Helper()
	_, err := e.objects(east).PutBucketReplication(e.t.Context(), &s3.PutBucketReplicationInput{
		Bucket: aws.String("from-east"), ReplicationConfiguration: &s3types.ReplicationConfiguration{
			Role: aws.String("arn:aws:iam::123456789012:role/replication"),
			Rules: []s3types.ReplicationRule{{
				Status: s3types.ReplicationRuleStatusEnabled, Priority: aws.Int32(1), Filter: &s3types.ReplicationRuleFilter{Prefix: aws.String("")},
				DeleteMarkerReplication: &s3types.DeleteMarkerReplication{Status: s3types.DeleteMarkerReplicationStatusDisabled},
				Destination:             &s3types.Destination{Bucket: aws.String("arn:aws:s3:::to-west")},
			}},
		},
	})
	require.NoError(e.t, err)
}

// job asks for what Lifeline asks for: everything that a rule covers, once.
func job() *s3control.CreateJobInput {
	return &s3control.CreateJobInput{
		AccountId: aws.String(account), Priority: aws.Int32(10), RoleArn: aws.String("arn:aws:iam::123456789012:role/batch"),
		ConfirmationRequired: aws.Bool(false), Description: aws.String("what was there before"),
		Operation: &types.JobOperation{S3ReplicateObject: &types.S3ReplicateObjectOperation{}},
		Report: &types.JobReport{
			Enabled: true, Bucket: aws.String("arn:aws:s3:::from-east"), Prefix: aws.String("reports"),
			Format: types.JobReportFormatReportCsv20180820, ReportScope: types.JobReportScopeAllTasks,
		},
		ManifestGenerator: &types.JobManifestGeneratorMemberS3JobManifestGenerator{Value: types.S3JobManifestGenerator{
			SourceBucket: aws.String("arn:aws:s3:::from-east"), EnableManifestOutput: false,
			Filter: &types.JobManifestGeneratorFilter{
				EligibleForReplication:    aws.Bool(true),
				ObjectReplicationStatuses: []types.ReplicationStatus{types.ReplicationStatusNone, types.ReplicationStatusFailed},
			},
		}},
	}
}

func (e *estate) create(in *s3control.CreateJobInput) string {
	e.t.Helper()
	out, err := e.control(east).CreateJob(e.t.Context(), in)
	require.NoError(e.t, err)
	return *out.JobId
}

func (e *estate) describe(id string) *types.JobDescriptor {
	e.t.Helper()
	out, err := e.control(east).DescribeJob(e.t.Context(), &s3control.DescribeJobInput{AccountId: aws.String(account), JobId: &id})
	require.NoError(e.t, err)
	return out.Job
}

func (e *estate) becomes(id string, status types.JobStatus) *types.JobDescriptor {
	e.t.Helper()
	var last *types.JobDescriptor
	require.Eventually(e.t, func() bool {
		last = e.describe(id)
		return last.Status == status
	}, 10*time.Second, 2*time.Millisecond, "the job never became %s", status)
	return last
}

func code(t *testing.T, err error) string {
	t.Helper()
	var refused smithy.APIError
	require.ErrorAs(t, err, &refused)
	return refused.ErrorCode()
}

func TestCreateJob_CopiesWhatWasThereBeforeTheRule(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	const objects = 3
	for i := range objects {
		e.put(fmt.Sprintf("before-%d", i), "")
	}
	e.put("cold", s3types.StorageClassGlacier)
	e.replicate()
	_, there := e.s3.Object("to-west", "before-0")
	require.False(t, there, "a rule copies new versions only")

	in := job()
	in.ClientRequestToken = aws.String("token-1")
	id := e.create(in)
	require.Equal(t, id, e.create(in), "the same token is the same job")
	done := e.becomes(id, types.JobStatusComplete)
	require.Equal(t, int64(objects), *done.ProgressSummary.TotalNumberOfTasks)
	require.Equal(t, int64(objects), *done.ProgressSummary.NumberOfTasksSucceeded)
	require.Zero(t, *done.ProgressSummary.NumberOfTasksFailed)
	require.NotNil(t, done.TerminationDate)
	for i := range objects {
		key := fmt.Sprintf("before-%d", i)
		o, there := e.s3.Object("to-west", key)
		require.True(t, there)
		require.Equal(t, "body of "+key, string(o.Body))
		require.Equal(t, "REPLICA", o.Replication)
		require.Equal(t, "COMPLETED", e.s3.Status("from-east", key))
	}
	_, there = e.s3.Object("to-west", "cold")
	require.False(t, there, "archived objects can't be copied")
	report, there := e.s3.Object("from-east", "reports/job-"+id+"/results/report.csv")
	require.True(t, there)
	require.Equal(t, objects, strings.Count(string(report.Body), "succeeded"))

	list, err := e.control(east).ListJobs(t.Context(), &s3control.ListJobsInput{AccountId: aws.String(account), JobStatuses: []types.JobStatus{types.JobStatusComplete}})
	require.NoError(t, err)
	require.Len(t, list.Jobs, 1)
	require.Equal(t, types.OperationNameS3ReplicateObject, list.Jobs[0].Operation)
	elsewhere, err := e.control(west).ListJobs(t.Context(), &s3control.ListJobsInput{AccountId: aws.String(account)})
	require.NoError(t, err)
	require.Empty(t, elsewhere.Jobs)
}

func TestCreateJob_DestinationLostItsVersions_IsCompleteWithFailures(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.put("k", "")
	e.replicate()
	e.versioning(west, "to-west", s3types.BucketVersioningStatusSuspended)
	quiet := func() *s3control.CreateJobInput {
		in := job()
		in.Report = &types.JobReport{} // a report in the source bucket would be one more object
		return in
	}
	done := e.becomes(e.create(quiet()), types.JobStatusComplete)
	require.Equal(t, int64(1), *done.ProgressSummary.NumberOfTasksFailed)
	require.Equal(t, "FAILED", e.s3.Status("from-east", "k"))

	e.versioning(west, "to-west", s3types.BucketVersioningStatusEnabled)
	done = e.becomes(e.create(quiet()), types.JobStatusComplete)
	require.Equal(t, int64(1), *done.ProgressSummary.NumberOfTasksSucceeded, "a second job takes what failed")
}

func TestCreateJob_CutNetwork_WaitsAndGoesOn(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.put("k", "")
	e.replicate()
	e.world.Inject(world.Fault{ID: "cut", Kind: world.Partition, Region: east, Peer: west})
	id := e.create(job())
	e.becomes(id, types.JobStatusActive)
	require.Zero(t, *e.describe(id).ProgressSummary.NumberOfTasksSucceeded)
	e.world.Remove("cut")
	e.becomes(id, types.JobStatusComplete)
}

func TestCreateJob_NothingToCopy_Fails(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.replicate()
	failed := e.becomes(e.create(job()), types.JobStatusFailed)
	require.Contains(t, *failed.FailureReasons[0].FailureReason, "no keys")
}

func TestUpdateJobStatus_ConfirmsAndCancels(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.put("k", "")
	e.replicate()
	wait := func() string {
		in := job()
		in.ConfirmationRequired = aws.Bool(true)
		id := e.create(in)
		e.becomes(id, types.JobStatusSuspended)
		return id
	}
	update := func(id string, to types.RequestedJobStatus) error {
		_, err := e.control(east).UpdateJobStatus(t.Context(), &s3control.UpdateJobStatusInput{AccountId: aws.String(account), JobId: &id, RequestedJobStatus: to})
		return err
	}
	first, second := wait(), wait()
	require.NoError(t, update(first, types.RequestedJobStatusReady))
	e.becomes(first, types.JobStatusComplete)
	require.NoError(t, update(second, types.RequestedJobStatusCancelled))
	e.becomes(second, types.JobStatusCancelled)
	require.Equal(t, "JobStatusException", code(t, update(second, types.RequestedJobStatusReady)))
	require.Equal(t, "NotFoundException", code(t, update("no-such-job", types.RequestedJobStatusReady)))
}

func TestCreateJob_Refusals(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	create := func(region string, change func(*s3control.CreateJobInput)) error {
		in := job()
		change(in)
		_, err := e.control(region).CreateJob(t.Context(), in)
		return err
	}
	require.Equal(t, "InvalidRequestException", code(t, create(east, func(*s3control.CreateJobInput) {})), "a bucket that replicates nothing")
	e.replicate()
	require.Equal(t, "InvalidRequestException", code(t, create(west, func(*s3control.CreateJobInput) {})), "a bucket of another Region")
	require.Equal(t, "AccessDenied", code(t, create(east, func(in *s3control.CreateJobInput) { in.AccountId = aws.String("210987654321") })))
	require.Equal(t, "BadRequestException", code(t, create(east, func(in *s3control.CreateJobInput) { in.RoleArn = aws.String("batch") })))
	require.Equal(t, "BadRequestException", code(t, create(east, func(in *s3control.CreateJobInput) { in.Report.Bucket = nil })))
	require.Equal(t, "BadRequestException", code(t, create(east, func(in *s3control.CreateJobInput) {
		in.Operation = &types.JobOperation{S3DeleteObjectTagging: &types.S3DeleteObjectTaggingOperation{}}
	})))
	require.NoError(t, create(east, func(in *s3control.CreateJobInput) { in.ClientRequestToken = aws.String("t") }))
	require.Equal(t, "IdempotencyException", code(t, create(east, func(in *s3control.CreateJobInput) {
		in.ClientRequestToken, in.Priority = aws.String("t"), aws.Int32(1)
	})))
}

func TestPublicAccessBlock_OfTheAccount(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	c := e.control(west)
	get := func() (*s3control.GetPublicAccessBlockOutput, error) {
		return c.GetPublicAccessBlock(t.Context(), &s3control.GetPublicAccessBlockInput{AccountId: aws.String(account)})
	}
	put := func() error {
		_, err := c.PutPublicAccessBlock(t.Context(), &s3control.PutPublicAccessBlockInput{
			AccountId: aws.String(account), PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{RestrictPublicBuckets: aws.Bool(true)},
		})
		return err
	}
	_, err := get()
	require.Equal(t, "NoSuchPublicAccessBlockConfiguration", code(t, err))
	require.NoError(t, put())
	out, err := get()
	require.NoError(t, err)
	require.True(t, *out.PublicAccessBlockConfiguration.RestrictPublicBuckets)
	require.False(t, *out.PublicAccessBlockConfiguration.BlockPublicPolicy)
	e.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	require.Equal(t, "ServiceUnavailable", code(t, put()))
	_, err = c.DeletePublicAccessBlock(t.Context(), &s3control.DeletePublicAccessBlockInput{AccountId: aws.String(account)})
	require.Equal(t, "ServiceUnavailable", code(t, err))
	e.world.Heal(east)
	_, err = c.DeletePublicAccessBlock(t.Context(), &s3control.DeletePublicAccessBlockInput{AccountId: aws.String(account)})
	require.NoError(t, err)
}

// A host name instead of an address: the account's number stands where S3 has
// the bucket's name.
func TestEndpoint_ByName_IsNotTakenForABucket(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.url = strings.Replace(e.url, "127.0.0.1", "localhost", 1)
	conf := e.config(east)
	address := strings.TrimPrefix(strings.Replace(e.url, "localhost", "127.0.0.1", 1), "http://")
	conf.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}}}
	out, err := s3control.NewFromConfig(conf).ListJobs(t.Context(), &s3control.ListJobsInput{AccountId: aws.String(account)})
	require.NoError(t, err)
	require.Empty(t, out.Jobs)
}
