package s3

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// fake is S3 in one Region.
type fake struct {
	cloudtest.Service
	objects map[string]string
	changes int
	// after runs after each put, as replication would.
	after func(key, body string)
	// torn makes bodies end too early.
	torn bool
}

func newFake() *fake {
	return &fake{Service: cloudtest.Service{ID: "S3"}, objects: map[string]string{}}
}

func steps(regions map[plan.Region]*fake) *Steps {
	return &Steps{Clients: func(r plan.Region) API { return regions[r] }, Now: time.Now}
}

func (f *fake) HeadObject(ctx context.Context, in *sdk.HeadObjectInput, _ ...func(*sdk.Options)) (*sdk.HeadObjectOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "HeadObject", func() (*sdk.HeadObjectOutput, error) {
		if _, exists := f.objects[*in.Bucket+"/"+*in.Key]; !exists {
			return nil, &types.NotFound{}
		}
		return &sdk.HeadObjectOutput{}, nil
	})
}

func (f *fake) GetObject(ctx context.Context, in *sdk.GetObjectInput, _ ...func(*sdk.Options)) (*sdk.GetObjectOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "GetObject", func() (*sdk.GetObjectOutput, error) {
		if aws.ToString(in.Bucket) == "missing" {
			return nil, cloudtest.Refuse("NoSuchBucket", "missing")
		}
		body, exists := f.objects[*in.Bucket+"/"+*in.Key]
		if !exists {
			return nil, &types.NoSuchKey{}
		}
		var r io.Reader = strings.NewReader(body)
		if f.torn {
			r = io.MultiReader(r, tear{})
		}
		return &sdk.GetObjectOutput{Body: io.NopCloser(r)}, nil
	})
}

type tear struct{}

func (tear) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func (f *fake) PutObject(ctx context.Context, in *sdk.PutObjectInput, _ ...func(*sdk.Options)) (*sdk.PutObjectOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "PutObject", func() (*sdk.PutObjectOutput, error) {
		body, err := io.ReadAll(in.Body)
		if err != nil {
			return nil, err
		}
		f.changes++
		f.objects[*in.Bucket+"/"+*in.Key] = string(body)
		if f.after != nil {
			f.after(*in.Key, string(body))
		}
		return &sdk.PutObjectOutput{}, nil
	})
}

func (f *fake) DeleteObject(ctx context.Context, in *sdk.DeleteObjectInput, _ ...func(*sdk.Options)) (*sdk.DeleteObjectOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "DeleteObject", func() (*sdk.DeleteObjectOutput, error) {
		f.changes++
		delete(f.objects, *in.Bucket+"/"+*in.Key)
		return &sdk.DeleteObjectOutput{}, nil
	})
}

func switchIn(dry bool) ObjectSwitch {
	return ObjectSwitch{
		Command: runbook.Command{DryRun: dry, Token: "t"}, Bucket: "switch", Key: "evacuate/us-east-1",
		Region: "us-west-2", Timeout: cloud.SuspectTimeout,
	}
}

func TestEvacuateByObject(t *testing.T) {
	t.Parallel()
	cloudtest.CheckChange(t, "s3:PutObject", func() cloudtest.Change {
		f := newFake()
		s := steps(map[plan.Region]*fake{"us-west-2": f})
		return cloudtest.Change{
			Service: &f.Service, Operation: "PutObject", Effects: func() int { return f.changes },
			Run: func(ctx context.Context, dry bool) (runbook.Outcome, error) {
				return s.EvacuateByObject(ctx, switchIn(dry))
			},
		}
	})
}

func TestReturnByObject(t *testing.T) {
	t.Parallel()
	cloudtest.CheckChange(t, "s3:DeleteObject", func() cloudtest.Change {
		f := newFake()
		f.objects["switch/evacuate/us-east-1"] = "evacuated"
		s := steps(map[plan.Region]*fake{"us-west-2": f})
		return cloudtest.Change{
			Service: &f.Service, Operation: "DeleteObject", Effects: func() int { return f.changes },
			Run: func(ctx context.Context, dry bool) (runbook.Outcome, error) {
				return s.ReturnByObject(ctx, switchIn(dry))
			},
		}
	})
}

func TestEvacuateByObject_UnreadableWorld_IsNotActedOn(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.Always("HeadObject", cloudtest.Code("Forbidden"))
	_, err := steps(map[plan.Region]*fake{"us-west-2": f}).EvacuateByObject(t.Context(), switchIn(false))
	require.Equal(t, cloud.Denied, cloud.KindOf(err))
	require.ErrorContains(t, err, "permission s3:GetObject or s3:ListBucket is missing")
	require.Zero(t, f.changes)
}

