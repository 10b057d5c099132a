package s3control

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// fake is S3 Control and the tags of one bucket.
type fake struct {
	cloudtest.Service
	jobs    []types.JobListDescriptor
	created []*sdk.CreateJobInput
	why     string
	tags    []s3types.Tag
}

func (f *fake) ListJobs(ctx context.Context, _ *sdk.ListJobsInput, _ ...func(*sdk.Options)) (*sdk.ListJobsOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "ListJobs", func() (*sdk.ListJobsOutput, error) { return &sdk.ListJobsOutput{Jobs: f.jobs}, nil })
}

func (f *fake) DescribeJob(ctx context.Context, _ *sdk.DescribeJobInput, _ ...func(*sdk.Options)) (*sdk.DescribeJobOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "DescribeJob", func() (*sdk.DescribeJobOutput, error) {
		return &sdk.DescribeJobOutput{Job: &types.JobDescriptor{FailureReasons: []types.JobFailure{{FailureReason: aws.String(f.why)}}}}, nil
	})
}

func (f *fake) CreateJob(ctx context.Context, in *sdk.CreateJobInput, _ ...func(*sdk.Options)) (*sdk.CreateJobOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "CreateJob", func() (*sdk.CreateJobOutput, error) {
		f.created = append(f.created, in)
		f.jobs = append(f.jobs, f.job(types.JobStatusNew, in, len(f.created)))
		return &sdk.CreateJobOutput{JobId: aws.String("job")}, nil
	})
}

// job is a job of an input as lists show it; later ones are newer.
func (f *fake) job(status types.JobStatus, in *sdk.CreateJobInput, n int) types.JobListDescriptor {
	return types.JobListDescriptor{
		JobId: aws.String("job"), Description: in.Description, Status: status, CreationTime: aws.Time(time.Unix(int64(n), 0)),
		ProgressSummary: &types.JobProgressSummary{TotalNumberOfTasks: aws.Int64(5)},
	}
}

func (f *fake) GetBucketTagging(ctx context.Context, _ *s3.GetBucketTaggingInput, _ ...func(*s3.Options)) (*s3.GetBucketTaggingOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "GetBucketTagging", func() (*s3.GetBucketTaggingOutput, error) {
		if len(f.tags) == 0 {
			return nil, cloudtest.Refuse("NoSuchTagSet", "none")
		}
		return &s3.GetBucketTaggingOutput{TagSet: f.tags}, nil
	})
}

func (f *fake) PutBucketTagging(ctx context.Context, in *s3.PutBucketTaggingInput, _ ...func(*s3.Options)) (*s3.PutBucketTaggingOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "PutBucketTagging", func() (*s3.PutBucketTaggingOutput, error) {
		f.tags = in.Tagging.TagSet
		return &s3.PutBucketTaggingOutput{}, nil
	})
}

func item() runbook.Item {
	return runbook.Item{Area: runbook.AreaStorage, Type: "s3-batch-replication", Name: "from", Region: "us-east-1", Want: map[string]string{
		copied: "true", "remembered": "to", account: "123456789012", role: "arn:aws:iam::123456789012:role/r", tag + "app": "records",
	}}
}

func newFake() *fake { return &fake{Service: cloudtest.Service{ID: "S3 Control"}} }

func converge(t *testing.T, f *fake) runbook.ItemResult {
	t.Helper()
	book, err := keep.NewBook(keepers(func(plan.Region) SetupAPI { return f }, func(plan.Region) BucketAPI { return f })...)
	require.NoError(t, err)
	out, err := book.Converge(t.Context(), []runbook.Item{item()}, true)
	require.NoError(t, err)
	return out[0]
}

