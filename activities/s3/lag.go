package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// longest is the most that is read of a watermark object.
const longest = 256

// WriteBucketWatermark leaves Region's mark in its own bucket.
func (s *Steps) WriteBucketWatermark(ctx context.Context, in BucketWatermark) error {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	return s.put(ctx, at, in.Bucket, watermarkKey(in.Region))
}

// MeasureBucketLag reads the newest watermark of Region Of in Region's bucket.
func (s *Steps) MeasureBucketLag(ctx context.Context, in BucketLag) (Watermark, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	read := s.Now().UTC()
	body, err := s.read(ctx, at, in.Bucket, watermarkKey(in.Of))
	if absent(err) {
		return Watermark{Read: read}, nil
	}
	if err != nil {
		return Watermark{}, fmt.Errorf("read watermark of %s in bucket %q: %w", in.Of, in.Bucket, err)
	}
	written, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(body))
	if err != nil {
		return Watermark{}, fmt.Errorf("read watermark of %s in bucket %q: %w", in.Of, in.Bucket, err)
	}
	return Watermark{Found: true, At: written.UTC(), Read: read}, nil
}

// AwaitBucketCaughtUp puts a marker object into From and waits until To has it.
// S3 keeps no order between objects, so the marker shows that replication runs
// and how long one object took now; the objects before it may still be PENDING.
func (s *Steps) AwaitBucketCaughtUp(ctx context.Context, in BucketCaughtUp) (runbook.Outcome, error) {
	if in.DryRun {
		return runbook.Outcome{
			Effect:   runbook.Would,
			Evidence: fmt.Sprintf("put a marker into bucket %q and wait for it in %q", in.From.Bucket, in.To.Bucket),
		}, nil
	}
	if in.Token == "" {
		return runbook.Outcome{}, cloud.Errorf(cloud.Invalid, "await bucket %q: a marker needs a token", in.To.Bucket)
	}
	start := s.Now()
	key := "lifeline/marker/" + in.Token
	if err := s.put(ctx, cloud.At{Region: in.From.Region, Timeout: in.Timeout}, in.From.Bucket, key); err != nil {
		return runbook.Outcome{}, err
	}
	at := cloud.At{Region: in.To.Region, Timeout: in.Timeout}
	err := cloud.Poll(ctx, in.Interval, func(ctx context.Context) (bool, string, error) {
		_, err := cloud.Call(ctx, at, s.Clients(at.Region).HeadObject,
			&sdk.HeadObjectInput{Bucket: aws.String(in.To.Bucket), Key: aws.String(key)})
		if absent(err) {
			return false, "the marker has not arrived", nil
		}
		return err == nil, "", err
	})
	if err != nil {
		return runbook.Outcome{}, fmt.Errorf("await bucket %q in %q: %w", in.From.Bucket, in.To.Bucket, err)
	}
	return runbook.Outcome{
		Effect: runbook.Acted,
		Evidence: fmt.Sprintf("a marker from %q was in %q after %s",
			in.From.Bucket, in.To.Bucket, s.Now().Sub(start).Round(time.Millisecond)),
	}, nil
}

// put writes an object that holds the present time.
func (s *Steps) put(ctx context.Context, at cloud.At, bucket, key string) error {
	_, err := cloud.Call(ctx, at, s.Clients(at.Region).PutObject, &sdk.PutObjectInput{
		Bucket: aws.String(bucket), Key: aws.String(key),
		ContentType: aws.String("text/plain"), Body: strings.NewReader(stamp(s.Now())),
	})
	if err != nil {
		return fmt.Errorf("write s3://%s/%s: %w", bucket, key, err)
	}
	return nil
}

// read gets a small object. The body comes after the call has returned, so the
// attempt lasts until it is read.
func (s *Steps) read(ctx context.Context, at cloud.At, bucket, key string) (body string, err error) {
	attempt, cancel := at.Attempt(ctx)
	defer cancel()
	out, err := s.Clients(at.Region).GetObject(attempt, &sdk.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	if err != nil {
		return "", cloud.Explain(at.Region, err)
	}
	defer func() { err = errors.Join(err, out.Body.Close()) }()
	b, err := io.ReadAll(io.LimitReader(out.Body, longest))
	if err != nil {
		return "", cloud.Explain(at.Region, err)
	}
	return string(b), nil
}

// absent says that the object, not the bucket, is not there. HEAD answers
// "NotFound" for both, because it has no body; a missing bucket then shows at
// the first write.
func absent(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	return api.ErrorCode() == "NoSuchKey" || api.ErrorCode() == "NotFound"
}

func watermarkKey(region plan.Region) string { return "lifeline/watermark/" + string(region) }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