func TestMeasureBucketLag(t *testing.T) {
	t.Parallel()
	east, west := newFake(), newFake()
	s := steps(map[plan.Region]*fake{"us-east-1": east, "us-west-2": west})
	in := BucketLag{Region: "us-west-2", Of: "us-east-1", Bucket: "docs-usw2"}
	w, err := s.MeasureBucketLag(t.Context(), in)
	require.NoError(t, err)
	require.False(t, w.Found)
	require.False(t, w.Read.IsZero())

	s.Now = func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 7, time.UTC) }
	require.NoError(t, s.WriteBucketWatermark(t.Context(), BucketWatermark{Region: "us-east-1", Bucket: "docs-use1"}))
	west.objects["docs-usw2/lifeline/watermark/us-east-1"] = east.objects["docs-use1/lifeline/watermark/us-east-1"]
	w, err = s.MeasureBucketLag(t.Context(), in)
	require.NoError(t, err)
	require.True(t, w.Found)
	require.Equal(t, s.Now(), w.At)

	west.objects["docs-usw2/lifeline/watermark/us-east-1"] = "not a time"
	_, err = s.MeasureBucketLag(t.Context(), in)
	require.Error(t, err)
}

func TestMeasureBucketLag_MissingBucketOrTornBody_IsNoZeroLag(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := steps(map[plan.Region]*fake{"us-west-2": f})
	_, err := s.MeasureBucketLag(t.Context(), BucketLag{Region: "us-west-2", Of: "us-east-1", Bucket: "missing"})
	require.Equal(t, cloud.NotFound, cloud.KindOf(err))
	f.objects["docs/lifeline/watermark/us-east-1"] = "2026-"
	f.torn = true
	_, err = s.MeasureBucketLag(t.Context(), BucketLag{Region: "us-west-2", Of: "us-east-1", Bucket: "docs"})
	require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
}

func TestWriteBucketWatermark_DarkRegion_GivesUpInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.Always("", cloudtest.Hang())
		start := time.Now()
		err := steps(map[plan.Region]*fake{"us-east-1": f}).WriteBucketWatermark(t.Context(),
			BucketWatermark{Region: "us-east-1", Bucket: "docs", Timeout: 2 * time.Second})
		require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
		require.Equal(t, 2*time.Second, time.Since(start))
	})
}

func caughtUp(dry bool) BucketCaughtUp {
	return BucketCaughtUp{
		Command: runbook.Command{DryRun: dry, Token: "t1"}, Interval: time.Second,
		From: BucketRef{Region: "us-east-1", Bucket: "docs-use1"}, To: BucketRef{Region: "us-west-2", Bucket: "docs-usw2"},
	}
}

func TestAwaitBucketCaughtUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		east, west := newFake(), newFake()
		s := steps(map[plan.Region]*fake{"us-east-1": east, "us-west-2": west})
		o, err := s.AwaitBucketCaughtUp(t.Context(), caughtUp(true))
		require.NoError(t, err)
		require.Equal(t, runbook.Would, o.Effect)
		require.Zero(t, east.changes)

		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err = s.AwaitBucketCaughtUp(ctx, caughtUp(false))
		require.Equal(t, cloud.NotYet, cloud.KindOf(err), "nothing replicates")

		east.after = func(key, body string) {
			time.AfterFunc(2500*time.Millisecond, func() { west.With(func() { west.objects["docs-usw2/"+key] = body }) })
		}
		start := time.Now()
		o, err = s.AwaitBucketCaughtUp(t.Context(), caughtUp(false))
		require.NoError(t, err)
		require.Equal(t, runbook.Acted, o.Effect)
		require.Equal(t, 3*time.Second, time.Since(start))
	})
}

func TestAwaitBucketCaughtUp_NeedsAToken(t *testing.T) {
	t.Parallel()
	in := caughtUp(false)
	in.Token = ""
	_, err := steps(nil).AwaitBucketCaughtUp(t.Context(), in)
	require.Equal(t, cloud.Invalid, cloud.KindOf(err))
}

func TestNew_ConfiguredEndpointIsAddressedByPath(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL", "http://localhost:1")
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	c, err := cloud.New(t.Context(), cloud.Options{Caller: "test"})
	require.NoError(t, err)
	client, ok := New(c).Clients("us-west-2").(*sdk.Client)
	require.True(t, ok)
	require.True(t, client.Options().UsePathStyle)
	require.Equal(t, "us-west-2", client.Options().Region)
	require.False(t, absent(errors.New("anything else")))
}