func TestBatch_StartsOnceAndIsInPlaceWhileItRuns(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.tags = []s3types.Tag{{Key: aws.String("theirs"), Value: aws.String("x")}}
	r := converge(t, f)
	require.Equal(t, runbook.Created, r.Verdict, r.Why)
	require.Empty(t, r.Out["done"], "what archives objects has to wait")
	require.Len(t, f.tags, 2)
	require.Equal(t, "records", *f.created[0].Tags[0].Value)

	f.jobs[0].Status = types.JobStatusActive
	require.Equal(t, runbook.InPlace, converge(t, f).Verdict)
	f.jobs[0].Status = types.JobStatusComplete
	r = converge(t, f)
	require.Equal(t, runbook.InPlace, r.Verdict)
	require.Equal(t, "true", r.Out["done"])

	f.jobs = nil // 90 days later
	r = converge(t, f)
	require.Equal(t, runbook.InPlace, r.Verdict)
	require.Equal(t, "true", r.Out["done"])
	require.Len(t, f.created, 1)
}

func TestBatch_EmptyBucket_IsDoneThoughAWSCallsItFailed(t *testing.T) {
	t.Parallel()
	f := newFake()
	converge(t, f)
	f.jobs[0].Status, f.why = types.JobStatusFailed, "Manifest generation found no keys matching the filter criteria."
	r := converge(t, f)
	require.Equal(t, runbook.InPlace, r.Verdict)
	require.Equal(t, "true", r.Out["done"])
}

func TestBatch_JobThatCopiedNotAll_IsFollowedByAnother(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*fake){
		"2 of 5 versions failed": func(f *fake) {
			f.jobs[0].Status = types.JobStatusComplete
			f.jobs[0].ProgressSummary.NumberOfTasksFailed = aws.Int64(2)
		},
		"failed: role not usable": func(f *fake) { f.jobs[0].Status, f.why = types.JobStatusFailed, "role not usable" },
		"cancelled":               func(f *fake) { f.jobs[0].Status = types.JobStatusCancelled },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			converge(t, f)
			spoil(f)
			r := converge(t, f)
			require.Equal(t, runbook.Changed, r.Verdict)
			require.Equal(t, name, r.Changes[0].Have)
			require.Len(t, f.created, 2)
			require.NotEqual(t, f.created[0].ClientRequestToken, f.created[1].ClientRequestToken)
		})
	}
}

func TestBatch_LostAnswer_AsksWithTheSameToken(t *testing.T) {
	t.Parallel()
	first, again := job(item(), ""), job(item(), "")
	require.Equal(t, *first.ClientRequestToken, *again.ClientRequestToken)
	f := newFake()
	f.Next("CreateJob", cloudtest.Lost())
	r := converge(t, f)
	require.True(t, r.Verdict.Good(), r.Why)
	require.Len(t, f.created, 1)
	require.Equal(t, "to", valueOf(f.tags, memory), "remembered though the answer was lost")
}

// seen keeps the last request and answers nothing.
type seen struct{ host, account string }

func (s *seen) RoundTrip(r *http.Request) (*http.Response, error) {
	s.host, s.account = r.URL.Host, r.Header.Get("X-Amz-Account-Id")
	return nil, http.ErrHandlerTimeout
}

func TestClient_AnAddressTakesNoAccountInFront(t *testing.T) {
	t.Parallel()
	for endpoint, host := range map[string]string{
		"http://127.0.0.1:4566":        "127.0.0.1:4566",
		"http://localhost:4566":        "localhost:4566",
		"https://control.vpce.example": "123456789012.control.vpce.example",
		"":                             "123456789012.s3-control.us-west-2.amazonaws.com",
	} {
		s := &seen{}
		cfg := aws.Config{Region: "us-west-2", HTTPClient: &http.Client{Transport: s}, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("AKIA", "x", "")}
		if endpoint != "" {
			cfg.BaseEndpoint = aws.String(endpoint)
		}
		_, err := client(cfg).ListJobs(t.Context(), &sdk.ListJobsInput{AccountId: aws.String("123456789012")})
		require.Error(t, err)
		require.Equal(t, host, s.host)
		require.Equal(t, "123456789012", s.account)
	}
	_, err := asGiven{"http://[::1"}.ResolveEndpoint(t.Context(), sdk.EndpointParameters{})
	require.Error(t, err)
}
