package s3_test

import (
	"bytes"
	"testing"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"
	"github.com/stretchr/testify/require"
)

func TestPutObject_Conditions(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	first, err := p.put(east, "docs-east", "lock", "a", "If-None-Match", "*")
	require.NoError(t, err)
	_, err = p.put(east, "docs-east", "lock", "b", "If-None-Match", "*")
	require.Equal(t, "PreconditionFailed", code(t, err))
	_, err = p.put(east, "docs-east", "lock", "c", "If-Match", *first.ETag)
	require.NoError(t, err)
	_, err = p.put(east, "docs-east", "lock", "d", "If-Match", *first.ETag)
	require.Equal(t, "PreconditionFailed", code(t, err))
	_, err = p.put(east, "docs-east", "absent", "e", "If-Match", *first.ETag)
	require.Equal(t, "NoSuchKey", code(t, err))
	got, err := p.get(east, "docs-east", "lock")
	require.NoError(t, err)
	require.Equal(t, "c", got)
}

func TestGetObject_VersionsConditionsAndRanges(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	require.NoError(t, p.version(east, "docs-east", "Enabled"))
	one, err := p.put(east, "docs-east", "k", "0123456789")
	require.NoError(t, err)
	got, err := p.get(east, "docs-east", "k", "Range", "bytes=2-4")
	require.NoError(t, err)
	require.Equal(t, "234", got)
	got, err = p.get(east, "docs-east", "k", "Range", "bytes=-3")
	require.NoError(t, err)
	require.Equal(t, "789", got)
	_, err = p.get(east, "docs-east", "k", "Range", "bytes=10-")
	require.Equal(t, "InvalidRange", code(t, err))
	_, err = p.get(east, "docs-east", "k", "If-None-Match", *one.ETag)
	require.Equal(t, "NotModified", code(t, err))
	marker := p.delete(east, "docs-east", "k")
	_, err = p.get(east, "docs-east", "k")
	require.Equal(t, "NoSuchKey", code(t, err))
	old, err := p.GetObjectAPI(p.call(east), &sdk.GetObjectInput{Bucket: aws.String("docs-east"), Key: aws.String("k"), VersionId: one.VersionId})
	require.NoError(t, err)
	require.Equal(t, *one.ETag, *old.ETag)
	_, err = p.GetObjectAPI(p.call(east), &sdk.GetObjectInput{Bucket: aws.String("docs-east"), Key: aws.String("k"), VersionId: marker.VersionId})
	require.Equal(t, "MethodNotAllowed", code(t, err))
	_, err = p.DeleteObject(p.call(east), &sdk.DeleteObjectInput{Bucket: aws.String("docs-east"), Key: aws.String("k"), VersionId: marker.VersionId})
	require.NoError(t, err)
	got, err = p.get(east, "docs-east", "k")
	require.NoError(t, err)
	require.Equal(t, "0123456789", got, "without its marker the object is back")
}

func TestListObjectsV2_PagesPrefixesAndDelimiters(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for _, key := range []string{"a/1", "a/2", "b/1", "c", "d"} {
		_, err := p.put(east, "docs-east", key, key)
		require.NoError(t, err)
	}
	p.delete(east, "docs-east", "d")
	var seen []string
	var token *string
	for {
		out, err := p.ListObjectsV2(p.call(east), &sdk.ListObjectsV2Input{
			Bucket: aws.String("docs-east"), Delimiter: aws.String("/"), MaxKeys: aws.Int64(1), ContinuationToken: token,
		})
		require.NoError(t, err)
		require.Equal(t, int64(1), *out.KeyCount)
		for _, o := range out.Contents {
			seen = append(seen, *o.Key)
		}
		for _, g := range out.CommonPrefixes {
			seen = append(seen, *g.Prefix)
		}
		if token = out.NextContinuationToken; token == nil {
			break
		}
	}
	require.Equal(t, []string{"a/", "b/", "c"}, seen)
}

func TestCopyObject_AcrossRegions_AndOntoItselfIsRefused(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	_, err := p.put(east, "docs-east", "a b", "text", "Content-Type", "text/plain")
	require.NoError(t, err)
	_, err = p.CopyObject(p.call(west), &sdk.CopyObjectInput{Bucket: aws.String("docs-west"), Key: aws.String("copy"), CopySource: aws.String("docs-east/a%20b")})
	require.NoError(t, err)
	p.holds("docs-west", "copy", "text")
	_, err = p.CopyObject(p.call(east), &sdk.CopyObjectInput{Bucket: aws.String("docs-east"), Key: aws.String("a b"), CopySource: aws.String("docs-east/a%20b")})
	require.Equal(t, "InvalidRequest", code(t, err))
}

func TestMultipartUpload_JoinsParts(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	bucket, key := aws.String("docs-east"), aws.String("big")
	begun, err := p.CreateMultipartUpload(p.call(east), &sdk.CreateMultipartUploadInput{Bucket: bucket, Key: key})
	require.NoError(t, err)
	large := bytes.Repeat([]byte("x"), 5<<20)
	part := func(n int64, body []byte) *sdk.CompletedPart {
		out, err := p.UploadPart(p.call(east), &sdk.UploadPartInput{
			Bucket: bucket, Key: key, UploadId: begun.UploadId, PartNumber: &n, Body: bytes.NewReader(body),
		})
		require.NoError(t, err)
		return &sdk.CompletedPart{PartNumber: &n, ETag: out.ETag}
	}
	finish := func(parts ...*sdk.CompletedPart) error {
		_, err := p.CompleteMultipartUpload(p.call(east), &sdk.CompleteMultipartUploadInput{
			Bucket: bucket, Key: key, UploadId: begun.UploadId, MultipartUpload: &sdk.CompletedMultipartUpload{Parts: parts},
		})
		return err
	}
	one, two := part(1, large), part(2, []byte("end"))
	require.Equal(t, "InvalidPartOrder", code(t, finish(two, one)))
	require.Equal(t, "EntityTooSmall", code(t, finish(two, part(3, nil))))
	require.NoError(t, finish(one, two))
	o, ok := p.Object("docs-east", "big")
	require.True(t, ok)
	require.Len(t, o.Body, 5<<20+3)
	require.Equal(t, "NoSuchUpload", code(t, finish(one)))
}
